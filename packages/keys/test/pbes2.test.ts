// Encrypted PKCS#8 with each cipher, and with contents and parameters that no program writes.

import { createCipheriv, createPrivateKey, pbkdf2Sync } from "node:crypto";
import { loadAlg, privateKey, publicOf, toPrivateJwk } from "@firmseal/signer";
import { describe, expect, it, test } from "vitest";
import { ownPkcs8 } from "../src/formats/der/own.js";
import { derInteger, octetString, SEQUENCE, tlv } from "../src/formats/der/strict.js";
import { algs, CANARY, expectPrivate, failure, keys, PASS, pem, read } from "./keys-common.js";

const hex = (text: string) => Buffer.from(text, "hex");
const ask = async () => new Uint8Array(Buffer.from(PASS));

/** The object identifier, and the bytes of key and IV. */
const CIPHERS = {
  "aes-128-cbc": ["0609608648016503040102", 16, 16],
  "aes-192-cbc": ["0609608648016503040116", 24, 16],
  "aes-256-cbc": ["060960864801650304012a", 32, 16],
  "des-ede3-cbc": ["06082a864886f70d0307", 24, 8],
  // these only OpenSSL reads
  "camellia-256-cbc": ["060b2a83088c9a4b3d01010104", 32, 16],
  "aria-256-cbc": ["06092a831a8c9a6e01010c", 32, 16],
} as const;
type Cipher = keyof typeof CIPHERS;
const OWN = (Object.keys(CIPHERS) as Cipher[]).slice(0, 4);

const SALT = Buffer.alloc(16, 1);
const PRF = hex("300c06082a864886f70d02090500");
const ROUNDS = derInteger(2);

/** EncryptedPrivateKeyInfo of `plain`. The other arguments take the place of, or follow, the parts of a usual one. */
function sealed(plain: Uint8Array, cipher: Cipher = "aes-256-cbc", limits: readonly Uint8Array[] = [ROUNDS, PRF], more: More = {}): string {
  const [oid, keyLength, ivLength] = CIPHERS[cipher];
  const iv = Buffer.alloc(ivLength, 2);
  const of = createCipheriv(cipher, pbkdf2Sync(PASS, SALT, 2, keyLength, "sha256"), iv);
  const content = Buffer.concat([of.update(plain), of.final()]);
  const none = Buffer.alloc(0);
  const kdf = tlv(SEQUENCE, hex("06092a864886f70d01050c"), tlv(SEQUENCE, octetString(SALT), ...limits), more.kdf ?? none);
  const encryption = tlv(SEQUENCE, hex(oid), octetString(iv), more.encryption ?? none);
  const parameters = tlv(SEQUENCE, kdf, encryption, more.parameters ?? none);
  const scheme = tlv(SEQUENCE, hex("06092a864886f70d01050d"), parameters, more.scheme ?? none);
  return pem("ENCRYPTED PRIVATE KEY", tlv(SEQUENCE, scheme, octetString(content), more.whole ?? none));
}
type More = { readonly [part in "kdf" | "encryption" | "parameters" | "scheme" | "whole"]?: Uint8Array };

const info = (algorithm: string, key: Uint8Array) => tlv(SEQUENCE, derInteger(0), hex(algorithm), octetString(key));
const ED25519 = info("300506032b6570", octetString(CANARY));
async function mlDsa() {
  await loadAlg("ml-dsa-44");
  const key = privateKey("ml-dsa-44", CANARY);
  return { key, plain: ownPkcs8(key) as Buffer };
}

describe("each cipher", () => {
  it.each(Object.keys(CIPHERS) as Cipher[])("%s, which Node writes", async (cipher) => {
    for (const alg of algs) {
      const node = { format: "pem", type: "pkcs8", cipher, passphrase: PASS } as const;
      const text = createPrivateKey({ key: { ...toPrivateJwk(keys[alg]) }, format: "jwk" }).export(node) as string;
      expectPrivate(await read(text, ask), keys[alg]);
      expect(await failure(text, async () => new Uint8Array(4))).toMatchObject({ exit: 3, message: "KEY: wrong passphrase" });
    }
  });

  it.each(OWN)("%s, for keys that the OpenSSL in Node 20 does not read", async (cipher) => {
    const { key, plain } = await mlDsa();
    expectPrivate(await read(sealed(plain, cipher), ask), key);
    const v2 = Buffer.concat([hex("3051020101300506032b657004220420"), CANARY, hex("812100"), publicOf(keys.ed25519).key]);
    expectPrivate(await read(sealed(v2, cipher), ask), keys.ed25519);
  });

  it("ML-DSA under a cipher that only OpenSSL reads opens if its version reads ML-DSA", async () => {
    const { key, plain } = await mlDsa();
    const text = sealed(plain, "camellia-256-cbc");
    const reads = Number(process.versions.openssl.split(".").slice(0, 2).join(".")) >= 3.5;
    if (reads) expectPrivate(await read(text, ask), key);
    else expect(await failure(text, ask)).toMatchObject({ exit: 3 });
  });
});

