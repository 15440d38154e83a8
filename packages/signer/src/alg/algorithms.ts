// The table of the algorithms, one row for each, and what its rows say. Other files name an algorithm only where a
// format or a published key is for that one alone: key/prepare.ts, key/ssh.ts, test-keys/.

import { type Alg, algorithms } from "@firmseal/verifier";
import { COSE, KEY_D, KEY_PRIV } from "@firmseal/verifier/tools";
import { ed25519Row } from "./ed25519.js";
import { es256Row } from "./es256.js";
import { hsslmsRow } from "./hsslms.js";
import { mlDsa44Row, mlDsa65Row, mlDsa87Row, NotLoaded } from "./mldsa.js";
import type { AlgRow, JwkForm } from "./row.js";

const ALG_ROWS = {
  ed25519: ed25519Row,
  es256: es256Row,
  hsslms: hsslmsRow,
  "ml-dsa-44": mlDsa44Row,
  "ml-dsa-65": mlDsa65Row,
  "ml-dsa-87": mlDsa87Row,
} satisfies Record<string, AlgRow>;

/** The name of a signature algorithm. */
export type KeyAlg = keyof typeof ALG_ROWS;

/** The names of all algorithms. */
export const keyAlgs = Object.keys(ALG_ROWS) as readonly KeyAlg[];

/** The default algorithm, for trial keys and `firmseal keygen`. */
export const DEFAULT_ALG: KeyAlg = "ed25519";

/**
 * Tells whether devices can verify an algorithm. If so, trust files may contain its keys.
 *
 * @param alg - The algorithm of the keys.
 * @returns true if they can.
 */
export function isDeviceAlg(alg: KeyAlg): boolean {
  return Object.hasOwn(algorithms, alg);
}

/** The names of all algorithms that devices can verify. */
export const deviceKeyAlgs = keyAlgs.filter(isDeviceAlg);

/**
 * Tells whether private keys of an algorithm have state. Such a key has a file of its own, which every signature
 * changes.
 *
 * @param alg - The algorithm of the keys.
 * @returns true for hsslms.
 */
export function isStateful(alg: KeyAlg): boolean {
  return !rowOf(alg).derive;
}

/**
 * Finds how OpenSSH names keys of an algorithm.
 *
 * @param alg - The algorithm of the keys.
 * @returns The type, or undefined if OpenSSH has no such keys.
 */
export function sshType(alg: KeyAlg): AlgRow["ssh"] {
  return rowOf(alg).ssh;
}

/**
 * Tells whether prepareKey() can make tables for keys of an algorithm.
 *
 * @param alg - The algorithm of the keys.
 * @returns true for ed25519.
 */
export function hasTables(alg: KeyAlg): boolean {
  return rowOf(alg).tables === true;
}

/**
 * Joins the usual names for keys of some algorithms.
 *
 * @param algs - The algorithms.
 * @returns Such as "Ed25519, P-256 or ML-DSA".
 */
export function algWords(algs: readonly KeyAlg[]): string {
  return inWords([...new Set(algs.map((alg) => rowOf(alg).family))]);
}

/**
 * Joins words for a sentence.
 *
 * @param words - The words.
 * @returns "a", "a or b", "a, b or c".
 */
