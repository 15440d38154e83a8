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
  type LogFault,
  readLog,
  refreshLog,
  type SigningLog,
  signingLogPath,
} from "@firmseal/keys";
import {
  acceptRestored,
  type Conflict,
  claimedKeys,
  conflictFailure,
  conflicts,
  environment,
  isFile,
  isLedgerPlace,
  isOfTrustFile,
  isSigning,
  LastSeen,
  ledgerPlace,
  lockLog,
  logBeside,
  looksLikeLog,
  missingFromLog,
  type PassphraseOptions,
  passphraseOptions,
  readFirstBytes,
  type SeenState,
  SIGN_RECORD,
  STDIO,
  tooMuch,
  usage,
  type WithdrawnRelease,
  withdrawalsAmong,
} from "@firmseal/keys/internal";
import type { PublicKey } from "@firmseal/signer";
import { decodeEnvelope, looksLikeTrustFile } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { type TrustEvidence, trustEvidence } from "../trust/evidence.js";
import { readEnvelopeFile } from "../verify/envelope-file.js";
import { logDigest, RELEASE } from "./authorize.js";

/** Options of auditLogs(). */
export interface AuditOptions extends PassphraseOptions, ClockOverride {
  /** An envelope that one of the logs must have a signature of. */
  envelope?: string;
  /** A new file in which two logs of a key become one. */
  mergeOut?: string;
  /** Continue logs that were truncated, restored or edited. An entry in each of them records this. */
  acceptRestored?: boolean;
}

/** A log that was audited. */
export interface AuditedLog {
  readonly log: SigningLog;
  /** The faults of its hash chain, and what it lacks of what this machine has seen. */
  readonly faults: readonly LogFault[];
}

/** A signature on a trust file without an entry in the log of its key. */
export interface UnloggedSignature {
  readonly file: string;
  /** The thumbprint of the key, in hex. */
  readonly key: string;
}

/** A release whose boards have entries of `release`, and whose record has none: it was interrupted. */
export interface UnrecordedRelease {
  readonly log: string;
  readonly version: string;
  /** The thumbprint of the key, in hex. */
  readonly key: string | null;
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
  readonly envelope: { readonly file: string; readonly digest: string; readonly signed: readonly SignedEntry[] } | undefined;
  /** The first thing that is wrong. undefined if nothing is. */
  readonly failure: Failure | undefined;
}

/** The entry of a signature: its log, its number, and the thumbprint of its key. */
export interface SignedEntry {
  readonly log: string;
  readonly entry: number;
  readonly key: string | null;
}

interface LogPlace {
  path: string;
  /** Thumbprint of the key that it is the log of; undefined where the log itself was named. */
  key?: string;
}

interface InspectedLog {
  log: SigningLog;
  faults: LogFault[];
  keys: string[];
  /** What was seen of the logs of these keys. */
  seen: (SeenState | undefined)[];
}

/** A log itself, or the log beside a key file that names the key. Undefined: the key must be opened for that. */
function placeWithoutKey(ref: string): LogPlace | undefined {
  if (!isFile(ref)) return undefined;
  if (looksLikeLog(readFirstBytes(ref, 16))) return { path: ref };
  const beside = logBeside(ref);
  return beside !== undefined && readLog(beside).entries.some((e) => e.key !== undefined) ? { path: beside } : undefined;
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
      "the key has not signed here; if the log is elsewhere, name the log file (KEY.log, beside the private key)",
    );
  return { path, key: name };
}

/** Reads a log and its faults. The last-seen mark comes first: a log that grows meanwhile must not seem too short. */
export function inspectLog({ path, key }: LogPlace): InspectedLog {
  const first = readLog(path);
  const named = [...(key === undefined ? [] : [key]), ...first.all.flatMap((e) => e.key ?? [])];
  // a name becomes part of a file name
  const keys = [...new Set(named)].filter((name) => /^[0-9a-f]{64}$/.test(name));
  if (keys.length > LIMITS.logKeys)
    throw tooMuch(`${path}: the log names more than ${LIMITS.logKeys} keys`, "a log serves a few keys: name the log of one of your keys");
  const seen = keys.map((name) => new LastSeen(name, "log").read());
  const log = readLog(path);
  return { log, faults: [...log.faults, ...seen.flatMap((s) => missingFromLog(log, s))], keys, seen };
}

/**
 * Several logs of one key, as copies of a key have their own: one of them must have what this machine has seen. Its own
 * log must have it.
 */
