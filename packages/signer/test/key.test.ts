// Keys, what they sign, and their thumbprints.

import { createPublicKey, verify } from "node:crypto";
import { inspect } from "node:util";
import { ed25519, es256 } from "@firmseal/verifier";
import { COSE } from "@firmseal/verifier/tools";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { hex, toHex, utf8 } from "../../test-support/src/bytes.js";
import { SPEC_P256_PRIVATE } from "../../test-support/src/vectors.js";
import { type KeyAlg, keyAlgs, loadAlg } from "../src/alg/algorithms.js";
import { fromCose, toPrivateCose } from "../src/key/cose-key.js";
import { toJwk } from "../src/key/jwk.js";
import { isPrivate, type PublicKey, privateKey, publicKey, publicOf, thumbprint, withKid } from "../src/key/key.js";
import { fromRaw } from "../src/key/parts.js";
import { signer } from "../src/key/signer.js";
import { testKeyName } from "../src/test-keys/test-keys.js";
import { algs, codeOf, N, SEED, secrets } from "./key-common.js";

// a machine that flips a bit while it signs
const machine = vi.hoisted(() => ({ faulty: false }));

vi.mock("../src/alg/openssl.js", async (original) => {
  const real = await original<typeof import("../src/alg/openssl.js")>();
  const nodeSign: typeof real.nodeSign = (message, secret) => {
    const signature = real.nodeSign(message, secret) as Uint8Array;
    if (machine.faulty) signature[40] = (signature[40] as number) ^ 1;
    return signature;
  };
  return { ...real, nodeSign };
});