export function inWords(words: readonly (string | number)[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** The verifier's implementation of each of these algorithms. */
export const deviceAlgs: readonly Alg[] = deviceKeyAlgs.map((name) => ALG_ROWS[name].alg);

export function rowOf(alg: KeyAlg): AlgRow {
  return ALG_ROWS[alg];
}

export function loadedRow(alg: KeyAlg): AlgRow {
  const row = rowOf(alg);
  if (row.loaded && !row.loaded()) throw new NotLoaded();
  return row;
}

/**
 * Loads the implementation of an algorithm: a library for ML-DSA, nothing for the others. Until then privateKey(),
 * signer() and anchorOf() throw NotLoaded for ML-DSA. Reading public keys does not need it, and a Signer loads it
 * itself.
 *
 * @param alg - The algorithm.
 * @returns Resolves when it is loaded.
 * @example
 * ```ts
 * import { loadAlg, privateKey } from "@firmseal/signer";
 *
 * await loadAlg("ml-dsa-65");
 * const key = privateKey("ml-dsa-65", seed);
 * ```
 */
export async function loadAlg(alg: KeyAlg): Promise<void> {
  await rowOf(alg).load?.();
}

/**
 * Finds the algorithm of a COSE number, including numbers that name only the family.
 *
 * @param cose - The COSE algorithm number.
 * @returns The algorithm, or undefined for unknown numbers.
 */
export function keyAlgOf(cose: number): KeyAlg | undefined {
  return keyAlgs.find((alg) => rowOf(alg).alg.ids.includes(cose));
}

/**
 * Finds the algorithm whose raw public keys have this length.
 *
 * @param length - Bytes of the key.
 * @returns The algorithm, or undefined if no keys have this length.
 */
export function keyAlgOfLength(length: number): KeyAlg | undefined {
  return keyAlgs.find((alg) => rowOf(alg).publicLengths.includes(length));
}

/**
 * Finds the length of a raw signature.
 *
 * @param alg - The algorithm of the key.
 * @returns Bytes, or undefined for HSS/LMS, whose signatures encode their own length.
 */
export function signatureLength(alg: KeyAlg): number | undefined {
  return rowOf(alg).signatureLength;
}

/**
 * Finds the COSE algorithm number for signatures with such keys.
 *
 * @param alg - The algorithm of the keys.
 * @returns ALG_ED25519, ALG_ESP256, ALG_ML_DSA_44 …
 */
export function coseAlg(alg: KeyAlg): number {
  return rowOf(alg).cose;
}

/**
 * Lists the COSE algorithm numbers that a signature with such keys may name: for ed25519 EdDSA and Ed25519, for es256
 * ES256 and ESP256 (RFC 9053 §2, RFC 9864 §2). The signature is the same; the number is in its protected header.
 *
 * @param alg - The algorithm of the keys.
 * @returns The numbers.
 */
export function coseAlgs(alg: KeyAlg): readonly number[] {
  return rowOf(alg).alg.ids;
}

/**
 * Where the parts of a key are in a COSE_Key (RFC 9053 §7, 8778 §3, 9964 §3). With a curve, the public key is x (or
 * 04 ‖ x ‖ y if `coordinate` is set), and the secret is d. Without a curve, the public key is pub and the secret is
 * priv.
 */
export function coseFormOf(alg: KeyAlg): COSE.CoseKeyForm {
  const { cose } = rowOf(alg);
  const form = COSE.KEY_FORMS.find(({ algs }) => algs.includes(cose));
  if (!form) throw new TypeError(`KEY_FORMS has no row for ${alg}`);
  return form;
}

/**
 * Finds where the parts of a key are in a JWK.
 *
 * @param alg - The algorithm of the key.
 * @returns The members, or undefined if JOSE has no such key.
 */
export function jwkFormOf(alg: KeyAlg): JwkForm | undefined {
  return rowOf(alg).jwk;
}

/** The label of the secret in a COSE_Key. */
export function secretLabel({ crv }: COSE.CoseKeyForm): number {
  return crv === undefined ? KEY_PRIV : KEY_D;
}

/**
 * Finds the length of the secret of a private key.
 *
 * @param alg - The algorithm of the key.
 * @returns Bytes, or undefined if private keys have state.
 */
export function secretLength(alg: KeyAlg): number | undefined {
  return rowOf(alg).secretLength;
}

/** The lengths in bytes of raw public keys, in ascending order. */
export function publicLengths(): number[] {
  return keyAlgs.flatMap((alg) => rowOf(alg).publicLengths).sort((a, b) => a - b);
}
