// Sequence numbers of releases for one kind of device: which ones were signed according to the logs, and which may come
// next.

import { formatUuid } from "@firmseal/signer";
import { type Failure, refusedInput } from "../errors/failure.js";
import { visible } from "../words.js";
import { ACCEPT, type Entry, MOVE, WITHDRAW } from "./entry.js";
import { isNumberOf, isVersion, majorOf, numberVersion, versionNumber } from "./version.js";

/** A larger jump is a mistake or an attack: devices refuse everything lower afterwards (fast-forward). */
const LARGEST_JUMP = 2n ** 32n;
const HIGHEST = 2n ** 64n - 1n;

/** The prefix of the scope of trust files. No device identifier begins with it. */
const TRUST_PREFIX = "trust:";

/**
 * Returns the scope of trust files of a product line. Its numbers are independent of manifests and other product lines.
 */
export function scopeOfTrust(name: string): string[] {
  return [`${TRUST_PREFIX}${name}`];
}

/** Returns whether an entry is about a trust file. Older entries of trust files have no scope. */
export function isOfTrustFile(e: Pick<Entry, "sequence" | "scope">): boolean {
  return e.sequence !== undefined && (e.scope === undefined || e.scope.some((s) => s.startsWith(TRUST_PREFIX)));
}

/** Returns the scope of the kind of device that --vendor and --class name. */
export function scopeOfImage(identity: { vendor: Uint8Array; class: Uint8Array }): string[] {
  return [`${formatUuid(identity.vendor)}/${formatUuid(identity.class)}`];
}

/** The facts of a signed number: from a log entry, or from an available file. */
export type SignedNumber = Pick<Entry, "sequence" | "version" | "scope" | "digest" | "time" | "user"> &
  Partial<Pick<Entry, "operation" | "key" | "reason" | "withdrawn">>;

/** What the log of a key says. Several keys may have one log. */
export interface KeyLog<T = SignedNumber> {
  /** Thumbprint of the key that signs; without it, the entries are compared whatever they say. */
  readonly key?: string;
  readonly entries: readonly T[];
}

/**
 * Returns the entries that something new is compared with. `isThis`: whether an entry is about the same. What the key
 * itself has signed, it may sign again; what another key of its log has signed is compared with its own entries. One
 * log does not speak for another, and what was carried over from another key is not a signature. `isNew`: a log has no
 * signature on it. Undefined: all keys have signed it.
 */
export function comparedWith<T extends Partial<Pick<Entry, "operation" | "key">>>(
  logs: readonly KeyLog<T>[],
  isThis: (entry: T) => boolean,
): { known: T[]; isNew: boolean } | undefined {
  let isNew = logs.length === 0;
  const others = logs.flatMap(({ key, entries }) => {
    const signed = entries.filter((e) => e.operation !== MOVE && isThis(e));
    if (signed.length === 0) isNew = true;
    if (key === undefined || signed.length === 0) return [entries];
    return signed.some((e) => e.key === key) ? [] : [entries.filter((e) => e.key === key)];
  });
  return others.length === 0 && logs.length > 0 ? undefined : { known: others.flat(), isNew };
}

/**
 * Returns whether an entry shares its numbers with this scope. A trust file without a scope has an unknown product
 * line, so it counts for every one.
 */
export function sharesScope(e: SignedNumber, scope: ReadonlySet<string>): boolean {
  if (e.sequence === undefined) return false;
  return e.scope ? e.scope.some((s) => scope.has(s)) : [...scope].some((s) => s.startsWith(TRUST_PREFIX));
}

function highestInScope(entries: readonly SignedNumber[], scope: ReadonlySet<string>): bigint | undefined {
  let most: bigint | undefined;
  for (const e of entries) {
    if (!sharesScope(e, scope)) continue;
    const n = BigInt(e.sequence as string);
    if (most === undefined || n > most) most = n;
  }
  return most;
}

/** Returns the highest version of releases. Undefined if none has a version with a number. */
function highestVersion(releases: readonly SignedNumber[]): string | undefined {
  const versions = releases.flatMap(({ version }) => (isVersion(version) ? [versionNumber(version)] : []));
  const [highest] = versions.sort((a, b) => (a > b ? -1 : 1));
  return highest === undefined ? undefined : numberVersion(highest);
}

/** A release that was withdrawn, as messages name it. */
export interface WithdrawnRelease {
  readonly version?: string | undefined;
  readonly sequence: string;
  readonly reason: string;
  /** RFC 3339, in UTC. */
  readonly time: string;
}

/** "dist/1.4.1: version 1.4.1 was withdrawn on 2026-12-01: loses its settings". `what`: as in withdrawnFailure(). */
export function withdrawnWords({ version, sequence, reason, time }: WithdrawnRelease, what?: string): string {
  const name = version === undefined ? `sequence number ${sequence}` : `version ${version}`;
  return visible(`${what === undefined ? "" : `${what}: `}${name} was withdrawn on ${time.slice(0, 10)}: ${reason}`);
}

