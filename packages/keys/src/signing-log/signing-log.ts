// The logs of keys in use: where each lies, alone with it, whether it is what was seen last, and the entry that goes before a signature.

import { existsSync, realpathSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { type PublicKey, thumbprint, toHex } from "@firmseal/signer";
import { CODES, environment, Failure, usage } from "../errors/failure.js";
import { type Lock, lock } from "../locks/lock.js";
import type { OpenedKey } from "../sources/source.js";
import { LastSeen, type Seen, stateFolder } from "./last-seen.js";
import { ACCEPT, append, type Entry, type EntryFacts, type LogFault, readLog, type SigningLog } from "./log-file.js";

/** The name of a key in its log: the COSE Key Thumbprint, in hex. */
export function keyName(key: PublicKey): string {
  return toHex(thumbprint(key));
}

/** Where the log of a key lies: beside its file, or in the state folder where it has none; or where --log says. */
export function signingLogPath(key: OpenedKey, option: string | undefined): string {
  if (option === "-") throw usage("--log -: a log is a file", "name a file for it");
  if (option !== undefined) return whereItIs(option);
  // a link to the key has the same log
  const beside = key.file === undefined ? undefined : whereItIs(`${realpathSync(key.file)}.log`);
  // one key, one log: that of a key which signs elsewhere too goes on where it has begun
  if (beside !== undefined && existsSync(beside)) return beside;
  const inState = join(stateFolder(), `${keyName(key.public)}.log`);
  if (beside === undefined) return key.signer ? inState : (new LastSeen(keyName(key.public), "log").read()?.path ?? inState);
  return existsSync(inState) ? inState : beside;
}

/** What the log of a key tells, as far as this machine knows of one. Nothing is locked, made or refused. */
export function knownEntries(key: OpenedKey): readonly Entry[] {
  try {
    return readLog(signingLogPath(key, undefined)).entries;
  } catch {
    return [];
  }
}

function whereItIs(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    throw environment(`${path}: there is no folder ${dirname(path)}`, OTHER_PLACE);
  }
}

const OTHER_PLACE = "firmseal keeps a log of the key: name a file for it with --log FILE";

/** Takes the lock of a log. `wait`: seconds. */
export async function lockLog(path: string, wait = 60): Promise<Lock> {
  try {
    return await lock(`${path}.lock`, { wait, busy: `${path}: the log of the key is in use` });
  } catch (e) {
    // one that is in use has no cause in the system
    if (e instanceof Failure && e.cause !== undefined)
      throw environment(e.message.replace(`${path}.lock:`, `${path}:`), OTHER_PLACE, e.cause);
    throw e;
  }
}

/** What a log lacks of what was seen of it. */
export function missingFromLog(log: SigningLog, seen: Seen | undefined): LogFault[] {
  const count = Number(seen?.count ?? 0n);
  if (!seen || log.entries.some((e) => e.n === count && e.hash === seen.hash)) return [];
  const line = 0;
  const last = log.entries.reduce((most, e) => Math.max(most, e.n), 0);
  const elsewhere = seen.path !== undefined && seen.path !== resolve(log.path) ? ` (in ${seen.path})` : "";
  return [
    last < count
      ? {
          line,
          what: `ends at entry ${last}, but entry ${count} was seen${elsewhere}: it was cut, restored from a copy, or is another log`,
        }
      : { line, what: `entry ${count} differs from the one that was seen${elsewhere}` },
  ];
}

/** Who uses a key: as the system knows it, not as the environment says. */
function currentUser(): Pick<EntryFacts, "user" | "host" | "job"> {
  let user: string;
  try {
    user = userInfo().username;
  } catch {
    // in many containers it has no name
    user = `uid ${process.getuid?.() ?? "unknown"}`;
  }
  const name = CI_JOBS.find((variable) => /^[\w.:/@-]{1,128}$/.test(process.env[variable] ?? ""));
  return { user, host: hostname(), ...(name !== undefined && { job: `${name}=${process.env[name]}` }) };
}

/** What CI services call the run of a job: GitHub, GitLab, Jenkins, Buildkite, CircleCI, Azure, Travis, Bitbucket, AWS, Woodpecker. */
const CI_JOBS = [
  "GITHUB_RUN_ID",
  "CI_JOB_ID",
  "BUILD_TAG",
  "BUILDKITE_JOB_ID",
  "CIRCLE_WORKFLOW_JOB_ID",
  "BUILD_BUILDID",
  "TRAVIS_JOB_ID",
  "BITBUCKET_BUILD_NUMBER",
  "CODEBUILD_BUILD_ID",
  "CI_PIPELINE_NUMBER",
];

/** What is entered for one key. */
export type SigningFacts = Pick<EntryFacts, "operation"> & Omit<EntryFacts, "time" | "user" | "host" | "job" | "key" | "torn">;

/** Where an entry is. `hash` is worth keeping elsewhere: nobody can change what is before it and keep the hash. */
export interface Receipt {
  path: string;
  entry: number;
  hash: string;
}

