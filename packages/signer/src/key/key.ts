// Keys and the signatures made with them; the mathematics of each algorithm is a row in alg/. Whatever carries a key in this package has
// gone through publicKey() or privateKey(): its length, its curve and its range are checked there and nowhere else.

import { type Alg, type Anchor, algorithms } from "@firmseal/verifier";
import { KEY_ALG, KEY_CRV, KEY_D, KEY_KTY, KEY_PRIV, KEY_PUB, KEY_X, KEY_Y } from "@firmseal/verifier/tools";
import { sha256 } from "@noble/hashes/sha2.js";
import { ed25519Row } from "../alg/ed25519.js";
import { es256Row } from "../alg/es256.js";
import { hsslmsRow } from "../alg/hsslms.js";
import { mlDsa44Row, mlDsa65Row, mlDsa87Row, NotLoaded } from "../alg/mldsa.js";
import { type AlgRow, attempt, type KeyForm } from "../alg/row.js";
import { equalBytes, secretCopy } from "../bytes.js";
import { type Encodable, encodeCbor } from "../cbor.js";
import { KeyError } from "./error.js";

export { KeyError, type KeyErrorCode } from "./error.js";
export { NotLoaded };

const ALG_ROWS = {
  ed25519: ed25519Row,
  es256: es256Row,
  hsslms: hsslmsRow,
  "ml-dsa-44": mlDsa44Row,
  "ml-dsa-65": mlDsa65Row,
  "ml-dsa-87": mlDsa87Row,
} satisfies Record<string, AlgRow>;

export type KeyAlg = keyof typeof ALG_ROWS;

/** Every algorithm by name. */
export const keyAlgs = Object.keys(ALG_ROWS) as readonly KeyAlg[];

/** What is taken where nobody chooses: keys for trials, and `firmseal keygen`. */
export const DEFAULT_ALG: KeyAlg = "ed25519";

/** Whether devices can verify an algorithm: its keys may stand in trust files, and plans ask devices with them. */
export function isDeviceAlg(alg: KeyAlg): boolean {
  return Object.hasOwn(algorithms, alg);
}

/** All of those. */
export const deviceKeyAlgs = keyAlgs.filter(isDeviceAlg);

/** Whether a private key of an algorithm has state: it stands in a file of its own, and each signature changes it. */
export function isStateful(alg: KeyAlg): boolean {
  return !rowOf(alg).derive;
}

/** Whether prepare() makes tables for keys of an algorithm. */
export function hasTables(alg: KeyAlg): boolean {
  return rowOf(alg).tables === true;
}

/** What people call the keys of some algorithms: "Ed25519, P-256 or ML-DSA". */
export function keyWords(algs: readonly KeyAlg[]): string {
  return inWords([...new Set(algs.map((alg) => rowOf(alg).family))]);
}

