// Keys and their signatures. Each algorithm is a row in alg/. Every key in this package has passed publicKey() or
// privateKey(), the only functions that check its length, curve and range.

import { type Alg, type Anchor, algorithms, type Bytes, sha256 } from "@firmseal/verifier";
import { KEY_ALG, KEY_CRV, KEY_D, KEY_KTY, KEY_PRIV, KEY_PUB, KEY_X, KEY_Y } from "@firmseal/verifier/tools";
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

/** The names of all algorithms. */
export const keyAlgs = Object.keys(ALG_ROWS) as readonly KeyAlg[];

/** The default algorithm, for trial keys and `firmseal keygen`. */
export const DEFAULT_ALG: KeyAlg = "ed25519";

/** Whether devices can verify an algorithm. If so, trust files may contain its keys. */
export function isDeviceAlg(alg: KeyAlg): boolean {
  return Object.hasOwn(algorithms, alg);
}

/** The names of all algorithms that devices can verify. */
export const deviceKeyAlgs = keyAlgs.filter(isDeviceAlg);

/** Whether private keys of an algorithm have state. Such a key has a file of its own, which every signature changes. */
export function isStateful(alg: KeyAlg): boolean {
  return !rowOf(alg).derive;
}

/** How OpenSSH names keys of an algorithm. Returns undefined if it has no such keys. */
export function sshType(alg: KeyAlg): AlgRow["ssh"] {
  return rowOf(alg).ssh;
}

/** Whether prepare() can make tables for keys of an algorithm. */
export function hasTables(alg: KeyAlg): boolean {
  return rowOf(alg).tables === true;
}

/** The usual names for keys of some algorithms: "Ed25519, P-256 or ML-DSA". */
export function algWords(algs: readonly KeyAlg[]): string {
  return inWords([...new Set(algs.map((alg) => rowOf(alg).family))]);
}