/**
 * Returns a Failure, WITHDRAWN, for a release that was withdrawn. `what`: a file or folder of it. Nothing overrides it:
 * devices that have the release learn of it only from a higher number.
 */
export function withdrawnFailure(withdrawn: WithdrawnRelease, what?: string): Failure {
  return refusedInput(
    "ERR_WITHDRAWN",
    withdrawnWords(withdrawn, what),
    "release the last good build under a higher number; firmseal extract takes its image out of its release",
  );
}

/** Returns the entries that withdraw releases. */
export function withdrawalsAmong<T extends SignedNumber>(entries: readonly T[]): (T & WithdrawnRelease)[] {
  return entries.flatMap((e) => {
    const { operation, sequence, reason = "", withdrawn, time } = e;
    return operation === WITHDRAW && sequence !== undefined ? [{ ...e, sequence, reason, time: withdrawn ?? time }] : [];
  });
}

/** What a caller knows if the logs are empty. */
export interface FirstNumber {
  /** true: nothing was signed before. "known": the caller knows the last number. */
  first?: boolean | "known";
}

/**
 * Chooses the next sequence number for a kind of device, according to the logs of all keys. It is 1 if nothing was
 * signed for it, but a key without any entry may have signed elsewhere: then a person must say that this is its `first`
 * release, or the caller knows the last number ("known").
 *
 * @param logs - The entries of each log.
 * @param asked - The devices.
 * @param start - What the caller knows if the logs are empty.
 * @returns The number.
 * @throws Failure ERR_SEQUENCE if the logs do not give the number, if they contradict `first`, or if no number is left
 *   below 2^64.
 */
export function nextSequence(logs: readonly (readonly Entry[])[], asked: readonly string[], { first = false }: FirstNumber = {}): bigint {
  const scope = new Set(asked);
  if (!first && logs.every((entries) => entries.length === 0))
    throw refusedInput(
      "ERR_SEQUENCE",
      "the log of the key is empty here, and the key may have signed elsewhere: the next sequence number is not known",
      "bring its log (`log` FILE), give the number (`seq` N), or say that nothing has been released yet (`first`)",
    );
  for (const entries of logs) {
    const restored = entries.findLastIndex((e) => e.operation === ACCEPT);
    // lost entries may have used numbers; the first explicit number resolves this
    if (restored >= 0 && !entries.slice(restored).some((e) => sharesScope(e, scope)))
      throw refusedInput(
        "ERR_SEQUENCE",
        "the log was restored, and does not know the used sequence numbers",
        "check the last release, and give a number once: `seq` N",
      );
  }
  const known = highestInScope(logs.flat(), scope);
  if (first === true && known !== undefined)
    throw refusedInput(
      "ERR_SEQUENCE",
      `the log has releases for this kind of device up to ${known}: this is not the first`,
      "drop `first`",
    );
  const last = known ?? 0n;
  if (last >= HIGHEST) throw refusedInput("ERR_SEQUENCE", "no sequence number is left for this kind of device", noneHigher());
  return last + 1n;
}

/** What to do after the last number. */
function noneHigher(): string {
  return 'none is higher than 2^64 - 1: devices count from the beginning after a trust file with a new "epoch" (docs/guides/trust.md)';
}

/** Words for messages about numbers: the name of another file with the same number, and advice. */
export interface Numbered {
  readonly other: string;
  readonly again: string;
  readonly higher: string;
  readonly next: string;
}

const MANIFESTS: Numbered = {
  other: "another manifest",
  again: "a rebuilt release needs a new number: `seq` next, or raise it in the description",
  higher: "give a higher one: `seq` next, or raise it in the description",
  next: "give the next one: `seq` next, or correct it in the description",
};

/** The same, for a number that is made from the version. */
const VERSIONS: Numbered = {
  other: "another manifest",
  again: "a rebuilt release needs a new version",
  higher: "give a higher version",
  next: "correct the version",
};

/** Words for messages about the numbers of trust files. */
export const TRUST_FILES: Numbered = {
  other: "another trust file",
  again: "devices accept only one file for each number: make it again with a higher sequence in the description",
  higher: "make it again with a higher sequence in the description, or with `previousTrust` and the newest file",
  next: "make it again with `previousTrust` and the newest file, which gives the next number",
};

/** Refusals of sequence numbers that the caller turns off. The signing log records each one that was needed. */
export interface SequenceOverrides {
  /** Accept a number below one that the log has: devices with that one refuse the release. */
  allowLowerSequence?: boolean;
  /** Accept a number that another manifest or trust file has. */
  allowSequenceReuse?: boolean;
  /** Accept a number that is so high that few numbers are left above it, or none. */
  allowSequenceJump?: boolean;
}