describe("signatures", () => {
  // RFC 8032 §7.1: seed, public key, message, signature
  test.each([
    [
      SEED,
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
      "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
  ])("Ed25519 %#", async (seed, pub, message, signature) => {
    const key = privateKey("ed25519", hex(seed));
    expect(toHex(key.key)).toBe(pub);
    const s = signer(key);
    expect(s.alg).toBe(COSE.ALG_ED25519);
    expect(toHex(await s.sign(hex(message)))).toBe(signature);
  });

  // RFC 6979 appendix A.2.5, SHA-256; "sample" has a high s
  test.each([
    [
      "sample",
      "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    ],
    [
      "test",
      "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
    ],
  ])("ECDSA on P-256: %s", async (message, signature) => {
    const key = privateKey("es256", hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"));
    expect(testKeyName(key)).toBe("rfc6979-p256");
    const s = signer(key);
    expect(s.alg).toBe(COSE.ALG_ESP256);
    expect(toHex(await s.sign(utf8(message)))).toBe(signature);
  });

  test.each(algs)("node:crypto and our verifier accept what %s signs", async (alg) => {
    await fc.assert(
      fc.asyncProperty(secrets, fc.uint8Array({ maxLength: 200 }), async (secret, message) => {
        const s = signer(privateKey(alg, secret));
        const key = createPublicKey({ key: { ...toJwk(publicKey(alg, s.publicKey)) }, format: "jwk" });
        const signature = await s.sign(message);
        expect(signature).toHaveLength(64);
        expect(verify(alg === "ed25519" ? null : "sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature)).toBe(true);
        const ours = alg === "ed25519" ? ed25519 : es256;
        expect(ours.ids).toContain(s.alg);
        expect(ours.valid(s.publicKey)).toBe(true);
        expect(ours.verify(s.publicKey, message, signature, {})).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  test("a public key that belongs to another private key is refused before anything is signed", () => {
    const key = privateKey("ed25519", hex(SEED));
    const foreign = { ...privateKey("ed25519", new Uint8Array(32).fill(7)), secret: key.secret };
    expect(codeOf(() => signer(foreign))).toBe("mismatch");
  });

  test("a signer keeps no copy of the secret: with zeros in its place, nothing is signed", async () => {
    for (const alg of keyAlgs.filter((a) => a !== "hsslms")) {
      await loadAlg(alg);
      const key = privateKey(alg, hex(SEED));
      const s = signer(key);
      await s.sign(Uint8Array.of(1));
      key.secret.fill(0);
      await expect(s.sign(Uint8Array.of(1)), alg).rejects.toThrow("the private key was wiped");
    }
  });

  test("a wrong signature does not leave the signer", async () => {
    const s = signer(privateKey("ed25519", hex(SEED)));
    machine.faulty = true;
    try {
      await expect(s.sign(utf8("x"))).rejects.toMatchObject({ fault: "signature" });
    } finally {
      machine.faulty = false;
    }
    await expect(s.sign(utf8("x"))).resolves.toHaveLength(64);
  });

  test("a public key cannot sign", () => {
    expect(codeOf(() => signer(publicKey("ed25519", privateKey("ed25519", hex(SEED)).key) as never))).toBe("format");
  });
});

describe("private keys", () => {
  test.each([
    ["d = 0", "00".repeat(32)],
    ["d = n", N],
    ["d > n", "ff".repeat(32)],
  ])("P-256 with %s", (_, d) => {
    expect(codeOf(() => privateKey("es256", hex(d)))).toBe("range");
  });

  test("P-256 with d = n - 1 and d = 1", () => {
    expect(codeOf(() => privateKey("es256", hex(`${N.slice(0, 62)}50`)))).toBe("accepted");
    expect(codeOf(() => privateKey("es256", hex(`${"00".repeat(31)}01`)))).toBe("accepted");
  });

  test.each([0, 31, 33, 64])("%d bytes", (n) => {
    for (const alg of algs) expect(codeOf(() => privateKey(alg, new Uint8Array(n).fill(1)))).toBe("length");
  });

  test("the secret is copied, and does not show where objects are printed, serialised or spread", () => {
    const secret = hex(SEED);
    const key = privateKey("ed25519", secret, utf8("kid"));
    secret.fill(0);
    expect(toHex(key.secret)).toBe(SEED);
    expect(isPrivate(key)).toBe(true);
    for (const copy of [publicOf(key), { ...key }, structuredClone(key)] as PublicKey[]) expect(isPrivate(copy)).toBe(false);
    expect(JSON.stringify(key)).not.toContain("secret");
    expect(inspect(key)).not.toContain("secret");
    const renamed = withKid(key, utf8("new"));
    expect(toHex(renamed.secret)).toBe(SEED);
    expect(renamed.kid).toEqual(utf8("new"));
  });
});

describe("public keys", () => {
  const p256 = toHex(privateKey("es256", SPEC_P256_PRIVATE).key);
  test.each<[string, KeyAlg, string, string]>([
    ["off the curve", "es256", `${p256.slice(0, -2)}97`, "point"],
    ["x not below p", "es256", `04${"ff".repeat(32)}${p256.slice(66)}`, "point"],
    ["hybrid form", "es256", `06${p256.slice(2)}`, "point"],
    ["compressed", "es256", `02${p256.slice(2, 66)}`, "length"],
    ["not a point of Ed25519", "ed25519", `02${"00".repeat(31)}`, "point"],
    ["y = 1, small order", "ed25519", `01${"00".repeat(31)}`, "point"],
    ["order 8", "ed25519", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "point"],
    ["y = p, not canonical", "ed25519", `ed${"ff".repeat(30)}7f`, "point"],
    ["31 bytes", "ed25519", "01".repeat(31), "length"],
  ])("%s", (_, alg, key, code) => {
    expect(codeOf(() => publicKey(alg, hex(key)))).toBe(code);
  });

  test("raw", () => {
    expect(fromRaw(hex(p256)).alg).toBe("es256");
    expect(fromRaw(privateKey("ed25519", hex(SEED)).key).alg).toBe("ed25519");
    expect(codeOf(() => fromRaw(new Uint8Array(33)))).toBe("length");
  });
});

describe("thumbprint", () => {
  // RFC 9679 §6
  const example = hex(
    "a50102200121582065eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d2258201e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c0258246d65726961646f632e6272616e64796275636b406275636b6c616e642e6578616d706c65",
  );

  test("leaves the file as it is, even if it is a Buffer, whose slices are views: ML-DSA is read twice, before and after it is loaded", () => {
    const file = Buffer.from(toPrivateCose(privateKey("ed25519", new Uint8Array(32).fill(7), Uint8Array.of(1))));
    const before = Buffer.from(file);
    expect(fromCose(file)).toMatchObject({ alg: "ed25519" });
    expect(file.equals(before)).toBe(true);
  });

  test("the example of RFC 9679, whose labels are not in order", () => {
    const key = fromCose(example);
    expect(toHex(thumbprint(key))).toBe("496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec");
    expect(testKeyName(key)).toBe("cose-wg-meriadoc");
    expect(key.kid).toEqual(utf8("meriadoc.brandybuck@buckland.example"));
  });

  test("is that of the public key, without kid and alg", () => {
    const key = privateKey("ed25519", hex(SEED), utf8("x"));
    expect(thumbprint(key)).toEqual(thumbprint(publicKey("ed25519", key.key)));
    expect(thumbprint(key)).toHaveLength(32);
  });
});
