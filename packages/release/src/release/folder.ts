// The folder of a release, for commands that read its boards without the product file: it is checked against its record
// and its checksums, and the record against the envelopes.

import { dirname, join } from "node:path";
import { type Artifact, RECORD, type ReleaseRecord, recordFault } from "@firmseal/behaviour";
import { Failure } from "@firmseal/keys";
import {
  isFolder,
  readAll,
  STDIO,
  sha256Hex,
  shellWord,
  someOf,
  tooMuch,
  usage,
  visible,
  type WithdrawnRelease,
} from "@firmseal/keys/internal";
import { formatUuid, suggestion } from "@firmseal/signer";
import type { Identity } from "@firmseal/verifier";
import { decodeEnvelope, formatSequence } from "@firmseal/verifier/tools";
import { explain } from "../explain/explain.js";
import { LIMITS } from "../input/limits.js";
import { productOption } from "../product/file/file-name.js";
import type { Product } from "../product/file/product.js";
import { checkFiles, findRecord, knownRelease, looksLikeRecord, readRecordFile, recorded, releaseFault } from "../product/record.js";
import { findMark, type WithdrawalMark } from "../product/withdrawal.js";
import { scopeOf } from "../signing/scope.js";
import { withFileName } from "../verify/refusals.js";
import type { TrustedKeys } from "../verify/verified.js";
import { requiredBy, withdrawalsOf } from "./withdrawn/known-withdrawals.js";
import { withdrawalOf } from "./withdrawn/withdrawn.js";

/** A board of a release, with the path of its envelope. */
export interface ReleasedBoard {
  readonly board: string;
  readonly path: string;
}

/** The folder of a release, as it was read and checked. */
export interface ReleaseFolder {
  readonly path: string;
  readonly record: ReleaseRecord;
  /** release.json, as it is. */
  readonly bytes: Uint8Array;
  /** Its mark, if it was withdrawn. */
  readonly mark: WithdrawalMark | undefined;
  readonly boards: readonly ReleasedBoard[];
}

const envelopesOf = ({ artifacts }: ReleaseRecord): Artifact[] => artifacts.filter(({ kind }) => kind === "envelope");

/** The boards that are asked for, by default all. */
function wantedOf(folder: string, record: ReleaseRecord, names: readonly string[]): Artifact[] {
  const all = envelopesOf(record);
  const boards = all.map(({ board }) => board);
  const known = all.slice(0, 8).map(({ board }) => visible(board));
  for (const name of names)
    if (!all.some(({ board }) => board === name))
      throw usage(
        `\`board\` ${name}: ${folder} has no such board${suggestion(name, boards)}`,
        `it has ${known.join(", ")}${all.length > 8 ? ", and others" : ""}`,
      );
  const wanted = names.length === 0 ? all : all.filter(({ board }) => names.includes(board));
  if (wanted.length > LIMITS.shownBoards)
    throw tooMuch(
      `${folder} has ${wanted.length} boards, and at most ${LIMITS.shownBoards} are shown together`,
      "name the board: `board` NAME",
    );
  return wanted;
}

/**
 * Returns the release in a folder. Its files must be those of its record, and match SHA256SUMS; payloads may be
 * elsewhere. `names`: the boards that are asked for; all if there are none. Returns undefined if `path` is not a
 * folder. Throws Failures: RELEASE and LIMIT.
 */
export async function releaseFolder(path: string, names: readonly string[]): Promise<ReleaseFolder | undefined> {
  if (path === STDIO || !isFolder(path)) return undefined;
  const record = findRecord(path);
  if (!record)
    throw releaseFault(`${path} has no ${RECORD}`, "name the folder that firmseal release wrote, for example dist/1.4.2, or an envelope");
  const wanted = wantedOf(path, record, names);
  await checkFiles(path, record, true);
  return {
    path,
    record,
    bytes: readAll(join(path, RECORD), LIMITS.releaseRecord),
    mark: findMark(path, record),
    boards: wanted.map(({ board, file }) => ({ board, path: join(path, file) })),
  };
}

/**
 * Returns how a release was withdrawn: by its mark, and by the logs and later records of its product, if that is known.
 * `whom`: the keys that devices trust.
 */
export function folderWithdrawal(
  { path, record, mark }: ReleaseFolder,
  product: Product | undefined,
  whom: TrustedKeys,
): WithdrawnRelease | undefined {
  if (!product) return mark;
  const own = knownRelease(path, record);
  return withdrawalOf(own, withdrawalsOf(product, requiredBy(product, whom), { role: record.role, also: [own] }).withdrawn);
}

/** Refuses a board if the record contradicts its verified envelope. Throws a Failure: RELEASE. */
export async function refuseRecordedBoard(
  path: string,
  record: ReleaseRecord,
  board: string,
  envelope: Uint8Array,
  signers: readonly { readonly thumbprint: string | null }[],
): Promise<void> {
  const outline = decodeEnvelope(envelope);
  const fault = recordFault(record, board, {
    ...{ outline, sequence: formatSequence(outline.manifest.sequence), digest: sha256Hex(envelope), size: envelope.length },
    behaviours: (await explain(envelope)).behaviours,
    thumbprints: signers.flatMap(({ thumbprint }) => thumbprint ?? []),
  });
  if (fault !== undefined) throw releaseFault(`${path}: ${RECORD}: ${fault}`, "do not publish it: make the release again");
}

