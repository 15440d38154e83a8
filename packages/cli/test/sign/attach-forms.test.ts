import { createSign, createVerify } from "node:crypto";
import { publicKey, toJwk } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { rawFromDer } from "../../../keys/src/formats/der/ecdsa.js";
import { parseSignature } from "../../../keys/src/formats/signature-file.js";
import { FACTS, image, standard } from "../../../test-support/src/command-line/run.js";
import { drawnPair } from "../../../test-support/src/keys/drawn-keys.js";
import { SPEC_P256 } from "../../../test-support/src/vectors.js";

describe.concurrent("published test keys", () => {
  it("are refused by name, by tbs and by attach", async () => {
    const p = standard();
    p.put("spec.jwk", JSON.stringify(toJwk(publicKey("es256", SPEC_P256))));
    const args = ["tbs", "fw.bin", ...FACTS, "--seq", "7", "--key", "spec.jwk"];
    const before = p.tree();
    expect((await p.run([...args, "--json"])).json).toMatchObject({ reason: "TEST_KEY", exit: 1 });
    expect(p.tree()).toEqual(before);
    const r = await p.ok([...args, "--allow-test-key", "spec-p256", "--out", "spec.tbs"]);
    expect(r.stderr).toContain("spec-p256");
    p.put("sig", new Uint8Array(64).fill(1));
    expect((await p.run(["attach", "fw.suit", "--key", "spec.jwk", "--signature", "sig", "--json"])).json).toMatchObject({
      reason: "TEST_KEY",
    });
    const allowed = ["attach", "fw.suit", "--key", "spec.jwk", "--signature", "sig", "--allow-test-key", "spec-p256", "--json"];
    expect((await p.run(allowed)).json).toMatchObject({ reason: "SIGNATURE_INVALID" });
  });
});

describe("forms of a signature", () => {
  const good = Buffer.from("3006020101020102", "hex");
  it("DER: one encoding, to the last bit", () => {
    expect(toHex(rawFromDer(good) as Uint8Array)).toBe(`${"01".padStart(64, "0")}${"02".padStart(64, "0")}`);
    const longest = Buffer.from(`3046022100${"ff".repeat(32)}022100${"80".repeat(32)}`, "hex");
    expect(toHex(rawFromDer(longest) as Uint8Array)).toBe("ff".repeat(32) + "80".repeat(32));
    for (const [what, der] of Object.entries({
      empty: "",
      "a byte behind": "300602010102010200",
      "cut short": "30060201010201",
      "a SET": "3106020101020102",
      "length in two bytes": "308106020101020102",
      "length too long": "3007020101020102",
      "indefinite length": "3080020101020102",
      "no INTEGER": "3006040101020102",
      "no second INTEGER": "3006020101040102",
      "r is zero": "3006020100020102",
      "s is zero": "3006020101020100",
      "r is negative": "3006020181020102",
      "a zero too many": "300702020001020102",
      "an empty INTEGER": "30050200020102",
      "33 bytes": `3026022101${"00".repeat(32)}020101`,
      "a third": "3009020101020102020103",
      "r longer than all": "3006027f01020102",
    }))
      expect(rawFromDer(Buffer.from(der, "hex")), what).toBeUndefined();
  });

  it("DER: what Node signs, and nothing near it", () => {
    const { privateKey, publicKey } = drawnPair("p256");
    for (let i = 0; i < 200; i++) {
      const message = Buffer.of(i);
      const der = createSign("sha256").update(message).sign(privateKey);
      const raw = rawFromDer(der) as Uint8Array;
      expect(createVerify("sha256").update(message).verify({ key: publicKey, dsaEncoding: "ieee-p1363" }, raw)).toBe(true);
      // any tag, length or number of bytes but the right one; a changed digit is another signature, and never the same one again
      for (let at = 0; at < der.length; at++) {
        const near = Uint8Array.from(der);
        near[at] = (near[at] as number) ^ (1 << (i % 8));
        const other = rawFromDer(near);
        if (other) expect(toHex(other)).not.toBe(toHex(raw));
        expect(rawFromDer(Buffer.concat([der.subarray(0, at), der.subarray(at + 1)])), String(at)).toBeUndefined();
      }
      for (const at of [0, 1, 2, 4 + (der[3] as number), 5 + (der[3] as number)]) {
        const near = Uint8Array.from(der);
        near[at] = (near[at] as number) ^ (1 << (i % 8));
        expect(rawFromDer(near), `${i} ${at}`).toBeUndefined();
      }
    }
  });

  it("text: one text, to the last bit", () => {
    const sig = Buffer.from(image(64));
    const read = (text: string) => toHex(parseSignature(Buffer.from(text), "ed25519", "sig"));
    expect(read(sig.toString("base64"))).toBe(toHex(sig));
    const b64 = sig.toString("base64");
    for (const text of [
      "",
      "\n",
      "no signature",
      `${sig.toString("hex")}0`,
      sig.subarray(1).toString("hex"),
      `0x${sig.toString("hex")}`,
      b64.replace(/=+$/, "="),
      `${b64}=`,
      `${b64.slice(0, 85)}${b64[85] === "A" ? "B" : "x"}==`,
      `sig: ${b64}`,
    ])
      expect(() => read(text), text).toThrow(expect.objectContaining({ reason: "SIGNATURE_INVALID", exit: 1 }));
    expect(() => parseSignature(sig.subarray(1), "es256", "sig")).toThrow("64 bytes, not 63");
  });
});
