import { createPublicKey, verify } from "node:crypto";
import { inspect } from "node:util";
import { ed25519, es256 } from "@firmseal/verifier";
import { COSE, KEY_ALG, KEY_CRV, KEY_D, KEY_KID, KEY_KTY, KEY_X, KEY_Y } from "@firmseal/verifier/tools";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { published, publishedHss } from "../../test-support/src/published.js";
import { type KeyAlg, keyAlgs, loadAlg } from "../src/alg/algorithms.js";
import { type Encodable, encodeCbor } from "../src/cbor.js";
import { hssPublicKey, hssTop } from "../src/hss/stack.js";
import { parseHss } from "../src/hss/text.js";
import { cachedCount, cachedNodes, rootOf } from "../src/hss/tree.js";
import { KeyError } from "../src/key/error.js";
import { coseKeyFromMap, fromCose, fromJwk, fromRaw, type Jwk, toCose, toJwk, toPrivateCose, toPrivateJwk } from "../src/key/format.js";
import { isPrivate, type PublicKey, privateKey, publicKey, publicOf, thumbprint, withKid } from "../src/key/key.js";
import { signer } from "../src/key/signer.js";
import type { TestKey } from "../src/test-keys/key.js";
import { testKeyForms, testKeyName, testKeyPublic, testKeys } from "../src/test-keys/test-keys.js";

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

const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const utf8 = (text: string) => new TextEncoder().encode(text);

const N = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const SPEC_D = "0296588d909418b339d150420a3612b57fb4f631a69f224fae90cb4f3fe18973";
const SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const algs: KeyAlg[] = ["ed25519", "es256"];
/** Test keys whose private halves stand in trees that this test does not repeat. */
const NOT_HERE = ["mcuboot-root-ed25519-2", "tfm-psoc64-s", "tfm-root-ec-p256-1"];
const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((s) => toHex(s) < N && s.some((b) => b !== 0));

function codeOf(f: () => unknown): string {
  try {
    f();
  } catch (e) {
    if (e instanceof KeyError) return e.code;
    throw e;
  }
  return "accepted";
}

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

  test("a signer keeps no copy of the secret: with zeros in its place nothing is signed", async () => {
    for (const alg of keyAlgs.filter((a) => a !== "hsslms")) {
      await loadAlg(alg);
      const key = privateKey(alg, hex(SEED));
      const s = signer(key);
      await s.sign(Uint8Array.of(1));
      key.secret.fill(0);
      await expect(s.sign(Uint8Array.of(1)), alg).rejects.toThrow("the private key was wiped");
    }
  });

  test("a signature that came out wrong does not leave the signer", async () => {
    const s = signer(privateKey("ed25519", hex(SEED)));
    machine.faulty = true;
    try {
      await expect(s.sign(utf8("x"))).rejects.toMatchObject({ code: "fault" });
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
  const p256 = toHex(privateKey("es256", hex(SPEC_D)).key);
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

  test("leaves the file as it is, also where it is a Buffer, whose slices are views: ML-DSA is read twice, before and after it is loaded", () => {
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

  test("a kid of bytes that are no text is left out of a JWK", () => {
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

  const ec = toPrivateJwk(privateKey("es256", hex(SPEC_D)));
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
    expect(fromJwk({ kty: "EC", crv: "P-256", d: ec.d }).key).toEqual(privateKey("es256", hex(SPEC_D)).key);
  });

  const cose = (changes: [number, Encodable][] = [], without: number[] = []) => {
    const key = privateKey("es256", hex(SPEC_D)).key;
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
    const whole = privateKey("es256", hex(SPEC_D)).key;
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

  test("no cut or changed byte of a COSE_Key raises anything but a KeyError", () => {
    const bytes = toPrivateCose(privateKey("es256", hex(SPEC_D), utf8("kid")));
    for (let i = 0; i < bytes.length; i++) {
      codeOf(() => fromCose(bytes.subarray(0, i)));
      for (const flip of [1, 0x20, 0x80]) codeOf(() => fromCose(bytes.map((b, k) => (k === i ? b ^ flip : b))));
    }
  });
});

describe("test keys", () => {
  test("are valid, once each, under names of their own", async () => {
    for (const t of testKeys) {
      await loadAlg(t.alg);
      expect(testKeyName(publicKey(t.alg, testKeyPublic(t).key, utf8("any"))), t.name).toBe(t.name);
    }
    expect(new Set(testKeys.map((t) => t.name)).size).toBe(testKeys.length);
    expect(new Set(testKeys.map((t) => `${t.alg} ${t.key}`)).size).toBe(testKeys.length);
  });

  test("were computed from the published private halves", () => {
    for (const t of testKeys) {
      const parts = publishedHss[t.name];
      if (parts) {
        const params = parseHss(parts[0]);
        const top = hssTop(params, hex(parts[1]), hex(parts[2]));
        expect(toHex(hssPublicKey(params, top, rootOf(top, cachedNodes(top, 0, cachedCount(top))))), t.name).toBe(t.key);
        continue;
      }
      const secret = t.digest === undefined ? published[t.name] : t.key;
      // published elsewhere, and not here
      if (secret === undefined) expect(NOT_HERE).toContain(t.name);
      else expect(testKeyName(privateKey(t.alg, hex(secret))), t.name).toBe(t.name);
    }
    for (const name of Object.keys(published)) expect(testKeys.some((t) => t.name === name)).toBe(true);
  });

  test("are known in each form that their secret signs for: the negative, and a tree at any level", () => {
    for (const t of testKeys) {
      const [own, ...others] = testKeyForms(t);
      expect(own).toEqual(testKeyPublic(t));
      expect(others).toHaveLength({ ed25519: 1, es256: 1, hsslms: 7 }[t.alg as string] ?? 0);
      // of one tree two are listed, each under its own number of levels
      for (const key of others)
        expect(testKeyName(key), t.name).toBe(
          testKeys.find((o) => o.key === toHex(key.key))?.name ?? t.name.replace("cose-wg-itsbig", "rfc8554-tc2"),
        );
      expect(new Set([own, ...others].map((key) => toHex(key?.key as Uint8Array))).size).toBe(others.length + 1);
    }
    // the negative is that of the secret n - d
    for (const [name, d] of Object.entries(published).filter(([name]) => testKeys.some((t) => t.name === name && t.alg === "es256"))) {
      const negative = privateKey("es256", hex((BigInt(`0x${N}`) - BigInt(`0x${d}`)).toString(16).padStart(64, "0")));
      expect(toHex(testKeyForms(testKeys.find((t) => t.name === name) as TestKey)[1]?.key as Uint8Array)).toBe(toHex(negative.key));
      expect(testKeyName(negative)).toBe(name);
    }
  });

  test("another key has no name", async () => {
    for (const alg of keyAlgs.filter((a) => a !== "hsslms")) {
      await loadAlg(alg);
      expect(testKeyName(privateKey(alg, new Uint8Array(32).fill(0x43)))).toBeUndefined();
    }
  });
});
