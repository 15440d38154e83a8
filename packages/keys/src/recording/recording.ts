// The logs of keys in use: locks them, checks them against the last-seen mark, and adds the entry that
// precedes a signature.

import { resolve } from "node:path";
import { environment, Failure } from "../errors/failure.js";
import { isFile } from "../files/read.js";
import type { Ledger, Turn } from "../ledger/ledger.js";
import { appendToMirror, fetchInto } from "../ledger/mirror.js";
import { openLedger } from "../ledger/open.js";
import { isLedgerPlace, isMirror } from "../ledger/place.js";
import type { Lock } from "../locks/lock.js";
import { warn } from "../notices.js";
import { decidingEntries, withLost } from "../signing-log/binding.js";
import { endOfLog, entriesBy, heldBy, missingFromLog } from "../signing-log/end-of-log.js";
import { ACCEPT, type Entry, type EntryFacts, saysTheSame } from "../signing-log/entry.js";
import { refuseOtherFamily } from "../signing-log/family.js";
import { LastSeen, type SeenState, stateFolder } from "../signing-log/last-seen.js";
import { addLines, appendEntry, changedMeanwhile, draftEntry, makeDurable, readLog, type SigningLog } from "../signing-log/log-file.js";
import type { KeyLog } from "../signing-log/sequence.js";
import type { OpenedKey } from "../source.js";
import { shellWord } from "../words.js";
import { ALLOW_CLOCK, type ClockOverride, refuseClock, refuseOtherClock } from "./clock.js";
import { keyName, lockLog, refuseOwnLogs, signingLogPath } from "./places.js";
import { currentUser, NOBODY } from "./user.js";

/** The facts to log for one key. */
export type SigningFacts = Pick<EntryFacts, "operation"> & Omit<EntryFacts, "time" | "user" | "host" | "job" | "key" | "torn">;

/** The place of an entry. Store `hash` elsewhere: nobody can change the preceding entries without changing it. */
export interface Receipt {
  path: string;
  entry: number;
  hash: string;
}

/** The locked signing logs of keys, while they are in use. */
export interface SigningLogs {
  /**
   * For each key, everything that its log says was signed, also in late entries, and what still binds it by its mark.
   * Reads the whole logs.
   */
  readonly logs: readonly (readonly Entry[])[];
  /**
   * For each key, the entries that decide about its next signature: decidingEntries(). Costs the same for a log of any
   * length, if this account made its last signatures. What they do not decide takes `logs`.
   */
  readonly deciding: readonly (readonly Entry[])[];
  /** Throws a Failure if the log of one of the keys knows it for another family of uses. Enters nothing. */
  refuseOther(keys: readonly OpenedKey[], use: SigningFacts): void;
  /**
   * Logs the use of a key. The entry is durable and counted in the mark on return. Throws if another process has used a
   * key meanwhile.
   */
  record(key: OpenedKey, use: SigningFacts): Receipt;
  /**
   * Returns the entry that says the same of a key, durable and counted in the mark; undefined if there is none. The
   * entries of a one-time key name the leaf, so each of its uses has its own.
   */
  entered(key: OpenedKey, use: SigningFacts): Receipt | undefined;
}

interface OpenLog {
  /** The log, or the end of it. */
  log: SigningLog;
  locks: readonly Lock[];
  mark: LastSeen;
  /** The entries that bind the key. */
  binds: readonly Entry[];
  /** What decides about the next signature of the key. */
  decides: readonly Entry[];
  /** What the mark says. */
  seen: SeenState | undefined;
  /** What the mark is to say when the entries are in the ledger. */
  due?: SeenState | undefined;
}

/** What this command enters in a ledger: all of it at once, when everything is granted. */
interface SharedLog {
  readonly ledger: Ledger;
  readonly lines: Buffer[];
}

/**
 * Takes the locks of last-seen marks, always in this order and after those of the logs. Copies of a key have separate
 * logs. Of two processes that have read the same mark, only one can raise it; the lock makes the other wait.
 */
