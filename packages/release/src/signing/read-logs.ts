// Reads the logs that `audit` verifies, of any length: one pass over each, which keeps what is asked of them.

import type { Entry, SigningLog } from "@firmseal/keys";
import {
  Comparison,
  type Conflict,
  entriesOf,
  fingerprint,
  firstKey,
  isFile,
  isOfTrustFile,
  isSigning,
  LastSeen,
  NumberSet,
  readDeciding,
  type SeenState,
  SIGN_BATCH,
  SIGN_RECORD,
  sizeOf,
  tooMuch,
  type WithdrawnRelease,
  withdrawalsAmong,
} from "@firmseal/keys/internal";
import { LIMITS } from "../input/limits.js";
import type { TrustEvidence } from "../trust/evidence.js";
import { RELEASE } from "./authorize.js";

/** Where a log is. */
export interface LogPlace {
  path: string;
  /** Thumbprint of the key that it is the log of; undefined where the log itself was named. */
  key?: string;
}

/** A log that was read, with the keys that it names, and what was seen of their logs. */
export interface LogRead {
  readonly log: SigningLog;
  readonly keys: readonly string[];
  readonly seen: readonly (SeenState | undefined)[];
}

/** A release whose boards have entries of `release`, and whose record has none: it was interrupted. */
export interface UnrecordedRelease {
  readonly log: string;
  readonly version: string;
  /** The thumbprint of the key, in hex. */
  readonly key: string | null;
}

/** The entry of a signature: its log, its number, and the thumbprint of its key. */
export interface SignedEntry {
  readonly log: string;
  readonly entry: number;
  readonly key: string | null;
}

/** What is asked of logs, beside the logs themselves. */
export interface AskedOfLogs {
  /** Trust files, whose signatures are compared with the entries. */
  readonly evidence: readonly TrustEvidence[];
  /** The digest whose signatures are looked for: of a manifest, or the root of its shard. */
  readonly digest?: string | undefined;
}

/** What the entries of logs say, collected in one pass. */
export class LogFindings {
  /** The entries that signed the digest. */
  readonly signed: SignedEntry[] = [];
  /** Whether a log has shards, each of which is one digest for many manifests. */
  hasShards = false;
  private readonly releases = new Map<string, WithdrawnRelease>();
  private readonly comparison: Comparison;
  /** Signatures of trust files: key and digest. Those that have an entry, and keys that have entries of trust files. */
  private readonly wanted: ReadonlySet<string>;
  private readonly entered = new Set<string>();
  private readonly trustKeys = new Set<string>();
  private readonly open: { log: string; recorded: NumberSet; releases: Map<string, UnrecordedRelease> }[] = [];

  constructor(
    places: readonly LogPlace[],
    private readonly asked: AskedOfLogs,
  ) {
    this.comparison = new Comparison(places.reduce((sum, { path }) => sum + (isFile(path) ? sizeOf(path) : 0), 0));
    this.wanted = new Set(asked.evidence.flatMap(({ entries }) => entries.map(nameOfSignature)));
  }

  /** Begins a log. Its entries follow, in the order of the lines, also the late ones. */
  begin(path: string): void {
    this.open.push({ log: path, recorded: new NumberSet(), releases: new Map() });
  }

  take(e: Entry): void {
    this.comparison.take(e);
    const log = this.open.at(-1) as (typeof this.open)[number];
    this.hasShards ||= e.operation === SIGN_BATCH;
    if (isSigning(e)) {
      if (this.asked.digest !== undefined && e.digest === this.asked.digest)
        this.signed.push({ log: log.log, entry: e.n, key: e.key ?? null });
      if (this.wanted.size > 0 && this.wanted.has(nameOfSignature(e))) this.entered.add(nameOfSignature(e));
    }
    if (this.wanted.size > 0 && e.key !== undefined && isOfTrustFile(e)) this.trustKeys.add(e.key);
    for (const { version, sequence, reason, time } of withdrawalsAmong([e])) {
      const name = `${version ?? ""} ${sequence}`;
      const before = this.releases.get(name);
      if (!before || time < before.time) this.releases.set(name, { version, sequence, reason, time });
    }
    const name = `${e.key} ${e.version}`;
    if (e.operation === SIGN_RECORD) {
      log.recorded.add(fingerprint(name));
      log.releases.delete(name);
    } else if (e.operation === RELEASE && e.version !== undefined && !log.recorded.has(fingerprint(name)))
      log.releases.set(name, { log: log.log, version: e.version, key: e.key ?? null });
  }

