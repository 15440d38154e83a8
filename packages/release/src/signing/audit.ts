// Audits signing logs: the hash chain of each, that it has everything that was seen before, and that no two logs or
// trust files have the same number. Of trust files, also that every signature of a known root has an entry.

import { statSync } from "node:fs";
import { resolve } from "node:path";
import {
  type ClockOverride,
  type Entry,
  Failure,
  joinLogs,
  keyName,
  type LateEntry,
  type LogFault,
  refreshLog,
  type SigningLog,
  signingLogPath,
} from "@firmseal/keys";
import {
  acceptRestored,
  type Conflict,
  claimedKeys,
  conflictFailure,
  environment,
  firstKey,
  isFile,
  isLedgerPlace,
  isMirror,
  LastSeen,
  ledgerPlace,
  linesAgain,
  lockLog,
  logBeside,
  logFaultWords,
  looksLikeLog,
  missingFromLog,
  type PassphraseOptions,
  passphraseOptions,
  type ReadLine,
  readFirstBytes,
  type SeenState,
  STDIO,
  usage,
  type WithdrawnRelease,
} from "@firmseal/keys/internal";
import type { PublicKey } from "@firmseal/signer";
import { decodeEnvelope, looksLikeTrustFile } from "@firmseal/verifier/tools";
import { batchFault, readShard } from "../input/shard.js";
import { type TrustEvidence, trustEvidence } from "../trust/evidence.js";
import { readEnvelopeFile } from "../verify/envelope-file.js";
import { type AskedOfLogs, type LogPlace, type LogRead, readLogs, type SignedEntry, type UnrecordedRelease } from "./read-logs.js";
import { logDigest } from "./scope.js";

/** Options of auditLogs(). */
export interface AuditOptions extends PassphraseOptions, ClockOverride {
  /** An envelope that one of the logs must have a signature of. */
  envelope?: string;
  /** The index of the shard that the envelope is in. */
  batch?: string;
  /** A new file in which two logs of a key become one. */
  mergeOut?: string;
  /** Continue logs that were truncated, restored or edited. An entry in each of them records this. */
  acceptRestored?: boolean;
}

/** A log that was audited. */
export interface AuditedLog {
  /** The log file. */
  readonly path: string;
  /** The faults of its hash chain, and what it lacks of what this machine has seen. */
  readonly faults: readonly LogFault[];
  /** The faults that a later entry accepts. */
  readonly accepted: readonly LogFault[];
  /** Entries that came too late. firmseal signs nothing with one, but a copy of the key may have. */
  readonly late: readonly LateEntry[];
  /** Bytes of an entry that was cut short. */
  readonly torn: number;
  /** The number of entries that count, and the last one. */
  readonly count: number;
  readonly last: Entry | undefined;
  /** The entries that count. Each time, the file is read again, which must not have changed up to there. */
  readonly entries: Iterable<Entry>;
  /** The lines of the file, with what is wrong with each; in the same way. */
  readonly lines: Iterable<ReadLine>;
}

/** A signature on a trust file without an entry in the log of its key. */
export interface UnloggedSignature {
  readonly file: string;
  /** The thumbprint of the key, in hex. */
  readonly key: string;
}

/** An envelope whose signatures were looked for. */
export interface AuditedEnvelope {
  readonly file: string;
  /** The digest of its manifest. */
  readonly digest: string;
  /** The root of its shard, if an index was given: the logs have that. */
  readonly shard?: string;
  readonly signed: readonly SignedEntry[];
}

/** The result of auditLogs(). */
export interface LogAudit {
  readonly logs: readonly AuditedLog[];
  /** The trust files, and which roots have signed each. */
  readonly evidence: readonly TrustEvidence[];
  readonly unlogged: readonly UnloggedSignature[];
  /** The releases that the logs withdraw, each once. */
  readonly withdrawn: readonly WithdrawnRelease[];
  readonly unrecorded: readonly UnrecordedRelease[];
  /** The numbers that were used twice. */
  readonly conflicts: readonly Conflict[];
  /** The envelope that was asked for: the digest of its manifest, and the entries that signed it. */
  readonly envelope: AuditedEnvelope | undefined;
  /** The first thing that is wrong. undefined if nothing is. */
  readonly failure: Failure | undefined;
}

/** A log itself, or the log beside a key file that names the key. Undefined: the key must be opened for that. */
function placeWithoutKey(ref: string): LogPlace | undefined {
  if (!isFile(ref)) return undefined;
  if (looksLikeLog(readFirstBytes(ref, 16))) return { path: ref };
  const beside = logBeside(ref);
  return beside !== undefined && firstKey(beside) !== undefined ? { path: beside } : undefined;
}

/**
 * The places of all logs. `copies`: those of ledgers. Keys are opened together: each passphrase belongs to one of them.
 */