async function lockMarks(marks: readonly LastSeen[], taken: Lock[], signal?: AbortSignal): Promise<Map<string, Lock>> {
  const locks = new Map<string, Lock>();
  const distinct = new Map(marks.map((w) => [w.file, w]));
  for (const file of [...distinct.keys()].sort()) {
    const one = await (distinct.get(file) as LastSeen).lock({ signal });
    taken.push(one);
    locks.set(file, one);
  }
  return locks;
}

/**
 * Runs `work` with the logs of all keys locked, and with their last-seen marks. Takes the locks in the order of their
 * paths, which prevents deadlocks. With a ledger, what `work` records is entered when it has returned: all of it, or
 * nothing, and then this throws.
 *
 * @param keys - The open keys.
 * @param option - The path that --log gives, or the place of a ledger.
 * @param work - Gets the logs. They are unlocked when it settles.
 * @param o - What ends the wait for a log that another process has, and whether a clock that is far off is
 *   allowed.
 * @returns What `work` returns.
 * @throws Failure (exit 3) if a log does not match its mark, or the clock is far off. The reason of `signal`, if it
 *   aborts.
 */
export async function withSigningLogs<T>(
  keys: readonly OpenedKey[],
  option: string | undefined,
  work: (signingLogs: SigningLogs) => Promise<T>,
  o: ClockOverride & { signal?: AbortSignal | undefined } = {},
): Promise<T> {
  refuseClock(undefined, o);
  stateFolder();
  if (!isLedgerPlace(option)) return await withOpenLogs(keys, option, work, o);
  const ledger = await openLedger(option);
  try {
    return await withOpenLogs(keys, option, work, o, { ledger, lines: [] });
  } finally {
    await ledger.close();
  }
}

