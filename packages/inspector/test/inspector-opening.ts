// What the inspector opens, and what it says about what it cannot open.

import { generateKeyPairSync } from "node:crypto";
import { truncateSync, writeFileSync } from "node:fs";
import { encode, SCHEMA, signEnvelopeWithoutLog, signer, singleImage } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import type { Locator } from "playwright-core";
import { expect, it } from "vitest";
import { FACTS, keyA, keyC } from "../../test-support/src/command-line/run.js";
import { LONG } from "../../test-support/src/environment/effort.js";
import { CLASS, inspector, key, p, release, VENDOR } from "./inspector-place.js";
import { type File, file } from "./served.js";

export function opening(): void {
  it("takes files within a second, with a cold cache", async () => {
    expect(Number(await inspector.page.getAttribute("html", "data-ready"))).toBeLessThan(1000);
  });

  it("opens files that are dropped", async () => {
    const data = await inspector.page.evaluateHandle(
      `(() => {
        const data = new DataTransfer();
        for (const [name, base64] of ${JSON.stringify([release, key].map(({ name, buffer }) => [name, buffer.toString("base64")]))})
          data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
        return data;
      })()`,
    );
    await inspector.page.dispatchEvent("main", "drop", { dataTransfer: data });
    await inspector.settled();
    expect([await inspector.problem(), await inspector.isGood()]).toEqual(["", true]);
    await inspector.closeAll.click();
    await expect.poll(() => inspector.page.locator(".files li").count()).toBe(0);
    expect([await inspector.verdict(), await inspector.closeAll.isVisible()]).toEqual(["", false]);
  });

  it("opens with a sample to try, whose key nobody has", async () => {
    const { page } = inspector;
    const [whole, changed] = ["Try a sample release", "Try a changed copy"].map((name) => page.getByRole("button", { name })) as [
      Locator,
      Locator,
    ];
    const note = () => inspector.text("#sample");
    await inspector.show();
    await inspector.settled();
    expect([await whole.isVisible(), await note()]).toEqual([true, ""]);
    const thumbprints: string[] = [];
    for (let i = 0; i < 2; i++) {
      await whole.click();
      await inspector.settled();
      expect([await inspector.problem(), await inspector.isGood(), await whole.isVisible()]).toEqual(["", true, false]);
      expect(await note()).toContain("This is a sample.");
      const text = await inspector.text(".files");
      expect(text).not.toContain("published test key");
      thumbprints.push(/thumbprint ([0-9a-f ]+)/.exec(text)?.[1] as string);
      await page.getByRole("button", { name: "Close all" }).click();
      await inspector.settled();
    }
    expect(thumbprints[0]).not.toBe(thumbprints[1]);
    expect([await note(), await whole.isVisible()]).toEqual(["", true]);
    await changed.click();
    await inspector.settled();
    expect([await inspector.isGood(), await inspector.verdict()]).toEqual([
      false,
      expect.stringMatching(/^Refused: .*digest.*\(\d+ [A-Z_]+\)/),
    ]);
    expect(await inspector.violations()).toEqual([]);
    // a file of a person is not judged by the key of the sample
    await inspector.add(release);
    expect([await note(), await page.locator(".files li").count()]).toEqual(["", 1]);
    expect(await inspector.verdict()).toContain("Not verified.");
    expect(inspector.noise).toEqual([]);
  });

  it("sends no request, and is not allowed to", async () => {
    const blocked = await inspector.page.evaluate(`(async () => {
      const out = [];
      document.addEventListener("securitypolicyviolation", (e) => out.push(e.effectiveDirective));
      await fetch("https://example.com/").catch(() => {});
      await fetch("./index.html").catch(() => {});
      const image = document.createElement("img");
      image.src = "https://example.com/x.png";
      document.body.append(image);
      try {
        image.insertAdjacentHTML("afterend", "<b>x</b>");
      } catch {
        out.push("trusted types");
      }
      await new Promise((go) => setTimeout(go, 100));
      image.remove();
      return out.sort();
    })()`);
    expect(blocked).toEqual(["connect-src", "connect-src", "img-src", "require-trusted-types-for", "trusted types"]);
    expect(await inspector.page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")).toEqual([0, 0, ""]);
    // the refusals of the policy themselves
    inspector.noise.length = 0;
  });

  it("opens a trust file, with roots that a person knows, and a release under it", async () => {
    const list = {
      $schema: "urn:firmseal:trust:1",
      name: "board <b>",
      sequence: 1,
      anchors: [
        { key: "C.jwk", roles: ["root"] },
        { key: "A.jwk", roles: ["release"], vendor: "example.com", class: "board-v2" },
      ],
      thresholds: { root: 1, release: 1 },
    };
    p.put("t.json", JSON.stringify(list));
    await p.ok(["trust", "create", "--from", "t.json"]);
    await inspector.show(file("t.trust", p.get("t.trust")));
    expect(await inspector.verdict()).toContain("TRUST_SIGNERS)");
    await p.ok(["trust", "sign", "t.trust", "--key", "C.pem"]);
    const trust = file("t.trust", p.get("t.trust"));
    await inspector.show(trust);
    expect(await inspector.verdict()).toContain("Signed by its own roots. Anybody could have made it");
    expect(await inspector.text("#verdict")).toContain("board <b>");
    await inspector.add(file("C.jwk", p.get("C.jwk")));
    expect(await inspector.isGood()).toBe(true);
    await inspector.add(release);
    expect([await inspector.isGood(), await inspector.text("#verdict")]).toEqual([true, expect.stringContaining("board <b>")]);
    // another root
    await inspector.show(trust, key, release);
    expect(await inspector.verdict()).toMatch(/^Trust file refused: .*\(\d+ TRUST_/);
  });

  it("compares a trust file with the previous one, and says what changes", async () => {
    const list = (sequence: number, more: readonly object[]) => ({
      $schema: "urn:firmseal:trust:1",
      name: "line",
      sequence,
      anchors: [{ key: "C.jwk", roles: ["root"] }, ...more],
      thresholds: { root: 1, release: 1 },
    });
    const release7 = { key: "A.jwk", roles: ["release"] };
    for (const [name, description] of [
      ["one", list(1, [release7])],
      ["two", list(2, [{ key: "B.jwk", roles: ["release"] }])],
      ["three", list(3, [release7, { key: "B.jwk", roles: ["release"] }])],
    ] as const) {
      p.put(`${name}.json`, JSON.stringify(description));
      await p.ok(["trust", "create", "--from", `${name}.json`, "--out", `${name}.trust`]);
      await p.ok(["trust", "sign", `${name}.trust`, "--key", "C.pem"]);
    }
    const [one, two, three] = ["one", "two", "three"].map((name) => file(`${name}.trust`, p.get(`${name}.trust`))) as [File, File, File];
    // in either order
    for (const files of [
      [one, two],
      [two, one],
    ]) {
      await inspector.show(...files);
      expect(await inspector.verdict()).toContain("Signed by the roots of line, number 1");
      const text = await inspector.text("#verdict");
      for (const words of ["What changes from number 1", "new key: es256 ", "no longer a key: ed25519 "]) expect(text).toContain(words);
    }
    await inspector.add(file("C.jwk", p.get("C.jwk")));
    expect([await inspector.isGood(), await inspector.verdict()]).toEqual([true, expect.stringContaining("follows number 1")]);
    // a third one closes the first
    await inspector.add(three);
    expect(await inspector.text(".files")).not.toContain("one.trust");
    expect(await inspector.text("#verdict")).toContain("What changes from number 2");
    // one that the roots before have not signed
    p.put("evil.json", JSON.stringify({ ...list(4, [release7]), anchors: [{ key: "B.jwk", roles: ["root"] }, release7] }));
    await p.ok(["trust", "create", "--from", "evil.json", "--out", "evil.trust"]);
    await p.ok(["trust", "sign", "evil.trust", "--key", "B.pem"]);
    await inspector.show(three, file("evil.trust", p.get("evil.trust")));
    expect(await inspector.verdict()).toMatch(/^Trust file refused: .*\(\d+ TRUST_/);
    expect(inspector.noise).toEqual([]);
  });

  it.each(["asked", "silent"])("works again after its worker has ended (%s), and says so in one sentence", async (how) => {
    const { page } = inspector;
    await inspector.show(release, key);
    if (how === "asked")
      await page.evaluate(`{
        const { postMessage } = Worker.prototype;
        Worker.prototype.postMessage = function (message) {
          if (message.ask !== "verify") return postMessage.call(this, message);
          window.isAsked = true;
          Worker.prototype.postMessage = postMessage;
        };
      }`);
    const other = { mimeType: "", ...file("B.jwk", p.get("B.jwk")) };
    if (how === "asked") {
      await page.setInputFiles("#files", [other]);
      // before that, another worker would be asked, and never answer
      await expect.poll(() => page.evaluate("window.isAsked")).toBe(true);
    }
    await page.workers()[0]?.evaluate("self.close()");
    await expect.poll(() => inspector.problem(), { timeout: 10_000 }).toBe("The page had to stop its work. Open the files again.");
    await inspector.settled();
    expect([await inspector.verdict(), await page.locator(".files li").count()]).toEqual(["", 0]);
    await inspector.add(release, key);
    expect([await inspector.problem(), await inspector.isGood()]).toEqual(["", true]);
    expect(inspector.noise).toEqual([]);
  });

  it("takes keys of OpenSSH and minisign, and of no other algorithm", async () => {
    const { stdout: ssh } = await p.ok(["pubkey", "A.pem", "--format", "openssh"]);
    const { stdout: curve } = await p.ok(["pubkey", "B.pem", "--format", "openssh"]);
    const raw = Buffer.from(keyA.key);
    const minisign = (bytes: Uint8Array) => `untrusted comment: minisign public key\n${Buffer.from(bytes).toString("base64")}\n`;
    const bare = Buffer.concat([Buffer.from("Ed"), Buffer.alloc(8, 7), raw]);
    const rsa = `ssh-rsa ${Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from("ssh-rsa")]).toString("base64")} me`;
    for (const [one, isGood] of [
      [file("a.pub", `${ssh.trimEnd()} me@example.com\n`), true],
      [file("b.pub", curve), false],
      [file("minisign.pub", minisign(bare)), true],
      [file("line.pub", bare.toString("base64")), true],
    ] as const) {
      await inspector.show(release, one);
      expect([one.name, await inspector.problem(), await inspector.isGood()]).toEqual([one.name, "", isGood]);
    }
    for (const [one, words] of [
      [file("rsa.pub", rsa), /^rsa\.pub is not a key that can sign releases: an OpenSSH key of the type ssh-rsa\.$/],
      [file("cut.pub", ssh.slice(0, 58)), /^cut\.pub is not a usable key: the content of the OpenSSH key is cut short or damaged\.$/],
      [file("two.pub", ssh + ssh), /^two\.pub is not a usable key: 2 lines, but one key is expected\.$/],
      [
        file("secret.key", minisign(Buffer.concat([Buffer.from("EdSc"), Buffer.alloc(154)]))),
        /^secret\.key is a private key and was not kept/,
      ],
      [file("cut.minisign", minisign(bare.subarray(0, 30))), /^cut\.minisign is not a SUIT envelope/],
    ] as const) {
      await inspector.show();
      await inspector.add(one);
      expect([await inspector.problem(), await inspector.verdict()]).toEqual([expect.stringMatching(words), ""]);
    }
    expect(inspector.noise).toEqual([]);
  });

  it("opens a description, and payloads that are outside the envelope", async () => {
    const description = (payload: object) => ({
      $schema: SCHEMA,
      sequence: 3,
      components: [[{ hex: "00" }]],
      install: [
        { "directive-override-parameters": { "vendor-identifier": VENDOR, "class-identifier": CLASS, ...payload } },
        "condition-vendor-identifier",
        "condition-class-identifier",
        "directive-fetch",
        "condition-image-match",
      ],
    });
    const image = Buffer.alloc(70, 5);
    const { createHash } = await import("node:crypto");
    const digest = createHash("sha256").update(image).digest("hex");
    const outside = description({ uri: "https://example.com/fw.bin", "image-digest": { hex: digest }, "image-size": 70 });
    await inspector.show(file("fw.json", JSON.stringify(outside)));
    expect(await inspector.text(".files")).toContain("Description of a release without signatures");
    expect(await inspector.verdict()).toContain("not signed");
    await inspector.page.locator(".steps li", { hasText: "directive-fetch" }).click();
    await inspector.settled();
    expect(await inspector.text(".details")).toContain("gets https://example.com/fw.bin");
    p.put("fw.json", JSON.stringify(outside));
    await p.ok(["sign", "fw.json", "--key", "A.pem", "--out", "outside.suit", "--allow-no-start"]);
    await inspector.show(file("outside.suit", p.get("outside.suit")), key);
    expect(await inspector.text("#verdict")).toContain("Payload https://example.com/fw.bin is outside the envelope: open it");
    await inspector.add(file("wrong.bin", Buffer.alloc(70, 6)));
    expect(await inspector.problem()).toContain("wrong.bin is not a payload of the open release");
    await inspector.add(file("fw.bin", image));
    expect([await inspector.problem(), await inspector.text("#verdict")]).toEqual([
      "",
      expect.stringContaining("matches its signed digest"),
    ]);
    await inspector.show(file("bad.json", JSON.stringify({ ...outside, instal: [] })));
    expect(await inspector.problem()).toContain('unknown member "instal"; did you mean "install"?');
  });

  it("says in one sentence what cannot be opened", async () => {
    const { publicKey: rsa } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    const { publicKey: other } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    p.put("huge.bin", "");
    truncateSync(p.at("huge.bin"), 2 ** 31);
    const cases: [File | string, RegExp][] = [
      [file("x.bin", Buffer.alloc(100, 1)), /^x\.bin is not a SUIT envelope, trust file, description or public key/],
      [file("fw.approval", Buffer.from("d28443a10132a0", "hex")), /^fw\.approval is an approval or a status\. This page shows releases/],
      [file("empty.suit", ""), /^empty\.suit is empty\.$/],
      [p.at("huge.bin"), /^huge\.bin has 2,147,483,648 bytes\. At most [\d,]+ bytes are opened\.$/],
      [file("A.pem", p.get("A.pem")), /^A\.pem is a private key and was not kept/],
      [file("A.jwk", JSON.stringify({ kty: "OKP", crv: "Ed25519", d: "AAAA" })), /is a private key and was not kept/],
      [file("rsa.pem", rsa), /^rsa\.pem is not a key that can sign releases: the algorithms are Ed25519/],
      [file("p384.jwk", JSON.stringify(other.export({ format: "jwk" }))), /^p384\.jwk is not a key that can sign releases/],
      [file("x.json", "{"), /^x\.json is not valid JSON\.$/],
      [file("y.json", "{}"), /^y\.json is JSON, but not a description/],
      [file("z.pub", "00".repeat(32)), /^z\.pub is not a usable key/],
    ];
    for (const [one, words] of cases) {
      await inspector.show();
      await inspector.add(one);
      expect([await inspector.problem(), await inspector.verdict()]).toEqual([expect.stringMatching(words), ""]);
    }
    expect(inspector.noise).toEqual([]);
  });

  it("takes a key that is pasted", async () => {
    await inspector.show(release);
    const { page } = inspector;
    await page.getByText("Paste a public key").first().click();
    for (const [text, isGood] of [
      [p.get("A.jwk").toString(), true],
      [toHex(keyA.key), true],
      [toHex(keyC.key), false],
    ] as const) {
      await inspector.show(release);
      await page.getByRole("textbox", { name: "Paste a public key" }).fill(text);
      await page.getByRole("button", { name: "Add key" }).click();
      await inspector.settled();
      expect([await inspector.problem(), await inspector.isGood()]).toEqual(["", isGood]);
    }
    expect(await inspector.verdict()).toMatch(/^Refused: .*\(\d+ [A-Z_]+\)/);
    await page.getByText("Paste a public key").first().click();
  });

  it("shows hostile texts as text", async () => {
    const evil = `<img src=x onerror=alert(1)>\u202e\u001b[31m</script>${"A".repeat(1_000_000)}`;
    const description = (text: string) =>
      encode({
        ...singleImage({ sequence: "9", vendor: VENDOR, class: CLASS, digest: "00".repeat(32), size: 3, uri: "<b>x</b>" }),
        text: { en: { "update-description": text } },
      });
    const long = description(evil);
    await inspector.show(file("<img src=x onerror=alert(2)>\u202e.suit", long), key);
    // a manifest of 1 MB does not fit in a device
    expect(await inspector.verdict()).toMatch(/\(48 HEAD_LENGTH\)/);
    const shorter = await signEnvelopeWithoutLog(description(evil.slice(0, 50_000)), [signer(keyA)]);
    await inspector.show(file("<img src=x onerror=alert(2)>\u202e.suit", shorter), key);
    expect(await inspector.isGood()).toBe(true);
    for (const label of ["manifest", "text", '"en"']) {
      await inspector.page.locator(".tree .label", { hasText: new RegExp(`^${label}$`) }).click();
      await inspector.settled();
    }
    expect(await inspector.page.locator("main img, main b, main i, main script").count()).toBe(0);
    const text = await inspector.text();
    expect(text).toContain("<img src=x onerror=alert(1)>\\u{202e}\\u{1b}[31m");
    expect(text).toContain("<img src=x onerror=alert(2)>\\u{202e}.suit");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text).not.toMatch(/[\u0000-\u0008\u001b\u202a-\u202e\u2066-\u2069]/);
    await inspector.show(file("x".repeat(250), evil));
    expect(await inspector.problem()).toContain("is not a SUIT envelope");
    expect(inspector.noise).toEqual([]);
  });

  const mebibytes = LONG ? 16 : 4;
  it(`answers while it opens ${mebibytes} MiB`, async () => {
    const { page } = inspector;
    const image = Buffer.alloc(mebibytes * 1024 * 1024 - 8192, 7);
    p.put("big.bin", image);
    await p.ok(["sign", "big.bin", "--key", "A.pem", ...FACTS, "--seq", "8", "--out", "big.suit"]);
    writeFileSync(p.at("big.bin"), "");
    await inspector.show(key);
    await page.evaluate(`{
      let last = performance.now();
      window.longest = 0;
      window.looks = setInterval(() => {
        const now = performance.now();
        window.longest = Math.max(window.longest, now - last);
        last = now;
      }, 5);
    }`);
    await inspector.add(p.at("big.suit"));
    expect(await inspector.isGood()).toBe(true);
    // a slow machine stops everything now and then; without a worker it is more than this
    expect((await page.evaluate("clearInterval(looks), longest")) as number).toBeLessThan(LONG ? 400 : 600);
    await page.locator(".tree .label", { hasText: "#firmware" }).click();
    await inspector.settled();
    await page.getByLabel("Go to byte").fill(`${mebibytes},000,000`);
    await page.getByRole("button", { name: "Go", exact: true }).click();
    await inspector.settled();
    expect(await page.locator(".hex [tabindex='0']").getAttribute("data-at")).toBe(`${mebibytes}000000`);
    expect(inspector.noise).toEqual([]);
  });
}