async function placesFor(refs: readonly string[], copies: ReadonlySet<string>, o: AuditOptions): Promise<LogPlace[]> {
  // the copy of an empty ledger is not there
  const known = refs.map((ref) => (copies.has(ref) ? { path: ref } : placeWithoutKey(ref)));
  const unknown = refs.filter((_, i) => known[i] === undefined);
  const keys = await claimedKeys(unknown, passphraseOptions(o));
  return refs.map((ref, i) => known[i] ?? placeFor(ref, keys[unknown.indexOf(ref)] as PublicKey));
}

/** The log of a key. */
function placeFor(ref: string, key: PublicKey): LogPlace {
  const name = keyName(key);
  const path = signingLogPath({ name: ref, public: key }, undefined);
  // one that was here and is gone is a fault of the log
  if (!statSync(path, { throwIfNoEntry: false }) && new LastSeen(name, "log").read()?.path === undefined)
    throw environment(
      `${ref}: no signing log for this key`,
      "the key has not signed here; if the log is elsewhere, name the log file (KEY.log, beside the private key), or the place of the ledger",
    );
  return { path, key: name };
}

/** Reads a log and its faults. It has the entries that decide, among them all that withdraw releases. */
export function inspectLog(place: LogPlace): FaultyLog & LogRead {
  const [one] = readLogs([place], NOTHING).logs as [LogRead];
  return { ...one, faults: [...one.log.faults, ...one.seen.flatMap((s) => missingFromLog(one.log, s))] };
}

interface FaultyLog {
  log: SigningLog;
  faults: LogFault[];
}

/**
 * Several logs of one key, as copies of a key have their own: one of them must have what this machine has seen. Its own
 * log must have it.
 */
function withoutCopies(all: readonly LogRead[]): FaultyLog[] {
  return all.map(({ log, seen }) => {
    const elsewhere = (s: SeenState) =>
      s.path !== undefined && resolve(s.path) !== resolve(log.path) && all.some((other) => missingFromLog(other.log, s).length === 0);
    const wanted = seen.filter((s) => s === undefined || !elsewhere(s));
    return { log, faults: [...log.faults, ...wanted.flatMap((s) => missingFromLog(log, s))] };
  });
}

/** The log that two of one key become. Throws the Failure of a log with a fault. */
function joined(places: readonly LogPlace[], out: string, o: ClockOverride): LogPlace {
  const [first, second, ...more] = places;
  if (!first || !second || more.length > 0)
    throw usage(
      `\`mergeOut\` joins two logs, and ${places.length === 1 ? "one is" : `${places.length} are`} given`,
      "name two logs of one key",
    );
  if (out === STDIO) throw usage("`mergeOut` -: a log cannot go to stdout", "name a new file for it");
  const bad = withoutCopies(readLogs(places, NOTHING).logs).find(({ faults }) => faults.length > 0);
  if (bad) throw damagedLog(bad.log, bad.faults);
  joinLogs(first.path, second.path, out, o);
  return { path: out };
}

async function acceptLog(place: LogPlace, o: ClockOverride): Promise<void> {
  const lock = await lockLog(resolve(place.path));
  try {
    const { log, faults, keys, seen } = inspectLog(place);
    // a copy only grows with its ledger, and another log is not the one that this machine has seen
    if (isMirror(place.path) || seen.some((one) => one?.path !== undefined && isMirror(one.path)))
      throw usage(
        `${place.path}: the key signs with a ledger, so \`acceptRestored\` accepts nothing here`,
        "firmseal ledger verify shows what is wrong; firmseal ledger import brings back what the ledger lacks",
      );
    if (faults.length === 0) throw usage(`${place.path}: this log has no fault`, "drop `acceptRestored`");
    await acceptRestored(log, keys, o);
  } finally {
    lock.release();
  }
}

function digestIn(file: string): string {
  const { digest } = decodeEnvelope(readEnvelopeFile(file));
  if (!digest) throw usage(`${file}: the envelope is not signed`, "give an envelope that firmseal sign wrote");
  return logDigest({ digest });
}

/** The root of the shard that has a manifest. Throws a Failure if it has another one. */
function shardOf(digest: string, envelope: string, index: string): string {
  const { manifests, root } = readShard(index);
  if (manifests.some((one) => one.digest === digest)) return root;
  throw batchFault(`${index}: the shard does not have ${envelope}`, "give the index beside the folder that the envelope was written to");
}

function withoutLog({ file, key }: UnloggedSignature): Failure {
  return new Failure(
    1,
    "ERR_LOG",
    `${file}: key ${key.slice(0, 16)}… has signed it, and no log here has an entry for that`,
    "name the logs of every machine on which this root signs; if none has it, somebody has the key but not the log",
  );
}

function damagedLog(log: { path: string }, faults: readonly LogFault[]): Failure {
  const [first] = faults as [LogFault];
  const more = faults.length > 1 ? `, and ${faults.length - 1} more` : "";
  return new Failure(
    1,
    "ERR_LOG",
    `${log.path}: ${logFaultWords(first)}${more}`,
    "restore the right log; if there is none, `acceptRestored` continues this one and records that",
  );
}

