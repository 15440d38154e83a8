// Verifies signing logs: the chain of each, that nothing seen before is missing, and that no two logs have the same number.

import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import {
  acceptRestored,
  CODES,
  claimedKey,
  conflictFailure,
  conflicts,
  conflictWords,
  type Entry,
  environment,
  Failure,
  isNumberOf,
  isOfTrustFile,
  isSigning,
  keyName,
  LastSeen,
  type LogFault,
  lockLog,
  looksLikeLog,
  missingFromLog,
  type PassphraseOptions,
  passphraseOptions,
  readFirstBytes,
  readLog,
  type Seen,
  type SigningLog,
  signingLogPath,
  someOf,
  tooMuch,
  usage,
} from "@firmseal/keys";
import { LIMITS, logDigest, readEnvelopeFile, type TrustEvidence, trustEvidence } from "@firmseal/release";
import { isTrust } from "@firmseal/signer";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { passphrases } from "../../common/options.js";
import { membersOf, type Shape } from "../../common/shapes.js";
import { plural } from "../../common/words.js";
import { type Line, RefusedWithFacts } from "../../show/render.js";

export interface AuditOptions extends PassphraseOptions {
  envelope?: string;
  acceptRestored?: boolean;
  json?: boolean;
}

interface LogPlace {
  path: string;
  /** Thumbprint of the key that it is the log of; undefined where the log itself was named. */
  key?: string;
}

/** A log itself, or the log of a key. A key file is opened only if the log beside it does not name the key. */
async function placeFor(ref: string, o: AuditOptions): Promise<LogPlace> {
  const isFile = statSync(ref, { throwIfNoEntry: false })?.isFile() === true;
  if (isFile && looksLikeLog(readFirstBytes(ref, 16))) return { path: ref };
  const beside = isFile ? `${realpathSync(ref)}.log` : ref;
  if (isFile && readLog(beside).entries.some((e) => e.key !== undefined)) return { path: beside };
  const key = await claimedKey(ref, passphraseOptions(o));
  const name = keyName(key);
  const inState = signingLogPath({ name: ref, public: key }, undefined);
  // no log is beside a public key; the last signature recorded where the log is
  const seen = new LastSeen(name, "log").read()?.path;
  const path = [beside, inState].find((p) => p !== ref && statSync(p, { throwIfNoEntry: false })) ?? seen;
  if (path === undefined)
    throw environment(`${ref}: this machine has no signing log of this key`, "name the log file: KEY.log is beside the private key");
  return { path, key: name };
}

/** A log with its faults. What was seen is read first: the log may grow meanwhile, and must not seem too short then. */
function inspectLog({ path, key }: LogPlace): InspectedLog {
  const first = readLog(path);
  const named = [...(key === undefined ? [] : [key]), ...first.entries.flatMap((e) => e.key ?? [])];
  // a name becomes part of a file name
  const keys = [...new Set(named)].filter((name) => /^[0-9a-f]{64}$/.test(name));
  if (keys.length > LIMITS.logKeys)
    throw tooMuch(`${path}: the log names more than ${LIMITS.logKeys} keys`, "a log serves a few keys: name the log of one of your keys");
  const seen = keys.map((name) => new LastSeen(name, "log").read());
  const log = readLog(path);
  return { log, faults: [...log.faults, ...seen.flatMap((s) => missingFromLog(log, s))], keys, seen };
}

const FAULT: Shape = {
  line: ["number", "line of the log; 0: none"],
  what: ["string", "what is wrong"],
};

interface InspectedLog {
  log: SigningLog;
  faults: LogFault[];
  keys: string[];
  /** What was seen of the logs of these keys. */
  seen: (Seen | undefined)[];
}

/** Several logs of one key, as copies of a key have their own: one of them must have what this machine has seen. Its own log must have it. */
function withoutCopies(all: readonly InspectedLog[]): InspectedLog[] {
  return all.map((one) => {
    const elsewhere = (s: Seen) =>
      s.path !== undefined && resolve(s.path) !== resolve(one.log.path) && all.some((other) => missingFromLog(other.log, s).length === 0);
    const wanted = one.seen.filter((s) => s === undefined || !elsewhere(s));
    return { ...one, faults: [...one.log.faults, ...wanted.flatMap((s) => missingFromLog(one.log, s))] };
  });
}

async function acceptLog(place: LogPlace): Promise<void> {
  const lock = await lockLog(resolve(place.path));
  try {
    const { log, faults, keys } = inspectLog(place);
    if (faults.length === 0) throw usage(`${place.path}: this log has no fault`, "drop --accept-restored");
    await acceptRestored(log, keys);
  } finally {
    lock.release();
  }
}

function digestIn(file: string): string {
  const { digest } = decodeEnvelope(readEnvelopeFile(file));
  if (!digest) throw usage(`${file}: the envelope is not signed`, "give an envelope that firmseal sign wrote");
  return logDigest({ digest });
}

