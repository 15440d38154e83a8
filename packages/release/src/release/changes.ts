// What a release changes for the devices of each board, compared with another one.

import type { Explained } from "@firmseal/behaviour";
import { Failure } from "@firmseal/keys";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { type ReleaseDifference, releaseDifference } from "../explain/difference.js";
import { explain } from "../explain/explain.js";
import { type KnownRelease, type RecordedEnvelope, recorded, releaseFault } from "../product/record.js";
import { scopeOf } from "../signing/scope.js";
import { readEnvelopeFile } from "../verify/envelope-file.js";
import { classesOf } from "./board/devices.js";
import { envelopeOf, type ReleaseFolder } from "./folder.js";
import { publishedAt } from "./number/numbers.js";
import { numberIn, type ReleasePlan } from "./plan.js";

/** What a release changes on one board. */
export interface BoardChange {
  readonly board: string;
  /** `new` and `gone`: only one of the releases has the board. */
  readonly state: "changed" | "new" | "gone";
  /** The envelope before, and its version. */
  readonly before: { readonly file: string; readonly version: string } | null;
  /** What changes. null if only one of the releases has the board. */
  readonly difference: ReleaseDifference | null;
}

/** Finds the envelopes before, by board. */
async function beforeOf(plan: ReleasePlan, known: KnownRelease): Promise<Map<string, RecordedEnvelope>> {
  const { product, boards } = plan;
  const found = new Map<string, RecordedEnvelope>();
  if (known.record) {
    for (const { board } of boards) {
      const one = await recorded(known, board.name);
      if (one) found.set(board.name, one);
    }
    return found;
  }
  const envelope = readEnvelopeFile(known.path);
  const scope = scopeOf(decodeEnvelope(envelope).manifest);
  for (const { board } of boards) {
    const { vendor, classes } = classesOf(product, board);
    if (classes.some(({ id }) => scope.includes(`${vendor}/${id}`))) found.set(board.name, { file: known.path, envelope });
  }
  if (found.size === 0) throw releaseFault(`${known.path} is not for a board of this release`, "name a release of the same boards");
  return found;
}

/**
 * Compares a planned release with the one at `path`: a release, its release.json, the last of a folder of releases, or
 * an envelope. `sequence`: the number of the release. Throws Failures: RELEASE, and the refusals of envelopes.
 */
export function releaseChanges(plan: ReleasePlan, path: string, sequence: bigint | undefined): Promise<BoardChange[]> {
  const { product, options } = plan;
  return changesSince(plan, publishedAt(path, product, options.role).at(-1) as KnownRelease, sequence);
}

/** The last of several releases. */
export const lastOf = (known: readonly KnownRelease[]): KnownRelease | undefined =>
  known.reduce<KnownRelease | undefined>((most, one) => (most && most.sequence >= one.sequence ? most : one), undefined);

/** The last release that is known, but for this version. */
const previousOf = ({ known, version }: ReleasePlan) => lastOf(known.filter((one) => one.version !== version));

/** What people see of a release before they approve or sign it. */
export interface ReleaseReview {
  readonly boards: readonly (Explained & { readonly board: string })[];
  /** The release before it. */
  readonly previous: KnownRelease | undefined;
  /** What changes since then. Undefined if nothing can be compared. */
  readonly changes: readonly BoardChange[] | undefined;
  /** Why it cannot be compared. */
  readonly why: string | undefined;
}

/** Returns what devices do with a release that has a number, and what changes since the last one that is known. */
export async function releaseReview(plan: ReleasePlan): Promise<ReleaseReview> {
  const number = numberIn(plan) as bigint;
  const boards: (Explained & { board: string })[] = [];
  for (const { board, draft } of plan.boards) boards.push({ board: board.name, ...(await explain(draft(number).bytes)) });
  const previous = previousOf(plan);
  if (!previous) return { boards, previous, changes: undefined, why: undefined };
  try {
    return { boards, previous, changes: await changesSince(plan, previous, number), why: undefined };
  } catch (e) {
    // a record alone has no envelopes
    if (!(e instanceof Failure && e.code === "ERR_RELEASE")) throw e;
    return { boards, previous, changes: undefined, why: e.message };
  }
}

async function changesSince(plan: ReleasePlan, known: KnownRelease, sequence: bigint | undefined): Promise<BoardChange[]> {
  const { boards, options, isRound } = plan;
  const found = await beforeOf(plan, known);
  const out: BoardChange[] = [];
  for (const { board, draft } of boards) {
    const before = found.get(board.name);
    if (!before) {
      // an envelope alone says nothing about other boards
      if (known.record) out.push({ board: board.name, state: "new", before: null, difference: null });
      continue;
    }
    const changes = releaseDifference(await explain(before.envelope), await explain(draft(sequence ?? known.sequence + 1n).bytes));
    out.push({
      board: board.name,
      state: "changed",
      before: { file: before.file, version: known.version },
      difference: sequence === undefined ? { ...changes, sequence: { ...changes.sequence, after: "next" } } : changes,
    });
  }
  // boards that were not asked for are not gone
  const all = isRound || options.boards === undefined || options.boards.length === 0;
  const gone = all ? [...known.manifests.keys()].filter((name) => !boards.some(({ board }) => board.name === name)) : [];
  return [...out, ...gone.map((board): BoardChange => ({ board, state: "gone", before: null, difference: null }))];
}

/** Compares two releases, board by board: those of the later one, and then those that it does not have. */
export async function folderChanges(before: ReleaseFolder, after: ReleaseFolder): Promise<BoardChange[]> {
  const out: BoardChange[] = [];
  for (const one of after.boards) {
    const { board } = one;
    const { envelope } = await envelopeOf(after, one);
    const old = before.boards.find((other) => other.board === board);
    if (!old) {
      out.push({ board, state: "new", before: null, difference: null });
      continue;
    }
    const was = await envelopeOf(before, old);
    out.push({
      board,
      state: "changed",
      before: { file: old.path, version: before.record.version },
      difference: releaseDifference(await explain(was.envelope), await explain(envelope)),
    });
  }
  const gone = before.boards.filter(({ board }) => !after.boards.some((one) => one.board === board));
  return [...out, ...gone.map(({ board }): BoardChange => ({ board, state: "gone", before: null, difference: null }))];
}
