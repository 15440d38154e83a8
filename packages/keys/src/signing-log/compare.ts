// Compares several logs, to find what no single log shows. A copy of a key has its own log, which looks correct by
// itself.

import { Failure, tooMuch } from "../errors/failure.js";
import { KEY_LIMITS } from "../limits.js";
import { byteWords } from "../words.js";
import { ApprovalTable } from "./approval-table.js";
import { type Entry, MOVE, WITHDRAW } from "./entry.js";
import { familyOf, isOfBootImage } from "./family.js";
import { isOfTrustFile } from "./sequence.js";
import { fingerprint, NumberMap, NumberSet } from "./text-map.js";

/** A number that was used twice, or a signature without an approval that its key needs. */
export interface Conflict {
  /**
   * leaf: of a one-time key. sequence: of manifests for the same devices. version: of boot loaders' images for the same
   * devices. trust: of trust files of one product line. approval: the entry that requires it, and the one that was
   * signed without it. family: one key signs, for example, releases and signature files.
   */
  what: "leaf" | "sequence" | "version" | "trust" | "approval" | "family";
  /** The number or version; of an approval the thumbprint of the approver; of a family both, in words. */
  number: string;
  /** The key of the leaf or of the approval, or the one that signed both: its thumbprint. null: several keys did. */
  key: string | null;
  /** The devices or the product line of the number. */
  scope: string[];
  entries: { log: string; entry: number; key: string | null; digest: string | null; time: string }[];
}

/** A log as it is compared: also late entries count, because those of another copy look like them in one file. */
export interface ComparedLog {
  readonly path: string;
  /** Its entries, each time that somebody asks. */
  readonly all: Iterable<Entry>;
}

interface Found {
  path: string;
  entry: Entry;
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

/** Decimal digits without zeros before them. */
const plain = (digits: string) => (digits.startsWith("0") ? String(BigInt(digits)) : digits);

/**
 * What an entry uses: a leaf of a key, and a number for each part of its scope. Images may share a security counter, so
 * their number is the version; a move says only what the log of another key has.
 */
const leafOf = ({ leaf, key }: Entry) => (leaf === undefined || key === undefined ? [] : [`${plain(leaf)} ${key}`]);
function numbersOf(e: Entry): string[] {
  const { operation, sequence, version, scope = [] } = e;
  const number = isOfBootImage(e) ? (operation === MOVE ? undefined : version) : sequence && plain(sequence);
  return number === undefined || operation === WITHDRAW ? [] : scope.map((s) => `${number} ${s}`);
}

/** A second manifest with the same number is expected if it was explicitly allowed. */
const isAllowed = ({ overrides }: Entry) => overrides?.includes("allow-sequence-reuse") === true;

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
  const all = groups(found, leafOf);
  const twice = [...all].filter(([, group]) => group.length > 1);
  return twice.map(([name, group]) => conflict("leaf", ...splitName(name), [], group));
}

/** The key that signed two of them: it was used beside its log, or somebody else has it. */
function keyOfBoth(found: readonly Found[]): string | null {
  for (const [key, group] of groups(found, (e) => (e.key === undefined ? [] : [e.key])))
    if (new Set(group.map(({ entry }) => entry.digest)).size > 1) return key;
  return null;
}

const whatOf = (e: Entry) => (isOfBootImage(e) ? "version" : isOfTrustFile(e) ? "trust" : "sequence");

function numbersTwice(found: readonly Found[]): Conflict[] {
  // a manifest for many devices is one conflict, not one for each device
  const out = new Map<string, Conflict>();
  const all = groups(found, numbersOf);
  for (const [name, group] of all) {
    const asked = group.filter(({ entry }) => !isAllowed(entry));
    if (new Set(asked.map(({ entry }) => entry.digest)).size < 2) continue;
    const [number, scope] = splitName(name);
    const id = `${number} ${asked.map(({ entry }) => entry.hash).join(" ")}`;
    const known = out.get(id);
    if (known) known.scope.push(scope);
    else out.set(id, conflict(whatOf((asked[0] as Found).entry), number, keyOfBoth(asked), [scope], asked));
  }
  return [...out.values()];
}

/** Bytes of a short entry, to estimate how many there are, and the most for which room is made beforehand. */
const BYTES_OF_ENTRY = 500;
const MOST_EXPECTED = 2 ** 22;

/**
 * Compares entries one after the other. It keeps fingerprints: of each entry, and of each number and what used it
 * first, some 30 bytes for an entry. What they do not decide is read again.
 */
export class Comparison {
  private hashes: NumberSet;
  private used: NumberMap;
  /** Numbers with more than one user. */
  private readonly twice = new Set<number>();
  private isAsked = false;
  private isOfTwoFamilies = false;

  private readonly expected: number;

  /** `bytes`: the size of the logs. */
  constructor(bytes: number) {
    this.expected = Math.min(bytes / BYTES_OF_ENTRY, MOST_EXPECTED);
    this.hashes = new NumberSet(this.expected);
    this.used = new NumberMap(Uint32Array, this.expected);
  }

  take(entry: Entry): void {
    this.isAsked ||= entry.key !== undefined && entry.approvers?.[0] !== undefined;
    // a copied log begins with the same entries
    if (!this.hashes.add(fingerprint(entry.hash))) return;
    for (const name of leafOf(entry)) this.use(`leaf ${name}`, entry.hash);
    const family = familyOf(entry);
    if (entry.key !== undefined && family) this.isOfTwoFamilies = this.use(`family ${entry.key}`, family) || this.isOfTwoFamilies;
    if (!isAllowed(entry)) for (const name of numbersOf(entry)) this.use(`number ${name}`, entry.digest);
  }

