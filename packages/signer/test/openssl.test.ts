import type { KeyObject } from "node:crypto";
import { sha512 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { utf8 } from "../../test-support/src/bytes.js";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

/** The modules as they are where `process` is this one. */
async function where(process: unknown) {
  vi.resetModules();
  vi.stubGlobal("process", process);
  const key = { ...(await import("../src/key/key.js")), ...(await import("../src/key/signer.js")) };
  return { openssl: await import("../src/alg/openssl.js"), key };
}

const crypto = process.getBuiltinModule("node:crypto");
/** A Node of which some of the crypto is another. */
const withCrypto = (own: object) => ({ ...process, getBuiltinModule: () => ({ ...crypto, ...own }) });

describe("Ed25519 by OpenSSL", () => {
  test("gives the same key and the same signature as the library, bit by bit", async () => {
    const { openssl } = await where(process);
    const noble = await import("@noble/ed25519");
    noble.hashes.sha512 = sha512;
    fc.assert(
      fc.property(bytes(32), fc.uint8Array({ maxLength: 300 }), (secret, message) => {
        expect(openssl.nodePublicKey(secret)).toEqual(noble.getPublicKey(secret));
        expect(openssl.nodeSign(message, secret)).toEqual(noble.sign(message, secret));
      }),
      { numRuns: 60 },
    );
  });

  test("signs, if it is installed", async () => {
    const sign = vi.fn(crypto.sign);
    const { key } = await where(withCrypto({ sign }));
    const signer = key.signer(key.privateKey("ed25519", new Uint8Array(32).fill(7)));
    expect(await signer.sign(utf8("x"))).toHaveLength(64);
    expect(sign).toHaveBeenCalledTimes(1);
  });

  test("imports a key once for all signatures of a turn, and signs with no other key", async () => {
    const createPrivateKey = vi.fn(crypto.createPrivateKey);
    const { key } = await where(withCrypto({ createPrivateKey }));
    const [one, two] = [7, 8].map((byte) => key.privateKey("ed25519", new Uint8Array(32).fill(byte)));
    if (!one || !two) throw new Error("no keys");
    const [first, second] = [key.signer(one), key.signer(two)];
    createPrivateKey.mockClear();
    const alone = await first.sign(utf8("x"));
    for (let i = 0; i < 20; i++) await first.sign(utf8(String(i)));
    expect(createPrivateKey).toHaveBeenCalledTimes(1);
    const other = await second.sign(utf8("x"));
    expect(other).not.toEqual(alone);
    expect(await first.sign(utf8("x"))).toEqual(alone);
    expect(createPrivateKey).toHaveBeenCalledTimes(3);
    await new Promise((done) => setTimeout(done, 5));
    expect(await first.sign(utf8("x"))).toEqual(alone);
    expect(createPrivateKey).toHaveBeenCalledTimes(4);
    // its owner has wiped it, in the same turn
    (one as { secret: Uint8Array }).secret.fill(0);
    await expect(first.sign(utf8("y"))).rejects.toMatchObject({ fault: "range" });
  });

  test("signs with the key in the array, even if another was there in the same turn", async () => {
    const { openssl } = await where(process);
    const secret = new Uint8Array(32).fill(7);
    const message = utf8("x");
    const first = openssl.nodeSign(message, secret);
    const expected = openssl.nodeSign(message, new Uint8Array(32).fill(8));
    expect(openssl.nodeSign(message, secret)).toEqual(first);
    secret.fill(8);
    expect(openssl.nodeSign(message, secret)).toEqual(expected);
    secret.fill(7);
    expect(openssl.nodeSign(message, secret)).toEqual(first);
    // its last byte alone
    openssl.nodeSign(message, secret);
    secret[31] = 8;
    expect(openssl.nodeSign(message, secret)).not.toEqual(first);
  });

  test("if it signs wrongly, nothing is returned", async () => {
    const sign = (alg: null, message: Uint8Array, key: KeyObject) => {
      const signature = crypto.sign(alg, message, key);
      signature[3] = (signature[3] as number) ^ 1;
      return signature;
    };
    const { key } = await where(withCrypto({ sign }));
    const signer = key.signer(key.privateKey("ed25519", new Uint8Array(32).fill(7)));
    await expect(signer.sign(utf8("x"))).rejects.toMatchObject({ fault: "signature" });
  });

  const refusing = () => {
    throw new Error("error:0308010C:digital envelope routines::unsupported");
  };
  test.each([
    ["without Node", undefined],
    ["with a Node of before", { ...process, getBuiltinModule: undefined }],
    ["with an OpenSSL that has no Ed25519", withCrypto({ createPrivateKey: refusing })],
  ])("%s the library signs the same", async (_, other) => {
    const secret = new Uint8Array(32).fill(9);
    const here = await where(process);
    const expected = await here.key.signer(here.key.privateKey("ed25519", secret)).sign(utf8("x"));
    const { openssl, key } = await where(other);
    expect([openssl.nodePublicKey(secret), openssl.nodeSign(utf8("x"), secret)]).toEqual([undefined, undefined]);
    expect(await key.signer(key.privateKey("ed25519", secret)).sign(utf8("x"))).toEqual(expected);
  });
});
