// Verifies the logs of keys: the chain of each, that it is what was seen of it last, and that no two of them gave out one number.

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
  keyName,
  LastSeen,
  type LogFault,
  lockLog,
  looksLikeLog,
  missed,
  type PassphraseOptions,
  passphraseOptions,
  readHead,
  readLog,
  type Seen,
  type SigningLog,
  signingLogPath,
  someOf,
  tooMuch,
  usage,
  visible,
} from "@firmseal/keys";
import { digestOf, LIMITS, readEnvelope } from "@firmseal/release";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { data, json, say } from "../../show/ui.js";

export interface AuditOptions extends PassphraseOptions {
  envelope?: string;
  acceptRestored?: boolean;
  json?: boolean;
}

interface Place {
  path: string;
  /** Thumbprint of the key that it is the log of; undefined where the log itself was named. */
  key?: string;
}

/** A log itself, or the log of a key. A key in a file is opened only where the log beside it does not name it. */
async function placeFor(ref: string, o: AuditOptions): Promise<Place> {
  const isFile = statSync(ref, { throwIfNoEntry: false })?.isFile() === true;
  if (isFile && looksLikeLog(readHead(ref, 16))) return { path: ref };
  const beside = isFile ? `${realpathSync(ref)}.log` : ref;
  if (isFile && readLog(beside).entries.some((e) => e.key !== undefined)) return { path: beside };
  const key = await claimedKey(ref, passphraseOptions(o));
  const name = keyName(key);
  const inState = signingLogPath({ name: ref, public: key }, undefined);
  // a public key is not beside the log; where that was is known from the last signature
  const seen = new LastSeen(name, "log").read()?.path;
  const path = [beside, inState].find((p) => p !== ref && statSync(p, { throwIfNoEntry: false })) ?? seen;
  if (path === undefined)
    throw environment(`${ref}: there is no log of this key here`, "name the log file: KEY.log lies beside the private key");
  return { path, key: name };
}

/** A log with all that is wrong with it. What was seen is read before the log: it may grow meanwhile, and must not seem too short then. */
function look({ path, key }: Place): Looked {
  const first = readLog(path);
  const named = [...(key === undefined ? [] : [key]), ...first.entries.flatMap((e) => e.key ?? [])];
  // a name becomes that of a file
  const keys = [...new Set(named)].filter((name) => /^[0-9a-f]{64}$/.test(name));
  if (keys.length > LIMITS.logKeys)
    throw tooMuch(`${path}: the log names more than ${LIMITS.logKeys} keys`, "a log serves a few keys: name that of one of yours");
  const seen = keys.map((name) => new LastSeen(name, "log").read());
  const log = readLog(path);
  return { log, faults: [...log.faults, ...seen.flatMap((s) => missed(log, s))], keys, seen };
}

interface Looked {
  log: SigningLog;
  faults: LogFault[];
  keys: string[];
  /** What was seen of the logs of these keys. */
  seen: (Seen | undefined)[];
}

/** Several logs of one key: what this machine has seen need be in one of them, as copies of a key have logs of their own. Its own log must have it. */
function together(all: readonly Looked[]): Looked[] {
  return all.map((one) => {
    const elsewhere = (s: Seen) =>
      s.path !== undefined && resolve(s.path) !== resolve(one.log.path) && all.some((other) => missed(other.log, s).length === 0);
    const wanted = one.seen.filter((s) => s === undefined || !elsewhere(s));
    return { ...one, faults: [...one.log.faults, ...wanted.flatMap((s) => missed(one.log, s))] };
  });
}

async function accept(place: Place): Promise<void> {
  const lock = await lockLog(resolve(place.path));
  try {
    const { log, faults, keys } = look(place);
    if (faults.length === 0) throw usage(`${place.path}: nothing is wrong with this log`, "drop --accept-restored");
    await acceptRestored(log, keys);
  } finally {
    lock.release();
  }
}

function digestIn(file: string): string {
  const { digest } = decodeEnvelope(readEnvelope(file));
  if (!digest) throw usage(`${file}: the envelope is not signed`, "give an envelope that firmseal sign wrote");
  return digestOf({ digest });
}