async function withOpenLogs<T>(
  keys: readonly OpenedKey[],
  option: string | undefined,
  work: (signingLogs: SigningLogs) => Promise<T>,
  { signal, ...o }: ClockOverride & { signal?: AbortSignal | undefined },
  shared?: SharedLog,
): Promise<T> {
  const places = new Map(keys.map((key) => [key, signingLogPath(key, option)]));
  const marks = new Map(keys.map((key) => [keyName(key.public), new LastSeen(keyName(key.public), "log")]));
  const ofLogs = new Map<string, Lock>();
  const taken: Lock[] = [];
  // a one-time key may have to compute a tree while it holds the lock
  const wait = keys.reduce((most, key) => Math.max(most, key.patience ?? 0), 60);
  try {
    for (const path of [...new Set(places.values())].sort()) {
      const lock = await lockLog(path, wait, signal);
      taken.push(lock);
      ofLogs.set(path, lock);
    }
    const ofMarks = await lockMarks([...marks.values()], taken, signal);
    // a machine that begins fetches all before its turn, in which others wait
    for (const path of ofLogs.keys()) if (shared && !isFile(path)) await fetchInto(path, shared.ledger);
    const turn = await shared?.ledger.turn({ wait, signal });
    try {
      // a ledger has one log for all keys
      const [path] = ofLogs.keys();
      const end = shared && path !== undefined ? await fetchInto(path, shared.ledger) : 0;
      if (shared) refuseOwnLogs(keys, option as string, path as string);
      // read the marks before the logs: logs may grow meanwhile, and must not seem too short
      const seen = new Map([...marks].map(([name, one]) => [name, one.read()]));
      const stateOf = (key: OpenedKey) => seen.get(keyName(key.public));
      const logs = new Map(
        [...ofLogs.keys()].map((path) => [
          path,
          endOfLog(
            path,
            [...places].flatMap(([key, at]) => (at === path ? [stateOf(key)] : [])),
          ),
        ]),
      );
      const openLogs = new Map<OpenedKey, OpenLog>();
      for (const [key, path] of places) {
        const mark = marks.get(keyName(key.public)) as LastSeen;
        const locks = [ofLogs.get(path) as Lock, ofMarks.get(mark.file) as Lock];
        const seen = stateOf(key);
        openLogs.set(key, { locks, mark, seen, ...opened(logs.get(path) as SigningLog, key, seen, option) });
      }
      let whole: (readonly Entry[])[] | undefined;
      const readWhole = () => {
        const all = new Map([...logs].map(([path, log]) => [path, wholeOf(log, shared)]));
        for (const [key, open] of openLogs)
          Object.assign(open, opened(all.get(open.log.path) as SigningLog, key, open.due ?? open.seen, option));
        return [...openLogs.values()].map(({ log, binds, seen }) => withLost(log.all, heldBy(binds, seen)));
      };
      const clock = (turn && refuseOtherClock(turn.time, o)) ?? refuseClock([...logs.values()].flatMap(lastTime), o);
      const say = clockWarning(clock);
      const facts = (key: OpenedKey, use: SigningFacts) => ({ key: keyName(key.public), ...withClock(clock, use) });
      const user = shared && !shared.ledger.people ? NOBODY : currentUser();
      const result = await work({
        get logs() {
          whole ??= readWhole();
          return whole;
        },
        get deciding() {
          return [...openLogs.values()].map(({ decides }) => decides);
        },
        refuseOther: (all, use) => {
          for (const key of all) refuseOtherUse(openLogs.get(key) as OpenLog, { key: keyName(key.public), ...use });
        },
        record: (key, use) => {
          say();
          return recordIn(openLogs.get(key) as OpenLog, [...openLogs.values()], { time: now(), ...user, ...facts(key, use) }, shared);
        },
        entered: (key, use) => {
          whole ??= readWhole();
          return enteredIn(openLogs.get(key) as OpenLog, facts(key, use), shared);
        },
      });
      if (shared && shared.lines.length > 0) {
        await (turn as Turn).append(end, shared.lines);
        appendToMirror(path as string, end, Buffer.concat(shared.lines));
      }
      for (const open of openLogs.values()) if (open.due) raiseMark(open, open.due);
      return result;
    } finally {
      await turn?.end();
    }
  } finally {
    for (const lock of taken.reverse()) lock.release();
  }
}

/**
 * Returns what the log of a key says, as withSigningLogs() gives it; nothing if this machine has no log of it. For a
 * command that enters nothing, so it neither locks nor writes. Throws a Failure (exit 3) for a log that has changed.
 */
export function consultLog(key: OpenedKey, option: string | undefined): readonly Entry[] {
  const name = keyName(key.public);
  // read before the log, which may grow meanwhile
  const seen = new LastSeen(name, "log").read();
  const log = readLog(signingLogPath(key, option));
  refuseFaults(log, seen, key, option);
  return withLost(log.all, heldBy(bindsOf(log, name, seen), seen));
}

/** What a log has about a key. Throws a Failure for a log that has changed. */
function opened(
  log: SigningLog,
  key: OpenedKey,
  seen: SeenState | undefined,
  option: string | undefined,
): Pick<OpenLog, "log" | "binds" | "decides"> {
  refuseFaults(log, seen, key, option);
  const binds = bindsOf(log, keyName(key.public), seen);
  return { log, binds, decides: entriesBy(log, seen, binds) };
}

/** All entries of a log of which few are here: what was granted by these holds only if nobody has written since. */
function wholeOf(log: SigningLog, shared: SharedLog | undefined): SigningLog {
  if (log.before && log.isKept) return log;
  const whole = readLog(log.path);
  if (shared) addLines(whole, shared.lines);
  const isSame = whole.end === log.end && whole.torn === log.torn && whole.entries.at(-1)?.hash === log.entries.at(-1)?.hash;
  // an entry that was changed before is a fault of the log, which says more
  if (!isSame && whole.faults.length === 0) throw changedMeanwhile(log.path);
  return whole;
}

