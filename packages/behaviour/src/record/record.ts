// release.json, the record of a release: what it says, and how it can contradict itself.

import { FirmsealError } from "@firmseal/verifier/tools";
import { escaped } from "../text.js";
import { isFileName } from "./file-of-uri.js";

/** The file name of the record in the folder of a release. */
export const RECORD = "release.json";

/** The file name of the SHA-256 checksums in the folder of a release. */
export const SUMS = "SHA256SUMS";

/** The file name of the mark in the folder of a release that was withdrawn. */
export const WITHDRAWN = "withdrawn.json";

/** A key that signed, in the record of a release. */
export interface RecordedSigner {
  /** The name of the algorithm. */
  readonly alg: string;
  /** The key identifier in the signature, in hex. */
  readonly kid: string | null;
  /** The thumbprint of the key (RFC 9679), in hex. */
  readonly thumbprint: string;
  /** SHA-256 of the bytes that the key signed, in hex. */
  readonly tbs: string;
}

/** Signatures that the devices of a board still require. */
export interface MissingSignatures {
  readonly board: string;
  /** How many of their trusted keys have signed. */
  readonly signed: number;
  /** How many of them must sign. */
  readonly needed: number;
  /** Thumbprints of the trusted keys that have not signed, in hex. */
  readonly by: readonly string[];
}

/** A file of a release. schema/release.schema.json of `@firmseal/release` describes the members. */
export interface Artifact {
  readonly kind: "envelope" | "payload";
  readonly file: string;
  readonly digest: string;
  readonly size: number;
  readonly uri: string | null;
  readonly board: string;
  readonly revisions: readonly string[];
  readonly component: string | null;
  readonly slot: "a" | "b" | null;
  readonly vendorId: string;
  readonly classes: readonly { readonly name: string; readonly id: string }[];
  readonly version: string;
  readonly sequence: string;
  readonly envelope: string;
  readonly manifest: string;
  readonly signers: readonly RecordedSigner[];
  readonly testKeys: readonly string[];
}

/** A signature of the record, by a key that has signed these boards. */
export interface RecordSignature {
  /** The boards that it covers: see statementOf(). */
  readonly boards: readonly string[];
  /** A COSE_Sign1 with a detached payload, base64. */
  readonly cose: string;
}

/** A release of the same product that was withdrawn before, as a later record names it. */
export interface RecordedWithdrawal {
  readonly version: string;
  readonly sequence: string;
  /** The day on which it was withdrawn, in UTC: YYYY-MM-DD. */
  readonly date: string;
  /** Why, in one line. */
  readonly reason: string;
  /** Digests of its manifests, as in `manifest` of an artifact. */
  readonly manifests: readonly string[];
}

/** The content of release.json (docs/reference/product.md). */
export interface ReleaseRecord {
  readonly $schema: "urn:firmseal:release:1";
  readonly product: string;
  readonly vendor: string;
  readonly version: string;
  /** The role of the keys that sign. */
  readonly role: "release" | "recovery" | "debug";
  readonly sequence: string;
  readonly created?: string;
  /** Empty if the devices of every board accept the release. */
  readonly missing: readonly MissingSignatures[];
  /** Of each key that has signed. */
  readonly signatures: readonly RecordSignature[];
  /** Releases of the product that were withdrawn when this one was made, in the order of their numbers. */
  readonly withdrawn: readonly RecordedWithdrawal[];
  readonly artifacts: readonly Artifact[];
}

const TEXTS: readonly (keyof Artifact)[] = ["kind", "file", "digest", "board", "vendorId", "version", "sequence", "envelope", "manifest"];

function isArtifact(value: unknown): value is Artifact {
  const one = value as Artifact | null;
  if (typeof one !== "object" || one === null || !TEXTS.every((name) => typeof one[name] === "string")) return false;
  if (![one.revisions, one.classes, one.signers, one.testKeys].every(Array.isArray) || typeof one.size !== "number") return false;
  const isText = (text: unknown) => typeof text === "string";
  return one.classes.every((c) => isText(c?.name) && isText(c?.id)) && one.signers.every((s) => isText(s?.thumbprint) && isText(s?.tbs));
}