/** Verifies and shows logs. Fails (exit 1) where one is not what it was, or does not know the envelope. */
export async function audit(refs: readonly string[], o: AuditOptions): Promise<void> {
  const digest = o.envelope === undefined ? undefined : digestIn(o.envelope);
  const places: Place[] = [];
  for (const ref of refs) places.push(await placeFor(ref, o));
  if (o.acceptRestored) for (const place of places) await accept(place);
  const looked = together(places.map(look));
  const found = looked.flatMap(({ log }) =>
    log.entries.filter((e) => digest !== undefined && e.digest === digest).map((e) => ({ log: log.path, entry: e.n, key: e.key ?? null })),
  );
  const twice = conflicts(looked.map(({ log }) => log));
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
    conflicts: twice,
    ...(digest !== undefined && { envelope: { file: o.envelope, digest, signed: found } }),
  };
  const bad = looked.find(({ faults }) => faults.length > 0);
  const failure = bad
    ? damaged(bad.log, bad.faults)
    : twice.length > 0
      ? conflictFailure(twice)
      : digest !== undefined && found.length === 0
        ? unknown(o.envelope as string)
        : undefined;
  if (!o.json) for (const one of looked) show(one, digest, failure === undefined);
  if (!o.json) for (const one of twice) data(`${visible(conflictWords(one))}\n`);
  if (failure) {
    failure.facts = facts;
    throw failure;
  }
  if (o.json) json({ ok: true, code: 0, ...facts });
  else if (digest !== undefined) say(`${visible(o.envelope as string)}: was signed, see ${someOf(found.map((f) => `entry ${f.entry}`))}`);
}

function damaged(log: SigningLog, faults: readonly LogFault[]): Failure {
  const [first] = faults as [LogFault];
  const more = faults.length > 1 ? `, and ${faults.length - 1} more` : "";
  return new Failure(
    1,
    "LOG",
    CODES.LOG,
    `${log.path}: ${faultText(first)}${more}`,
    "put back the right log; where there is none, --accept-restored goes on with this one, and says so in it",
  );
}

function unknown(envelope: string): Failure {
  return new Failure(
    1,
    "LOG",
    CODES.LOG,
    `${envelope}: the log knows no signature of this manifest`,
    "look into the logs of the other keys; if no log knows it, find out who has signed it",
  );
}

function show({ log, faults }: ReturnType<typeof look>, digest: string | undefined, good: boolean): void {
  const rows = log.entries.filter((e) => digest === undefined || e.digest === digest).map(row);
  const table = [["entry", "time", "who", "what", "sequence", "manifest", "key"], ...rows];
  const widths = (table[0] as string[]).map((_, i) => table.reduce((most, r) => Math.max(most, (r[i] as string).length), 0));
  const lines = table.map((r) => r.map((cell, i) => cell.padEnd(widths[i] as number)).join("  "));
  const rest = [
    ...(log.torn > 0 ? [`an entry that was cut short while it was written (${log.torn} bytes): nothing was signed with it`] : []),
    ...log.accepted.map((fault) => `accepted: ${faultText(fault)}`),
    ...log.late.map(faultText),
    ...faults.map(faultText),
  ];
  data([...(rows.length > 0 ? lines : []), ...rest].map((text) => `${text.trimEnd()}\n`).join(""));
  if (good) say(`${visible(log.path)}: good, ${log.entries.length} ${log.entries.length === 1 ? "entry" : "entries"}`);
}

const faultText = ({ line, what }: LogFault) => (line > 0 ? `line ${line}: ${visible(what)}` : visible(what));

function row(e: Entry): string[] {
  const short = (hex: string | undefined) => (hex === undefined ? "-" : hex.replace(/^sha-256:/, "").slice(0, 16));
  const what = [e.operation, ...(e.leaf === undefined ? [] : [`leaf ${e.leaf}`]), ...(e.overrides ?? [])].join(" ");
  const by = [`${e.user}@${e.host}`, ...(e.job === undefined ? [] : [e.job])].join(" ");
  return [String(e.n), e.time, by, what, e.sequence ?? "-", short(e.digest), short(e.key)].map(visible);
}