function notInLog(envelope: string, hasShards: boolean): Failure {
  return new Failure(
    1,
    "ERR_LOG",
    `${envelope}: the log has no signature of this manifest`,
    hasShards
      ? "if firmseal batch signed it, give the index of its shard: `batch` FILE; otherwise find out who signed it"
      : "check the logs of the other keys; if no log has it, find out who signed it",
  );
}

/**
 * Audits the logs of keys, and trust files. Nothing is written but the entries of `acceptRestored`, and the log of
 * `mergeOut`, which is then audited instead.
 *
 * @param given - Keys, log files, places of ledgers, or trust files.
 * @param o - What else to check, and what to write.
 * @returns What is wrong with the logs, and the first of it as a Failure.
 * @throws KeyFileError or Failure if something cannot be read.
 * @example
 * ```ts
 * import { auditLogs } from "@firmseal/release";
 *
 * const { logs, failure } = await auditLogs(["release.pem.log"], {});
 * if (failure) throw failure;
 * console.log(`${logs.length} logs are good`);
 * ```
 */
export async function auditLogs(given: readonly string[], o: AuditOptions): Promise<LogAudit> {
  if (o.acceptRestored && o.mergeOut !== undefined)
    throw usage("`mergeOut` joins logs without faults, and `acceptRestored` accepts faults", "give one of the two");
  if (o.allowClock && !o.acceptRestored && o.mergeOut === undefined)
    throw usage("`allowClock`: nothing is entered in a log", "drop it, or give `acceptRestored` or `mergeOut`");
  const ledger = given.find(isLedgerPlace);
  if (ledger !== undefined && o.acceptRestored)
    throw usage(
      `\`acceptRestored\` is for a log in a file, and ${ledgerPlace(ledger).text} is a ledger`,
      "bring what it lacks from the copy of a machine: firmseal ledger import COPY; firmseal ledger verify shows what is wrong",
    );
  if (o.batch !== undefined && o.envelope === undefined)
    throw usage("`batch` says in which shard an envelope is, and none is given", "name the envelope: `envelope` FILE");
  const digest = o.envelope === undefined ? undefined : digestIn(o.envelope);
  const shard = o.batch === undefined ? undefined : shardOf(digest as string, o.envelope as string, o.batch);
  const refs: string[] = [];
  for (const ref of given) refs.push((await refreshLog(ref, { whole: true })) as string);
  const copies = new Set(refs.filter((_, i) => isLedgerPlace(given[i])));
  const isList = (ref: string) => isFile(ref) && looksLikeTrustFile(readFirstBytes(ref, 2));
  const evidence = trustEvidence(refs.filter(isList));
  const places = await placesFor(
    refs.filter((ref) => !isList(ref)),
    copies,
    o,
  );
  if (o.acceptRestored) for (const place of places) await acceptLog(place, o);
  const { logs, findings } = readLogs(o.mergeOut === undefined ? places : [joined(places, o.mergeOut, o)], {
    evidence,
    digest: shard ?? digest,
  });
  const audited = withoutCopies(logs).map(auditedLog);
  const twice = findings.conflicts(logs.map(({ log }) => log));
  const { unlogged, withdrawn, unrecorded, signed } = findings;
  const envelope = digest === undefined ? undefined : { file: o.envelope as string, digest, ...(shard !== undefined && { shard }), signed };
  return {
    logs: audited,
    evidence,
    unlogged,
    withdrawn,
    unrecorded,
    conflicts: twice,
    envelope,
    failure: failureIn(audited, twice, unlogged, envelope, findings.hasShards && shard === undefined),
  };
}

/** Nothing but the logs is asked. */
const NOTHING: AskedOfLogs = { evidence: [] };

function auditedLog({ log, faults }: FaultyLog): AuditedLog {
  const { path, accepted, late, torn, count, last } = log;
  const again = () => linesAgain(log);
  const entries = function* () {
    for (const { counted } of again()) yield* counted;
  };
  return { path, faults, accepted, late, torn, count, last, entries: { [Symbol.iterator]: entries }, lines: { [Symbol.iterator]: again } };
}

function failureIn(
  logs: readonly AuditedLog[],
  twice: readonly Conflict[],
  [unlogged]: readonly UnloggedSignature[],
  envelope: LogAudit["envelope"],
  hasShards: boolean,
): Failure | undefined {
  const bad = logs.find(({ faults }) => faults.length > 0);
  if (bad) return damagedLog(bad, bad.faults);
  if (twice.length > 0) return conflictFailure(twice);
  if (unlogged) return withoutLog(unlogged);
  return envelope?.signed.length === 0 ? notInLog(envelope.file, hasShards) : undefined;
}
