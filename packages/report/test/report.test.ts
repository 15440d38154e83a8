// The page in Chromium: what it shows, that it turns red, and that nothing leaves it.

import { generateKeyPairSync } from "node:crypto";
import { truncateSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { chromiumPath, fits, launch, NO_BROWSER, setView, VIEWS, violations } from "../../test-support/src/browser.js";
import { expectFailure, FACTS, image, type Place, signImage, standard } from "../../test-support/src/command-line/run.js";
import { ALL, LONG } from "../../test-support/src/environment/effort.js";
import { type Judged, judged, Reader, urlOf } from "./pages.js";

// the page itself comes from the build
const { reportHtml } = (await import(new URL("../lib/index.js", import.meta.url).href)) as typeof import("@firmseal/report");

vi.setConfig({ testTimeout: 120_000 });

let reader: Reader;
beforeAll(async () => {
  if (chromiumPath) reader = await Reader.start();
});
afterAll(async () => {
  await reader?.close();
});

async function made(p: Place, ...more: string[]): Promise<string> {
  await p.ok(["report", "fw.suit", "--key", "A.jwk", "--html", "fw.html", ...more]);
  return p.get("fw.html").toString();
}

describe.skipIf(!chromiumPath)(`a report${NO_BROWSER}`, () => {
  it("verifies a good release, and shows who signed it and what a device does", async () => {
    const p = standard();
    await signImage(p, 6, "old.suit");
    p.put("fw.bin", image(3000));
    await signImage(p, 7, "fw.suit");
    const html = await made(p, ...FACTS, "--previous-release", "old.suit", "--slot-size", "65536", "--device", "flash");
    expect(html.length).toBeLessThan(400_000);
    const { page, verdict, isGood, noise } = await reader.opened(urlOf(p));
    expect([isGood, verdict]).toEqual([true, "Verified here, by this page, with these keys"]);
    const text = await page.locator("main").textContent();
    const { thumbprint } = (await p.ok(["pubkey", "A.pem", "--json"])).json as { thumbprint: string };
    for (const words of [
      thumbprint,
      "has signed",
      "vendor example.com",
      "class board-v2",
      "gets #firmware, which the envelope contains",
      "3,000 of 65,536 bytes of the slot (5 %)",
      "sequence number 6 before, 7 after",
      "After every cut, the previous release or the new one starts",
    ])
      expect(text).toContain(words);
    expect(await page.locator(".map li").count()).toBeGreaterThan(10);
    expect(noise).toEqual([]);
  });

  it("is accessible at each width, light and dark", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    await made(p, "--slot-size", "65536", "--device", "memory");
    const { page } = await reader.opened(urlOf(p));
    for (const [width, scheme] of VIEWS) {
      await setView(page, width, scheme);
      expect([width, scheme, await fits(page), await violations(page)]).toEqual([width, scheme, true, []]);
    }
  });

  /** Puts another text into the page. */
  async function changed(p: Place, change: (html: string) => string): Promise<Judged> {
    const html = p.get("fw.html").toString();
    const other = change(html);
    expect(other).not.toBe(html);
    p.put("other.html", other);
    return reader.opened(urlOf(p, "other.html"));
  }

  it("turns red after any change of the envelope, with the refusal's number", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const envelope = p.get("fw.suit");
    const html = await made(p);
    const inPage = envelope.toString("base64");
    expect(html).toContain(inPage);
    const step = ALL ? 1 : Math.ceil(envelope.length / (LONG ? 60 : 8));
    for (let at = 0; at < envelope.length; at += step) {
      const flipped = Buffer.from(envelope);
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      const { isGood, verdict } = await changed(p, (text) => text.replace(inPage, flipped.toString("base64")));
      expect([at, isGood]).toEqual([at, false]);
      expect(verdict).toMatch(/^Refused: (.* \(\d+ [A-Z0-9_]+\)|payload #firmware is not the one that was signed)$/);
    }
    expect((await changed(p, (text) => text.replace(inPage, inPage.slice(4)))).isGood).toBe(false);
    expect((await changed(p, (text) => text.replace(inPage, ""))).isGood).toBe(false);
  });

  it("turns red after a change of anything else that it shows", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    await made(p, "--device", "memory");
    expect((await changed(p, (html) => html.replace('"boots":"old"', '"boots":"new"'))).verdict).toContain("this report was changed");
    expect((await changed(p, (html) => html.replace('"threshold":1', '"threshold":0'))).verdict).toContain("this report was changed");
    const other = await changed(p, (html) => html.replace(/var firmsealReportDigest="./, 'var firmsealReportDigest="x'));
    expect([other.isGood, other.verdict]).toEqual([false, expect.stringContaining("Refused")]);
    // a script with another content does not run at all
    const script = await changed(p, (html) => html.replaceAll("Verified here", "Verified there"));
    expect(script.verdict).toContain("Not verified: the script of this page did not run");
  });

  it("turns red with another release of the same signers", async () => {
    const p = standard();
    await signImage(p, 6, "old.suit");
    await signImage(p, 7, "fw.suit");
    await made(p);
    const [old, now] = ["old.suit", "fw.suit"].map((name) => p.get(name).toString("base64")) as [string, string];
    const { isGood, verdict } = await changed(p, (html) => html.replace(now, old));
    expect([isGood, verdict]).toEqual([false, "Refused: this report was changed after it was made"]);
  });

  it.each([
    ["ed25519", []],
    ["es256", []],
    ["hsslms", ["--hss", "5/4"]],
  ] as const)("works out the thumbprint of a key: %s", async (alg, more) => {
    const p = standard();
    await p.ok(["keygen", "--no-passphrase", "--out", "K.key", "--alg", alg, ...more]);
    const { thumbprint } = (await p.ok(["pubkey", "K.key", "--out", "K.jwk", "--json"])).json as { thumbprint: string };
    await p.ok(["sign", "fw.bin", "--key", "K.key", ...FACTS, "--seq", "7", "--out", "fw.suit"]);
    await p.ok(["report", "fw.suit", "--key", "K.jwk", "--html", "fw.html"]);
    expect(p.get("fw.html").toString()).not.toContain(thumbprint);
    const { page, isGood } = await reader.opened(urlOf(p));
    expect([isGood, await page.locator("td code").textContent()]).toEqual([true, thumbprint]);
  });

  it("says that devices refuse a release that does not check who they are", async () => {
    const p = standard();
    p.put(
      "open.json",
      JSON.stringify({
        $schema: "urn:firmseal:manifest:1",
        sequence: 3,
        components: [[{ hex: "00" }]],
        install: [{ "directive-override-parameters": { uri: "#f", image: { payload: "#f" } } }, "directive-fetch", "condition-image-match"],
        payloads: { "#f": "#f" },
      }),
    );
    await p.ok(["sign", "open.json", "--key", "A.pem", "--out", "fw.suit"]);
    await made(p);
    const { page } = await reader.opened(urlOf(p));
    expect(await page.locator("main").textContent()).toContain("(90 IDENTITY_UNCHECKED)");
  });

  const mebibytes = LONG ? 16 : 4;
  it(`answers while it verifies ${mebibytes} MiB`, async () => {
    const p = standard();
    p.put("fw.bin", Buffer.alloc(mebibytes * 1024 * 1024 - 8192, 7));
    await signImage(p, 7, "fw.suit");
    await made(p);
    // what is put in before a page's own scripts stays
    const page = await (await launch()).newPage();
    await page.addInitScript(`{
      let last = performance.now();
      window.longest = 0;
      setInterval(() => {
        const now = performance.now();
        if (document.querySelector(".pending")) window.longest = Math.max(window.longest, now - last);
        last = now;
      }, 5);
    }`);
    await page.goto(urlOf(p));
    expect(await judged(page)).toMatchObject({ isGood: true });
    // more than 0: the page was seen at work. A slow machine stops everything now and then, and without slices it is 250 ms for each MiB
    const longest = (await page.evaluate("longest")) as number;
    expect([longest > 0, longest < 700]).toEqual([true, true]);
    await page.close();
  });

  it("shows hostile names as text", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const name = "<img src=x onerror=alert(1)>\u202e\u001b[31m.suit";
    p.put(name, p.get("fw.suit"));
    await p.ok([
      "report",
      name,
      "--key",
      "A.jwk",
      "--html",
      "fw.html",
      "--vendor",
      "example.com",
      "--class",
      "</script><script>alert(2)</script>",
    ]);
    const { page, noise, isGood } = await reader.opened(urlOf(p));
    expect(isGood).toBe(true);
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.locator(".told").first().textContent()).toContain("<img src=x onerror=alert(1)>\\u{202e}\\u{1b}[31m.suit");
    expect(noise).toEqual([]);
  });
});