  /** The releases that the logs withdraw, with the earliest of their entries. */
  get withdrawn(): WithdrawnRelease[] {
    return [...this.releases.values()];
  }

  /** The releases without an entry about their record. Each key that signs the boards signs it, and enters it last. */
  get unrecorded(): UnrecordedRelease[] {
    return this.open.flatMap(({ releases }) => [...releases.values()]);
  }

  /** Signatures of trust files without an entry in any log: those with one have already been compared. */
  private unentered(): TrustEvidence[] {
    return this.asked.evidence.map(({ path, entries }) => ({
      path,
      entries: entries.filter((e) => !this.entered.has(nameOfSignature(e))),
    }));
  }

  /** Those of keys whose log is here, and does not know them. Of other keys nothing is known. */
  get unlogged(): { file: string; key: string }[] {
    return this.unentered().flatMap(({ path, entries }) =>
      entries.flatMap(({ key }) => (key !== undefined && this.trustKeys.has(key) ? [{ file: path, key }] : [])),
    );
  }

  /** The conflicts between the logs that were taken, and the trust files. Reads logs again if there may be one. */
  conflicts(logs: readonly SigningLog[]): Conflict[] {
    const files = this.unentered().map(({ path, entries }) => ({ path, all: entries }));
    for (const { all } of files) for (const entry of all) this.comparison.take(entry);
    return this.comparison.conflicts([...logs.map((log) => ({ path: log.path, all: entriesOf(log) })), ...files]);
  }
}

const nameOfSignature = ({ key, digest }: Pick<Entry, "key" | "digest">) => `${key} ${digest}`;

/** Lines among which the key of a log is looked for, before all are read. */
const FIRST_LINES = 100;

/** The thumbprint of a key: it becomes part of a file name. */
const isThumbprint = (name: string | undefined): name is string => name !== undefined && /^[0-9a-f]{64}$/.test(name);

/**
 * Reads logs, in one pass over each. The last-seen marks of their keys come first: a log that grows meanwhile must not
 * seem too short. If a key with a mark turns out only then, the logs are read once more. Throws a Failure if a log
 * names too many keys.
 */
export function readLogs(places: readonly LogPlace[], asked: AskedOfLogs): { logs: LogRead[]; findings: LogFindings } {
  const marks = new Map<string, SeenState | undefined>();
  const look = (names: Iterable<string>) => {
    let isNew = false;
    for (const name of names) {
      if (marks.has(name)) continue;
      const seen = new LastSeen(name, "log").read();
      marks.set(name, seen);
      isNew ||= seen !== undefined;
    }
    return isNew;
  };
  for (const place of places) look([place.key, firstKey(place.path, FIRST_LINES)].filter(isThumbprint));
  for (;;) {
    const findings = new LogFindings(places, asked);
    const read = places.map((place) => readOne(place, [...marks.values()], findings));
    if (read.map(({ keys }) => look(keys)).includes(true)) continue;
    return { logs: read.map((one) => ({ ...one, seen: one.keys.map((name) => marks.get(name)) })), findings };
  }
}

function readOne({ path, key }: LogPlace, seen: readonly (SeenState | undefined)[], findings: LogFindings): Omit<LogRead, "seen"> {
  const keys = new Set([key].filter(isThumbprint));
  findings.begin(path);
  const log = readDeciding(path, seen, ({ entry }) => {
    if (!entry) return;
    findings.take(entry);
    if (entry.key === undefined || keys.has(entry.key) || !isThumbprint(entry.key)) return;
    keys.add(entry.key);
    if (keys.size > LIMITS.logKeys)
      throw tooMuch(`${path}: the log names more than ${LIMITS.logKeys} keys`, "a log serves a few keys: name the log of one of your keys");
  });
  return { log, keys: [...keys] };
}
