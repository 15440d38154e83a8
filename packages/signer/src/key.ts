// Keys and the signatures made with them: Ed25519 (RFC 8032) and ECDSA on P-256 with SHA-256 (RFC 6979). Whatever carries a key in
// this package has gone through publicKey() or privateKey(): its length, its curve and its range are checked there and nowhere else.

import { type Anchor, anchor } from "@firmseal/verifier";
import { same } from "@firmseal/verifier/bytes";
import { ALG_ED25519, ALG_ESP256, CRV_ED25519, CRV_P256, KEY_CRV, KEY_KTY, KEY_X, KEY_Y, KTY_EC2, KTY_OKP } from "@firmseal/verifier/spec";
import { p256 } from "@noble/curves/nist.js";
import * as ed25519 from "@noble/ed25519";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { type Encodable, encode } from "./cbor.js";

// the synchronous half of the library has no hash of its own
ed25519.hashes.sha512 = sha512;

export type KeyAlg = "ed25519" | "es256";

/** A public key that is known to be good: 32 bytes (Ed25519), or 65 bytes 04 ‖ x ‖ y (P-256). `kid` is the COSE key identifier. */
export interface PublicKey {
  readonly alg: KeyAlg;
  readonly key: Uint8Array;
  readonly kid?: Uint8Array;
}

/**
 * `secret`: 32 bytes, the Ed25519 seed or the P-256 scalar d in big endian. It is not enumerable: a log line, JSON.stringify or a
 * spread of the object carries the public part only.
 */
export interface PrivateKey extends PublicKey {
  readonly secret: Uint8Array;
}

/** Whoever holds a private key: this process, a token, a service. `sign` resolves to the raw signature, 64 bytes. */
export interface Signer {
  /** The COSE algorithm number, ALG_ED25519 or ALG_ESP256. */
  readonly alg: number;
  readonly kid?: Uint8Array;
  readonly publicKey: Uint8Array;
  sign(tbs: Uint8Array): Promise<Uint8Array>;
}

/**
 * What is wrong with a key. No message ever holds a part of one.
 * `length`: not the number of bytes; `range`: d is 0 or not below n; `point`: not on the curve, or a point that must not be used;
 * `mismatch`: the public part belongs to another private key; `unsupported`: a kind of key that this project does not sign with;
 * `format`: not a key in this format; `several`: more keys than one; `fault`: a signature that came out wrong.
 */
export type KeyErrorCode = "length" | "range" | "point" | "mismatch" | "unsupported" | "format" | "several" | "fault";

export class KeyError extends Error {
  override readonly name = "KeyError";
  constructor(
    readonly code: KeyErrorCode,
    message: string,
  ) {
    super(message);
  }
}

interface Row {
  cose: number;
  publicLength: number;
  /** Throws KeyError for a point that must not be used. */
  check(key: Uint8Array): void;
  derive(secret: Uint8Array): Uint8Array;
  sign(tbs: Uint8Array, secret: Uint8Array): Uint8Array;
  verify(signature: Uint8Array, tbs: Uint8Array, key: Uint8Array): boolean;
}

// The defaults of the libraries, written out where they matter: RFC 6979 without extra entropy makes a release reproducible, and a
// high S is left alone because that is what RFC 6979 yields and what verifiers of COSE accept (RFC 9053 §2.1).
const ecdsa = { prehash: true, lowS: false, format: "compact" } as const;

const rows: Record<KeyAlg, Row> = {
  ed25519: {
    cose: ALG_ED25519,
    publicLength: 32,
    check(key) {
      const point = attempt(() => ed25519.Point.fromBytes(key, false));
      if (!point) throw new KeyError("point", "the public key is not a point of Ed25519");
      // Under a small-order key one signature fits many messages: RFC 8032 leaves the check open, our verifiers refuse such anchors.
      if (point.isSmallOrder()) throw new KeyError("point", "the public key is a point of small order");
    },
    derive: (secret) => ed25519.getPublicKey(secret),
    sign: (tbs, secret) => ed25519.sign(tbs, secret),
    verify: (signature, tbs, key) => ed25519.verify(signature, tbs, key, { zip215: false }),
  },
  es256: {
    cose: ALG_ESP256,
    publicLength: 65,
    check(key) {
      if (key[0] !== 4 || !attempt(() => p256.Point.fromBytes(key))) throw new KeyError("point", "the public key is not a point of P-256");
    },
    derive(secret) {
      if (!p256.utils.isValidSecretKey(secret)) throw new KeyError("range", "the private key is not in the range of P-256, 1 to n - 1");
      return p256.getPublicKey(secret, false);
    },
    sign: (tbs, secret) => p256.sign(tbs, secret, { ...ecdsa, extraEntropy: false }),
    verify: (signature, tbs, key) => p256.verify(signature, tbs, key, ecdsa),
  },
};

function attempt<T>(f: () => T): T | undefined {
  try {
    return f();
  } catch {
    return undefined;
  }
}

/**
 * A public key from its raw form: 32 bytes (Ed25519), or 65 bytes 04 ‖ x ‖ y (P-256).
 * Throws KeyError `length`, or `point` when it is not on the curve (invalid-curve attack), not canonical or of small order.
 */