function withoutCopies(all: readonly InspectedLog[]): InspectedLog[] {
  return all.map((one) => {
    const elsewhere = (s: SeenState) =>
      s.path !== undefined && resolve(s.path) !== resolve(one.log.path) && all.some((other) => missingFromLog(other.log, s).length === 0);
    const wanted = one.seen.filter((s) => s === undefined || !elsewhere(s));
    return { ...one, faults: [...one.log.faults, ...wanted.flatMap((s) => missingFromLog(one.log, s))] };
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
  const bad = withoutCopies(places.map(inspectLog)).find(({ faults }) => faults.length > 0);
  if (bad) throw damagedLog(bad.log, bad.faults);
  joinLogs(first.path, second.path, out, o);
  return { path: out };
}

async function acceptLog(place: LogPlace, o: ClockOverride): Promise<void> {
  const lock = await lockLog(resolve(place.path));
  try {
    const { log, faults, keys } = inspectLog(place);
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

/** Signatures without an entry in any log: those with one have already been compared. */
function unentered(evidence: readonly TrustEvidence[], logs: readonly SigningLog[]): TrustEvidence[] {
  const entered = new Set(logs.flatMap(({ all }) => all.filter((e) => isSigning(e)).map((e) => `${e.key} ${e.digest}`)));
  return evidence.map(({ path, entries }) => ({ path, entries: entries.filter((e) => !entered.has(`${e.key} ${e.digest}`)) }));
}

/** Signatures of keys whose log is here, and does not know them. Of other keys nothing is known. */
function withoutEntry(evidence: readonly TrustEvidence[], logs: readonly SigningLog[]): UnloggedSignature[] {
  const keys = new Set(logs.flatMap(({ all }) => all.flatMap((e) => (isOfTrustFile(e) ? (e.key ?? []) : []))));
  return unentered(evidence, logs).flatMap(({ path, entries }) =>
    entries.flatMap(({ key }) => (key !== undefined && keys.has(key) ? [{ file: path, key }] : [])),
  );
}

/** The releases that logs withdraw, with the earliest of their entries. */
function withdrawnIn(logs: readonly SigningLog[]): WithdrawnRelease[] {
  const out = new Map<string, WithdrawnRelease>();
  for (const { version, sequence, reason, time } of logs.flatMap(({ all }) => withdrawalsAmong(all))) {
    const name = `${version ?? ""} ${sequence}`;
    const before = out.get(name);
    if (!before || time < before.time) out.set(name, { version, sequence, reason, time });
  }
  return [...out.values()];
}

/** The releases without an entry about their record. Each key that signs the boards signs it, and enters that last. */
function unrecordedIn({ path, all }: SigningLog): UnrecordedRelease[] {
  const nameOf = ({ key, version }: Entry) => `${key} ${version}`;
  const recorded = new Set(all.flatMap((e) => (e.operation === SIGN_RECORD ? nameOf(e) : [])));
  const open = all.filter((e) => e.operation === RELEASE && e.version !== undefined && !recorded.has(nameOf(e)));
  const first = new Map(open.map((e) => [nameOf(e), e]));
  return [...first.values()].map(({ version, key }) => ({ log: path, version: version as string, key: key ?? null }));
}

function withoutLog({ file, key }: UnloggedSignature): Failure {
  return new Failure(
    1,
    "ERR_LOG",
    `${file}: key ${key.slice(0, 16)}… has signed it, and no log here has an entry for that`,
    "name the logs of every machine on which this root signs; if none has it, somebody has the key but not the log",
  );
}

function damagedLog(log: SigningLog, faults: readonly LogFault[]): Failure {
  const [first] = faults as [LogFault];
  const more = faults.length > 1 ? `, and ${faults.length - 1} more` : "";
  return new Failure(
    1,
    "ERR_LOG",
    `${log.path}: ${logFaultWords(first)}${more}`,
    "restore the right log; if there is none, `acceptRestored` continues this one and records that",
  );
}

function notInLog(envelope: string): Failure {
  return new Failure(
    1,
    "ERR_LOG",
    `${envelope}: the log has no signature of this manifest`,
    "check the logs of the other keys; if no log has it, find out who signed it",
  );
}

/** Describes a fault of a log in words. */
export const logFaultWords = ({ line, what }: LogFault) => (line > 0 ? `line ${line}: ${what}` : what);

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
  const digest = o.envelope === undefined ? undefined : digestIn(o.envelope);
  const refs: string[] = [];
  for (const ref of given) refs.push((await refreshLog(ref)) as string);
  const copies = new Set(refs.filter((_, i) => isLedgerPlace(given[i])));
  const isList = (ref: string) => isFile(ref) && looksLikeTrustFile(readFirstBytes(ref, 2));
  const evidence = trustEvidence(refs.filter(isList));
  const places = await placesFor(
    refs.filter((ref) => !isList(ref)),
    copies,
    o,
  );
  if (o.acceptRestored) for (const place of places) await acceptLog(place, o);
  const audited = withoutCopies((o.mergeOut === undefined ? places : [joined(places, o.mergeOut, o)]).map(inspectLog));
  const logs = audited.map(({ log }) => log);
  const twice = conflicts([...logs, ...unentered(evidence, logs).map(({ path, entries }) => ({ path, all: entries }))]);
  const unlogged = withoutEntry(evidence, logs);
  const signed = logs.flatMap(({ path, all }) =>
    all
      .filter((e) => digest !== undefined && e.digest === digest && isSigning(e))
      .map((e) => ({ log: path, entry: e.n, key: e.key ?? null })),
  );
  const envelope = digest === undefined ? undefined : { file: o.envelope as string, digest, signed };
  const unrecorded = logs.flatMap(unrecordedIn);
  const withdrawn = withdrawnIn(logs);
  return {
    logs: audited,
    evidence,
    unlogged,
    withdrawn,
    unrecorded,
    conflicts: twice,
    envelope,
    failure: failureIn(audited, twice, unlogged, envelope),
  };
}

function failureIn(
  logs: readonly AuditedLog[],
  twice: readonly Conflict[],
  [unlogged]: readonly UnloggedSignature[],
  envelope: LogAudit["envelope"],
): Failure | undefined {
  const bad = logs.find(({ faults }) => faults.length > 0);
  if (bad) return damagedLog(bad.log, bad.faults);
  if (twice.length > 0) return conflictFailure(twice);
  if (unlogged) return withoutLog(unlogged);
  return envelope?.signed.length === 0 ? notInLog(envelope.file) : undefined;
}
