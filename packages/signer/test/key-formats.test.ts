import { KEY_ALG, KEY_CRV, KEY_D, KEY_KID, KEY_KTY, KEY_X, KEY_Y } from "@firmseal/verifier/tools";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hex, toHex, utf8 } from "../../test-support/src/bytes.js";
import { SPEC_P256_PRIVATE } from "../../test-support/src/vectors.js";
import { type Encodable, encodeCbor } from "../src/cbor.js";
import { coseKeyFromMap, fromCose, toCose, toPrivateCose } from "../src/key/cose-key.js";
import { fromJwk, type Jwk, toJwk, toPrivateJwk } from "../src/key/jwk.js";
import { isPrivate, privateKey, publicOf } from "../src/key/key.js";
import { testKeyName } from "../src/test-keys/test-keys.js";
import { algs, codeOf, N, SEED, secrets } from "./key-common.js";

describe("JWK and COSE_Key", () => {
  const kids = fc.option(
    fc.oneof(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.string({ unit: "grapheme", maxLength: 20 }).map(utf8)),
    { nil: undefined },
  );

  test.each(algs)("round trips of %s", (alg) => {
    fc.assert(
      fc.property(secrets, kids, (secret, kid) => {
        const key = privateKey(alg, secret, kid);
        for (const back of [fromJwk(JSON.parse(JSON.stringify(toPrivateJwk(key)))), fromCose(toPrivateCose(key))]) {
          expect(back).toEqual(key);
          expect(isPrivate(back) && back.secret).toEqual(secret);
        }
        for (const back of [fromJwk(toJwk(key)), fromCose(toCose(key))]) {
          expect(back).toEqual(publicOf(key));
          expect(isPrivate(back)).toBe(false);
        }
      }),
      { numRuns: 25 },
    );
  });

  test("a kid of bytes that are not text is left out of a JWK", () => {
    expect(toJwk(privateKey("ed25519", hex(SEED), hex("fffe")))).not.toHaveProperty("kid");
  });

  // RFC 8037 appendix A.1, A.3
  test("RFC 8037's key", () => {
    const key = fromJwk({
      kty: "OKP",
      crv: "Ed25519",
      d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
      x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    expect(isPrivate(key) && toHex(key.secret)).toBe(SEED);
    expect(testKeyName(key)).toBe("rfc8032-test-1");
  });

  const ec = toPrivateJwk(privateKey("es256", SPEC_P256_PRIVATE));
  const ed = toPrivateJwk(privateKey("ed25519", hex(SEED))) as Jwk & { d: string };
  const other = toJwk(privateKey("es256", new Uint8Array(32).fill(1)));
  const b64 = (h: string) => Buffer.from(h, "hex").toString("base64url");
  test.each<[string, unknown, string]>([
    ["not an object", "x", "format"],
    ["an array", [ed], "format"],
    ["a set", { keys: [ed] }, "several"],
    ["no kty", { x: "AA" }, "format"],
    ["P-384", { ...ec, crv: "P-384" }, "unsupported"],
    ["X25519", { ...ed, crv: "X25519" }, "unsupported"],
    ["RSA", { kty: "RSA", n: "AQAB", e: "AQAB" }, "unsupported"],
    ["symmetric", { kty: "oct", k: "AQAB" }, "unsupported"],
    ["crv of the other type", { ...ed, crv: "P-256" }, "unsupported"],
    ["for key agreement", { ...ec, alg: "ECDH-ES" }, "unsupported"],
    ["use enc", { ...ec, use: "enc" }, "unsupported"],
    ["key_ops without sign", { ...ec, key_ops: ["verify"] }, "unsupported"],
    ["x, y of another key", { ...ec, x: other.x, y: other.y }, "mismatch"],
    ["x of another key", { ...ed, x: b64("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c") }, "mismatch"],
    ["x and y exchanged", { ...ec, x: ec.y, y: ec.x, d: undefined }, "point"],
    ["y missing", { ...ec, y: undefined }, "format"],
    ["nothing but the curve", { kty: "EC", crv: "P-256" }, "format"],
    ["y on Ed25519", { ...ed, y: ed.x }, "format"],
    ["d = 0", { ...ec, d: b64("00".repeat(32)) }, "range"],
    ["d = n", { ...ec, d: b64(N) }, "range"],
    ["short d", { ...ec, d: b64("01") }, "length"],
    ["padding", { ...ed, d: `${ed.d}=` }, "format"],
    ["stray bits", { ...ed, d: `${ed.d.slice(0, -1)}B` }, "format"],
    ["base64 with +", { ...ed, d: `+${ed.d.slice(1)}` }, "format"],
    ["d a number", { ...ed, d: 7 }, "format"],
    ["kid a number", { ...ed, kid: 7 }, "format"],
  ])("JWK: %s", (_, jwk, code) => {
    expect(codeOf(() => fromJwk(JSON.parse(JSON.stringify(jwk))))).toBe(code);
  });

  test("JWK without x: the public key comes from d", () => {
    expect(fromJwk({ kty: "EC", crv: "P-256", d: ec.d }).key).toEqual(privateKey("es256", SPEC_P256_PRIVATE).key);
  });

  const cose = (changes: [number, Encodable][] = [], without: number[] = []) => {
    const key = privateKey("es256", SPEC_P256_PRIVATE).key;
    const members = new Map<Encodable, Encodable>([
      [KEY_KTY, 2],
      [KEY_CRV, 1],
      [KEY_X, key.subarray(1, 33)],
      [KEY_Y, key.subarray(33)],
    ]);
    for (const [k, v] of changes) members.set(k, v);
    for (const k of without) members.delete(k);
    return members;
  };

  test.each<[string, Map<Encodable, Encodable>, string]>([
    ["as it should be", cose(), "accepted"],
    ["alg ES256", cose([[KEY_ALG, -7]]), "accepted"],
    ["an unknown label", cose([[-70000, [1, new Map()]]]), "accepted"],
    ["compressed point", cose([[KEY_Y, false]]), "accepted"],
    ["alg ES384", cose([[KEY_ALG, -35]]), "unsupported"],
    ["P-384", cose([[KEY_CRV, 2]]), "unsupported"],
    ["symmetric", cose([[KEY_KTY, 4]]), "unsupported"],
    ["kty as text", cose([[KEY_KTY, "EC2"]]), "unsupported"],
    ["no kty", cose([], [KEY_KTY]), "format"],
    ["x as text", cose([[KEY_X, "x"]]), "format"],
    ["y null", cose([[KEY_Y, null]]), "format"],
    ["kid a number", cose([[KEY_KID, 1]]), "format"],
    ["y missing", cose([], [KEY_Y]), "format"],
    ["short x", cose([[KEY_X, new Uint8Array(31)]]), "length"],
    ["d of another key", cose([[KEY_D, new Uint8Array(32).fill(1)]]), "mismatch"],
    ["d = 0", cose([[KEY_D, new Uint8Array(32)]]), "range"],
  ])("COSE_Key: %s", (_, members, code) => {
    expect(codeOf(() => fromCose(encodeCbor(members)))).toBe(code);
    expect(codeOf(() => coseKeyFromMap(members))).toBe(code);
  });

  test("a compressed point becomes the whole one", () => {
    const whole = privateKey("es256", SPEC_P256_PRIVATE).key;
    const odd = ((whole[64] as number) & 1) === 1;
    expect(fromCose(encodeCbor(cose([[KEY_Y, odd]]))).key).toEqual(whole);
    expect(fromCose(encodeCbor(cose([[KEY_Y, !odd]]))).key).not.toEqual(whole);
  });

  test.each([
    ["nothing", ""],
    ["an array", "80"],
    ["a label twice", "a201020102"],
    ["more behind it", "a001"],
    ["a cut", "a2010220"],
    ["indefinite length", "bf0102ff"],
    ["a long head", "a1180102"],
  ])("COSE_Key in CBOR: %s", (_, bytes) => {
    expect(codeOf(() => fromCose(hex(bytes)))).toBe("format");
  });

  test("no cut or changed byte of a COSE_Key throws anything but a KeyError", () => {
    const bytes = toPrivateCose(privateKey("es256", SPEC_P256_PRIVATE, utf8("kid")));
    for (let i = 0; i < bytes.length; i++) {
      codeOf(() => fromCose(bytes.subarray(0, i)));
      for (const flip of [1, 0x20, 0x80]) codeOf(() => fromCose(bytes.map((b, k) => (k === i ? b ^ flip : b))));
    }
  });
});
