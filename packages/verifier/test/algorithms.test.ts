// verify() and valid() of the algorithms with arguments that are missing, or not bytes: they answer, and throw nothing.

import { privateKey, publicOf, signer } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { lmsSigner, stack } from "../../test-support/src/keys/lms.js";
import { hmacSha256 } from "../src/alg/hmac.js";
import { ed25519Kernel, es256Kernel } from "../src/device/kernel.js";
import { type Alg, type Bytes, ed25519, es256, hmac256, hsslms, sha256 } from "../src/index.js";

type Case = [key: Bytes, message: Bytes, signature: Bytes];
const message = Uint8Array.of(1, 2, 3);

async function signed(alg: "ed25519" | "es256"): Promise<Case> {
  const key = privateKey(alg, new Uint8Array(32).fill(7));
  return [publicOf(key).key, message, await signer(key).sign(message)];
}
const cases: [string, Alg, () => Promise<Case>][] = [
  ["Ed25519", ed25519, () => signed("ed25519")],
  ["ES256", es256, () => signed("es256")],
  [
    "HSS/LMS",
    hsslms,
    async () => {
      const { key, signature } = stack([lmsSigner("algorithms").tree({ lms: 5, ots: 3, q: 1 })], message);
      return [key, message, signature];
    },
  ],
  ["HMAC", hmac256, async () => [new Uint8Array(32).fill(9), message, hmacSha256(new Uint8Array(32).fill(9), message, sha256)]],
  ["Ed25519 with a kernel", ed25519Kernel, () => signed("ed25519")],
  ["ES256 with a kernel", es256Kernel, () => signed("es256")],
];

class Lies extends Uint8Array {
  override get length(): 64 {
    return 64;
  }
}
const ODD: [string, unknown][] = [
  ["undefined", undefined],
  ["null", null],
  ["0", 0],
  ["a text", "x".repeat(32)],
  ["an object", {}],
  ["a function", () => 1],
  ["a symbol", Symbol("x")],
  ...[32, 60, 64, 65, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "32"].map((n): [string, unknown] => [
    typeof n === "string" ? `length "${n}"` : `length ${n}`,
    { length: n },
  ]),
  ["nothing", []],
  ["texts", new Array(32).fill("x")],
  ["objects", new Array(64).fill({})],
  ["a wrong length", new Lies(3)],
  ["fractions", new Float64Array(32).fill(0.5)],
  ["a wrong table", { key: new Uint8Array(32), table: {}, digest: 5 }],
];

describe.each(cases)("%s", (_, alg, made) => {
  it("accepts its signature, also without a host", async () => {
    const [key, text, signature] = await made();
    expect([alg.valid(key), alg.verify(key, text, signature, {}), alg.verify(key, text, signature)]).toEqual([true, true, true]);
  });

  it.each(ODD)("refuses %s in place of any argument", async (_name, odd) => {
    const good = await made();
    expect(alg.valid(odd as Bytes)).toBe(false);
    for (let i = 0; i < 3; i++) {
      // a message has as many bytes as its caller says
      if (i === 1 && (odd as { length?: unknown } | null)?.length === Number.POSITIVE_INFINITY) continue;
      const [key, text, signature] = good.map((one, j) => (i === j ? odd : one)) as Case;
      expect(alg.verify(key, text, signature, {}), ["key", "message", "signature"][i]).toBe(false);
    }
  });
});