/**
 * Returns whether the entries of a log that decide about the next number (decidingEntries()) decide about this one too:
 * it is above those that they have for the same devices, or the key has signed the manifest. Then checkSequence() says
 * by them what it says by the whole log, for a manifest has one number.
 */
export function decides(
  { key, entries }: KeyLog,
  { sequence, digest, scope }: { sequence: string; digest: string; scope: readonly string[] },
): boolean {
  const asked = new Set(scope);
  const known = entries.filter((e) => sharesScope(e, asked));
  const signed = known.filter((e) => e.digest === digest && e.operation !== MOVE);
  if (key !== undefined && signed.some((e) => e.key === key)) return true;
  // what another key of the log has signed is compared with the entries of this one
  const compared = key !== undefined && signed.length > 0 ? known.filter((e) => e.key === key) : known;
  return compared.every((e) => BigInt(e.sequence as string) < BigInt(sequence));
}

/**
 * Checks the sequence number of a manifest or trust file against the logs of all keys. Refuses a number that devices
 * would refuse, that another file has, or that leaves no room, a version below one that has a lower number, and a
 * release that was withdrawn. The same manifest or trust file may be signed again: comparedWith() says with what it is
 * compared then. A number that is that of its version may be one major version ahead.
 *
 * @param logs - The numbers that were used.
 * @param asked - The number, the digest of the file, and the devices that it is for.
 * @param allow - The refusals that a person overrides.
 * @param kind - What is numbered. Default: a manifest.
 * @returns The overrides that were needed, as option names.
 * @throws Failure with SEQUENCE or WITHDRAWN.
 */
export function checkSequence(
  logs: readonly KeyLog[],
  asked: { sequence: bigint; digest: string; scope: readonly string[]; version?: string },
  allow: SequenceOverrides,
  kind: Numbered = MANIFESTS,
): string[] {
  const { sequence, digest } = asked;
  const isOfVersion = isNumberOf(asked.version, sequence);
  const words = isOfVersion ? VERSIONS : kind;
  const scope = new Set(asked.scope);
  const inScope = logs.map((log) => ({ ...log, entries: log.entries.filter((e) => sharesScope(e, scope)) }));
  const withdrawn = withdrawalsAmong(inScope.flatMap(({ entries }) => entries)).find(
    (e) => e.digest === digest || BigInt(e.sequence) === sequence || (e.version !== undefined && e.version === asked.version),
  );
  if (withdrawn) throw withdrawnFailure(withdrawn);
  const compared = comparedWith(inScope, (e) => e.digest === digest);
  if (!compared) return [];
  const { known, isNew } = compared;
  const last = highestInScope(known, scope);
  const used: string[] = [];
  const need = (allowed: boolean | undefined, option: string, message: string, hint: string) => {
    if (!allowed) throw refusedInput("ERR_SEQUENCE", message, `${hint}, or allow it: \`${option}\``);
    used.push(option);
  };
  if (sequence === HIGHEST && isNew)
    need(
      allow.allowSequenceJump,
      "allow-sequence-jump",
      `sequence number ${sequence} is the last one: devices could never get another release`,
      words.next,
    );
  if (last === undefined) return used;
  // a key that continues numbers may sign the newest manifest of the key before it again
  const same = known.findLast((e) => BigInt(e.sequence as string) === sequence && e.digest !== digest);
  if (same)
    need(
      allow.allowSequenceReuse,
      "allow-sequence-reuse",
      `sequence number ${sequence} was signed for ${words.other} (${[same.time.slice(0, 10), same.user].filter((text) => text !== "").join(", ")})`,
      last === HIGHEST ? noneHigher() : words.again,
    );
  if (sequence < last)
    need(
      allow.allowLowerSequence,
      "allow-lower-sequence",
      `sequence number ${sequence} is lower than ${last}, which was already signed: devices refuse it`,
      last === HIGHEST ? noneHigher() : words.higher,
    );
  const newest = highestVersion(known);
  if (sequence > last && newest !== undefined && isVersion(asked.version) && versionNumber(asked.version) < versionNumber(newest))
    need(
      allow.allowLowerSequence,
      "allow-lower-sequence",
      `version ${asked.version} is lower than ${newest}, which was already signed: devices install it as the newer release`,
      VERSIONS.next,
    );
  if (isOfVersion) {
    if (majorOf(sequence) > majorOf(last) + 1n)
      need(
        allow.allowSequenceJump,
        "allow-sequence-jump",
        `version ${asked.version} skips major versions after ${numberVersion(last)}: devices accept nothing lower afterwards`,
        words.next,
      );
  } else if (sequence > last + LARGEST_JUMP && sequence < HIGHEST)
    need(
      allow.allowSequenceJump,
      "allow-sequence-jump",
      `sequence number ${sequence} is more than 2^32 higher than the last, ${last}: devices accept nothing lower afterwards`,
      words.next,
    );
  return used;
}