describe("report", () => {
  it("takes an envelope in base64 only: other text could show a verdict without a script", () => {
    const data = { file: "", made: "", keys: [], threshold: 1, names: {}, kinds: [], slots: false };
    for (const envelope of ['</script><p class="verdict good">Verified here</p>', "AA==\n", "A=A="])
      expect(() => reportHtml({ ...data, envelope }, "")).toThrow("not in base64");
  });

  it.each([
    ["a key that has not signed", ["fw.suit", "--key", "B.jwk", "--html", "x.html"], 1, "refused"],
    ["a name that is not a page", ["fw.suit", "--key", "A.jwk", "--html", "fw.suit"], 2, "is not the name of an HTML file"],
    ["no envelope", ["fw.bin", "--key", "A.jwk", "--html", "x.html"], 1, "not a SUIT envelope"],
    ["half a device", ["fw.suit", "--key", "A.jwk", "--html", "x.html", "--vendor", "a.com"], 2, "one of them is missing"],
    ["an unknown simulated device", ["fw.suit", "--key", "A.jwk", "--html", "x.html", "--device", "toaster"], 2, "unknown device"],
  ])("refuses %s, and writes nothing", async (_, args, exit, words) => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const before = p.tree();
    expect(expectFailure(await p.run(["report", ...args]), exit)).toContain(words);
    expect(p.tree()).toEqual(before);
  });

  it("says in one sentence why it cannot make a page", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    p.put("cut.suit", p.get("fw.suit").subarray(0, 60));
    p.put("noise.suit", image(500));
    p.put("empty.suit", "");
    p.put("huge.suit", p.get("fw.suit"));
    truncateSync(p.at("huge.suit"), 2 ** 31);
    const { publicKey: rsa } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    p.put("rsa.pem", rsa);
    for (const [args, exit, words] of [
      [["cut.suit", "--key", "A.jwk"], 1, "the CBOR ends before the item does"],
      [["noise.suit", "--key", "A.jwk"], 1, "not a SUIT envelope"],
      [["empty.suit", "--key", "A.jwk"], 1, "empty.suit"],
      [["huge.suit", "--key", "A.jwk"], 2, "huge.suit is too large"],
      [["fw.suit", "--key", "rsa.pem"], 2, "rsa.pem"],
      [["missing.suit", "--key", "A.jwk"], 3, "file not found"],
    ] as const)
      expect(expectFailure(await p.run(["report", ...args, "--html", "x.html"]), exit)).toContain(words);
    expect(p.has("x.html")).toBe(false);
  });

  it("says which payload was neither in the envelope nor beside it", async () => {
    const p = standard();
    await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "7", "--uri", "https://example.com/other.bin", "--out", "fw.suit"]);
    const args = ["report", "fw.suit", "--key", "A.jwk", "--html", "fw.html"];
    expect((await p.ok(args)).stderr).toContain("payload not checked: https://example.com/other.bin\n");
    p.put("other.bin", p.get("fw.bin"));
    expect((await p.ok([...args, "--json"])).json).toMatchObject({ payloadsNotChecked: [] });
  });

  it("refuses a release whose devices trust different keys, even if some only trust more of them", async () => {
    const p = standard();
    const list = {
      $schema: "urn:firmseal:trust:1",
      name: "board",
      sequence: 1,
      anchors: [
        { key: "C.jwk", roles: ["root"] },
        { key: "A.jwk", roles: ["release"] },
        { key: "B.jwk", roles: ["release"], vendor: "example.com", class: "board-v2" },
      ],
      thresholds: { root: 1, release: 1 },
    };
    p.put("t.json", JSON.stringify(list));
    await p.ok(["trust", "create", "--from", "t.json"]);
    await p.ok(["trust", "sign", "t.trust", "--key", "C.pem"]);
    const branch = (id: string) => [
      { "directive-override-parameters": { "vendor-identifier": "cfbff0d1-9375-5685-968c-48ce8b15ae17", "class-identifier": id } },
      "condition-vendor-identifier",
      "condition-class-identifier",
    ];
    const [v2, v3] = ["7ef25e26-57d5-563d-bec7-161eb72060bb", "d041272d-edb5-558c-998f-144424bbea1f"] as const;
    p.put(
      "two.json",
      JSON.stringify({
        $schema: "urn:firmseal:manifest:1",
        sequence: 3,
        components: [[{ hex: "00" }]],
        "shared-sequence": [{ "directive-try-each": [branch(v2), branch(v3)] }],
        install: [{ "directive-override-parameters": { uri: "#f", image: { payload: "#f" } } }, "directive-fetch", "condition-image-match"],
        validate: [{ "directive-override-parameters": { image: { payload: "#f" } } }, "condition-image-match"],
        payloads: { "#f": "#f" },
      }),
    );
    // devices of board-v3 refuse it
    await p.ok(["sign", "two.json", "--key", "B.pem", "--out", "two.suit"]);
    const report = ["report", "two.suit", "--trust", "t.trust", "--root", "C.jwk", "--html", "x.html"];
    expect(expectFailure(await p.run(report), 2)).toContain("trust different keys");
    await p.ok([...report, ...FACTS]);
  });

  it("makes the same page from the same release", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const env = { SOURCE_DATE_EPOCH: "1700000000" };
    for (const name of ["a.html", "b.html"]) await p.ok(["report", "fw.suit", "--key", "A.jwk", "--html", name], { env });
    expect(p.get("a.html").equals(p.get("b.html"))).toBe(true);
    expect(p.get("a.html").toString()).toContain("2023-11-14T22:13:20Z");
  });
});
