// firmseal tbs: what must be signed.

import { createHash } from "node:crypto";
import {
  attachSignature,
  envelopeToBeSigned,
  foreignSigner,
  publicOf,
  signEnvelopeWithoutLog,
  signer,
  splitEnvelope,
  withKid,
} from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import {
  expectFailure,
  FACTS,
  image,
  keyA,
  keyB,
  keyC,
  type Place,
  signImage,
  standard,
  words,
} from "../../../test-support/src/command-line/run.js";

describe.concurrent("what must be signed", () => {
  it("is what sign() signs, byte for byte, no matter who has signed before", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const signed = Uint8Array.from(p.get("fw.suit"));
    const before = splitEnvelope(signed);
    for (const key of [keyB, keyC, withKid(keyC, new TextEncoder().encode("build-7"))]) {
      const seen: Uint8Array[] = [];
      const spy = foreignSigner(publicOf(key), async (message) => {
        seen.push(message);
        return signer(key).sign(message);
      });
      const whole = await signEnvelopeWithoutLog(signed, [spy]);
      expect(seen.map(toHex)).toEqual([toHex(await envelopeToBeSigned(signed, publicOf(key)))]);
      expect(toHex(await attachSignature(signed, publicOf(key), await signer(key).sign(await envelopeToBeSigned(signed, key))))).toBe(
        toHex(whole),
      );
      expect(splitEnvelope(whole).blocks.slice(0, 1)).toEqual(before.blocks);
    }
  });

  it("is the Sig_structure of RFC 9052 over the digest", async () => {
    const p = standard();
    await p.ok(["tbs", "fw.bin", ...FACTS, "--seq", "7", "--key", "A.jwk", "--out", "A.tbs"]);
    await p.ok(["tbs", "fw.suit", "--key", "B.jwk", "--out", "B.tbs"]);
    const digest = toHex(splitEnvelope(Uint8Array.from(p.get("fw.suit"))).digest);
    expect(p.get("A.tbs").toString("hex")).toBe(`846a5369676e61747572653143a101324058${"24"}${digest}`);
    expect(p.get("B.tbs").toString("hex")).toBe(`846a5369676e61747572653143a101284058${"24"}${digest}`);
  });

  it("is shown with what it stands for, in words and in JSON", async () => {
    const p = standard();
    const r = await p.ok(["tbs", "fw.bin", ...FACTS, "--seq", "7", "--key", "A.jwk", "--key", "B.jwk", "--json"]);
    const json = r.json as { tbs: { out: string; bytes: number; sha256: string; alg: string; thumbprint: string }[] };
    expect(json).toMatchObject({
      ok: true,
      code: 0,
      envelope: "fw.suit",
      sequence: "7",
      vendor: ["cfbff0d1-9375-5685-968c-48ce8b15ae17"],
      class: ["7ef25e26-57d5-563d-bec7-161eb72060bb"],
      payloads: { inside: ["#firmware"], outside: [] },
      tbs: [
        { alg: "ed25519", bytes: 55, kid: null },
        { alg: "es256", bytes: 55, kid: null },
      ],
    });
    for (const t of json.tbs) {
      expect(t.out).toBe(`fw.${t.thumbprint.slice(0, 16)}.tbs`);
      expect(createHash("sha256").update(p.get(t.out)).digest("hex")).toBe(t.sha256);
    }
    const again = await p.ok(["tbs", "fw.suit", "--key", "A.jwk", "--out", p.folder("out")]);
    expect(words(again)).toEqual([
      expect.stringContaining("fw.suit: sequence number 7, vendor cfbff0d1-9375-5685-968c-48ce8b15ae17, class 7ef25e26"),
      `manifest: sha-256 ${hexOfDigest(p)}`,
      expect.stringContaining(`sha-256 ${json.tbs[0]?.sha256}`),
    ]);
    const toStdout = await p.ok(["tbs", "fw.suit", "--key", "A.jwk", "--out", "-"]);
    expect(toStdout.bytes.equals(p.get(json.tbs[0]?.out as string))).toBe(true);
  });

  function hexOfDigest(p: Place): string {
    return toHex(splitEnvelope(Uint8Array.from(p.get("fw.suit"))).digest).slice(8);
  }

  it("is made from a description too, and from an image that stays outside", async () => {
    const p = standard();
    const description = {
      $schema: "urn:firmseal:manifest:1",
      sequence: 7,
      components: [["app"]],
      "shared-sequence": [
        {
          "directive-override-parameters": {
            "vendor-identifier": { domain: "example.com" },
            "class-identifier": { domain: "example.com", name: "board-v2" },
            image: { payload: "#firmware" },
          },
        },
        "condition-vendor-identifier",
        "condition-class-identifier",
      ],
      install: [{ "directive-override-parameters": { uri: "#firmware" } }, "directive-fetch", "condition-image-match"],
      validate: ["condition-image-match"],
      payloads: { "#firmware": { file: "fw.bin" } },
    };
    p.put("d.json", JSON.stringify(description));
    await p.ok(["create", "--from", "d.json", "--out", "made.suit"]);
    await p.ok(["tbs", "d.json", "--key", "A.jwk", "--out", "d.tbs"]);
    expect(p.get("d.suit").equals(p.get("made.suit"))).toBe(true);
    // what no device would take is refused before anybody is asked to sign
    p.put("d.json", JSON.stringify({ ...description, install: ["directive-fetch"] }));
    expectFailure(await p.run(["tbs", "d.json", "--key", "A.jwk", "--out", "never.tbs", "--envelope-out", "never.suit"]), 1);
    expect(p.names().filter((name) => name.startsWith("never"))).toEqual([]);
    const outside = [...FACTS, "--seq", "7", "--uri", "https://example.com/fw.bin", "--image-out", "flash.bin", "--envelope-out", "o.suit"];
    const r = await p.ok(["tbs", "fw.bin", ...outside, "--key", "A.jwk", "--out", "-", "--json"]);
    expect(r.json).toMatchObject({ payloads: { inside: [], outside: ["https://example.com/fw.bin"] } });
    expect(p.get("flash.bin").equals(p.get("fw.bin"))).toBe(true);
    const [t] = (r.json as { tbs: { data: string }[] }).tbs;
    const message = Uint8Array.from(Buffer.from(t?.data ?? "", "base64"));
    p.put("sig", await signer(keyA).sign(message));
    await p.ok(["attach", "o.suit", "--key", "A.jwk", "--signature", "sig"]);
    await p.ok(["verify", "o.suit", "--key", "A.jwk", "--payload", "fw.bin"]);
  });

  it("is refused, and nothing is written, if a signature would be useless", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    p.put("mine.txt", "not to be replaced");
    p.put("notes.json", "{}");
    const before = p.tree();
    const refused = async (args: readonly string[], exit: number, text: string) =>
      expect(expectFailure(await p.run(["tbs", ...args]), exit)).toContain(text);
    await refused(["fw.suit", "--key", "A.jwk"], 1, "already signed the envelope");
    await refused(["fw.suit", "--key", "B.jwk", "--key", "B.pem"], 2, "given twice");
    await refused(["fw.suit", "--key", "B.jwk", "--key", "C.jwk", "--out", "one.tbs"], 2, "is not a folder");
    await refused(["fw.suit", "--key", "B.jwk", "--out", "mine.txt"], 2, "exists and is not the output of firmseal tbs");
    await refused(["fw.suit", "--key", "B.jwk", "--out", "A.pem"], 2, "is a private key");
    await refused(["fw.suit", "--key", "B.jwk", "--out", "fw.suit"], 2, "which this command uses");
    await refused(["fw.suit", "--key", "B.jwk", "--seq", "8"], 2, "takes no --seq");
    await refused(["fw.suit", "--key", "B.jwk", "--envelope-out", "x.suit"], 2, "--envelope-out is for an image");
    await refused(["fw.bin", "--key", "B.jwk"], 2, "--vendor");
    await refused(["A.jwk", "--key", "B.jwk"], 2, "is a public key, not an image");
    await refused(["notes.json", "--key", "B.jwk"], 1, "description");
    expectFailure(await p.run(["tbs", "-", ...FACTS, "--seq", "8", "--key", "B.jwk"], { input: image(10) }), 2);
    // severed bytes that the digest does not cover: sign refuses them, so nobody is asked to sign
    p.put("cut.suit", p.get("fw.suit").subarray(0, 900));
    await refused(["cut.suit", "--key", "B.jwk"], 1, "refused");
    expect(p.tree().filter((line) => !line.startsWith("cut.suit"))).toEqual(before);
  });
});
