// The page in Chromium: what it shows, that it turns red, and that nothing leaves it.

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { chromiumPath, fits, launch, NO_BROWSER, setView, VIEWS, violations } from "../../test-support/src/browser.js";
import { FACTS, image, type Place, signImage, standard } from "../../test-support/src/command-line/run.js";
import { ALL, LONG, OF_SOME, some } from "../../test-support/src/environment/effort.js";
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
  await p.ok(["report", "fw.suit", "--key", "A.jwk", "--out", "fw.html", ...more]);
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

  const kinds = [
    ["ed25519", []],
    ["es256", []],
    ["hsslms", ["--hss", "5/4"]],
  ] as const;
  it.each(some(kinds, 2))(`works out the thumbprint of a key: %s${OF_SOME}`, async (alg, more) => {
    const p = standard();
    await p.ok(["keygen", "--no-passphrase", "--out", "K.key", "--alg", alg, ...more]);
    const { thumbprint } = (await p.ok(["pubkey", "K.key", "--out", "K.jwk", "--json"])).json as { thumbprint: string };
    await p.ok(["sign", "fw.bin", "--key", "K.key", ...FACTS, "--seq", "7", "--out", "fw.suit"]);
    await p.ok(["report", "fw.suit", "--key", "K.jwk", "--out", "fw.html"]);
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
    await p.ok(["sign", "open.json", "--key", "A.pem", "--out", "fw.suit", "--allow-no-device"]);
    await made(p);
    const { page, isGood } = await reader.opened(urlOf(p));
    expect([isGood, await page.locator("main").textContent()]).toEqual([false, expect.stringContaining("(90 IDENTITY_UNCHECKED)")]);
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
      "--out",
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
});
