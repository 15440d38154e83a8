// A lock across processes: a file that holds who has it. It outlives the process that is killed, and is taken over from it. It has others wait;
// what must not happen twice does not depend on it (claim.ts, log.ts), for a person may take it away.
//
// Never two: a lock appears by link(), which fails where one is there. The lock of a process that has ended is taken away only by who
// holds the lock of that name with "~", and only while it is the very lock that was judged: so nobody takes away one that was made in the
// meantime. If who holds the "~" is killed, that one is taken over in the same way, through "~~"; each more takes one more kill.

import { randomBytes } from "node:crypto";
import { linkSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { environment, type Failure, systemFault } from "../errors/failure.js";
import { hasEnded, type ProcessId, thisProcess } from "./process.js";

/** Seconds that a lock is waited for. */
const WAIT = 60;
/** Seconds for the lock of a takeover, which lasts for three calls of the system. */
const WAIT_TAKEOVER = 5;
/** Takeovers inside of takeovers. Each level is left behind by one kill within those three calls. */
const MAX_TAKEOVERS = 16;

export interface Lock {
  /** Whether it is still ours: a person may have removed it. */
  isOurs(): boolean;
  release(): void;
}

interface Note extends ProcessId {
  nonce: string;
}

export interface LockOptions {
  /** Seconds to wait, 60 where it is left out. */
  wait?: number;
  /** What is told where it is not to be had; "another process is at work" where it is left out. */
  busy?: string;
}

const ours = new Map<string, string>();

/**
 * Takes the lock `path`, whose folder must exist. Throws a Failure (exit 3) where another process has it all the while, naming it, or
 * where the file cannot be made. Who holds it and is on another machine or in another container cannot be judged: it is waited for, and
 * never taken over.
 */
export async function lock(path: string, options: LockOptions = {}): Promise<Lock> {
  const end = performance.now() + 1000 * (options.wait ?? WAIT);
  for (;;) {
    const there = readNote(path);
    if (there === undefined) {
      const nonce = tryTake(path);
      if (nonce === undefined) continue;
      if (ours.size === 0) process.once("exit", releaseAll);
      ours.set(path, nonce);
      if (!path.endsWith("~")) await sweep(path);
      return { isOurs: () => readNote(path)?.nonce === nonce, release: () => releaseLock(path, nonce) };
    }
    if (there.nonce !== "" && hasEnded(there, path)) await takeAway(path, there.nonce);
    else if (performance.now() >= end) throw busy(path, there, options.busy);
    // waiters that begin together must not stay together
    else await sleep(5 + 20 * Math.random());
  }
}

function busy(path: string, { nonce, pid, host }: Note, what = `${path}: another process is at work`): Failure {
  const here = host === thisProcess().host ? "" : ` on ${host}`;
  return environment(
    nonce === "" ? what : `${what} (process ${pid}${here})`,
    `wait for it; if that process has certainly ended, remove ${path}`,
  );
}

/** undefined: there is no lock. One that cannot be read is somebody's all the same. */
function readNote(path: string): Note | undefined {
  try {
    const note = JSON.parse(readFileSync(path, "utf8"));
    const texts = ["nonce", "start", "boot", "space", "machine", "host"];
    if (Number.isSafeInteger(note.pid) && note.pid > 0 && texts.every((name) => typeof note[name] === "string")) return note;
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  }
  // not to be read, or not ours: whose it is is not known
  return { nonce: "", pid: 0, start: "", boot: "", space: "", machine: "", host: thisProcess().host };
}

/** Makes the lock, unless somebody was faster. */
function tryTake(path: string): string | undefined {
  const nonce = randomBytes(12).toString("hex");
  const note = JSON.stringify({ nonce, ...thisProcess() } satisfies Note);
  // written beside it and linked, so that whoever sees a lock sees whose it is
  const own = `${path}.${nonce}`;
  try {
    writeFileSync(own, note, { mode: 0o600, flag: "wx", flush: true });
    linkSync(own, path);
    return nonce;
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException;
    // over NFS the answer may get lost, and the question be put again: the number of links tells what became of it
    if (code === "EEXIST") return statSync(own, { throwIfNoEntry: false })?.nlink === 2 ? nonce : undefined;
    // FAT has no links
    if (code === "EPERM" || code === "ENOTSUP" || code === "ENOSYS") return tryTakeWithoutLinks(path, note) ? nonce : undefined;
    throw systemFault(e, path) ?? e;
  } finally {
    rmSync(own, { force: true });
  }
}

/** A kill between making and writing leaves a lock that nobody can judge; it has to be removed by hand. */
function tryTakeWithoutLinks(path: string, note: string): boolean {
  try {
    writeFileSync(path, note, { mode: 0o600, flag: "wx", flush: true });
    return true;
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw systemFault(e, path) ?? e;
  }
}

/** Removes the lock that holds `nonce`, whose process has ended. */
async function takeAway(path: string, nonce: string): Promise<void> {
  const depth = path.length - path.replace(/~+$/, "").length;
  if (depth >= MAX_TAKEOVERS)
    throw environment(`${path}: ${MAX_TAKEOVERS} takeovers were killed`, `remove ${path.slice(0, -depth)} and those with ~`);
  const guard = await lock(`${path}~`, { wait: WAIT_TAKEOVER });
  try {
    if (readNote(path)?.nonce === nonce) unlinkSync(path);
  } finally {
    guard.release();
  }
}

function releaseLock(path: string, nonce: string): void {
  if (!ours.delete(path)) return;
  if (ours.size === 0) process.off("exit", releaseAll);
  if (readNote(path)?.nonce === nonce) rmSync(path, { force: true });
}

/** A signal that ends the program in the middle should not leave its locks to be judged by others. */
function releaseAll(): void {
  for (const [path, nonce] of ours) releaseLock(path, nonce);
}

/** Takes away what kills have left beside the lock: notes that were not linked yet, and a takeover's lock. */
async function sweep(path: string): Promise<void> {
  const name = basename(path);
  try {
    for (const entry of readdirSync(dirname(path))) {
      const rest = entry.startsWith(name) ? entry.slice(name.length) : "";
      if (!/^(~+|~*\.[0-9a-f]{24})$/.test(rest)) continue;
      const left = join(dirname(path), entry);
      const note = readNote(left);
      if (!note) continue;
      if (rest.endsWith("~")) {
        if (note.nonce !== "" && hasEnded(note, left)) (await lock(left, { wait: WAIT_TAKEOVER })).release();
      } else if (note.nonce === "" ? isOld(left) : hasEnded(note, left)) rmSync(left, { force: true });
    }
  } catch {
    // it is in nobody's way
  }
}

/** A note that is empty was never written, or is about to be. */
function isOld(path: string): boolean {
  const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return changed !== undefined && Date.now() - changed > 3_600_000;
}
