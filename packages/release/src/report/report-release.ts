// The boards of a release, for a report: its folder is checked against its record and its checksums first.

import { dirname, join } from "node:path";
import { type Artifact, RECORD, type ReleaseRecord, recordFault } from "@firmseal/behaviour";
import { isFolder, readAll, sha256Hex, tooMuch, usage, visible } from "@firmseal/keys/internal";
import { suggestion } from "@firmseal/signer";
import { decodeEnvelope, formatSequence } from "@firmseal/verifier/tools";
import { explain } from "../explain/explain.js";
import { LIMITS } from "../input/limits.js";
import { checkFiles, findRecord, looksLikeRecord, readRecordFile, recorded, releaseFault } from "../product/record.js";

/** A board of a release, with the path of its envelope. */
export interface ReleasedBoard {
  readonly board: string;
  readonly path: string;
}

/** The folder of a release, as it was read and checked. */
export interface ReleaseFolder {
  readonly record: ReleaseRecord;
  /** release.json, as it is. */
  readonly bytes: Uint8Array;
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
  if (wanted.length > LIMITS.reportBoards)
    throw tooMuch(
      `${folder} has ${wanted.length} boards, and a report shows at most ${LIMITS.reportBoards}`,
      "name some of them: `board` NAME",
    );
  return wanted;
}

/**
 * Returns the release in a folder. Its files must be those of its record, and match SHA256SUMS; payloads may be
 * elsewhere. `names`: the boards that are asked for; all if there are none. Returns undefined if `path` is not a
 * folder. Throws Failures: RELEASE and LIMIT.
 */
export async function releaseFolder(path: string, names: readonly string[]): Promise<ReleaseFolder | undefined> {
  if (!isFolder(path)) return undefined;
  const record = findRecord(path);
  if (!record)
    throw releaseFault(`${path} has no ${RECORD}`, "name the folder that firmseal release wrote, for example dist/1.4.2, or an envelope");
  const wanted = wantedOf(path, record, names);
  await checkFiles(path, record, true);
  return {
    record,
    bytes: readAll(join(path, RECORD), LIMITS.releaseRecord),
    boards: wanted.map(({ board, file }) => ({ board, path: join(path, file) })),
  };
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

/** The release that a report compares with. */
export interface PreviousRelease {
  /** How the page names it. */
  readonly name: string;
  /** The envelope of a board before. Returns undefined if it did not have the board. */
  envelope(board: string): Promise<Uint8Array | undefined>;
  /** Boards that only this release has. */
  readonly gone: readonly string[];
}

/** Returns the previous release: a folder, or its release.json. Throws a Failure: RELEASE. */
export function previousFolder(path: string, now: ReleaseRecord): PreviousRelease {
  const isRecord = !isFolder(path) && looksLikeRecord(path);
  const record = isRecord ? readRecordFile(path) : isFolder(path) ? findRecord(path) : undefined;
  if (!record)
    throw releaseFault(`${path} is not a release of several boards`, "name the folder of the previous release, or its release.json");
  const folder = isRecord ? dirname(path) : path;
  if (record.product !== now.product || record.vendor !== now.vendor)
    throw releaseFault(
      `${path} is a release of ${visible(record.product)} by ${visible(record.vendor)}, not of ${visible(now.product)} by ${visible(now.vendor)}`,
      "name the previous release of the same product",
    );
  const boards = new Set(envelopesOf(now).map(({ board }) => board));
  return {
    name: record.version,
    envelope: async (board) => (await recorded({ path: folder, record }, board))?.envelope,
    gone: envelopesOf(record).flatMap(({ board }) => (boards.has(board) ? [] : [board])),
  };
}
