// The verdict of the inspector on releases.

import { privateKey, publicKey, toCose } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { expect, it, vi } from "vitest";
import { FACTS, privateJwk } from "../../test-support/src/command-line/run.js";
import { ALL, LONG, OF_SOME, some } from "../../test-support/src/environment/effort.js";
import { REFUSED_BY_ONE_CLASS } from "../../test-support/src/refused-by-one-class.js";
import { inspector, key, p, release } from "./inspector-place.js";
import { file } from "./served.js";

/** The private key of RFC 8032 §7.1, test 1. */
const TEST_KEY = privateKey("ed25519", Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex"));

export function verdicts(): void {
  it("verifies a release, without a network, and shows who signed it", async () => {
    await p.ok(["keygen", "--no-passphrase", "--alg", "ml-dsa-44", "--out", "M.pem"]);
    await p.ok(["pubkey", "M.pem", "--out", "M.pub"]);
    await p.ok(["sign", "fw.bin", "--key", "M.pem", ...FACTS, "--seq", "7", "--out", "mldsa.suit"]);
    await inspector.page.context().setOffline(true);
    await inspector.show(file("mldsa.suit", p.get("mldsa.suit")), file("M.pub", p.get("M.pub")));
    expect([await inspector.problem(), await inspector.isGood()]).toEqual(["", true]);
    await inspector.show(release);
    expect(await inspector.verdict()).toContain("Not verified");
    await inspector.add(key);
    expect([await inspector.isGood(), await inspector.verdict()]).toEqual([true, "Verified here, by this page, with these keys"]);
    await inspector.page.context().setOffline(false);
    const { thumbprint } = (await p.ok(["pubkey", "A.pem", "--json"])).json as { thumbprint: string };
    const text = await inspector.text();
    for (const words of [thumbprint, "has signed", "gets #firmware, which the envelope contains", "ed25519"]) expect(text).toContain(words);
    expect(inspector.noise).toEqual([]);
  });

  it("is not green if a published test key signed, whether it is open or not, and names another signer as unknown", async () => {
    p.put("test.jwk", privateJwk(TEST_KEY));
    const allow = ["--allow-test-key", "rfc8032-test-1"];
    await p.ok(["sign", "fw.bin", "--key", "test.jwk", "--key", "A.pem", ...FACTS, "--seq", "7", "--out", "test.suit", ...allow]);
    const released = file("test.suit", p.get("test.suit"));
    await inspector.show(released, file("test.cose", Buffer.from(toCose(publicKey("ed25519", TEST_KEY.key)))));
    expect([await inspector.isGood(), await inspector.verdict()]).toEqual([
      false,
      "Signed with the published test key rfc8032-test-1: anybody can sign with it",
    ]);
    await inspector.show(released, key);
    expect([await inspector.isGood(), await inspector.verdict()]).toEqual([
      false,
      "Signed with the published test key rfc8032-test-1: anybody can sign with it",
    ]);
    expect(await inspector.text()).toContain("1 more signature (ed25519) is by the published test key rfc8032-test-1");
    expect(await inspector.text()).not.toContain("nobody is known");
    await p.ok(["keygen", "--no-passphrase", "--out", "other.pem"]);
    await p.ok(["sign", "fw.bin", "--key", "other.pem", "--key", "A.pem", ...FACTS, "--seq", "7", "--out", "both.suit"]);
    await inspector.show(file("both.suit", p.get("both.suit")), key);
    expect([await inspector.isGood(), await inspector.text()]).toEqual([
      true,
      expect.stringContaining("1 more signature is not by a key of this page, or does not count: nobody is known to have made it. ed25519"),
    ]);
  });

  it("is not green if devices of a class that was not chosen do not trust the signer", async () => {
    p.put("classes.json", JSON.stringify({ ...REFUSED_BY_ONE_CLASS, install: ["directive-fetch", "condition-image-match"] }));
    await p.ok(["sign", "classes.json", "--key", "A.pem", "--out", "classes.suit"]);
    const anchors = [
      { key: "C.jwk", roles: ["root"] },
      { key: "A.jwk", roles: ["release"], vendor: "example.com", class: "board-v2" },
      { key: "B.jwk", roles: ["release"] },
    ];
    p.put(
      "scoped.json",
      JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "one", sequence: 1, anchors, thresholds: { root: 1, release: 1 } }),
    );
    await p.ok(["trust", "create", "--from", "scoped.json"]);
    await p.ok(["trust", "sign", "scoped.trust", "--key", "C.pem"]);
    await inspector.show(file("classes.suit", p.get("classes.suit")), file("scoped.trust", p.get("scoped.trust")));
    expect([await inspector.isGood(), await inspector.verdict()]).toEqual([
      false,
      expect.stringMatching(/^Refused: devices of class d041272dedb5558c998f144424bbea1f refuse it: .*\(\d+ [A-Z0-9_]+\)/),
    ]);
  });

  it("shows no verdict on other files while it verifies, however long that takes", async () => {
    await inspector.show(release, key);
    expect(await inspector.isGood()).toBe(true);
    const { page } = inspector;
    // the worker is never asked, which looks like one that does not answer
    await page.evaluate(`{
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (message) {
        if (message.ask !== "verify") return postMessage.call(this, message);
        window.late = () => postMessage.call(this, message);
        Worker.prototype.postMessage = postMessage;
      };
    }`);
    const other = file(
      "other.suit",
      p.get("fw.suit").map((byte, i) => (i === 200 ? byte ^ 1 : byte)),
    );
    await page.setInputFiles("#files", [{ mimeType: "", ...other }]);
    // not waitForFunction(): the policy of the page forbids what it evaluates
    await vi.waitFor(async () => expect(await page.evaluate("typeof window.late")).toBe("function"), 20_000);
    expect([await inspector.verdict(), (await inspector.text(".files")).includes("other.suit")]).toEqual(["", true]);
    await page.evaluate("window.late()");
    await inspector.settled();
    expect([await inspector.isGood(), await inspector.verdict()]).toEqual([false, expect.stringContaining("Refused")]);
  });

  it("turns red after a change of any byte", async () => {
    const { buffer } = release;
    const step = Math.ceil(buffer.length / (ALL ? 400 : LONG ? 60 : 8));
    for (let at = 0; at < buffer.length; at += step) {
      const flipped = Buffer.from(buffer);
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      await inspector.show(file("x.suit", flipped), key);
      expect([at, await inspector.verdict()]).toEqual([
        at,
        expect.stringMatching(/^Refused: (.* \(\d+ [A-Z0-9_]+\)|payload #firmware is not the one that was signed)/),
      ]);
    }
    expect(inspector.noise).toEqual([]);
  });

  it("says which byte was refused, and shows it", async () => {
    const { buffer } = release;
    await inspector.show(file("x.suit", buffer.subarray(0, 60)), key);
    expect(await inspector.verdict()).toMatch(/^Refused: .*\(1 CBOR_TRUNCATED\), at byte \d+/);
    await inspector.page.getByRole("button", { name: "Show this byte" }).click();
    await inspector.settled();
    expect(await inspector.page.locator(".hex [tabindex='0']").count()).toBe(1);
  });

  it(`says about refused vectors what devices say${OF_SOME}`, async () => {
    const { readVectors } = await import("../../../test-vectors/index.mjs");
    interface Anchor {
      alg: string;
      key: string;
      kid?: string;
    }
    interface Played {
      name: string;
      action: string;
      envelope: string;
      trust?: { anchors: Anchor[]; threshold?: number; floor?: unknown };
      expect: { code: number };
      memory?: unknown;
      strange?: unknown;
      role?: unknown;
    }
    const algs: readonly string[] = ["ed25519", "es256", "hsslms"];
    const keyFile = ({ alg, key: hex, kid }: Anchor, i: number) => {
      const bytes = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
      return file(`${i}.cose`, toCose(publicKey(alg as "ed25519", bytes(hex), kid === undefined ? undefined : bytes(kid))));
    };
    /** The keys as files. Undefined: keys that no file can hold. */
    const files = ({ anchors }: NonNullable<Played["trust"]>) => {
      const isPlain = (a: Anchor) => algs.includes(a.alg) && Object.keys(a).every((name) => ["alg", "key", "kid"].includes(name));
      try {
        const all = anchors.every(isPlain) ? anchors.map(keyFile) : [];
        // a list that has a key twice cannot be opened
        return new Set(all.map(({ buffer }) => buffer.toString("hex"))).size === anchors.length ? all : undefined;
      } catch {
        return undefined;
      }
    };
    const played = (readVectors("refused") as unknown as Played[])
      .filter(({ action, trust, envelope }) => (action === "open" || action === "trust") && trust && typeof envelope === "string")
      .filter(
        ({ trust, memory, role, strange }) =>
          trust?.floor === undefined && strange === undefined && memory === undefined && role === undefined,
      )
      .filter(({ action, trust }) => action === "open" || (trust?.threshold ?? 1) === trust?.anchors.length)
      .flatMap((one) => {
        const keys = one.trust && one.trust.anchors.length > 0 ? files(one.trust) : undefined;
        return keys && Number.isInteger(one.trust?.threshold ?? 1) ? [{ ...one, keys }] : [];
      });
    expect(played.length).toBeGreaterThan(250);
    const threshold = inspector.page.getByLabel("Keys that must have signed");
    for (const { name, action, envelope, trust, keys, expect: expected } of some(played, 72)) {
      const main = file(`x.${action === "open" ? "suit" : "trust"}`, Buffer.from(envelope, "hex"));
      const least = String(trust?.threshold ?? 1);
      if (await threshold.isVisible()) await threshold.fill(least);
      await inspector.show(main, ...keys);
      if ((await threshold.inputValue()) !== least) {
        await threshold.fill(least);
        await threshold.press("Tab");
        await inspector.settled();
      }
      const found = envelope === "" ? await inspector.problem() : await inspector.verdict();
      // without a signature, the command line says so, too: a device would call it damaged CBOR
      const code = name === "trust-unsigned" ? errors.TRUST_SIGNERS : expected.code;
      const words = envelope === "" ? "is empty" : `(${code} `;
      expect([name, found]).toEqual([name, expect.stringContaining(words)]);
    }
    await threshold.fill("1");
    expect(inspector.noise).toEqual([]);
    // each is opened and drawn, which takes a minute or two for all
  }, 300_000);
}