export const now = () => new Date(Date.now()).toISOString();

/** The time of the last entry of a log. */
export const lastTime = ({ entries }: Pick<SigningLog, "entries">): string[] => entries.slice(-1).map(({ time }) => time);

/** Facts of an entry, with the override of the clock. */
export function withClock<Facts extends { overrides?: string[] }>(clock: string | undefined, facts: Facts): Facts {
  return clock === undefined ? facts : { ...facts, overrides: [...(facts.overrides ?? []), ALLOW_CLOCK] };
}

/** Says once that the clock was overridden. */
export function clockWarning(clock: string | undefined): () => void {
  let isSaid = clock === undefined;
  return () => {
    if (!isSaid) warn(`${clock}: it is entered because of \`${ALLOW_CLOCK}\``);
    isSaid = true;
  };
}

/** What binds a key: by its mark, or by its log if the mark is older. */
function bindsOf({ all }: SigningLog, name: string, seen: SeenState | undefined): readonly Entry[] {
  return seen?.binds ?? all.filter((e) => e.key === name);
}

/** With more entries than this, a list of a mark is reduced. */
const MOST_KEPT = 32;

/** `all`: the open logs. Several keys may have one. */
function recordIn(open: OpenLog, all: readonly OpenLog[], facts: EntryFacts, shared: SharedLog | undefined): Receipt {
  const { log, locks } = open;
  // A person may have removed our locks. Correctness does not depend on them, but stopping here avoids a late entry.
  if (!locks.every((lock) => lock.isOurs())) throw environment(`${log.path}: its lock was removed`, "run the command again");
  refuseOtherUse(open, facts);
  if (shared) refuseUsedLeaf(open, facts);
  const known = log.all.length;
  const entry = shared ? draftEntry(log, facts, shared.lines) : appendEntry(log, facts);
  // another program may have written too: an entry that came too late counts as used
  const added = log.all.slice(known);
  open.binds = [...open.binds, entry];
  if (open.binds.length > MOST_KEPT) open.binds = decidingEntries(open.binds);
  for (const one of all)
    if (one.log === log) {
      one.decides = [...one.decides, ...added];
      if (one.decides.length > MOST_KEPT) one.decides = decidingEntries(one.decides);
    }
  const seen = seenAt(open, entry);
  // a mark never says more than the ledger has
  if (shared) open.due = seen;
  else raiseMark(open, seen);
  return { path: shared?.ledger.place.text ?? log.path, entry: entry.n, hash: entry.hash };
}

const refuseOtherUse = ({ binds, decides }: OpenLog, use: Pick<EntryFacts, "key" | "operation" | "scope">) =>
  refuseOtherFamily([...binds, ...decides], use);

/** A one-time leaf signs once: another machine may have a copy of the key, whose state says less than the ledger. */
function refuseUsedLeaf({ decides }: OpenLog, { key, leaf }: EntryFacts): void {
  if (leaf === undefined) return;
  for (const used of decides)
    if (used.key === key && used.leaf !== undefined && BigInt(used.leaf) >= BigInt(leaf))
      throw new Failure(
        3,
        "ERR_KEY_STATE",
        `leaf ${leaf} of the key cannot sign: the ledger has leaf ${used.leaf}, which another copy of the key used`,
        `let one machine sign with the key; if this is to be that one: firmseal hss skip KEY --to ${BigInt(used.leaf) + 1n}`,
      );
}

function enteredIn(open: OpenLog, facts: Omit<EntryFacts, "time" | "user" | "host">, shared: SharedLog | undefined): Receipt | undefined {
  const { log, seen, binds } = open;
  const entry = log.entries.find((one) => saysTheSame(one, facts));
  if (!entry) return undefined;
  if (entry.n > Number((open.due ?? seen)?.count ?? 0n)) {
    // its writer may have been killed before it was on the disk
    if (!shared) makeDurable(log.path);
    open.binds = [...binds, entry];
    const last = seenAt(open, log.entries.at(-1) as Entry);
    if (shared) open.due = last;
    else raiseMark(open, last);
  }
  return { path: shared?.ledger.place.text ?? log.path, entry: entry.n, hash: entry.hash };
}