export function publicKey(alg: KeyAlg, key: Uint8Array, kid?: Uint8Array): PublicKey {
  const row = rows[alg];
  if (key.length !== row.publicLength)
    throw new KeyError("length", `a public key of ${alg} has ${row.publicLength} bytes, not ${key.length}`);
  row.check(key);
  return { alg, key: Uint8Array.from(key), ...(kid && { kid: Uint8Array.from(kid) }) };
}

/**
 * A private key from its 32 bytes: Ed25519 seed, or P-256 scalar in big endian.
 * Throws KeyError `length`, or `range` when a scalar is 0 or not below n.
 *
 * ```ts
 * const key = privateKey("ed25519", crypto.getRandomValues(new Uint8Array(32)));
 * const signature = await signer(key).sign(tbs);
 * ```
 */
export function privateKey(alg: KeyAlg, secret: Uint8Array, kid?: Uint8Array): PrivateKey {
  if (secret.length !== 32) throw new KeyError("length", `a private key of ${alg} has 32 bytes, not ${secret.length}`);
  const own = Uint8Array.from(secret);
  // The public key comes from here and from nowhere else: an Ed25519 signer that is handed a foreign one gives its private key away
  // with two signatures (RUSTSEC-2022-0093).
  const key = { ...publicKey(alg, rows[alg].derive(own), kid) };
  return Object.defineProperty(key, "secret", { value: own, enumerable: false }) as PrivateKey;
}

/** Whether a key has its private part. */
export function isPrivate(key: PublicKey): key is PrivateKey {
  return (key as Partial<PrivateKey>).secret !== undefined;
}

/** The same key without its private part. */
export function publicOf(key: PublicKey): PublicKey {
  return { alg: key.alg, key: key.key, ...(key.kid && { kid: key.kid }) };
}

/** The same key under another identifier. */
export function withKid<K extends PublicKey>(key: K, kid: Uint8Array): K;
export function withKid(key: PublicKey, kid: Uint8Array): PublicKey {
  return isPrivate(key) ? privateKey(key.alg, key.secret, kid) : publicKey(key.alg, key.key, kid);
}

/**
 * A signer over a private key in memory. Signatures are deterministic, 64 bytes: R ‖ S (RFC 8032 §5.1.6), or r ‖ s (RFC 9053 §2.1).
 * Throws KeyError `mismatch` for a key whose two halves do not belong together; `sign` rejects with `fault`.
 */
export function signer(key: PrivateKey): Signer {
  if (!isPrivate(key)) throw new KeyError("format", "a private key is needed to sign, this one is public");
  const { alg, secret, key: pub, kid } = privateKey(key.alg, key.secret, key.kid);
  if (!same(pub, key.key)) throw new KeyError("mismatch", "the public key does not belong to the private key");
  const row = rows[alg];
  return {
    alg: row.cose,
    publicKey: pub,
    ...(kid && { kid }),
    async sign(tbs) {
      // a copy: the bytes that are verified must be the bytes that were signed
      const message = Uint8Array.from(tbs);
      const signature = row.sign(message, secret);
      // A deterministic signature with one wrong bit in it reveals the private key beside a good one (fault attack), so none leaves here.
      if (signature.length !== 64 || !row.verify(signature, message, pub)) {
        throw new KeyError("fault", "the signature came out wrong: this machine cannot be trusted with the key");
      }
      return signature;
    },
  };
}

/**
 * A signer over a private key that is somewhere else: in a token, in a service, behind a program. `sign` gives the raw signature of
 * `tbs`. A signature that is not this key's never leaves: `sign` then rejects with KeyError `fault`.
 */
export function foreignSigner(key: PublicKey, sign: (tbs: Uint8Array) => Promise<Uint8Array>): Signer {
  const row = rows[key.alg];
  return {
    alg: row.cose,
    publicKey: key.key,
    ...(key.kid && { kid: key.kid }),
    async sign(tbs) {
      const message = Uint8Array.from(tbs);
      // a copy of its own: what is verified is what was asked to be signed, whatever was done to the bytes meanwhile
      const signature = Uint8Array.from(await sign(Uint8Array.from(message)));
      if (!attempt(() => row.verify(signature, message, key.key)))
        throw new KeyError("fault", "the signature that came back is not one of this key over these bytes");
      return signature;
    },
  };
}

/** The key as something to trust: for open(). */
export function anchorOf(key: PublicKey): Anchor {
  return anchor(key.alg, key.key, key.kid);
}

/** The COSE algorithm number that this project signs with under a key: ALG_ED25519 or ALG_ESP256. */
export function coseAlg(alg: KeyAlg): number {
  return rows[alg].cose;
}

/** The members of a COSE_Key that RFC 9679 §4 calls required, public ones all. */
export function requiredMembers(key: PublicKey): Map<Encodable, Encodable> {
  if (key.alg === "ed25519") {
    return new Map<Encodable, Encodable>([
      [KEY_KTY, KTY_OKP],
      [KEY_CRV, CRV_ED25519],
      [KEY_X, key.key],
    ]);
  }
  return new Map<Encodable, Encodable>([
    [KEY_KTY, KTY_EC2],
    [KEY_CRV, CRV_P256],
    [KEY_X, key.key.subarray(1, 33)],
    [KEY_Y, key.key.subarray(33)],
  ]);
}

/** The COSE Key Thumbprint (RFC 9679 §3) with SHA-256: 32 bytes. The same for a private key and its public key, whatever the kid. */
export function thumbprint(key: PublicKey): Uint8Array {
  return sha256(encode(requiredMembers(key)));
}
