// release.json, the record of a release, and the folder that it is in.

import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { RECORD, type ReleaseRecord, recordContradiction, SUMS, WITHDRAWN } from "@firmseal/behaviour";
import { type Failure, versionNumber } from "@firmseal/keys";
import {
  environment,
  isVersion,
  readAll,
  readFirstBytes,
  readIfThere,
  refusedInput,
  sha256Hex,
  someOf,
  tooMuch,
  visible,
} from "@firmseal/keys/internal";
import { hashFile } from "../input/hash-file.js";
import { parseJson } from "../input/json.js";
import { LIMITS } from "../input/limits.js";
import { violations } from "../input/schema.js";
import { asEnvelope } from "../verify/envelope-file.js";
import type { Product } from "./file/product.js";
import type { SigningRole } from "./file/written.js";
import { findMark, reasonFault, type WithdrawalMark } from "./withdrawal.js";

export function releaseFault(message: string, hint: string): Failure {
  return refusedInput("ERR_RELEASE", message, hint);
}

/** The hint for a folder that is not as it was written. */
export const GET_AGAIN = "get the folder again, as firmseal release wrote it";

/** Refuses a folder that is named after another version: an old release there would be published again. */
function inItsFolder(folder: string, record: ReleaseRecord): ReleaseRecord {
  const name = basename(resolve(folder));
  if (isVersion(name) && name !== record.version)
    throw releaseFault(
      `${folder} is version ${record.version}, not the one that its folder is named after`,
      "get the release of that version",
    );
  return record;
}

/** Reads the record of the release in a folder. Throws a Failure: RELEASE. */
export const readRecord = (folder: string): ReleaseRecord => inItsFolder(folder, readRecordFile(join(folder, RECORD)));

