// Compares several logs, to find what no single log shows. A copy of a key has its own log, which looks correct by
// itself.

import { Failure } from "../errors/failure.js";
import { withoutApprover } from "./approvers.js";
import { type Entry, JOIN, WITHDRAW } from "./entry.js";
import type { SigningLog } from "./log-file.js";
import { isOfTrustFile } from "./sequence.js";

/** A number that was used twice, or a signature without an approval that its key needs. */
export interface Conflict {
  /**
   * leaf: of a one-time key. sequence: of manifests for the same devices. trust: of trust files of one product line.
   * approval: the entry that requires it, and the one that was signed without it.
   */
  what: "leaf" | "sequence" | "trust" | "approval";
  /** The number; of an approval the thumbprint of the approver. */
  number: string;
  /** The key of the leaf or of the approval, or the one that signed both: its thumbprint. null: several keys did. */
  key: string | null;
  /** The devices or the product line of the number. */
  scope: string[];
  entries: { log: string; entry: number; key: string | null; digest: string | null; time: string }[];
}

/** A log as it is compared: also late entries count, because those of another copy look like them in one file. */
type ComparedLog = Pick<SigningLog, "path" | "all">;

interface Found {
  path: string;
  entry: Entry;
}

/** Each entry once: a copied log begins with the same entries. */
function distinctEntries(logs: readonly ComparedLog[]): Found[] {
  const all = new Map<string, Found>();
  for (const { path, all: entries } of logs) for (const entry of entries) if (!all.has(entry.hash)) all.set(entry.hash, { path, entry });
  return [...all.values()];
}

function groups(found: readonly Found[], names: (e: Entry) => readonly string[]): Map<string, Found[]> {
  const out = new Map<string, Found[]>();
  for (const one of found)
    for (const name of names(one.entry)) {
      const group = out.get(name);
      if (group) group.push(one);
      else out.set(name, [one]);
    }
  return out;
}

/** A second manifest with the same number is expected if it was explicitly allowed. */
const isAllowed = ({ entry }: Found) => entry.overrides?.includes("allow-sequence-reuse") === true;

function conflict(what: Conflict["what"], number: string, key: string | null, scope: string[], found: readonly Found[]): Conflict {
  const entries = found.map(({ path, entry: e }) => ({
    log: path,
    entry: e.n,
    key: e.key ?? null,
    digest: e.digest ?? null,
    time: e.time,
  }));
  return { what, number, key, scope, entries };
}

/** Splits a name at its first space. */
function splitName(name: string): [string, string] {
  const at = name.indexOf(" ");
  return [name.slice(0, at), name.slice(at + 1)];
}

function leavesTwice(found: readonly Found[]): Conflict[] {
  const all = groups(found, (e) => (e.leaf === undefined || e.key === undefined ? [] : [`${BigInt(e.leaf)} ${e.key}`]));
  const twice = [...all].filter(([, group]) => group.length > 1);
  return twice.map(([name, group]) => conflict("leaf", ...splitName(name), [], group));
}

/** The key that signed two of them: it was used beside its log, or somebody else has it. */
function keyOfBoth(found: readonly Found[]): string | null {
  for (const [key, group] of groups(found, (e) => (e.key === undefined ? [] : [e.key])))
    if (new Set(group.map(({ entry }) => entry.digest)).size > 1) return key;
  return null;
}

function numbersTwice(found: readonly Found[]): Conflict[] {
  // a manifest for many devices is one conflict, not one for each device
  const out = new Map<string, Conflict>();
  const all = groups(found, ({ operation, sequence, scope = [] }) =>
    sequence === undefined || operation === WITHDRAW ? [] : scope.map((s) => `${BigInt(sequence)} ${s}`),
  );
  for (const [name, group] of all) {
    const asked = group.filter((one) => !isAllowed(one));
    if (new Set(asked.map(({ entry }) => entry.digest)).size < 2) continue;
    const [number, scope] = splitName(name);
    const id = `${number} ${asked.map(({ entry }) => entry.hash).join(" ")}`;
    const known = out.get(id);
    if (known) known.scope.push(scope);
    else out.set(id, conflict(isOfTrustFile((asked[0] as Found).entry) ? "trust" : "sequence", number, keyOfBoth(asked), [scope], asked));
  }
  return [...out.values()];
}