/** A board of a release, with its envelope. */
export interface ReleasedEnvelope extends ReleasedBoard {
  readonly envelope: Uint8Array;
}

/**
 * Returns the envelope of a board, which the record must describe. Its signatures are not checked. Throws a Failure:
 * RELEASE, and the refusal of an envelope that is not well-formed.
 */
export async function envelopeOf({ path: folder, record }: ReleaseFolder, { board, path }: ReleasedBoard): Promise<ReleasedEnvelope> {
  const found = await recorded({ path: folder, record }, board);
  const { envelope } = found as NonNullable<typeof found>;
  try {
    await refuseRecordedBoard(path, record, board, envelope, []);
  } catch (e) {
    throw withFileName(path, e);
  }
  return { board, path, envelope };
}

/** The hint for a release that is not complete. */
export const missingHint = (folder: string, product: string | undefined): string =>
  `others still have to sign it: firmseal verify ${shellWord(folder)}${productOption(product)} --missing`;

/**
 * Refuses a board that others still have to sign, as its devices do. The record is asked only to refuse. `product`: the
 * product file that the command was given.
 */
export function refuseIncomplete({ path: folder, record }: ReleaseFolder, { board, path }: ReleasedBoard, product?: string): void {
  const missing = record.missing.find((one) => one.board === board);
  if (missing)
    throw new Failure(
      1,
      "ERR_SIGNATURE_THRESHOLD",
      `${path}: refused: ${missing.signed} of ${missing.needed} signed, by the record of the release`,
      missingHint(folder, product),
    );
}

/**
 * Returns the board of a release whose devices have this vendor and class. The envelopes say for which devices they
 * are: the signatures of the record are not verified here. Throws Failures: RELEASE if no board or several fit,
 * SIGNATURE_THRESHOLD if others still have to sign, and as envelopeOf(). `product`: as in refuseIncomplete().
 */
export async function boardFor(
  folder: ReleaseFolder,
  { vendor = [], class: classes = [] }: Identity,
  product?: string,
): Promise<ReleasedEnvelope> {
  const text = (id: ArrayLike<number>) => (id.length === 16 ? formatUuid(Uint8Array.from(id)) : "");
  const own = vendor.flatMap((v) => classes.map((c) => `${text(v)}/${text(c)}`));
  const fitting: ReleasedBoard[] = [];
  let found: ReleasedEnvelope | undefined;
  // one after the other: each may be large
  for (const one of folder.boards) {
    const released = await envelopeOf(folder, one);
    if (!scopeOf(decodeEnvelope(released.envelope).manifest).some((pair) => own.includes(pair))) continue;
    fitting.push(one);
    found ??= released;
  }
  const names = (boards: readonly ReleasedBoard[]) => someOf(boards.map(({ board }) => visible(board)));
  if (!found)
    throw releaseFault(`${folder.path} has no board for this device: it has ${names(folder.boards)}`, "get the release of its board");
  if (fitting.length > 1)
    throw releaseFault(
      `${folder.path} has several boards for this device: ${names(fitting)}`,
      "name the envelope of its board instead of the folder",
    );
  refuseIncomplete(folder, found, product);
  return found;
}

/** The release that a report compares with. */
export interface PreviousRelease {
  /** How the page names it. */
  readonly name: string;
  /** The envelope of a board before. Returns undefined if it did not have the board. */
  envelope(board: string): Promise<Uint8Array | undefined>;
  /** Boards that only this release has. */
  readonly gone: readonly string[];
}

/** Refuses a previous release of another product. */
export function refuseOtherRelease(path: string, record: ReleaseRecord, now: ReleaseRecord): void {
  if (record.product !== now.product || record.vendor !== now.vendor)
    throw releaseFault(
      `${path} is a release of ${visible(record.product)} by ${visible(record.vendor)}, not of ${visible(now.product)} by ${visible(now.vendor)}`,
      "name the previous release of the same product",
    );
}

/** Returns the previous release: a folder, or its release.json. Throws a Failure: RELEASE. */
export function previousFolder(path: string, now: ReleaseRecord): PreviousRelease {
  const isRecord = !isFolder(path) && looksLikeRecord(path);
  const record = isRecord ? readRecordFile(path) : isFolder(path) ? findRecord(path) : undefined;
  if (!record)
    throw releaseFault(`${path} is not a release of several boards`, "name the folder of the previous release, or its release.json");
  const folder = isRecord ? dirname(path) : path;
  refuseOtherRelease(path, record, now);
  const boards = new Set(envelopesOf(now).map(({ board }) => board));
  return {
    name: record.version,
    envelope: async (board) => (await recorded({ path: folder, record }, board))?.envelope,
    gone: envelopesOf(record).flatMap(({ board }) => (boards.has(board) ? [] : [board])),
  };
}