/** Verifies logs. Refuses a log that was changed, or that does not know the envelope. */
async function audit(refs: readonly string[], o: AuditOptions) {
  const digest = o.envelope === undefined ? undefined : digestIn(o.envelope);
  const isList = (ref: string) => statSync(ref, { throwIfNoEntry: false })?.isFile() === true && isTrust(readFirstBytes(ref, 2));
  const evidence = trustEvidence(refs.filter(isList));
  const places: LogPlace[] = [];
  for (const ref of refs) if (!isList(ref)) places.push(await placeFor(ref, o));
  if (o.acceptRestored) for (const place of places) await acceptLog(place);
  const looked = withoutCopies(places.map(inspectLog));
  const found = looked.flatMap(({ log }) =>
    log.entries
      .filter((e) => digest !== undefined && e.digest === digest && isSigning(e))
      .map((e) => ({ log: log.path, entry: e.n, key: e.key ?? null })),
  );
  const logs = looked.map(({ log }) => log);
  const twice = conflicts([...logs, ...unentered(evidence, logs)]);
  const unlogged = withoutEntry(evidence, logs);
  const facts = {
    logs: looked.map(({ log, faults }) => ({
      log: log.path,
      ok: faults.length === 0,
      entries: log.entries,
      faults,
      accepted: log.accepted,
      late: log.late,
      torn: log.torn,
      hash: log.entries.at(-1)?.hash ?? null,
    })),
    trust: evidence.map(({ path, entries }) => ({
      file: path,
      signed: entries.map(({ key, sequence, digest }) => ({ key: key as string, sequence: sequence as string, digest: digest as string })),
    })),
    unlogged,
    conflicts: twice,
    ...(digest !== undefined && { envelope: { file: o.envelope as string, digest, signed: found } }),
  };
  const bad = looked.find(({ faults }) => faults.length > 0);
  const failure = bad
    ? damagedLog(bad.log, bad.faults)
    : twice.length > 0
      ? conflictFailure(twice)
      : unlogged[0]
        ? withoutLog(unlogged[0])
        : digest !== undefined && found.length === 0
          ? notInLog(o.envelope as string)
          : undefined;
  if (failure) throw new RefusedWithFacts(failure, facts);
  return facts;
}

/** Signatures without an entry in any log: those with one are compared already. */
function unentered(evidence: readonly TrustEvidence[], logs: readonly SigningLog[]): TrustEvidence[] {
  const entered = new Set(logs.flatMap(({ entries }) => entries.filter((e) => isSigning(e)).map((e) => `${e.key} ${e.digest}`)));
  return evidence.map(({ path, entries }) => ({ path, entries: entries.filter((e) => !entered.has(`${e.key} ${e.digest}`)) }));
}

interface Unlogged {
  file: string;
  key: string;
}

/** Signatures of keys whose log is here, and does not know them. Of other keys nothing is known. */
function withoutEntry(evidence: readonly TrustEvidence[], logs: readonly SigningLog[]): Unlogged[] {
  const keys = new Set(logs.flatMap(({ entries }) => entries.flatMap((e) => (isOfTrustFile(e) ? (e.key ?? []) : []))));
  return unentered(evidence, logs).flatMap(({ path, entries }) =>
    entries.flatMap(({ key }) => (key !== undefined && keys.has(key) ? [{ file: path, key }] : [])),
  );
}

function withoutLog({ file, key }: Unlogged): Failure {
  return new Failure(
    1,
    "LOG",
    CODES.LOG,
    `${file}: key ${key.slice(0, 16)}… has signed it, and no log here has an entry for that`,
    "name the logs of every machine on which this root signs; if none has it, somebody has the key but not the log",
  );
}

function damagedLog(log: SigningLog, faults: readonly LogFault[]): Failure {
  const [first] = faults as [LogFault];
  const more = faults.length > 1 ? `, and ${faults.length - 1} more` : "";
  return new Failure(
    1,
    "LOG",
    CODES.LOG,
    `${log.path}: ${faultWords(first)}${more}`,
    "restore the right log; if there is none, --accept-restored continues this one and records that",
  );
}

function notInLog(envelope: string): Failure {
  return new Failure(
    1,
    "LOG",
    CODES.LOG,
    `${envelope}: the log has no signature of this manifest`,
    "check the logs of the other keys; if no log has it, find out who signed it",
  );
}

const faultWords = ({ line, what }: LogFault) => (line > 0 ? `line ${line}: ${what}` : what);

/** The version instead of its number, which is long. */
function numberOf({ sequence, version }: Entry): string {
  if (sequence === undefined) return "-";
  return version === undefined ? sequence : isNumberOf(version, BigInt(sequence)) ? version : `${sequence} (${version})`;
}

/** Vendor and class, or the line of a trust file: the beginning of each identifier, and how many others there are. */
function productWords([first, ...others]: readonly string[] = []): string {
  if (first === undefined) return "-";
  const short = first.startsWith("trust:") ? first : first.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (uuid) => uuid.slice(0, 8));
  return others.length > 0 ? `${short} +${others.length}` : short;
}