  /** Returns whether something else has used the same before. */
  private use(name: string, by: string | undefined): boolean {
    const id = fingerprint(name);
    const user = fingerprint(by) % 2 ** 32;
    const known = this.used.get(id);
    if (known === undefined) this.used.set(id, user);
    else if (known !== user) this.twice.add(id);
    return known !== undefined && known !== user;
  }

  /** For each key of two families the first entry of each. */
  private familiesIn(logs: readonly ComparedLog[]): Conflict[] {
    const first = new Map<string, Map<string, Found>>();
    for (const { path, all } of logs)
      for (const entry of all) {
        const family = familyOf(entry);
        if (entry.key === undefined || !family || !this.twice.has(fingerprint(`family ${entry.key}`))) continue;
        const known = first.get(entry.key) ?? new Map<string, Found>();
        first.set(entry.key, known);
        if (!known.has(family)) known.set(family, { path, entry });
      }
    return [...first].map(([key, found]) => conflict("family", [...found.keys()].join(" and "), key, [], [...found.values()]));
  }

  private isSuspect(entry: Entry): boolean {
    return (
      leafOf(entry).some((name) => this.twice.has(fingerprint(`leaf ${name}`))) ||
      numbersOf(entry).some((name) => this.twice.has(fingerprint(`number ${name}`)))
    );
  }

  /** The conflicts of these logs, all of whose entries were taken. Throws a Failure if they are too many. */
  conflicts(logs: readonly ComparedLog[]): Conflict[] {
    // what is read again needs the memory
    this.hashes = new NumberSet();
    this.used = new NumberMap(Uint32Array);
    const families = this.isOfTwoFamilies ? this.familiesIn(logs) : [];
    const found = this.twice.size > 0 ? suspectsIn(logs, this.expected, (e) => this.isSuspect(e)) : [];
    return [...families, ...leavesTwice(found), ...numbersTwice(found), ...(this.isAsked ? unapprovedIn(logs, this.expected) : [])];
  }
}

/** Signatures without an approval that their key needs. */
function unapprovedIn(logs: readonly ComparedLog[], entries: number): Conflict[] {
  const table = new ApprovalTable();
  const hashes = new NumberSet(entries);
  for (const { all } of logs) {
    table.begin();
    for (const entry of all) table.take(entry, hashes.add(fingerprint(entry.hash)));
  }
  const left = table.unapproved();
  const at = placesIn(logs, new Set(left.flatMap(({ required, entry }) => [required.at, entry.at])));
  return left.map(({ approver, required, entry }) => {
    const both = [required, entry].map((one) => at.get(one.at) as Found);
    return conflict("approval", approver, entry.key as string, [], both);
  });
}

/** The entries that `isSuspect` picks, each once. */
function suspectsIn(logs: readonly ComparedLog[], entries: number, isSuspect: (e: Entry) => boolean): Found[] {
  const found: Found[] = [];
  const hashes = new NumberSet(entries);
  let bytes = 0;
  for (const { path, all } of logs)
    for (const entry of all) {
      if (!hashes.add(fingerprint(entry.hash)) || !isSuspect(entry)) continue;
      found.push({ path, entry });
      bytes += JSON.stringify(entry).length;
      if (bytes > KEY_LIMITS.log)
        throw tooMuch(`${path}: more than ${byteWords(KEY_LIMITS.log)} of entries have a number that was used twice`, "compare fewer logs");
    }
  return found;
}

/** The entries with these numbers among all, from 0. A copied entry is that of the first log that has it. */
function placesIn(logs: readonly ComparedLog[], places: ReadonlySet<number>): Map<number, Found> {
  if (places.size === 0) return new Map();
  const hashes = new Map<number, string>();
  let at = 0;
  for (const { all } of logs) for (const { hash } of all) if (places.has(at++)) hashes.set(at - 1, hash);
  const asked = new Set(hashes.values());
  const first = new Map<string, Found>();
  for (const { path, all } of logs)
    for (const entry of all) if (asked.has(entry.hash) && !first.has(entry.hash)) first.set(entry.hash, { path, entry });
  return new Map([...hashes].map(([place, hash]) => [place, first.get(hash) as Found]));
}

/**
 * Finds the numbers that were used twice, and the signatures without an approval that their key needs, according to all
 * of these logs together. Older entries without a leaf or a scope are ignored.
 */
export function conflicts(logs: readonly ComparedLog[]): Conflict[] {
  const comparison = new Comparison(0);
  for (const { all } of logs) for (const entry of all) comparison.take(entry);
  return comparison.conflicts(logs);
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
  version: {
    what: "version",
    hint: "the two images have one version: find out which one is in the field, and give the next one a new version",
  },
  trust: {
    what: "trust file number",
    hint: "devices may trust either file: sign one with a higher number for all of them",
  },
  family: {
    what: "key",
    hint: "what a key signs for one purpose must not count for another: make devices trust another key, and find out who has signed with this one",
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
  if (what === "family") return `key ${key?.slice(0, 16)}… signed ${number}: ${shown.join(", ")}`;
  const more = entries.length > shown.length ? `, and ${entries.length - shown.length} more` : "";
  return `${CONFLICT_WORDS[what].what} ${number}${key === null ? "" : ` of key ${key.slice(0, 16)}…`} was used twice: ${shown.join(", ")}${more}`;
}

/** Returns a Failure, LOG, with the first of at least one conflict in its message. */
export function conflictFailure(list: readonly Conflict[]): Failure {
  const [first] = list as [Conflict];
  const more = list.length > 1 ? `; and ${list.length - 1} more` : "";
  return new Failure(1, "ERR_LOG", `${conflictWords(first)}${more}`, CONFLICT_WORDS[first.what].hint);
}
