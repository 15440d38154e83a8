// What a release changes for the devices of each board, compared with another one.

import { join } from "node:path";
import { readIfThere, sha256Hex } from "@firmseal/keys/internal";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { type ReleaseDifference, releaseDifference } from "../explain/difference.js";
import { explain } from "../explain/explain.js";
import { asEnvelope, readEnvelopeFile } from "../input/envelope-file.js";
import { LIMITS } from "../input/limits.js";
import { scopeOf } from "../signing/scope.js";
import { classesOf } from "./board/devices.js";
import { publishedAt } from "./number/numbers.js";
import type { ReleasePlan } from "./plan.js";
import { type KnownRelease, releaseFault } from "./record/record.js";

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

interface Before {
  readonly file: string;
  readonly envelope: Uint8Array;
}

/** The envelope of a board in a release with a record. Throws a Failure if it is not there, or is another one. */
export async function recorded({ path, record }: Pick<KnownRelease, "path" | "record">, board: string): Promise<Before | undefined> {
  const artifact = record?.artifacts.find((one) => one.kind === "envelope" && one.board === board);
  if (!artifact) return undefined;
  const file = join(path, artifact.file);
  // read once: the bytes that are compared are the bytes that are used
  const envelope = readIfThere(file, LIMITS.envelope);
  if (!envelope)
    throw releaseFault(`${file} is missing, so nothing can be compared`, "put the envelopes beside release.json, or drop --diff");
  if (`sha-256:${sha256Hex(envelope)}` !== artifact.digest)
    throw releaseFault(`${file} has changed since it was released`, "get the folder again, as firmseal release wrote it");
  return { file, envelope: asEnvelope(file, envelope) };
}

/** Finds the envelopes before, by board. */
async function beforeOf(plan: ReleasePlan, known: KnownRelease): Promise<Map<string, Before>> {
  const { product, boards } = plan;
  const found = new Map<string, Before>();
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
export async function releaseChanges(plan: ReleasePlan, path: string, sequence: bigint | undefined): Promise<BoardChange[]> {
  const { product, boards, options } = plan;
  const known = publishedAt(path, product, options.role).at(-1) as KnownRelease;
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
  const all = options.boards === undefined || options.boards.length === 0;
  const gone = all ? [...known.manifests.keys()].filter((name) => !boards.some(({ board }) => board.name === name)) : [];
  return [...out, ...gone.map((board): BoardChange => ({ board, state: "gone", before: null, difference: null }))];
}
