// Security counters and versions of boot loaders' images: which ones were signed according to the logs, and which may
// come next. Several images may have one counter: it goes up only when older ones must not start any more.

import { refusedInput } from "../errors/failure.js";
import type { Entry } from "./entry.js";
import { comparedWith, type KeyLog, type SequenceOverrides } from "./sequence.js";

/**
 * How far a counter may go up at once, and the first value that leaves no room. MCUboot: two major versions of a
 * counter that is made from the version. ESP32: each step burns a bit of the eFuses, of which most chips have 16.
 */
const COUNTERS = {
  mcuboot: { jump: 2n ** 25n, last: 2n ** 32n - 1n, words: "2^25" },
  esp32: { jump: 1n, last: 16n, words: "1" },
};

const FORM = /^v?(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})(?:\.(0|[1-9]\d{0,9}))?(?:\+(0|[1-9]\d{0,9})|-(0|[1-9]\d{0,9})-g[0-9a-f]{4,40})?$/;

/**
 * Returns the place of an image's version in their order: MAJOR.MINOR[.REVISION][+BUILD], also with "v" and with what
 * `git describe` adds.
 *
 * @param version - The text in the image.
 * @returns The number, 32 bits for each part; undefined for text of any other form, which has no order.
 */
export function bootVersionNumber(version: string | undefined): bigint | undefined {
  const [, major, minor, revision, build, commits] = FORM.exec(version ?? "") ?? [];
  if (major === undefined) return undefined;
  const parts = [major, minor, revision, build ?? commits].map((part) => BigInt(part ?? 0));
  return parts.some((part) => part >= 2n ** 32n) ? undefined : parts.reduce((all, part) => (all << 32n) | part, 0n);
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

type Known = Pick<Entry, "operation" | "key" | "sequence" | "version" | "scope" | "digest" | "time" | "user">;

/** What entries have for the same kind of device. */
function knownOf(entries: readonly Known[], { scope }: BootNumbers) {
  const known = entries.filter((e) => e.scope?.some((s) => scope.includes(s)));
  const counters = known.flatMap(({ sequence }) => (sequence === undefined ? [] : [BigInt(sequence)]));
  const versions = known.flatMap((entry) => {
    const number = bootVersionNumber(entry.version);
    return number === undefined ? [] : [{ number, entry }];
  });
  return {
    known,
    highest: counters.reduce<bigint | undefined>((a, b) => (a !== undefined && a > b ? a : b), undefined),
    newest: versions.reduce<(typeof versions)[number] | undefined>((a, b) => (a && a.number >= b.number ? a : b), undefined),
  };
}

/**
 * Returns whether the entries of a log that decide about the next signature (decidingEntries()) decide about this one
 * too: its version is above all that they have for the same devices, and its counter is not below theirs. Then
 * checkBootNumber() says by them what it says by the whole log.
 */
export function decidesBoot(entries: readonly Known[], asked: BootNumbers): boolean {
  const { highest, newest } = knownOf(entries, asked);
  const { counter, version } = asked;
  const number = bootVersionNumber(version);
  const isAbove = number !== undefined && (newest === undefined || number > newest.number);
  return isAbove && (highest === undefined || (counter !== undefined && counter >= highest));
}

/**
 * Checks the security counter and the version of an image against the logs of all keys. Refuses what devices would
 * refuse, a counter that leaves no room, and a version that another image has. The same image may be signed again for
 * the same devices: comparedWith() says with what it is compared then.
 *
 * @param logs - What was signed.
 * @param asked - The image.
 * @param allow - The refusals that a person overrides.
 * @returns The overrides that were needed, as option names.
 * @throws Failure with SEQUENCE.
 */
export function checkBootNumber(logs: readonly KeyLog<Known>[], asked: BootNumbers, allow: SequenceOverrides): string[] {
  const { counter, version, digest, scope } = asked;
  const isThis = (e: Known) => e.digest === digest && scope.every((s) => e.scope?.includes(s));
  const compared = comparedWith(logs, isThis);
  if (!compared) return [];
  const { known, highest, newest } = knownOf(compared.known, asked);
  const sameVersion = known.findLast((e) => version !== undefined && e.version === version && e.digest !== digest);
  const number = bootVersionNumber(version);
  const limit = COUNTERS[scope[0]?.startsWith("esp32") ? "esp32" : "mcuboot"];
  const used: string[] = [];
  const need = (allowed: boolean | undefined, option: string, message: string, hint: string) => {
    if (!allowed) throw refusedInput("ERR_SEQUENCE", message, `${hint}, or allow it: \`${option}\``);
    if (!used.includes(option)) used.push(option);
  };
  if (counter !== undefined && counter >= limit.last && counter !== highest && compared.isNew)
    need(
      allow.allowSequenceJump,
      "allow-sequence-jump",
      `security counter ${counter} is the last one, or above it: devices could never refuse an older image again`,
      "give the lowest counter that shuts out what must not start",
    );
  else if (counter !== undefined && counter > (highest ?? 0n) + limit.jump)
    need(
      allow.allowSequenceJump,
      "allow-sequence-jump",
      `security counter ${counter} is more than ${limit.words} higher than ${highest === undefined ? "0, and the log has none yet" : `the last, ${highest}`}: devices accept nothing lower afterwards`,
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