/** Whether a file is JSON, as a record is, and not an envelope. */
export const looksLikeRecord = (path: string): boolean => /^\s*\{/.test(Buffer.from(readFirstBytes(path, 16)).toString("latin1"));

/** Why a record contradicts itself. Undefined if it does not. */
function contradiction(record: ReleaseRecord): string | undefined {
  if (!isVersion(record.version)) return "its version is not one";
  for (const { version, reason } of record.withdrawn) {
    if (!isVersion(version)) return "the version of a withdrawn release is not one";
    const fault = reasonFault(reason);
    if (fault !== undefined) return `the reason of withdrawing ${version} ${fault}`;
  }
  return recordContradiction(record);
}

/** Reads the record of a release, whatever the name of the file is. Throws a Failure: RELEASE. */
export function readRecordFile(path: string): ReleaseRecord {
  return recordIn(path, readAll(path, LIMITS.releaseRecord));
}

function recordIn(path: string, bytes: Uint8Array): ReleaseRecord {
  let value: unknown;
  try {
    value = parseJson(bytes);
  } catch (e) {
    if (!(e instanceof SyntaxError)) throw e;
  }
  const withdrawn = (value as Partial<ReleaseRecord> | undefined | null)?.withdrawn;
  if (Array.isArray(withdrawn) && withdrawn.length > LIMITS.withdrawn)
    throw tooMuch(`${path} names ${withdrawn.length} withdrawn releases, and ${LIMITS.withdrawn} are the most`, GET_AGAIN);
  if (value === undefined || violations(value, "record").length > 0)
    throw releaseFault(`${path} is not the record of a release`, GET_AGAIN);
  const fault = contradiction(value as ReleaseRecord);
  if (fault !== undefined) throw releaseFault(`${path} is not the record of a release: ${fault}`, GET_AGAIN);
  return value as ReleaseRecord;
}

/**
 * Reads the record of a release in a folder. Returns undefined if the folder has none. Throws as readRecordFile(), also
 * for a record that cannot be looked for: a release that is not found could be made again with other content.
 */
export function findRecord(folder: string): ReleaseRecord | undefined {
  const path = join(folder, RECORD);
  const bytes = readIfThere(path, LIMITS.releaseRecord);
  return bytes && inItsFolder(folder, recordIn(path, bytes));
}

/** A release that is known: in the folder of releases, or published. */
export interface KnownRelease {
  /** Its folder or file. */
  readonly path: string;
  readonly version: string;
  readonly sequence: bigint;
  /** Digest of the manifest, by board. */
  readonly manifests: ReadonlyMap<string, string>;
  /** Its record, unless it is an envelope alone. */
  readonly record?: ReleaseRecord;
  /** The mark in its folder, if it was withdrawn. */
  readonly mark?: WithdrawalMark | undefined;
}

export function knownRelease(path: string, record: ReleaseRecord): KnownRelease {
  const envelopes = record.artifacts.filter(({ kind }) => kind === "envelope");
  return {
    path,
    version: record.version,
    sequence: BigInt(record.sequence),
    manifests: new Map(envelopes.map(({ board, manifest }) => [board, manifest])),
    record,
    mark: findMark(path, record),
  };
}

/** The releases in a folder, in the order of their versions. Throws a Failure if one is of another product or role. */
export function releasesIn(folder: string, product: Product, role?: SigningRole): KnownRelease[] {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (!stat) return [];
  if (!stat.isDirectory()) throw environment(`${folder} is not a folder`, "name another folder for releases: `out` DIR");
  const names = readdirSync(folder).filter((name) => !name.startsWith("."));
  if (names.length > LIMITS.releases) throw tooMuch(`${folder} has more than ${LIMITS.releases} folders`, "move old releases away");
  const out: KnownRelease[] = [];
  for (const name of names) {
    // through a link too
    const path = join(folder, name);
    const record = findRecord(path);
    if (!record) continue;
    refuseOther(path, record, product, role);
    out.push(knownRelease(path, record));
  }
  return out.sort((a, b) => (versionNumber(a.version) < versionNumber(b.version) ? -1 : 1));
}

/** Folders that are named after a version, and have no release: of a copy that was not finished, or emptied. */
export const withoutRelease = (folder: string, known: readonly KnownRelease[]): string[] =>
  readdirSync(folder)
    .filter(isVersion)
    .map((name) => join(folder, name))
    .filter((path) => !known.some((one) => one.path === path));

/** The hint for a folder that is named after a version, and has no release. */
export const NO_RELEASE_HINT = "get the release again, or remove the folder";

/** The envelope of a board in a release, as it was read. */
export interface RecordedEnvelope {
  readonly file: string;
  readonly envelope: Uint8Array;
}

/** The envelope of a board in a release with a record. Throws a Failure if it is not there, or is another one. */
export async function recorded(
  { path, record }: Pick<KnownRelease, "path" | "record">,
  board: string,
): Promise<RecordedEnvelope | undefined> {
  const artifact = record?.artifacts.find((one) => one.kind === "envelope" && one.board === board);
  if (!artifact) return undefined;
  const file = join(path, artifact.file);
  // read once: the bytes that are compared are the bytes that are used
  const envelope = readIfThere(file, LIMITS.envelope);
  if (!envelope)
    throw releaseFault(`${file} is missing, so nothing can be compared`, "put the envelopes beside release.json, or drop `diff`");
  if (`sha-256:${sha256Hex(envelope)}` !== artifact.digest) throw releaseFault(`${file} has changed since it was released`, GET_AGAIN);
  return { file, envelope: asEnvelope(file, envelope) };
}

/** Refuses a release of another product. */
export function refuseOtherProduct(path: string, record: ReleaseRecord, product: Product): void {
  if (record.product !== product.name || record.vendor !== product.vendor)
    throw releaseFault(
      `${path} is a release of ${visible(record.product)} by ${visible(record.vendor)}, not of ${product.name} by ${product.vendor}`,
      "name the product file of that release: `product` FILE; each product needs its own folder of releases: out in its product file",
    );
}

export function refuseOther(path: string, record: ReleaseRecord, product: Product, role: SigningRole = "release"): void {
  refuseOtherProduct(path, record, product);
  if (record.role !== role)
    throw releaseFault(`${path} is signed in the role ${record.role}, not ${role}`, `give \`role\` ${record.role}, or another folder`);
}

/** The content of SHA256SUMS, as sha256sum writes and checks it. */
export function sumsOf(files: ReadonlyMap<string, Uint8Array>): string {
  const lines = [...files].map(([name, bytes]) => `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`);
  return lines.sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join("");
}

/**
 * Checks that a folder has the files of its release and no others, no links, and that each matches SHA256SUMS and the
 * record. The mark of a withdrawn release may be there too.
 * `withoutPayloads`: payloads may be elsewhere. Throws a Failure: RELEASE.
 */
export async function checkFiles(folder: string, record: ReleaseRecord, withoutPayloads = false): Promise<void> {
  const listed = new Map<string, string>();
  const sums = new TextDecoder().decode(readAll(join(folder, SUMS), LIMITS.releaseRecord));
  for (const line of sums.split("\n").slice(0, -1)) {
    const [, sum, name] = /^([0-9a-f]{64}) {2}([A-Za-z0-9][A-Za-z0-9._+~-]*)$/.exec(line) ?? [];
    if (sum === undefined || name === undefined || listed.has(name))
      throw releaseFault(`${join(folder, SUMS)} has a line that is not a checksum`, GET_AGAIN);
    listed.set(name, sum);
  }
  const artifacts = new Map(record.artifacts.map((one) => [one.file, one]));
  const wanted = new Set([RECORD, ...artifacts.keys()]);
  const entries = readdirSync(folder, { withFileTypes: true });
  const there = new Set(entries.map(({ name }) => name).filter((name) => name !== SUMS && name !== WITHDRAWN));
  const elsewhere = new Set(
    record.artifacts.flatMap(({ kind, file }) => (withoutPayloads && kind === "payload" && !there.has(file) ? [file] : [])),
  );
  const missing = [...wanted].filter((name) => !(there.has(name) || elsewhere.has(name)) || !listed.has(name));
  if (missing.length > 0) throw releaseFault(`${folder} is not complete: ${someOf(missing)}`, GET_AGAIN);
  const more = [...new Set([...there, ...listed.keys()])].filter((name) => !wanted.has(name));
  if (more.length > 0)
    throw releaseFault(`${folder} has a file that does not belong to the release: ${someOf(more.map(visible))}`, "remove it");
  for (const [name, sum] of listed) {
    if (elsewhere.has(name)) continue;
    const artifact = artifacts.get(name);
    const { digest, size } = await hashFile(join(folder, name), "sha-256", artifact?.size ?? LIMITS.releaseRecord);
    const hex = Buffer.from(digest).toString("hex");
    if (hex !== sum || (artifact && (artifact.digest !== `sha-256:${hex}` || artifact.size !== size)))
      throw releaseFault(`${join(folder, name)} has changed since it was released`, GET_AGAIN);
  }
  // what is published would be the link, and its file may change
  const link = entries.find((one) => one.isSymbolicLink());
  if (link) throw releaseFault(`${join(folder, link.name)} is a symbolic link, which leads out of the release`, GET_AGAIN);
}
