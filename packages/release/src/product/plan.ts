// Everything about a release that needs no key: its images, its number, its names, and what power cuts do to it.

import { join } from "node:path";
import { checkFolder, type PassphraseOption, type SequenceOverrides, versionNumber } from "@firmseal/keys";
import { checkDraftFor } from "../consumer/judge.js";
import type { ApprovalOptions } from "../signing/approval.js";
import { digestOf } from "../signing/authorize.js";
import { refuseClock, sourceDate } from "./clock.js";
import { type Cuts, cutPower } from "./cuts/cuts.js";
import { refuseMissingKeys } from "./devices.js";
import { boardsOf, type Product } from "./file/product.js";
import { type NumberOptions, numberOf, publishedAt, refuseDisorder } from "./numbers.js";
import { type PreparedBoard, prepareBoard } from "./prepare.js";
import { checkFiles, type KnownRelease, RECORD, type ReleaseRecord, readRecord, releaseFault, releasesIn, SUMS } from "./record.js";

export interface ReleaseOptions extends NumberOptions, SequenceOverrides, ApprovalOptions {
  version: string;
  /** Names of boards. Default: all. */
  boards?: readonly string[];
  /** The folder of releases. Default: that of the product file. */
  out?: string;
  /** What was published last: a folder of releases, a release, or an envelope. Default: that of the product file. */
  previous?: string;
  /** The signing log, if it is elsewhere. */
  log?: string;
  passphrases?: readonly PassphraseOption[];
  allowTestKey?: readonly string[];
  allowRootKey?: boolean;
  /** Names of COSE algorithm numbers, in place of those of the product file. */
  coseAlg?: readonly string[];
  /** Only the plan is asked for: no key is needed. */
  dryRun?: boolean;
  /** Reports what a board has reached. */
  progress?(board: string, stage: string): void;
}

/** A release that can be made, as far as is known without a key. */
export interface ReleasePlan {
  readonly product: Product;
  readonly version: string;
  /** "log": the next number, once the logs of the keys are locked. */
  readonly sequence: bigint | "log";
  /** The folder of the release. */
  readonly folder: string;
  readonly boards: readonly PreparedBoard[];
  /** The cuts that each board was tried with. */
  readonly cuts: ReadonlyMap<string, Cuts>;
  /** The release in the folder, if it has the same content. */
  readonly existing: ReleaseRecord | undefined;
  readonly known: readonly KnownRelease[];
  readonly options: ReleaseOptions;
}

export const envelopeName = (product: Product, board: string, version: string): string => `${product.name}-${board}-${version}.suit`;

/** Two files of a release with one name would replace each other, also on a disk that ignores case. */
function refuseCollisions(product: Product, boards: readonly PreparedBoard[], version: string): void {
  const own = (name: string) => [name.toLowerCase(), { digest: "", what: "the release" }] as const;
  const names = new Map<string, { digest: string; what: string }>([own(RECORD), own(SUMS)]);
  for (const { board, images } of boards)
    for (const { file, digest, slot } of [{ file: envelopeName(product, board.name, version), digest: "", slot: undefined }, ...images]) {
      if (file === undefined) continue;
      const what = `board ${board.name}${slot === undefined ? "" : ` slot ${slot}`}`;
      const before = names.get(file.toLowerCase());
      if (before && (before.digest !== digest || digest === ""))
        throw product.fault(
          `/boards/${board.name}`,
          `${before.what} and ${what} have a file of one name, ${file}`,
          "put {board}, {component} or {slot} into the last part of the uri",
        );
      names.set(file.toLowerCase(), { digest, what });
    }
}

/** The release that is there under this version, if it is the same. Throws a Failure if it is another one. */
async function sameRelease(plan: Omit<ReleasePlan, "existing" | "cuts">): Promise<ReleaseRecord | undefined> {
  const { known, version, folder, boards } = plan;
  for (const one of known.filter((other) => other.version === version && other.manifests.size > 0)) {
    const names = boards.map(({ board }) => board.name);
    const others = [...one.manifests.keys()].filter((name) => !names.includes(name));
    const more = names.filter((name) => !one.manifests.has(name));
    if (others.length > 0 || more.length > 0)
      throw releaseFault(
        `${one.path}: has version ${version} for ${[...one.manifests.keys()].join(", ")}, not for ${names.join(", ")}`,
        "release the same boards, or give a new version",
      );
    for (const { board, draft } of boards)
      if (digestOf(draft(one.sequence)) !== one.manifests.get(board.name))
        throw releaseFault(
          `${one.path}: has version ${version} of board ${board.name} with other content`,
          "a build that differs is another release: give it a new version",
        );
  }
  if (!known.some(({ path }) => path === folder)) return undefined;
  const record = readRecord(folder);
  await checkFiles(folder, record);
  return record;
}

/**
 * Finds out everything about a release that needs no key: its images, its number, its names, and whether devices would
 * install it, also when the power is cut. Throws Failures: PRODUCT, RELEASE, IMAGE, POWER_CUT and the refusals of devices.
 */
export async function planRelease(product: Product, o: ReleaseOptions): Promise<ReleasePlan> {
  const { version } = o;
  versionNumber(version);
  refuseClock();
  sourceDate();
  if (!o.dryRun) refuseMissingKeys(product);
  const out = o.out ?? product.out;
  const folder = join(out, version);
  const chosen = boardsOf(product, o.boards ?? []);
  const shelf = releasesIn(out, product);
  const previous = o.previous ?? product.sequence.previous;
  const known = [...shelf, ...(previous === undefined ? [] : publishedAt(previous, product))];
  const boards = await Promise.all(
    chosen.map(async (board) => {
      const prepared = await prepareBoard(product, board, version);
      for (const { read } of prepared.images) if (read !== undefined) o.progress?.(board.name, read);
      return prepared;
    }),
  );
  refuseCollisions(product, boards, version);
  const same = { product, version, sequence: "log" as const, folder, boards, known, options: o };
  const existing = await sameRelease(same);
  if (existing) return { ...same, sequence: BigInt(existing.sequence), existing, cuts: new Map() };
  const again = known.find((one) => one.version === version && one.manifests.size > 0);
  const sequence = again ? again.sequence : numberOf(product, version, known, o);
  refuseDisorder(version, sequence, known, o.allowLowerSequence === true);
  if (!o.dryRun) checkFolder(folder);
  for (const { board, draft } of boards) if (board.for) await checkDraftFor(board.for, draft(sequence === "log" ? 1n : sequence), []);
  const cuts = await cutPower(product, boards, sequence === "log" ? 1n : sequence, (board, done) =>
    o.progress?.(board, `${done.cuts} power cuts, and ${done.cutsDuringRecovery} during recovery: each ends well`),
  );
  return { ...same, sequence, existing: undefined, cuts };
}
