// Security counters and versions of boot loaders' images: which ones were signed according to the logs, and which may
// come next. Several images may have one counter: it goes up only when older ones must not start any more.

import { refusedInput } from "../errors/failure.js";
import type { Entry } from "./entry.js";
import type { SequenceOverrides } from "./sequence.js";

/** Two major versions of a counter that is made from the version. Devices accept nothing lower afterwards. */
const LARGEST_JUMP = 2n ** 25n;
const HIGHEST = 2n ** 32n - 1n;

const FORM = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,4})(?:\+(0|[1-9]\d{0,9}))?$/;

/**
 * Returns the place of an image's version in their order: 8 bits for major and minor, 16 for the revision and 32 for
 * the build, as MCUboot compares them.
 *
 * @param version - The text in the image.
 * @returns The number, 64 bits; undefined for text of any other form.
 */
export function bootVersionNumber(version: string | undefined): bigint | undefined {
  const [, ...parts] = FORM.exec(version ?? "") ?? [];
  const numbers = parts.map((part) => BigInt(part ?? 0));
  if (numbers.length === 0 || numbers.some((n, i) => n >= 1n << ([8n, 8n, 16n, 32n][i] as bigint))) return undefined;
  const [major, minor, revision, build] = numbers as [bigint, bigint, bigint, bigint];
  return (((major << 8n) | minor) << 48n) | (revision << 32n) | build;
}

/** The image that keys are asked to sign. */
export interface BootNumbers {
  /** `sha-256:` and the hex digits of what every signature covers. */
  readonly digest: string;
  readonly scope: readonly string[];
  /** The security counter, 0 to 2^32 - 1; undefined: the image has none. */
  readonly counter: bigint | undefined;
  /** The text in the image; undefined: it has none. */
  readonly version: string | undefined;
}

type Known = Pick<Entry, "sequence" | "version" | "scope" | "digest" | "time" | "user">;

/** What the logs have for the same kind of device. */
function knownOf(entries: readonly Known[], { scope, digest, version, counter }: BootNumbers) {
  const known = entries.filter((e) => e.scope?.some((s) => scope.includes(s)));
  const counters = known.flatMap(({ sequence }) => (sequence === undefined ? [] : [BigInt(sequence)]));
  const versions = known.flatMap((entry) => {
    const number = bootVersionNumber(entry.version);
    return number === undefined ? [] : [{ number, entry }];
  });
  const newest = versions.reduce<(typeof versions)[number] | undefined>((a, b) => (a && a.number >= b.number ? a : b), undefined);
  return {
    isSigned: known.some((e) => e.digest === digest),
    highest: counters.reduce<bigint | undefined>((a, b) => (a !== undefined && a > b ? a : b), undefined),
    newest,
    sameVersion: known.findLast((e) => version !== undefined && e.version === version),
    number: bootVersionNumber(version),
    counter,
  };
}

/**
 * Returns whether the entries that decide about the next signature (decidingEntries()) decide about this one too: its
 * version is above all that they have for the same devices, and its counter is not below theirs. Then checkBootNumber()
 * says by them what it says by whole logs.
 */
export function decidesBoot(entries: readonly Known[], asked: BootNumbers): boolean {
  const { highest, newest, number, counter } = knownOf(entries, asked);
  return (
    number !== undefined && (!newest || number > newest.number) && (highest === undefined || (counter !== undefined && counter >= highest))
  );
}

/**
 * Checks the security counter and the version of an image against the logs of all keys. Refuses what devices would
 * refuse, a counter that leaves no room, and a version that another image has. The same image may be signed again with
 * any key.
 *
 * @param entries - What was signed.
 * @param asked - The image.
 * @param allow - The refusals that a person overrides.
 * @returns The overrides that were needed, as option names.
 * @throws Failure with SEQUENCE.
 */
export function checkBootNumber(entries: readonly Known[], asked: BootNumbers, allow: SequenceOverrides): string[] {
  const { isSigned, highest, newest, sameVersion, number } = knownOf(entries, asked);
  const { counter, version } = asked;
  if (isSigned) return [];
  const used: string[] = [];
  const need = (allowed: boolean | undefined, option: string, message: string, hint: string) => {
    if (!allowed) throw refusedInput("ERR_SEQUENCE", message, `${hint}, or allow it: \`${option}\``);
    if (!used.includes(option)) used.push(option);
  };
  if (counter !== undefined && (counter === HIGHEST || (highest !== undefined && counter > highest + LARGEST_JUMP)))
    need(
      allow.allowSequenceJump,
      "allow-sequence-jump",
      counter === HIGHEST
        ? `security counter ${counter} is the last one: devices could never refuse an older image again`
        : `security counter ${counter} is more than 2^25 higher than the last, ${highest}: devices accept nothing lower afterwards`,
      "give the lowest counter that shuts out what must not start",
    );
  if (highest !== undefined && (counter === undefined || counter < highest))
    need(
      allow.allowLowerSequence,
      "allow-lower-sequence",
      counter === undefined
        ? `the image has no security counter, and one with ${highest} was already signed: devices refuse it`
        : `security counter ${counter} is lower than ${highest}, which was already signed: devices refuse it`,
      "give the last counter again, or a higher one",
    );
  if (sameVersion)
    need(
      allow.allowSequenceReuse,
      "allow-sequence-reuse",
      `version ${version} was signed for another image (${[sameVersion.time.slice(0, 10), sameVersion.user].filter((text) => text !== "").join(", ")})`,
      "a rebuilt image needs a new version",
    );
  if (number !== undefined && newest && number < newest.number)
    need(
      allow.allowLowerSequence,
      "allow-lower-sequence",
      `version ${version} is lower than ${newest.entry.version}, which was already signed: boot loaders that compare versions refuse it`,
      "give a higher version",
    );
  return used;
}
