// Keys, signature algorithms and the DER of ECDSA, for every format.

import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { haveVectors, vectorBytes } from "../../test-support/src/vectors.js";
import { ecdsaFromDer, ecdsaToDer } from "../src/key/der.js";
import { type FormatKeyKind, formatKey, pkcs1 } from "../src/key/key.js";
import { type Scheme, schemeLength, schemeName, signScheme, verifyScheme } from "../src/key/scheme.js";

const message = Buffer.from("message");
const pem = (name: string) => Buffer.from(vectorBytes(`field/keys/TEST-ONLY-${name}.pem`)).toString();

const KEYS: readonly [file: string, kind: FormatKeyKind, scheme: Scheme, name: string][] = [
  ["ed25519", "ed25519", { type: "ed25519" }, "ed25519"],
  ["p192", "p192", { type: "ecdsa", hash: "sha256" }, "ecdsa-p192-sha256"],
  ["p256", "p256", { type: "ecdsa", hash: "sha256" }, "ecdsa-p256-sha256"],
  ["p384", "p384", { type: "ecdsa", hash: "sha384" }, "ecdsa-p384-sha384"],
  ["rsa2048", "rsa2048", { type: "rsa-pss", hash: "sha256" }, "rsa2048-pss-sha256"],
  ["rsa3072", "rsa3072", { type: "rsa-pkcs1", hash: "sha512" }, "rsa3072-pkcs1-sha512"],
];

describe.skipIf(!haveVectors)("a key", () => {
  it.each(KEYS)("%s is read in every form, and signs", (file, kind, scheme, name) => {
    const secret = createPrivateKey(pem(file));
    const key = formatKey(pem(`${file}.pub`));
    expect([key.kind, schemeName(kind, scheme)]).toEqual([kind, name]);
    expect([formatKey(secret).id, formatKey(key.spki).id, formatKey(key.key).id]).toEqual([key.id, key.id, key.id]);
    const signature = signScheme(secret, scheme, message);
    expect(signature.length).toBe(schemeLength(kind));
    expect(verifyScheme(key, scheme, message, signature)).toBe(true);
    expect(verifyScheme(key, scheme, Buffer.from("massage"), signature)).toBe(false);
    expect(verifyScheme(key, scheme, message, signature.subarray(1))).toBe(false);
    expect(verifyScheme(key, scheme, message, Buffer.concat([signature, Buffer.of(0)]))).toBe(false);
  });

  it("of one algorithm verifies nothing of another", () => {
    for (const [file, , scheme] of KEYS)
      for (const [, kind, other] of KEYS) {
        if (scheme.type.slice(0, 3) === other.type.slice(0, 3)) continue;
        expect(verifyScheme(formatKey(pem(`${file}.pub`)), other, message, new Uint8Array(schemeLength(kind)))).toBe(false);
      }
  });

  it("of RSA is encoded as PKCS #1", () => {
    const key = formatKey(pem("rsa2048.pub"));
    expect(pkcs1(key)).toEqual(key.spki.slice(key.spki.length - pkcs1(key).length));
  });

  it("verifies PSS only with a salt as long as the hash", () => {
    const salted = (saltLength: number) => sign("sha256", message, { key: createPrivateKey(pem("rsa2048")), padding: 6, saltLength });
    const good = (n: number) => verifyScheme(formatKey(pem("rsa2048.pub")), { type: "rsa-pss", hash: "sha256" }, message, salted(n));
    expect([0, 20, 31, 32, 33, 222].map(good)).toEqual([false, false, false, true, false, false]);
  });
});

/** A key of P-256 with half of its point. */
function compressed(): Uint8Array {
  const spki = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "der" });
  const head = Buffer.from("3039301306072a8648ce3d020106082a8648ce3d030107032200", "hex");
  return Buffer.concat([head, Buffer.of(2 + ((spki.at(-1) as number) & 1)), spki.subarray(27, 59)]);
}

/** A key of Ed25519 from its 32 bytes. */
const raw25519 = (hex: string) => Buffer.from(`302a300506032b6570032100${hex}`, "hex");

describe("a key", () => {
  it.each([
    // under these, one signature is right for many messages
    ["the neutral point of Ed25519", raw25519(`01${"00".repeat(31)}`)],
    ["a point of order 4", raw25519("00".repeat(32))],
    ["the neutral point in another encoding", raw25519(`ee${"ff".repeat(30)}7f`)],
    ["not a point of Ed25519", raw25519("02".padEnd(64, "0"))],
    ["text", "no key"],
    ["other bytes", Uint8Array.of(1, 2, 3)],
    ["X25519", generateKeyPairSync("x25519").publicKey],
    ["Ed448", generateKeyPairSync("ed448").publicKey],
    ["RSA of 1024 bits", generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey],
    ["P-521", generateKeyPairSync("ec", { namedCurve: "P-521" }).publicKey],
    ["secp256k1", generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey],
    ["a compressed point", compressed()],
    ["on a curve without a name", generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" }).publicKey],
  ])("is refused if it is %s", (_, from) => {
    expect(() => formatKey(from)).toThrow(expect.objectContaining({ reason: "FORMAT_KEY", number: 601 }));
  });
});

describe("ECDSA signatures as DER", () => {
  const raw = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const refused = expect.objectContaining({ reason: "FORMAT_SIGNATURE_ENCODING", number: 605, at: 7 });

  it.each([48, 64, 96, 132])("of %i bytes have one encoding", (length) => {
    fc.assert(fc.property(raw(length), (bytes) => void expect(ecdsaFromDer(ecdsaToDer(bytes), length)).toEqual(bytes)));
  });

  it("are read only in it", () => {
    const bytes = new Uint8Array(64).fill(1);
    bytes[0] = 0x80;
    const der = [...ecdsaToDer(bytes)];
    // a byte that changes gives another number, or no signature
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const other = Uint8Array.from(der, (byte, i) => (i === at ? byte ^ by : byte));
        try {
          expect(ecdsaToDer(ecdsaFromDer(other, 64, 7))).toEqual(other);
        } catch (e) {
          expect(e).toEqual(refused);
        }
      }),
    );
    const r = der.slice(2, 37);
    const s = der.slice(37);
    for (const wrong of [
      [],
      [0x30],
      [...der, 0],
      [0x30, 0x81, ...der.slice(1)],
      [0x30, r.length + s.length + 1, 2, 34, 0, ...r.slice(2), ...s],
      [0x30, r.length + s.length - 1, 2, 32, ...r.slice(3), ...s],
      [0x30, r.length, ...r],
      [0x30, r.length + 2, ...r, 2, 0],
      [0x30, r.length + 35, ...r, 2, 33, ...s.slice(2), 1],
    ])
      expect(() => ecdsaFromDer(Uint8Array.from(wrong), 64, 7)).toThrow(refused);
  });
});