function isWithdrawal(value: unknown): value is RecordedWithdrawal {
  const one = value as RecordedWithdrawal | null;
  if (typeof one !== "object" || one === null || !/^[0-9]{1,20}$/.test(String(one.sequence))) return false;
  const texts = [one.version, one.sequence, one.date, one.reason, ...(Array.isArray(one.manifests) ? one.manifests : [null])];
  return texts.every((text) => typeof text === "string");
}

/**
 * Reads a record where its schema is not available: the members that are used have the right types.
 *
 * @param text - The content of release.json.
 * @returns The record.
 * @throws SyntaxError if it is not JSON, and FirmsealError ERR_RECORD if it is not the record of a release.
 */
export function readRecordText(text: string): ReleaseRecord {
  const value = JSON.parse(text) as ReleaseRecord | null;
  const texts = [value?.product, value?.vendor, value?.version, value?.role, value?.sequence];
  const isWhole =
    texts.every((one) => typeof one === "string") && /^[0-9]{1,20}$/.test(value?.sequence ?? "") && Array.isArray(value?.missing);
  const [artifacts, withdrawn] = [value?.artifacts, value?.withdrawn].map((list) => (Array.isArray(list) ? list : [null]));
  if (!value || !isWhole || !artifacts?.every(isArtifact) || !withdrawn?.every(isWithdrawal))
    throw new FirmsealError("ERR_RECORD", "not the record of a release");
  return value;
}

/** Two slots may get the same payload. */
const isSamePayload = (a: Artifact, b: Artifact): boolean =>
  a.kind === "payload" && b.kind === "payload" && a.file === b.file && a.digest === b.digest && a.size === b.size;

/** Why a record cannot withdraw what it names. */
function withdrawalFault({ version, sequence, artifacts, withdrawn }: ReleaseRecord): string | undefined {
  const own = new Set(artifacts.map(({ manifest }) => manifest));
  const met = new Set<string>();
  for (const one of withdrawn) {
    if (BigInt(one.sequence) >= 2n ** 64n) return "a withdrawn release has a sequence number with more than 64 bits";
    if (one.version === version || one.sequence === sequence || one.manifests.some((manifest) => own.has(manifest)))
      return "it withdraws itself";
    for (const name of [`${one.version} ${one.sequence}`, ...one.manifests]) {
      if (met.has(name)) return `it withdraws version ${escaped(one.version)} twice`;
      met.add(name);
    }
  }
  return undefined;
}

/**
 * Checks that a record agrees with itself. Its version is not checked.
 *
 * @param record - The record.
 * @returns Why it contradicts itself, or undefined if it does not.
 */
export function recordContradiction(record: ReleaseRecord): string | undefined {
  const { version, sequence, artifacts } = record;
  if (BigInt(sequence) >= 2n ** 64n) return "its sequence number has more than 64 bits";
  // also on a disk that ignores case
  const files = new Map<string, Artifact>();
  const envelopes = new Map<string, string>();
  for (const one of artifacts) {
    const name = one.file.toLowerCase();
    if (!isFileName(name)) return `an artifact is called ${escaped(one.file)}, which not every system takes for a file`;
    if ([RECORD, SUMS, WITHDRAWN].some((own) => name === own.toLowerCase())) return `an artifact is called ${escaped(one.file)}`;
    const other = files.get(name);
    if (other && !isSamePayload(other, one)) return `two artifacts are called ${escaped(one.file)}`;
    files.set(name, one);
    if (one.version !== version || one.sequence !== sequence) return `${escaped(one.file)} has another version or sequence number`;
    if (one.kind === "payload") continue;
    if (envelopes.has(one.board)) return `board ${escaped(one.board)} has two envelopes`;
    if (one.envelope !== one.file) return `${escaped(one.file)} names ${escaped(one.envelope)} as its envelope`;
    envelopes.set(one.board, one.file);
  }
  const lost = artifacts.find(({ board, envelope }) => envelopes.get(board) !== envelope);
  return lost ? `${escaped(lost.file)} is not of the envelope of its board` : withdrawalFault(record);
}
