// Sequence numbers of the releases for one kind of device: what the logs of the keys say was signed, and what may come next.

import { formatUuid } from "@firmseal/signer";
import { refusedInput } from "../errors/failure.js";
import { ACCEPT, type Entry } from "./log-file.js";

/** Higher than the last by more than this is a slip, or an attack: devices take nothing lower afterwards (fast-forward). */
const LARGEST_JUMP = 2n ** 32n;
const HIGHEST = 2n ** 64n - 1n;

/** What the scope of a trust file begins with; no identifier of a device does. */
const TRUST_PREFIX = "trust:";

/** The line of products that a trust file is for: its numbers are not those of manifests, nor of other lines. */
export function scopeOfTrust(name: string): string[] {
  return [`${TRUST_PREFIX}${name}`];
}

/** Whether an entry is about a trust file. Older ones have no scope. */
export function isOfTrustFile(e: Pick<Entry, "sequence" | "scope">): boolean {
  return e.sequence !== undefined && (e.scope === undefined || e.scope.some((s) => s.startsWith(TRUST_PREFIX)));
}

/** The kind of device that --vendor and --class mean. */
export function scopeOfImage(identity: { vendor: Uint8Array; class: Uint8Array }): string[] {
  return [`${formatUuid(identity.vendor)}/${formatUuid(identity.class)}`];
}

/** What is known of a number that was signed: an entry of a log, or a file that is at hand. */
export type Known = Pick<Entry, "sequence" | "scope" | "digest" | "time" | "user">;

/** Whether it is one number with others of this scope. Of a trust file without a scope the line is not known, so it counts for every one. */
export function sharesScope(e: Known, scope: ReadonlySet<string>): boolean {
  if (e.sequence === undefined) return false;
  return e.scope ? e.scope.some((s) => scope.has(s)) : [...scope].some((s) => s.startsWith(TRUST_PREFIX));
}

function highestInScope(entries: readonly Known[], scope: ReadonlySet<string>): bigint | undefined {
  let most: bigint | undefined;
  for (const e of entries) {
    if (!sharesScope(e, scope)) continue;
    const n = BigInt(e.sequence as string);
    if (most === undefined || n > most) most = n;
  }
  return most;
}

/** The next number for a kind of device by the logs of all keys: 1 where nothing was signed for it. */
export function nextSequence(logs: readonly (readonly Entry[])[], asked: readonly string[]): bigint {
  const scope = new Set(asked);
  for (const entries of logs) {
    const restored = entries.findLastIndex((e) => e.operation === ACCEPT);
    // numbers may be in use that stood in what was lost; the first that a person gives settles it
    if (restored >= 0 && !entries.slice(restored).some((e) => sharesScope(e, scope)))
      throw refusedInput(
        "SEQUENCE",
        "the log was restored, and does not know the used sequence numbers",
        "check the last release, and give a number once: --seq N",
      );
  }
  const last = highestInScope(logs.flat(), scope) ?? 0n;
  if (last >= HIGHEST) throw refusedInput("SEQUENCE", "no sequence number is left for this kind of device", "none is higher than 2^64 - 1");
  return last + 1n;
}

/** What has numbers, in words: what another of the same number is, and what to do about a number. */
export interface Numbered {
  readonly other: string;
  readonly again: string;
  readonly higher: string;
  readonly next: string;
}

const MANIFESTS: Numbered = {
  other: "another manifest",
  again: "a rebuilt release needs a new number: --seq next, or raise it in the description",
  higher: "give a higher one: --seq next, or raise it in the description",
  next: "give the next one: --seq next, or correct it in the description",
};

export const TRUST_FILES: Numbered = {
  other: "another trust file",
  again: "devices accept only one file for each number: make it again with a higher sequence in the description",
  higher: "make it again with a higher sequence in the description, or with --previous-trust and the newest file",
  next: "make it again with --previous-trust and the newest file, which gives the next number",
};

export interface SequenceOverrides {
  allowLowerSequence?: boolean;
  allowSequenceReuse?: boolean;
  allowSequenceJump?: boolean;
}

/**
 * The one rule for everything that has a number, manifests and trust files: refuses a number that devices would refuse, that another one has, or
 * that leaves no room, by the logs of all keys. The same manifest or file may be signed again by whomever. Returns the overrides that were
 * needed, in words of the command line.
 */
export function checkSequence(
  entries: readonly Known[],
  asked: { sequence: bigint; digest: string; scope: readonly string[] },
  allow: SequenceOverrides,
  words: Numbered = MANIFESTS,
): string[] {
  const { sequence, digest } = asked;
  const scope = new Set(asked.scope);
  const known = entries.filter((e) => sharesScope(e, scope));
  const last = highestInScope(known, scope);
  if (last === undefined || known.some((e) => e.digest === digest)) return [];
  const used: string[] = [];
  const need = (allowed: boolean | undefined, option: string, message: string, hint: string) => {
    if (!allowed) throw refusedInput("SEQUENCE", message, `${hint}, or allow it: --${option}`);
    used.push(option);
  };
  const same = known.findLast((e) => BigInt(e.sequence as string) === sequence);
  if (same)
    need(
      allow.allowSequenceReuse,
      "allow-sequence-reuse",
      `sequence number ${sequence} was signed for ${words.other} (${[same.time.slice(0, 10), same.user].filter((text) => text !== "").join(", ")})`,
      words.again,
    );
  if (sequence < last)
    need(
      allow.allowLowerSequence,
      "allow-lower-sequence",
      `sequence number ${sequence} is lower than ${last}, which was already signed: devices refuse it`,
      words.higher,
    );
  if (sequence > last + LARGEST_JUMP)
    need(
      allow.allowSequenceJump,
      "allow-sequence-jump",
      `sequence number ${sequence} is more than 2^32 higher than the last, ${last}: devices accept nothing lower afterwards`,
      words.next,
    );
  return used;
}