/** "a", "a or b", "a, b or c". */
export function inWords(words: readonly (string | number)[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** The verification of each of them. */
export const deviceAlgs: readonly Alg[] = deviceKeyAlgs.map((name) => ALG_ROWS[name].alg);

/**
 * A public key that is known to be good: 32 bytes (Ed25519), 65 bytes 04 ‖ x ‖ y (P-256), 60 or 52 bytes (HSS/LMS, RFC 8554 §6.1), or
 * 1,312, 1,952 or 2,592 bytes (ML-DSA-44, -65, -87). `kid` is the COSE key identifier.
 */
export interface PublicKey {
  readonly alg: KeyAlg;
  readonly key: Uint8Array;
  readonly kid?: Uint8Array;
}

/**
 * `secret`: 32 bytes, the Ed25519 seed, the P-256 scalar d in big endian, or the seed ξ of ML-DSA. It is not enumerable: a log line, JSON.stringify or a
 * spread of the object carries the public part only.
 */
export interface PrivateKey extends PublicKey {
  readonly secret: Uint8Array;
}

/** Whoever holds a private key: this process, a token, a service. `sign` resolves to the raw signature: 64 bytes, those of ML-DSA, or that of RFC 8554 §6.2. */
export interface Signer {
  /** The COSE algorithm number that stands beside the signature: ALG_ED25519, ALG_ESP256, ALG_HSS_LMS, ALG_ML_DSA_65 … */
  readonly alg: number;
  readonly kid?: Uint8Array;
  readonly publicKey: Uint8Array;
  sign(tbs: Uint8Array): Promise<Uint8Array>;
}

function rowOf(alg: KeyAlg): AlgRow {
  return ALG_ROWS[alg];
}

function loadedRow(alg: KeyAlg): AlgRow {
  const row = rowOf(alg);
  if (row.loaded && !row.loaded()) throw new NotLoaded();
  return row;
}

/**
 * Fetches what an algorithm needs: for ML-DSA a library, for the others nothing. privateKey(), signer() and anchorOf() of an algorithm that
 * was not fetched throw NotLoaded; public keys are read without, and a Signer fetches it by itself.
 */
export async function loadAlg(alg: KeyAlg): Promise<void> {
  await rowOf(alg).load?.();
}

/**
 * A public key from its raw form: 32 bytes (Ed25519), 65 bytes 04 ‖ x ‖ y (P-256), or 1,312, 1,952 or 2,592 bytes (ML-DSA).
 * Throws KeyError `length`, or `point` when it is not on the curve (invalid-curve attack), not canonical or of small order.
 */
export function publicKey(alg: KeyAlg, key: Uint8Array, kid?: Uint8Array): PublicKey {
  const row = rowOf(alg);
  if (!row.publicLengths.includes(key.length))
    throw new KeyError("length", `a public key of ${alg} has ${row.publicLengths.join(" or ")} bytes, not ${key.length}`);
  row.check(key);
  return { alg, key: Uint8Array.from(key), ...(kid && { kid: Uint8Array.from(kid) }) };
}

/**
 * A private key from its 32 bytes: Ed25519 seed, P-256 scalar in big endian, or ML-DSA seed ξ (FIPS 204 Algorithm 6).
 * Throws KeyError `length`, or `range` when a scalar is 0 or not below n; NotLoaded for ML-DSA before loadAlg().
 *
 * ```ts
 * const key = privateKey("ed25519", crypto.getRandomValues(new Uint8Array(32)));
 * const signature = await signer(key).sign(tbs);
 * ```
 */
export function privateKey(alg: KeyAlg, secret: Uint8Array, kid?: Uint8Array): PrivateKey {
  const { derive, secretLength } = loadedRow(alg);
  // of HSS/LMS: it has state
  if (!derive) throw new KeyError("unsupported", `a private key of ${alg} has state, and is not kept in memory`);
  if (secret.length !== secretLength)
    throw new KeyError("length", `a private key of ${alg} has ${secretLength} bytes, not ${secret.length}`);
  const own = secretCopy(secret);
  // The public key comes from here and from nowhere else: an Ed25519 signer that is handed a foreign one gives its private key away
  // with two signatures (RUSTSEC-2022-0093).
  const key = { ...publicKey(alg, derive(own), kid) };
  return Object.defineProperty(key, "secret", { value: own, enumerable: false }) as PrivateKey;
}

/** Whether a key has its private part. */
export function isPrivate(key: PublicKey): key is PrivateKey {
  return (key as Partial<PrivateKey>).secret !== undefined;
}

/**
 * The private key of ML-DSA as FIPS 204 Algorithm 24 encodes it: 2,560, 4,032 or 4,896 bytes. It is compared with what a file holds beside the
 * seed (RFC 9881 §6), and neither written nor signed with. Throws KeyError `unsupported` for others.
 */
export function expandedKey(key: PrivateKey): Uint8Array {
  const { expand } = loadedRow(key.alg);
  if (!expand) throw new KeyError("unsupported", `private keys of ${key.alg} have one form only`);
  return expand(key.secret);
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
 * A signer over a private key in memory. Signatures are R ‖ S (RFC 8032 §5.1.6) or r ‖ s (RFC 9053 §2.1), 64 bytes and deterministic, or
 * those of ML-DSA (2,420, 3,309 or 4,627 bytes; RFC 9964 §4), which differ each time.
 * Throws KeyError `mismatch` for a key whose two halves do not belong together; `sign` rejects with `fault`. It uses the bytes of `key.secret`
 * and keeps no copy: whoever fills them with zeros ends it.
 */
export function signer(key: PrivateKey): Signer {
  if (!isPrivate(key)) throw new KeyError("format", "a private key is needed to sign, this one is public");
  const { alg, secret: copy, key: pub, kid } = privateKey(key.alg, key.secret, key.kid);
  copy.fill(0);
  if (!equalBytes(pub, key.key)) throw new KeyError("mismatch", "the public key does not match the private key");
  const { secret } = key;
  const isZero = () => secret.every((byte) => byte === 0);
  // the seed of published keys of ML-DSA (RFC 9964 appendix A)
  const wasZero = isZero();
  const row = loadedRow(alg);
  return {
    alg: row.cose,
    publicKey: pub,
    ...(kid && { kid }),
    async sign(tbs) {
      // a copy: the bytes that are verified must be the bytes that were signed
      const message = Uint8Array.from(tbs);
      if (!wasZero && isZero()) throw new KeyError("range", "the private key was wiped");
      const signature = row.sign?.(message, secret);
      // A deterministic signature with one wrong bit in it reveals the private key beside a good one (fault attack), so none leaves here.
      if (!signature || !row.alg.verify(pub, message, signature, {})) {
        throw new KeyError("fault", "the signature is wrong: do not trust this machine with the key");
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
  const row = rowOf(key.alg);
  return {
    alg: row.cose,
    publicKey: key.key,
    ...(key.kid && { kid: key.kid }),
    async sign(tbs) {
      const message = Uint8Array.from(tbs);
      await row.load?.();
      // a copy of its own: what is verified is what was asked to be signed, whatever was done to the bytes meanwhile
      const signature = Uint8Array.from(await sign(Uint8Array.from(message)));
      if (!row.alg.verify(key.key, message, signature, {}))
        throw new KeyError("fault", "the returned signature is not by this key over these bytes");
      return signature;
    },
  };
}

/** The key as something to trust: for open(). Throws NotLoaded for ML-DSA before loadAlg(): open() has no way to wait. */
export function anchorOf(key: PublicKey): Anchor {
  const { alg } = loadedRow(key.alg);
  // stricter than publicKey() in no case that is known; what a device refuses is not to be called an anchor here
  if (!alg.valid(key.key)) throw new KeyError("point", "no device trusts this public key");
  return { alg, key: key.key, ...(key.kid && { kid: key.kid }) };
}

/** The same for whoever signs. Throws TypeError for an algorithm that is not signed with here. */
export async function anchorOfSigner(signer: Pick<Signer, "alg" | "publicKey">): Promise<Anchor> {
  const row = Object.values<AlgRow>(ALG_ROWS).find((r) => r.cose === signer.alg);
  if (!row) throw new TypeError(`no verifier for COSE algorithm ${signer.alg}`);
  await row.load?.();
  return { alg: row.alg, key: signer.publicKey };
}

/** The algorithm of a COSE number, also of those that say only the family; undefined: none of ours. */
export function keyAlgOf(cose: number): KeyAlg | undefined {
  return keyAlgs.find((alg) => rowOf(alg).alg.ids.includes(cose));
}

/** The algorithm whose raw public keys have this length. */
export function keyAlgOfLength(length: number): KeyAlg | undefined {
  return keyAlgs.find((alg) => rowOf(alg).publicLengths.includes(length));
}

/** The length of every raw signature of an algorithm; undefined for HSS/LMS, whose signatures say it in themselves. */
export function signatureLength(alg: KeyAlg): number | undefined {
  return rowOf(alg).signatureLength;
}

/** The COSE algorithm number that this project signs with under a key: ALG_ED25519, ALG_ESP256, ALG_ML_DSA_44 … */
export function coseAlg(alg: KeyAlg): number {
  return rowOf(alg).cose;
}

/** Where the parts of a key stand in other formats. */
export function formOf(alg: KeyAlg): KeyForm {
  return rowOf(alg).form;
}

/** The coordinates of a point 04 ‖ x ‖ y, or a key that is one string as it is. */
export function partsOf({ alg, key }: PublicKey): [x: Uint8Array, y?: Uint8Array] {
  const n = formOf(alg).coordinate;
  return n === undefined ? [key] : [key.subarray(1, 1 + n), key.subarray(1 + n)];
}

/** The members of a COSE_Key that RFC 9679 §4 calls required, public ones all. */
export function requiredMembers(key: PublicKey): Map<Encodable, Encodable> {
  const { kty, crv, bound } = formOf(key.alg);
  const [x, y] = partsOf(key);
  const out = new Map<Encodable, Encodable>([[KEY_KTY, kty]]);
  if (bound) out.set(KEY_ALG, coseAlg(key.alg));
  if (crv === undefined) return out.set(KEY_PUB, x);
  out.set(KEY_CRV, crv).set(KEY_X, x);
  return y ? out.set(KEY_Y, y) : out;
}

/** The label of the secret in a COSE_Key. */
export function secretLabel({ crv }: KeyForm): number {
  return crv === undefined ? KEY_PRIV : KEY_D;
}

/** The bytes of the secret of an algorithm; undefined where it has state. */
export function secretLength(alg: KeyAlg): number | undefined {
  return rowOf(alg).secretLength;
}

/** y of the point with this x. Throws KeyError where there is none, or the keys of the algorithm are no points with two coordinates. */
export function decompress(alg: KeyAlg, x: Uint8Array | undefined, odd: boolean): Uint8Array {
  const { family, form, decompress } = rowOf(alg);
  if (x?.length !== form.coordinate) throw new KeyError("length", `the x of a key on ${family} has ${form.coordinate} bytes`);
  const y = x && attempt(() => decompress?.(x, odd));
  if (!y) throw new KeyError("point", `the public key is not a point of ${family}`);
  return y;
}

/** Every other public key that the secret of this one signs for. */
export function twinsOf({ alg, key }: PublicKey): PublicKey[] {
  return (rowOf(alg).twins?.(key) ?? []).map((twin) => publicKey(alg, twin));
}

/** The lengths of raw public keys, in order. */
export function publicLengths(): number[] {
  return keyAlgs.flatMap((alg) => rowOf(alg).publicLengths).sort((a, b) => a - b);
}

/** The COSE Key Thumbprint (RFC 9679 §3) with SHA-256: 32 bytes. The same for a private key and its public key, whatever the kid. */
export function thumbprint(key: PublicKey): Uint8Array {
  return sha256(encodeCbor(requiredMembers(key)));
}