describe("a right passphrase is never called wrong, and a wrong one always is", () => {
  test.each([
    ["of an unknown algorithm", info("300506032a0304", octetString(CANARY))],
    ["of X-Wing", info("300d060b2b0601040183e62d811f7a", CANARY)],
    ["with a secret of 31 bytes", info("300506032b6570", octetString(CANARY.subarray(1)))],
    ["that only has a seed of 31 bytes", info("300b0609608648016503040311", tlv(0x80, CANARY.subarray(1)))],
  ])("a key %s", async (_, plain) => {
    for (const cipher of OWN) {
      const e = await failure(sealed(plain, cipher), ask);
      expect(e.exit, e.message).toBe(2);
      expect(e.message).toMatch(/^KEY: (the key in the PEM is damaged or of an unknown kind|a damaged ml-dsa-44 private key)$/);
    }
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["text", Buffer.from("no key at all")],
    ["an empty SEQUENCE", hex("3000")],
    ["a SEQUENCE that is cut", ED25519.subarray(0, -1)],
    ["a SEQUENCE of the wrong things", tlv(SEQUENCE, derInteger(0), octetString(CANARY), octetString(CANARY))],
  ])("%s, as a wrong passphrase with right padding gives", async (_, plain) => {
    expect(await failure(sealed(plain), ask)).toMatchObject({ exit: 3, message: "KEY: wrong passphrase" });
  });

  it("600 wrong ones", async () => {
    const text = sealed(ED25519);
    for (let i = 0; i < 600; i++) {
      const wrong = async () => new Uint8Array(Buffer.from(`wrong ${i}`));
      expect(await failure(text, wrong)).toMatchObject({ exit: 3, message: "KEY: wrong passphrase" });
    }
  });
});

describe("parameters that no program writes are refused, as by OpenSSL", () => {
  const one = derInteger(1);
  const number = (text: string) => tlv(2, hex(text));

  it("the usual ones, and the length of the key that the cipher has", async () => {
    expectPrivate(await read(sealed(ED25519), ask), keys.ed25519);
    expectPrivate(await read(sealed(ED25519, "aes-256-cbc", [ROUNDS, derInteger(32), PRF]), ask), keys.ed25519);
    expectPrivate(await read(sealed(ED25519, "des-ede3-cbc", [ROUNDS, derInteger(24), PRF]), ask), keys.ed25519);
  });

  test.each([
    ["0 bytes", number("00")],
    ["16 bytes", derInteger(16)],
    ["32 bytes in two", number("0020")],
    ["-32 bytes", number("e0")],
    ["2^31 - 1 bytes", number("7fffffff")],
  ])("a key of %s for AES-256", async (_, length) => {
    expect((await failure(sealed(ED25519, "aes-256-cbc", [ROUNDS, length, PRF]), ask)).exit).not.toBe(1);
  });

  test.each([
    ["rounds in two bytes", [number("0002"), PRF]],
    ["negative rounds", [number("83e8"), PRF]],
    ["a second number", [ROUNDS, derInteger(32), PRF, one]],
    ["a hash twice", [ROUNDS, PRF, PRF]],
    ["parameters of the hash twice", [ROUNDS, hex("300e06082a864886f70d020905000500")]],
  ])("%s", async (_, limits) => {
    expect((await failure(sealed(ED25519, "aes-256-cbc", limits), ask)).exit).not.toBe(1);
  });

  test.each(["kdf", "encryption", "parameters", "scheme", "whole"] as const)("one more item at the end of %s", async (part) => {
    expect((await failure(sealed(ED25519, "aes-256-cbc", [ROUNDS, PRF], { [part]: one }), ask)).exit).not.toBe(1);
  });
});
