import { open } from "@firmseal/verifier";
import { COSE, KEY_ALG, KEY_KTY, KEY_PRIV, KEY_PUB } from "@firmseal/verifier/tools";
import fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { hex, toHex } from "../../test-support/src/bytes.js";
import { randoms } from "../../test-support/src/randoms.js";
import { haveVectors, vectorJson } from "../../test-support/src/vectors.js";
import { checkEnd, startReading } from "../../verifier/src/cbor/reader.js";
import { readSignatures } from "../../verifier/src/cose/message.js";
import { verified } from "../../verifier/src/cose/verify.js";
import { keyAlgOf, keyAlgs, loadAlg } from "../src/alg/algorithms.js";
import { type Encodable, encodeCbor } from "../src/cbor.js";
import { encode as encodeManifest } from "../src/description/encode.js";
import { singleImage } from "../src/description/recipes.js";
import { AlreadySigned, signEnvelopeWithoutLog } from "../src/index.js";
import { fromCose, toCose, toPrivateCose } from "../src/key/cose-key.js";
import { fromJwk, toJwk, toPrivateJwk } from "../src/key/jwk.js";
import { isPrivate, type PrivateKey, type PublicKey, privateKey, publicKey, publicOf, thumbprint } from "../src/key/key.js";
import { fromRaw } from "../src/key/parts.js";
import { anchorOf, foreignSigner, signer } from "../src/key/signer.js";
import { KeyError } from "../src/key-error.js";
import { codeOf } from "./key-common.js";

// a machine that flips a bit while it signs
const machine = vi.hoisted(() => ({ faulty: false }));
vi.mock("@noble/post-quantum/ml-dsa.js", async (original) => {
  const real = await original<typeof import("@noble/post-quantum/ml-dsa.js")>();
  const sign: typeof real.ml_dsa44.sign = (...args) => {
    const signature = real.ml_dsa44.sign(...args);
    if (machine.faulty) signature[40] = (signature[40] as number) ^ 1;
    return signature;
  };
  return { ...real, ml_dsa44: { ...real.ml_dsa44, sign } };
});

const NUMBERS = { "ml-dsa-44": COSE.ALG_ML_DSA_44, "ml-dsa-65": COSE.ALG_ML_DSA_65, "ml-dsa-87": COSE.ALG_ML_DSA_87 } as const;
const SIZES = { "ml-dsa-44": [1312, 2420], "ml-dsa-65": [1952, 3309], "ml-dsa-87": [2592, 4627] } as const;
const algs = ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87"] as const;

const seed = Uint8Array.from({ length: 32 }, (_, i) => 3 * i + 1);
const message = new TextEncoder().encode("firmware");

let keys: Record<(typeof algs)[number], PrivateKey>;

test("before the library is loaded, public keys are read, and what needs it says so", () => {
  const pub = publicKey("ml-dsa-65", new Uint8Array(1952));
  expect(thumbprint(pub)).toHaveLength(32);
  for (const f of [() => privateKey("ml-dsa-65", seed), () => anchorOf(pub)]) expect(f).toThrow(/await loadAlg/);
});

