// The sequence number of a release, from the source that the product file names. None is invented: what is not known is
// asked for.

import { dirname } from "node:path";
import { versionIn } from "@firmseal/behaviour";
import { Failure, numberVersion, type SequenceOverrides, versionNumber } from "@firmseal/keys";
import { isFolder, isVersion, shellWord, usage, visible } from "@firmseal/keys/internal";
import { decodeEnvelope, formatSequence } from "@firmseal/verifier/tools";
import { isLittleRoom, LAST } from "../../input/sequence.js";
import { productOption } from "../../product/file/file-name.js";
import type { Product } from "../../product/file/product.js";
import type { SigningRole } from "../../product/file/written.js";
import {
  findRecord,
  type KnownRelease,
  knownRelease,
  looksLikeRecord,
  readRecordFile,
  refuseOther,
  releaseFault,
  releasesIn,
} from "../../product/record.js";
import { scopeOf } from "../../signing/scope.js";
import { readEnvelopeFile } from "../../verify/envelope-file.js";
import { scopeOfBoard } from "../board/devices.js";

export interface NumberOptions extends Pick<SequenceOverrides, "allowSequenceJump"> {
  /** The number, if its source is "given". */
  seq?: bigint;
  /** Nothing was released yet. */
  first?: boolean;
  /** Nothing is signed. Then `first` only says that no earlier release needs to be known. */
  dryRun?: boolean;
}

/** What was published last: a folder of releases, a release, its record alone, or an envelope. */
export function publishedAt(path: string, product: Product, role?: SigningRole): KnownRelease[] {
  if (isFolder(path)) {
    const record = findRecord(path);
    if (!record) {
      const all = releasesIn(path, product, role);
      if (all.length > 0) return all;
      throw releaseFault(`${path} has no release`, "name the folder of the last release, or its envelope");
    }
    refuseOther(path, record, product, role);
    return [knownRelease(path, record)];
  }
  if (looksLikeRecord(path)) {
    const record = readRecordFile(path);
    refuseOther(path, record, product, role);
    return [knownRelease(dirname(path), record)];
  }
  const outline = decodeEnvelope(readEnvelopeFile(path, "give a folder of releases, a release, its release.json, or an envelope"));
  refuseOtherDevices(path, product, scopeOf(outline.manifest));
  const sequence = BigInt(formatSequence(outline.manifest.sequence));
  const version = versionIn(outline);
  return [{ path, version: isVersion(version) ? version : numberVersion(sequence), sequence, manifests: new Map() }];
}

/** Refuses an envelope that is for no device of the product: nothing else in it names the product. */
function refuseOtherDevices(path: string, product: Product, scope: readonly string[]): void {
  const own = product.boards.flatMap((board) => scopeOfBoard(product, board));
  if (!scope.some((pair) => own.includes(pair)))
    throw releaseFault(`${path} is not for a board of ${product.name}`, "name the last release of this product");
}

/** What to do about releases whose numbers do not fit: nothing has verified their records. */
const examine = (all: readonly KnownRelease[], { path: file }: Product): string =>
  `remove what your keys did not sign: see ${all.map(({ path }) => `firmseal verify ${shellWord(visible(path))}${productOption(file)}`).join(" and ")}`;

const highestOf = (known: readonly KnownRelease[]): KnownRelease | undefined =>
  known.reduce<KnownRelease | undefined>((most, one) => (most && most.sequence >= one.sequence ? most : one), undefined);

/** Refuses an earlier release after which no number is left: a forged record would otherwise end the product. */
function refuseLast(product: Product, highest: KnownRelease | undefined, o: NumberOptions): void {
  if (!highest || !isLittleRoom(highest.sequence, LAST, true) || (highest.sequence < LAST && o.allowSequenceJump)) return;
  const { path, sequence } = highest;
  const what = sequence === LAST ? "the last one: no release can follow it" : "almost the last one";
  throw releaseFault(`${path} has sequence number ${sequence}, ${what}`, examine([highest], product));
}

/** Names the release that a refused number follows. `e`: the refusal by a log. */
export function withHighest(product: Product, known: readonly KnownRelease[], e: unknown): unknown {
  const highest = highestOf(known);
  if (!(e instanceof Failure && e.code === "ERR_SEQUENCE") || product.sequence.source !== "previous" || !highest) return e;
  return e.with({
    message: `${e.message}; it follows ${highest.sequence} of ${highest.path}`,
    hint: `${examine([highest], product)}; or allow it: \`allowSequenceJump\``,
  });
}

/** The number of the release, or "log": the next one by the logs of the keys, once they are locked. */
export function numberOf(product: Product, version: string, known: readonly KnownRelease[], o: NumberOptions): bigint | "log" {
  const { source } = product.sequence;
  if (source !== "given" && o.seq !== undefined)
    throw usage(
      `\`seq\`: the sequence numbers of ${product.name} come from ${source}`,
      'drop it, or say [sequence] source = "given" in the product file',
    );
  // with numbers of the log, it says that the log begins
  if (source !== "log" && o.first && !o.dryRun && known.length > 0)
    throw releaseFault(`${known.at(-1)?.path} was released before, so this is not the first release`, "drop `first`");
  switch (source) {
    case "version":
      return versionNumber(version);
    case "given":
      if (o.seq === undefined) throw usage("`seq` is missing: the sequence numbers of this product are given", "give the number: `seq` N");
      return o.seq;
    case "log":
      refuseLast(product, highestOf(known), o);
      return "log";
    case "previous": {
      if (known.length === 0 && !o.first)
        throw releaseFault(
          "no earlier release is here, and the last sequence number is not known",
          "name the last release (`previousRelease` DIR), or say that nothing has been released yet (`first`)",
        );
      const highest = highestOf(known);
      refuseLast(product, highest, o);
      return (highest?.sequence ?? 0n) + 1n;
    }
  }
}

/**
 * Refuses a release that does not follow the known ones: a version that is lower than the last, or a number that does
 * not rise with the version. `allowLower`: releases of an older line. `suspects`: for a release that exists, which of
 * it and the one that it does not follow may be wrong.
 */
export function refuseDisorder(
  product: Product,
  version: string,
  sequence: bigint | "log",
  known: readonly KnownRelease[],
  allowLower: boolean,
  suspects?: (other: KnownRelease) => readonly KnownRelease[],
): void {
  const own = versionNumber(version);
  for (const one of known) {
    const other = versionNumber(one.version);
    if (other > own && !allowLower)
      throw releaseFault(
        `version ${version} is lower than ${one.version} (${one.path}): devices refuse it`,
        // the version of a release that exists is what it is
        `${suspects ? "" : "give a higher version, or "}allow it: \`allowLowerSequence\`; ${examine([one], product)}`,
      );
    if (sequence !== "log" && other < own && one.sequence >= sequence)
      throw releaseFault(
        `sequence number ${sequence} of ${version} is not higher than ${one.sequence} of ${one.version} (${one.path})`,
        suspects
          ? examine(suspects(one), product)
          : `${examine([one], product)}; or else correct [sequence] in the product file, or give a higher number`,
      );
  }
}