function entryRow(e: Entry): string[] {
  const short = (hex: string | undefined) => (hex === undefined ? "-" : hex.replace(/^sha-256:/, "").slice(0, 16));
  const what = [e.operation, ...(e.leaf === undefined ? [] : [`leaf ${e.leaf}`]), ...(e.overrides ?? [])].join(" ");
  const by = [`${e.user}@${e.host}`, ...(e.job === undefined ? [] : [e.job])].join(" ");
  return [String(e.n), e.time, by, what, productWords(e.scope), numberOf(e), short(e.digest), short(e.key)];
}

type AuditFacts = Awaited<ReturnType<typeof audit>>;

/** The entries of a log, or those of an envelope, and what is unusual. */
function logWords(log: AuditFacts["logs"][number], digest: string | undefined): Line[] {
  const rows = log.entries.filter((e) => digest === undefined || e.digest === digest).map(entryRow);
  const columns = ["entry", "time", "who", "what", "product", "sequence", "manifest", "key"].map((title) => ({
    title,
    right: title === "entry" || title === "sequence",
  }));
  const notes = [
    ...(log.torn > 0 ? [`an entry was cut short while it was written (${log.torn} bytes): nothing was signed with it`] : []),
    ...log.accepted.map((fault) => `accepted: ${faultWords(fault)}`),
    ...log.late.map(faultWords),
    ...log.faults.map(faultWords),
  ];
  return [...(rows.length > 0 ? [{ table: { columns, rows } }] : []), ...notes.map((text) => ({ text }))];
}

export default define({
  name: "audit",
  summary: "verify and show signing logs, and compare them with each other and with trust files",
  arguments: [commandArgument("<key or log...>", "key whose log to verify, log file, or trust file")],
  options: () => [
    option("--envelope <file>", "also show whether the log has a signature of this envelope"),
    option("--accept-restored", "continue a log that was truncated, restored or edited, and record this in it"),
    ...passphrases(),
  ],
  examples: [
    ["firmseal audit release.pem", "what the key has signed"],
    ["firmseal audit release.pem --envelope fw.suit", "whether the key has signed this envelope"],
    ["firmseal audit one.log two.log fleet-3.trust", "that logs of several machines and trust files do not contradict each other"],
  ],
  json: {
    logs: ["object[]", "the signing logs"],
    ...membersOf("logs[]", {
      log: ["string", "log file"],
      ok: ["boolean", "whether it has no fault"],
      entries: ["object[]", "its entries, with the members that they have in the file"],
      faults: ["object[]", "what is wrong"],
      ...membersOf("faults[]", FAULT),
      accepted: ["object[]", "faults that a later entry accepts"],
      ...membersOf("accepted[]", FAULT),
      late: ["object[]", "entries that came too late; nothing was signed with them"],
      ...membersOf("late[]", FAULT),
      torn: ["number", "bytes of an entry that was cut short"],
      hash: ["string|null", "hash of the last entry, hex"],
    }),
    trust: ["object[]", "trust files, and which roots have signed them"],
    ...membersOf("trust[]", {
      file: ["string", "the trust file"],
      signed: ["object[]", "its signatures: key, sequence and digest"],
    }),
    unlogged: ["object[]", "signatures on trust files without an entry in the log of their key"],
    ...membersOf("unlogged[]", { file: ["string", "the trust file"], key: ["string", "thumbprint of the key"] }),
    conflicts: ["object[]", "numbers that were used twice"],
    ...membersOf("conflicts[]", {
      what: ["string", "leaf, sequence or trust"],
      number: ["string", "the number"],
      key: ["string|null", "thumbprint of the key of a leaf, or of the one that signed both"],
      scope: ["string[]", "devices or line of trust files"],
      entries: ["object[]", "entries that have the number"],
    }),
    "envelope?": ["object", "with --envelope: what the logs say about it"],
    ...membersOf("envelope?", {
      file: ["string", "the envelope"],
      digest: ["string", "digest of its manifest"],
      signed: ["object[]", "entries that signed it"],
    }),
  },
  run: audit,
  words: (f) => {
    const good = f.logs.every(({ ok }) => ok) && f.conflicts.length === 0 && f.unlogged.length === 0 && f.envelope?.signed.length !== 0;
    return [
      ...f.logs.flatMap((log) => [
        ...logWords(log, f.envelope?.digest),
        ...(good ? [`${log.log}: good, ${log.entries.length} ${log.entries.length === 1 ? "entry" : "entries"}`] : []),
      ]),
      ...f.trust.flatMap(({ file, signed }) => (good ? [`${file}: good, signed by ${plural(signed.length, "known root")}`] : [])),
      ...f.conflicts.map((one) => ({ text: conflictWords(one) })),
      ...(good && f.envelope
        ? [`${f.envelope.file}: was signed, see ${someOf(f.envelope.signed.map(({ entry }) => `entry ${entry}`))}`]
        : []),
    ];
  },
});
