// Rules about sequence numbers and versions.

import { versionNumber } from "@firmseal/keys";
import { isNumberOf, isVersion } from "@firmseal/keys/internal";
import { ROLES } from "@firmseal/signer";
import { bigSequence, isLittleRoom, LAST } from "../../input/sequence.js";
import { impliedVersion } from "../../product/version.js";
import type { LintContext, Rule } from "../rule.js";

/** A number that rises by more leaves room for 2^31 such steps. */
const LARGEST_STEP = 2n ** 32n;
/** The number of version 1.0.0-0. */
const FIRST_MAJOR = 2n ** 48n;

/** The same release again is not a fault of its number. */
const isSame = ({ release, previous }: LintContext) => previous?.digest !== undefined && previous.digest === release.digest;

/** The version in the text; of a release that can have no text, that of its number. */
const versionOf = ({ release, product, boards = [] }: LintContext) =>
  release.version ?? (product && impliedVersion(product, boards, release.sequence));

function jumps(context: LintContext): string[] {
  const { release, previous, trust, product, role = "release" } = context;
  const { sequence } = release;
  const version = versionOf(context);
  const limit = trust?.store.jumps[ROLES[role]];
  const step = previous && sequence - previous.sequence;
  if (limit && step !== undefined && step > bigSequence(limit))
    return [`${sequence} is ${step} above ${previous?.sequence}, and ${trust?.path} allows ${bigSequence(limit)}`];
  const isCount = product !== undefined && product.sequence.source !== "version";
  if (isLittleRoom(sequence, LAST, isCount)) return [`${sequence} leaves little room for later ones`];
  // versions have numbers far apart
  if (isNumberOf(version, sequence)) return [];
  if (previous) return (step as bigint) > LARGEST_STEP ? [`${sequence} is ${step as bigint} above ${previous.sequence}`] : [];
  return isVersion(version) && sequence >= FIRST_MAJOR ? [`${sequence} is not the number of version ${version}`] : [];
}

function disagreements(context: LintContext): string[] {
  const { release, previous, product } = context;
  const { sequence } = release;
  const version = versionOf(context);
  const out: string[] = [];
  if (product?.sequence.source === "version") {
    if (version === undefined) out.push(`names no version, and the numbers of ${product.name} are those of versions`);
    else if (!isNumberOf(version, sequence)) out.push(`is version ${version}, and ${sequence} is not the number of that version`);
  }
  if (!previous || !isVersion(version) || !isVersion(previous.version)) return out;
  const [own, before] = [versionNumber(version), versionNumber(previous.version)];
  const words = `version ${version} has the number ${sequence}, and ${previous.version} (${previous.path}) has ${previous.sequence}`;
  if (own === before ? previous.digest !== release.digest : own < before !== sequence < previous.sequence) out.push(words);
  return out;
}

export const numberRules: readonly Rule[] = [
  {
    id: "L10",
    name: "number-not-raised",
    severity: "error",
    title: "The sequence number is not higher than that of the previous release",
    why: "Devices that have the previous release refuse this one as a rollback.",
    fix: "Make the release again with a higher number.",
    needs: ["previous"],
    check: (context) => {
      const { release, previous } = context;
      if (!previous || isSame(context) || release.sequence > previous.sequence) return [];
      return [`sequence number ${release.sequence} is not higher than ${previous.sequence} of ${previous.path}`];
    },
  },
  {
    id: "L11",
    name: "number-jump",
    severity: "error",
    title: "The sequence number jumps",
    why: "A device never accepts a lower number again, so a jump uses up numbers permanently. A trust file can limit jumps.",
    fix: "Take numbers from versions, or the number after the last one.",
    check: jumps,
  },
  {
    id: "L12",
    name: "version-and-number",
    severity: "error",
    title: "Version and sequence number disagree",
    why: "Devices compare the numbers, people compare the versions: a higher version with a lower number is never installed.",
    fix: "Make the release again with firmseal release, which derives one from the other.",
    check: disagreements,
  },
];