/** Joins words: "a", "a or b", "a, b or c". */
export function inWords(words: readonly (string | number)[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** The verifier's implementation of each of these algorithms. */
export const deviceAlgs: readonly Alg[] = deviceKeyAlgs.map((name) => ALG_ROWS[name].alg);

/**
 * A checked public key: 32 bytes (Ed25519), 65 bytes 04 ‖ x ‖ y (P-256), 60 or 52 bytes (HSS/LMS, RFC 8554 §6.1), or
 * 1,312, 1,952 or 2,592 bytes (ML-DSA-44, -65, -87). `kid` is the COSE key identifier.
 */
export interface PublicKey {
  readonly alg: KeyAlg;
  readonly key: Uint8Array;
  readonly kid?: Uint8Array;
}

/**
 * A private key. `secret` has 32 bytes: the Ed25519 seed, the big-endian P-256 scalar d, or the ML-DSA seed ξ. It is
 * not enumerable, so logging, JSON.stringify() or spreading the object exposes only the public part.
 */
export interface PrivateKey extends PublicKey {
  readonly secret: Uint8Array;
}

/**
 * Signs with a private key in this process, in a token or in a service. `sign` resolves to the raw signature: 64 bytes
 * for Ed25519 and P-256, or an ML-DSA or HSS/LMS (RFC 8554 §6.2) signature.
 */
export interface Signer {
  /** The COSE algorithm number in the protected header: ALG_ED25519, ALG_ESP256, ALG_HSS_LMS, ALG_ML_DSA_65 … */
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
 * Loads the implementation of an algorithm: a library for ML-DSA, nothing for the others. Until then privateKey(),
 * signer() and anchorOf() throw NotLoaded for ML-DSA. Reading public keys does not need it, and a Signer loads it
 * itself.
 */
export async function loadAlg(alg: KeyAlg): Promise<void> {
  await rowOf(alg).load?.();
}

/**
 * Checks a raw public key: 32 bytes (Ed25519), 65 bytes 04 ‖ x ‖ y (P-256), 60 or 52 bytes (HSS/LMS), or 1,312, 1,952
 * or 2,592 bytes (ML-DSA). Throws KeyError `length`, or `point` if it is not on the curve (invalid-curve attack), not
 * canonical, or of small order.
 */
export function publicKey(alg: KeyAlg, key: Uint8Array, kid?: Uint8Array): PublicKey {
  const row = rowOf(alg);
  if (!row.publicLengths.includes(key.length))
    throw new KeyError("length", `a public key of ${alg} has ${row.publicLengths.join(" or ")} bytes, not ${key.length}`);
  row.check(key);
  return { alg, key: Uint8Array.from(key), ...(kid && { kid: Uint8Array.from(kid) }) };
}

/**
 * Makes a private key from its 32 bytes: Ed25519 seed, big-endian P-256 scalar, or ML-DSA seed ξ (FIPS 204 Algorithm
 * 6). Throws KeyError `length`, or `range` if a scalar is 0 or not below n, and NotLoaded for ML-DSA before loadAlg().
 *
 * ```ts
 * const key = privateKey("ed25519", crypto.getRandomValues(new Uint8Array(32)));
 * const signature = await signer(key).sign(tbs);
 * ```
 */
export function privateKey(alg: KeyAlg, secret: Uint8Array, kid?: Uint8Array): PrivateKey {
  const { derive, secretLength } = loadedRow(alg);
  // HSS/LMS keys have state
  if (!derive) throw new KeyError("unsupported", `a private key of ${alg} has state, and is not kept in memory`);
  if (secret.length !== secretLength)
    throw new KeyError("length", `a private key of ${alg} has ${secretLength} bytes, not ${secret.length}`);
  const own = secretCopy(secret);
  // Always derive the public key here: an Ed25519 signer that accepts a foreign public key reveals its private key with
  // two signatures (RUSTSEC-2022-0093).
  const key = { ...publicKey(alg, derive(own), kid) };
  return Object.defineProperty(key, "secret", { value: own, enumerable: false }) as PrivateKey;
}

/** Whether a key includes its private part. */
export function isPrivate(key: PublicKey): key is PrivateKey {
  return (key as Partial<PrivateKey>).secret !== undefined;
}

/**
 * The expanded ML-DSA private key (FIPS 204 Algorithm 24), 2,560, 4,032 or 4,896 bytes. It is only compared with the
 * copy that a file holds beside the seed (RFC 9881 §6); it is neither written nor used to sign. Throws KeyError
 * `unsupported` for other algorithms.
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

/** The same key with another key identifier. */
export function withKid<K extends PublicKey>(key: K, kid: Uint8Array): K;
export function withKid(key: PublicKey, kid: Uint8Array): PublicKey {
  return isPrivate(key) ? privateKey(key.alg, key.secret, kid) : publicKey(key.alg, key.key, kid);
}

/**
 * A signer for a private key in memory. Ed25519 and P-256 signatures have 64 bytes, R ‖ S (RFC 8032 §5.1.6) or r ‖ s
 * (RFC 9053 §2.1), and are deterministic. ML-DSA signatures (2,420, 3,309 or 4,627 bytes; RFC 9964 §4) differ each
 * time. Throws KeyError `mismatch` if the two halves of the key do not match; `sign` rejects with `fault` if the
 * signature does not verify. The signer reads `key.secret` for each signature and keeps no copy: it stops working once
 * those bytes are overwritten with zeros.
 */
export function signer(key: PrivateKey): Signer {
  if (!isPrivate(key)) throw new KeyError("format", "a private key is needed to sign, this one is public");
  const { alg, secret: copy, key: pub, kid } = privateKey(key.alg, key.secret, key.kid);
  copy.fill(0);
  if (!equalBytes(pub, key.key)) throw new KeyError("mismatch", "the public key does not match the private key");
  const { secret } = key;
  const isZero = () => secret.every((byte) => byte === 0);
  // the published ML-DSA keys include the seed of zeros (RFC 9964 appendix A)
  const wasZero = isZero();
  const row = loadedRow(alg);
  return {
    alg: row.cose,
    publicKey: pub,
    ...(kid && { kid }),
    async sign(tbs) {
      // a copy, so that the verified bytes are the signed bytes
      const message = Uint8Array.from(tbs);
      if (!wasZero && isZero()) throw new KeyError("range", "the private key was wiped");
      const signature = row.sign?.(message, secret);
      // A deterministic signature with one wrong bit reveals the private key together with a correct one (fault
      // attack), so verify each before it is returned.
      if (!signature || !row.alg.verify(pub, message, signature, {})) {
        throw new KeyError("fault", "the signature is wrong: do not trust this machine with the key");
      }
      keepVerified({ alg: row.alg, key: pub, message, signature });
      return signature;
    },
  };
}

/**
 * A signer for a private key elsewhere: in a token, a service or a program. `sign` returns the raw signature of `tbs`.
 * Every signature is verified; if it is invalid, the signer rejects with KeyError `fault`.
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
      // copies, so that the verified bytes are the requested ones, even if the callee or the caller changes its array
      const signature = Uint8Array.from(await sign(Uint8Array.from(message)));
      if (!row.alg.verify(key.key, message, signature, {}))
        throw new KeyError("fault", "the returned signature is not by this key over these bytes");
      keepVerified({ alg: row.alg, key: key.key, message, signature });
      return signature;
    },
  };
}

/** The trust anchor of a key, for open(). Throws NotLoaded for ML-DSA before loadAlg(), because open() cannot wait. */
export function anchorOf(key: PublicKey): Anchor {
  const { alg } = loadedRow(key.alg);
  // no known key fails here after publicKey(), but a key that devices refuse must not become an anchor
  if (!alg.valid(key.key)) throw new KeyError("point", "no device trusts this public key");
  return { alg, key: key.key, ...(key.kid && { kid: key.kid }) };
}

/** A signature that the verifier has accepted. */
interface Verified {
  alg: Alg;
  key: Uint8Array;
  message: Uint8Array;
  signature: Uint8Array;
}

/**
 * The signatures that were verified last. Whoever signs opens the result at once, which asks for the same bytes under
 * the same key again. An envelope has at most 8 signatures.
 */
const verifiedLast: Verified[] = [];
const VERIFIED_KEPT = 8;

function keepVerified({ alg, key, message, signature }: Verified): void {
  // copies: what was verified must stay what it was
  verifiedLast.push({ alg, key: Uint8Array.from(key), message: Uint8Array.from(message), signature: Uint8Array.from(signature) });
  if (verifiedLast.length > VERIFIED_KEPT) verifiedLast.shift();
}

/** The algorithm, which does not compute again what it has just accepted. */
function rememberingAlg(alg: Alg): Alg {
  const isKnown = (key: ArrayLike<number>, message: Bytes, signature: Bytes) =>
    verifiedLast.some(
      (one) => one.alg === alg && equalBytes(one.key, key) && equalBytes(one.message, message) && equalBytes(one.signature, signature),
    );
  return {
    ...alg,
    verify: (key, message, signature, host) =>
      ("table" in key ? false : isKnown(key, message, signature)) || alg.verify(key, message, signature, host),
  };
}

/** The trust anchor of the key of a signer. Throws TypeError for an unknown algorithm. */
export async function anchorOfSigner(signer: Pick<Signer, "alg" | "publicKey">): Promise<Anchor> {
  const name = keyAlgOf(signer.alg);
  const row = name && rowOf(name);
  if (!row) throw new TypeError(`no verifier for COSE algorithm ${signer.alg}`);
  await row.load?.();
  return { alg: rememberingAlg(row.alg), key: signer.publicKey };
}

/**
 * The algorithm of a COSE number, including numbers that name only the family. Returns undefined for unknown numbers.
 */
export function keyAlgOf(cose: number): KeyAlg | undefined {
  return keyAlgs.find((alg) => rowOf(alg).alg.ids.includes(cose));
}

/** The algorithm whose raw public keys have this length in bytes. */
export function keyAlgOfLength(length: number): KeyAlg | undefined {
  return keyAlgs.find((alg) => rowOf(alg).publicLengths.includes(length));
}

/** The length in bytes of a raw signature. Returns undefined for HSS/LMS, whose signatures encode their own length. */
export function signatureLength(alg: KeyAlg): number | undefined {
  return rowOf(alg).signatureLength;
}

/** The COSE algorithm number for signatures with such keys: ALG_ED25519, ALG_ESP256, ALG_ML_DSA_44 … */
export function coseAlg(alg: KeyAlg): number {
  return rowOf(alg).cose;
}

/**
 * The COSE algorithm numbers that a signature with such keys may name: for ed25519 EdDSA and Ed25519, for es256 ES256
 * and ESP256 (RFC 9053 §2, RFC 9864 §2). The signature is the same; the number is in its protected header.
 */
export function coseAlgs(alg: KeyAlg): readonly number[] {
  return rowOf(alg).alg.ids;
}

/**
 * The same signer, whose signatures name another COSE algorithm number for the same algorithm. Throws KeyError
 * `unsupported` if the number is not one of coseAlgs().
 */
export function withCoseAlg<S extends Signer>(signer: S, cose: number): S {
  const alg = keyAlgOf(signer.alg);
  if (alg === undefined || !coseAlgs(alg).includes(cose))
    throw new KeyError("unsupported", `COSE algorithm ${cose} is not for keys of ${alg ?? signer.alg}`);
  return { ...signer, alg: cose };
}

/** Where the parts of a key are in other formats. */
export function formOf(alg: KeyAlg): KeyForm {
  return rowOf(alg).form;
}

/** The coordinates of a point 04 ‖ x ‖ y. A key without coordinates is returned unchanged. */
export function coordinatesOf({ alg, key }: PublicKey): [x: Uint8Array, y?: Uint8Array] {
  const n = formOf(alg).coordinate;
  return n === undefined ? [key] : [key.subarray(1, 1 + n), key.subarray(1 + n)];
}

/** The members of a COSE_Key that its thumbprint covers (RFC 9679 §4). All are public. */
export function requiredMembers(key: PublicKey): Map<Encodable, Encodable> {
  const { kty, crv, bound } = formOf(key.alg);
  const [x, y] = coordinatesOf(key);
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

/** The length in bytes of the secret. Returns undefined if private keys have state. */
export function secretLength(alg: KeyAlg): number | undefined {
  return rowOf(alg).secretLength;
}

/**
 * Computes y of the point with this x. Throws KeyError if there is none, or if the keys of the algorithm have no second
 * coordinate.
 */
export function decompress(alg: KeyAlg, x: Uint8Array | undefined, odd: boolean): Uint8Array {
  const { family, form, decompress } = rowOf(alg);
  if (x?.length !== form.coordinate) throw new KeyError("length", `the x of a key on ${family} has ${form.coordinate} bytes`);
  const y = x && attempt(() => decompress?.(x, odd));
  if (!y) throw new KeyError("point", `the public key is not a point of ${family}`);
  return y;
}

/** The raw keys of twinsOf(), which are not checked. */
export function twinBytes({ alg, key }: PublicKey): Uint8Array[] {
  return rowOf(alg).twins?.(key) ?? [];
}

/** All other public keys that the secret of this key signs for. */
export function twinsOf(key: PublicKey): PublicKey[] {
  return twinBytes(key).map((twin) => publicKey(key.alg, twin));
}

/** The lengths in bytes of raw public keys, in ascending order. */
export function publicLengths(): number[] {
  return keyAlgs.flatMap((alg) => rowOf(alg).publicLengths).sort((a, b) => a - b);
}

/**
 * The COSE Key Thumbprint (RFC 9679 §3) with SHA-256, 32 bytes. A private key and its public key have the same one,
 * regardless of the kid.
 */
export function thumbprint(key: PublicKey): Uint8Array {
  // of the verifier, which is loaded in any case
  const state = sha256.create();
  state.update(encodeCbor(requiredMembers(key)));
  return Uint8Array.from(state.digest());
}