/** What a mark says from this entry on. */
function seenAt({ log, binds, decides }: Pick<OpenLog, "log" | "binds"> & Partial<OpenLog>, entry: Entry): SeenState {
  // otherwise the next signature reads the whole log: `decides` holds up to its last line
  const isLast = log.all.at(-1) === entry;
  return {
    ...{ count: BigInt(entry.n), hash: entry.hash, path: resolve(log.path), binds },
    ...(isLast && log.place && decides && { place: log.place, decides }),
  };
}

function raiseMark(open: Pick<OpenLog, "mark" | "log"> & Partial<OpenLog>, seen: SeenState): void {
  if (!open.mark.raise(seen))
    throw environment(`${open.log.path}: another process used the key in the meantime`, "run the command again; nothing was signed");
  open.seen = seen;
}

function refuseFaults(log: SigningLog, seen: SeenState | undefined, key: OpenedKey, option: string | undefined): void {
  const [fault] = [...log.faults, ...missingFromLog(log, seen)];
  if (!fault) return;
  const what = shellWord(option === undefined ? (key.file ?? log.path) : option);
  const isElsewhere = seen?.path !== undefined && isMirror(seen.path) && seen.path !== resolve(log.path);
  throw new Failure(
    3,
    "ERR_LOG",
    `${log.path}: the log of the key has changed: ${fault.what}`,
    isElsewhere
      ? "the key signs with a ledger: name it with `log`, or sign with the product file that names it"
      : isLedgerPlace(option)
        ? `firmseal ledger verify --ledger ${what} shows it; restore the right ledger, or bring what it lacks: firmseal ledger import COPY`
        : `firmseal audit ${what} shows it; restore the right log, or continue this one: firmseal audit ${what} --accept-restored`,
  );
}

/**
 * Appends an entry that accepts the current log for the named keys. Its number is higher than every one seen. Throws a
 * Failure (exit 3) if the clock is far off.
 */
export async function acceptRestored(log: SigningLog, thumbprints: readonly string[], o: ClockOverride = {}): Promise<Entry> {
  const clock = refuseClock(lastTime(log), o);
  const marks = thumbprints.map((name) => new LastSeen(name, "log"));
  const taken: Lock[] = [];
  try {
    await lockMarks(marks, taken);
    const seen = marks.map((mark) => mark.read());
    // what is lost binds the key all the same
    const open = marks.map((mark, i) => ({ mark, log, binds: decidingEntries(heldBy(bindsOf(log, mark.thumbprint, seen[i]), seen[i])) }));
    const above = seen.reduce((most, state) => Math.max(most, Number(state?.count ?? 0n)), 0);
    clockWarning(clock)();
    const entry = appendEntry(log, withClock<EntryFacts>(clock, { time: now(), ...currentUser(), operation: ACCEPT }), above);
    for (const one of open) raiseMark(one, seenAt(one, entry));
    return entry;
  } finally {
    for (const lock of taken) lock.release();
  }
}

/**
 * Returns the log of each key, with the key. `isDecided`: whether the entries that decide are enough of a log; default:
 * never. It reads whole logs only where they are not.
 */
export function logsFor(
  keys: readonly Pick<OpenedKey, "public">[],
  signingLogs: Pick<SigningLogs, "logs"> & Partial<Pick<SigningLogs, "deciding">>,
  isDecided: (log: KeyLog<Entry>) => boolean = () => false,
): KeyLog<Entry>[] {
  return keys.map(({ public: one }, i) => {
    const short = { key: keyName(one), entries: signingLogs.deciding?.[i] ?? [] };
    return isDecided(short) ? short : { ...short, entries: signingLogs.logs[i] as readonly Entry[] };
  });
}