/**
 * One for each approver of a key who was left out. In one log the order counts, whatever its clock said; in several
 * together, and in a joined one, the time: its file has the entries of one log after those of the other.
 */
function unapproved(found: readonly Found[], logs: readonly ComparedLog[]): Conflict[] {
  const byHash = new Map(found.map((one) => [one.entry.hash, one]));
  const isJoined = (entries: readonly Entry[]) => entries.some(({ operation }) => operation === JOIN);
  const byTime = (entries: readonly Entry[]) => entries.toSorted((a, b) => (a.time < b.time ? -1 : 1));
  const each = logs.map(({ all }) => (isJoined(all) ? byTime(all) : all));
  const together = logs.length > 1 ? [byTime(found.map(({ entry }) => entry))] : [];
  const out = new Map<string, Conflict>();
  for (const entries of [...each, ...together])
    for (const { approver, required, entry } of withoutApprover(entries)) {
      const key = entry.key as string;
      const both = [required, entry].map(({ hash }) => byHash.get(hash) as Found);
      if (!out.has(`${approver} ${key}`)) out.set(`${approver} ${key}`, conflict("approval", approver, key, [], both));
    }
  return [...out.values()];
}

/**
 * Finds the numbers that were used twice, and the signatures without an approval that their key needs, according to all
 * of these logs together. Older entries without a leaf or a scope are ignored.
 */
export function conflicts(logs: readonly ComparedLog[]): Conflict[] {
  const found = distinctEntries(logs);
  return [...leavesTwice(found), ...numbersTwice(found), ...unapproved(found, logs)];
}

const CONFLICT_WORDS = {
  leaf: {
    what: "leaf",
    hint: "a leaf that signed twice reveals the key: stop signing with it, and make devices trust another one (docs/guides/keys/hss.md)",
  },
  sequence: {
    what: "sequence number",
    hint: "devices cannot tell the two releases apart: find out which one is in the field, and give the next release a new number",
  },
  trust: {
    what: "trust file number",
    hint: "devices may trust either file: sign one with a higher number for all of them",
  },
  approval: {
    what: "approval",
    hint: "find out what this entry signed: a person who should have approved it has not",
  },
} as const;

/** Describes a conflict in words. */
export function conflictWords({ what, number, key, entries }: Conflict): string {
  // a joined log may have several entries with the same number
  const isTwice = (one: Conflict["entries"][number]) =>
    entries.some((other) => other !== one && other.log === one.log && other.entry === one.entry);
  // a file that is signed has no entry, and stands for itself
  const shown = entries
    .slice(0, 3)
    .map((one) => (one.entry > 0 ? `entry ${one.entry} of ${one.log}${isTwice(one) ? ` (${one.time})` : ""}` : one.log));
  if (what === "approval")
    return `key ${key?.slice(0, 16)}… signed without the approval of ${number.slice(0, 16)}…: ${shown[1]}; required by ${shown[0]}`;
  const more = entries.length > shown.length ? `, and ${entries.length - shown.length} more` : "";
  return `${CONFLICT_WORDS[what].what} ${number}${key === null ? "" : ` of key ${key.slice(0, 16)}…`} was used twice: ${shown.join(", ")}${more}`;
}

/** Returns a Failure, LOG, with the first of at least one conflict in its message. */
export function conflictFailure(list: readonly Conflict[]): Failure {
  const [first] = list as [Conflict];
  const more = list.length > 1 ? `; and ${list.length - 1} more` : "";
  return new Failure(1, "ERR_LOG", `${conflictWords(first)}${more}`, CONFLICT_WORDS[first.what].hint);
}