export interface SigningLogs {
  /** The entries of each log. */
  readonly logs: readonly (readonly Entry[])[];
  /** Enters the use of a key; durable, and known to the mark, when it returns. Throws where another one has used a key meanwhile. */
  record(key: OpenedKey, use: SigningFacts): Receipt;
}

interface OpenLog {
  log: SigningLog;
  locks: readonly Lock[];
  mark: LastSeen;
}

/**
 * Takes the locks of last-seen marks, always in this order and after those of the logs. Copies of a key have logs of their own: only one of two that
 * have seen the mark as it was can raise it, and the lock has the other wait instead.
 */
async function lockMarks(marks: readonly LastSeen[], taken: Lock[]): Promise<Map<string, Lock>> {
  const locks = new Map<string, Lock>();
  const distinct = new Map(marks.map((w) => [w.file, w]));
  for (const file of [...distinct.keys()].sort()) {
    const one = await (distinct.get(file) as LastSeen).lock();
    taken.push(one);
    locks.set(file, one);
  }
  return locks;
}

/**
 * Does `work` alone with the logs of all keys, and with what was seen of them. Locks are taken in the order of the paths, so that two that
 * wait for each other's cannot be. Throws a Failure (exit 3) where a log is not what was seen of it.
 */
export async function withSigningLogs<T>(
  keys: readonly OpenedKey[],
  option: string | undefined,
  work: (signingLogs: SigningLogs) => Promise<T>,
): Promise<T> {
  const places = new Map(keys.map((key) => [key, signingLogPath(key, option)]));
  const marks = new Map(keys.map((key) => [keyName(key.public), new LastSeen(keyName(key.public), "log")]));
  const ofLogs = new Map<string, Lock>();
  const taken: Lock[] = [];
  // a one-time key may have to make a tree while it has the lock
  const wait = keys.reduce((most, key) => Math.max(most, key.patience ?? 0), 60);
  try {
    for (const path of [...new Set(places.values())].sort()) {
      const lock = await lockLog(path, wait);
      taken.push(lock);
      ofLogs.set(path, lock);
    }
    const ofMarks = await lockMarks([...marks.values()], taken);
    // what was seen before the logs: they may grow meanwhile, and must not seem too short then
    const seen = new Map([...marks].map(([name, one]) => [name, one.read()]));
    const logs = new Map([...ofLogs.keys()].map((path) => [path, readLog(path)]));
    const openLogs = new Map<OpenedKey, OpenLog>();
    for (const [key, path] of places) {
      const log = logs.get(path) as SigningLog;
      const own = marks.get(keyName(key.public)) as LastSeen;
      refuseFaults(log, seen.get(keyName(key.public)), key, option);
      openLogs.set(key, { log, locks: [ofLogs.get(path) as Lock, ofMarks.get(own.file) as Lock], mark: own });
    }
    return await work({
      logs: [...logs.values()].map(({ entries }) => entries),
      record: (key, use) => recordIn(openLogs.get(key) as OpenLog, { time: now(), ...currentUser(), key: keyName(key.public), ...use }),
    });
  } finally {
    for (const lock of taken.reverse()) lock.release();
  }
}

const now = () => new Date().toISOString();

function recordIn({ log, locks, mark }: OpenLog, facts: EntryFacts): Receipt {
  // A person may have thought that this process is gone. What is right does not depend on it, but no entry need come too late then.
  if (!locks.every((lock) => lock.isOurs())) throw environment(`${log.path}: its lock was removed`, "run the command again");
  const entry = append(log, facts);
  raiseMarks(mark, log, entry);
  return { path: log.path, entry: entry.n, hash: entry.hash };
}

function raiseMarks(mark: LastSeen, log: SigningLog, entry: Entry): void {
  if (!mark.raise({ count: BigInt(entry.n), hash: entry.hash, path: resolve(log.path) }))
    throw environment(`${log.path}: another process used the key in the meantime`, "run the command again; nothing was signed");
}

function refuseFaults(log: SigningLog, seen: Seen | undefined, key: OpenedKey, option: string | undefined): void {
  const [fault] = [...log.faults, ...missingFromLog(log, seen)];
  if (!fault) return;
  const what = option === undefined ? (key.file ?? log.path) : option;
  throw new Failure(
    3,
    "LOG",
    CODES.LOG,
    `${log.path}: the log of the key has changed: ${fault.what}`,
    `firmseal audit ${what} shows it; restore the right log, or continue this one: firmseal audit ${what} --accept-restored`,
  );
}

/** Appends an entry that accepts the log as it is, for the named keys. Its number is above every one that was seen. */
export async function acceptRestored(log: SigningLog, thumbprints: readonly string[]): Promise<Entry> {
  const marks = thumbprints.map((name) => new LastSeen(name, "log"));
  const taken: Lock[] = [];
  try {
    await lockMarks(marks, taken);
    const above = Math.max(0, ...marks.map((w) => Number(w.read()?.count ?? 0n)));
    const entry = append(log, { time: now(), ...currentUser(), operation: ACCEPT }, above);
    for (const w of marks) raiseMarks(w, log, entry);
    return entry;
  } finally {
    for (const lock of taken) lock.release();
  }
}