describe("with the library", () => {
  beforeAll(async () => {
    for (const alg of keyAlgs) await loadAlg(alg);
    keys = Object.fromEntries(algs.map((alg) => [alg, privateKey(alg, seed)])) as typeof keys;
  });

  test.each(algs)("%s: signs, and its signatures verify; a changed one does not", async (alg) => {
    const s = signer(keys[alg]);
    expect({ alg: s.alg, name: keyAlgOf(s.alg) }).toEqual({ alg: NUMBERS[alg], name: alg });
    const signature = await s.sign(message);
    expect([s.publicKey.length, signature.length]).toEqual(SIZES[alg]);
    const { alg: ours } = anchorOf(publicOf(keys[alg]));
    expect(ours.verify(s.publicKey, message, signature, {})).toBe(true);
    expect(ours.verify([...s.publicKey], [...message], [...signature], {}), "plain arrays").toBe(true);
    const flip = (bytes: Uint8Array, at: number) => bytes.map((b, i) => (i === at ? b ^ 1 : b));
    for (const at of [0, 31, 100, signature.length - 90, signature.length - 1])
      expect(ours.verify(s.publicKey, message, flip(signature, at), {}), `signature byte ${at}`).toBe(false);
    expect(ours.verify(s.publicKey, flip(message, 0), signature, {})).toBe(false);
    expect(ours.verify(flip(s.publicKey, 40), message, signature, {})).toBe(false);
    for (const n of [0, 1, 64, signature.length - 1]) expect(ours.verify(s.publicKey, message, signature.subarray(0, n), {})).toBe(false);
    expect(ours.verify(s.publicKey, message, Uint8Array.of(...signature, 0), {})).toBe(false);
    expect(ours.verify(s.publicKey.subarray(1), message, signature, {})).toBe(false);
  });

  test("signatures are hedged: two of one message differ (FIPS 204 §3.4)", async () => {
    const s = signer(keys["ml-dsa-44"]);
    expect(await s.sign(message)).not.toEqual(await s.sign(message));
  });

  test("a signature that this process computed wrongly does not leave it (fault attack)", async () => {
    const s = signer(keys["ml-dsa-44"]);
    machine.faulty = true;
    try {
      await expect(s.sign(message)).rejects.toMatchObject({ name: "KeyError", code: "ERR_KEY", fault: "signature" });
    } finally {
      machine.faulty = false;
    }
    expect(await s.sign(message)).toHaveLength(2420);
  });

  test("whatever a signature or a key holds, verify says false and throws nothing", () => {
    fc.assert(
      fc.property(fc.constantFrom(...algs), fc.integer(), fc.boolean(), (alg, seed, foreignKey) => {
        const [keyLength, length] = SIZES[alg];
        const random = randoms(seed);
        const noise = (n: number) => Uint8Array.from({ length: n }, () => Math.floor(random() * 256));
        const { alg: ours, key } = anchorOf(publicOf(keys[alg]));
        expect(ours.verify(foreignKey ? noise(keyLength) : key, message, noise(length), {})).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  test("a wrong signature is not returned", async () => {
    const own = signer(keys["ml-dsa-44"]);
    const foreign = (sign: (tbs: Uint8Array) => Promise<Uint8Array>) => foreignSigner(publicOf(keys["ml-dsa-44"]), sign).sign(message);
    expect(await foreign((tbs) => own.sign(tbs))).toHaveLength(2420);
    await expect(foreign((tbs) => own.sign(Uint8Array.of(...tbs, 0)))).rejects.toThrow(KeyError);
    await expect(foreign(async () => new Uint8Array(2420))).rejects.toThrow(KeyError);
    await expect(foreign(async () => new Uint8Array(3))).rejects.toThrow(KeyError);
  });

  test.each(algs)("%s: JWK, COSE_Key and raw keys go out and come back", (alg) => {
    const kid = Uint8Array.of(1, 2, 3);
    const key = privateKey(alg, seed, kid);
    const back = (k: PublicKey) => ({ alg: k.alg, key: toHex(k.key), secret: isPrivate(k) ? toHex(k.secret) : null });
    const whole = { alg, key: toHex(key.key), secret: toHex(seed) };
    expect(back(fromJwk(toPrivateJwk(key)))).toEqual(whole);
    expect(back(fromCose(toPrivateCose(key)))).toEqual(whole);
    for (const pub of [fromJwk(toJwk(key)), fromCose(toCose(key)), fromRaw(key.key)]) expect(back(pub)).toEqual({ ...whole, secret: null });
    expect(toJwk(key)).toMatchObject({ kty: "AKP", alg: alg.toUpperCase() });
    expect(JSON.stringify([toJwk(key), publicOf(key), key])).not.toContain(Buffer.from(seed).toString("base64url"));
    expect(fromCose(toCose(key)).kid).toEqual(kid);
  });

  test("what is not a key of type AKP is refused with the reason", () => {
    const key = keys["ml-dsa-44"];
    const jwk = toPrivateJwk(key) as unknown as Record<string, unknown>;
    const { pub: _, ...noPub } = jwk;
    expect(codeOf(() => fromJwk(noPub))).toBe("format");
    expect(codeOf(() => fromJwk({ ...jwk, alg: undefined }))).toBe("format");
    for (const alg of ["ML-DSA-45", "ES256", "HSS-LMS", -48])
      expect(
        codeOf(() => fromJwk({ ...jwk, alg })),
        String(alg),
      ).not.toBe("accepted");
    expect(codeOf(() => fromJwk({ ...jwk, alg: "ML-DSA-65" }))).toBe("mismatch");
    expect(codeOf(() => fromJwk({ ...toJwk(key), alg: "ML-DSA-65" }))).toBe("length");
    // expanded private keys have no place in a JWK (RFC 9964 §3)
    expect(codeOf(() => fromJwk({ ...jwk, priv: Buffer.alloc(2560, 1).toString("base64url") }))).toBe("length");
    expect(
      codeOf(() =>
        fromJwk({ ...jwk, pub: (toJwk(keys["ml-dsa-44"]) as { pub: string }).pub.replace(/^./, (c) => (c === "A" ? "B" : "A")) }),
      ),
    ).toBe("mismatch");
    expect(codeOf(() => fromJwk({ ...jwk, use: "enc" }))).toBe("unsupported");
    const cose = (more: [number, Encodable][]) => encodeCbor(new Map<Encodable, Encodable>([[KEY_KTY, COSE.KTY_AKP], ...more]));
    expect(codeOf(() => fromCose(cose([[KEY_ALG, COSE.ALG_ML_DSA_44]])))).toBe("format");
    expect(codeOf(() => fromCose(cose([[KEY_PUB, key.key]])))).toBe("format");
    expect(
      codeOf(() =>
        fromCose(
          cose([
            [KEY_ALG, -19],
            [KEY_PUB, key.key],
          ]),
        ),
      ),
    ).toBe("unsupported");
    expect(
      codeOf(() =>
        fromCose(
          cose([
            [KEY_ALG, COSE.ALG_ML_DSA_65],
            [KEY_PUB, key.key],
          ]),
        ),
      ),
    ).toBe("length");
    expect(
      codeOf(() =>
        fromCose(
          cose([
            [KEY_ALG, COSE.ALG_ML_DSA_44],
            [KEY_PUB, key.key],
            [KEY_PRIV, new Uint8Array(31)],
          ]),
        ),
      ),
    ).toBe("length");
    expect(codeOf(() => publicKey("ml-dsa-44", new Uint8Array(1311)))).toBe("length");
    expect(codeOf(() => fromRaw(new Uint8Array(1313)))).toBe("length");
  });

  test("an envelope is signed with ML-DSA and Ed25519; each is enough, both can be required, and a stripped one is then detected", async () => {
    const classic = privateKey("ed25519", seed);
    const pq = keys["ml-dsa-65"];
    const unsigned = encodeManifest(
      singleImage({
        sequence: "7",
        vendor: "example.com",
        class: "board",
        digest: "00".repeat(32),
        size: 3,
        uri: "#fw",
        payload: Uint8Array.of(1, 2, 3),
      }),
    );
    const hybrid = await signEnvelopeWithoutLog(unsigned, [signer(classic), signer(pq)]);
    const [a, b] = [anchorOf(publicOf(classic)), anchorOf(publicOf(pq))];
    expect(open(hybrid, { anchors: [a] }).signers).toEqual([0]);
    expect(open(hybrid, { anchors: [b] }).signers).toEqual([0]);
    expect(open(hybrid, { anchors: [a, b], threshold: 2 }).signers).toEqual([0, 1]);
    const stripped = await signEnvelopeWithoutLog(unsigned, [signer(classic)]);
    expect(open(stripped, { anchors: [a, b] }).signers).toEqual([0]);
    expect(() => open(stripped, { anchors: [a, b], threshold: 2 })).toThrow();
    await expect(signEnvelopeWithoutLog(hybrid, [signer(pq)])).rejects.toThrow(AlreadySigned);
  });
});

describe.skipIf(!haveVectors)("the example of RFC 9964 (third-party vectors)", () => {
  const at = (name: string) => hex(vectorJson<Record<string, string>>("cose/ML_DSA_44.cose.json")[name] as string);

  test("its COSE_Key is read, and its thumbprint is its kid", async () => {
    await loadAlg("ml-dsa-44");
    const key = fromCose(at("key"));
    expect(isPrivate(key) && toHex(key.secret)).toBe(toHex(at("priv")));
    expect(toHex(key.key)).toBe(toHex(at("raw_public_key")));
    expect(toHex(thumbprint(key))).toBe(toHex(key.kid as Uint8Array));
  });

  test("its COSE_Sign1 verifies, and with any other key does not", async () => {
    await loadAlg("ml-dsa-44");
    const key = fromCose(at("key"));
    startReading(at("sign1"));
    const all = readSignatures(null, []);
    checkEnd();
    expect(toHex(Uint8Array.from(all[0]?.message ?? []))).toBe(toHex(at("raw_to_be_signed")));
    expect(verified(all, [anchorOf(publicOf(key))], 1, {})).toEqual([0]);
    const other = publicOf(privateKey("ml-dsa-44", seed));
    expect(() => verified(all, [anchorOf(other)], 1, {})).toThrow();
  });
});
