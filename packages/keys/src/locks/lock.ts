// A lock between processes: a file that names its holder. It survives a killed holder, and is then taken over. It only
// makes others wait; nothing that must not happen twice depends on it (claim.ts, log.ts), because a person may remove
// it.
//
// There are never two holders: a lock appears by link(), which fails if one exists. The lock of a process that has
// ended is removed only by the holder of the lock with the same name and "~", and only while it is still the lock that
// was examined. So nobody removes a lock that was created meanwhile. If the holder of the "~" is killed, that lock is
// taken over in the same way, through "~~"; each further level needs one more kill.

import { randomBytes } from "node:crypto";
import { linkSync, lstatSync, readdirSync, readFileSync, statSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { environment, type Failure, systemFault } from "../errors/failure.js";
import { isNowhere } from "../files/read.js";
import { removeFile, writeDurably } from "../files/write.js";
import { hasEnded, type ProcessId, thisProcess } from "./process.js";

/** Seconds to wait for a lock. */
const WAIT = 60;
/** Seconds to wait for the lock of a takeover, which lasts for three system calls. */
const WAIT_TAKEOVER = 5;
/** Maximum depth of takeovers. Each level is left behind by one kill within those three calls. */
const MAX_TAKEOVERS = 16;

/** A lock on a file, which this process holds. */
export interface Lock {
  /** Whether the lock still exists: a person may have removed it. */
  isOurs(): boolean;
  release(): void;
}

interface Note extends ProcessId {
  nonce: string;
}

export interface LockOptions {
  /** Seconds to wait. Default: 60. */
  wait?: number;
  /** The message if the lock is not available. Default: "another process is using it". */
  busy?: string;
  /** Ends the wait. */
  signal?: AbortSignal | undefined;
}

const ours = new Map<string, string>();

/**
 * Takes the lock `path`, whose folder must exist. Whether a holder on another machine or in another container still
 * runs is unknown: its lock is waited for and never taken over.
 *
 * @param path - The lock file.
 * @param options - How long to wait, and for what.
 * @returns The lock, to be released.
 * @throws Failure (exit 3) that names the holder if another process keeps the lock until the timeout, or if the file
 *   cannot be created. The reason of `signal`, if it aborts.
 */
export async function lock(path: string, options: LockOptions = {}): Promise<Lock> {
  const end = process.uptime() + (options.wait ?? WAIT);
  for (;;) {
    options.signal?.throwIfAborted();
    const there = readNote(path);
    if (there === undefined) {
      const nonce = tryTake(path);
      if (nonce === undefined) {
        // it is there, and leads nowhere: nobody holds it, and nobody can take it
        if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
          throw environment(`${path} is a symbolic link`, "remove the link: a lock is a file");
        continue;
      }
      if (ours.size === 0) process.once("exit", releaseAll);
      ours.set(path, nonce);
      if (!path.endsWith("~")) await sweep(path);
      return { isOurs: () => readNote(path)?.nonce === nonce, release: () => releaseLock(path, nonce) };
    }
    if (there.nonce !== "" && hasEnded(there, path)) await takeAway(path, there.nonce);
    else if (process.uptime() >= end) throw busy(path, there, options.busy);
    // spread processes that began to wait at the same time
    else await sleep(5 + 20 * Math.random());
  }
}

function busy(path: string, { nonce, pid, host }: Note, what = `${path}: another process is using it`): Failure {
  const here = host === thisProcess().host ? "" : ` on ${host}`;
  return environment(
    nonce === "" ? what : `${what} (process ${pid}${here})`,
    `wait for it; if that process has certainly ended, remove ${path}`,
  );
}

/** Reads the holder. Returns undefined if there is no lock. A lock that cannot be read still counts as held. */
function readNote(path: string): Note | undefined {
  try {
    const note = JSON.parse(readFileSync(path, "utf8"));
    const texts = ["nonce", "start", "boot", "space", "machine", "host"];
    if (Number.isSafeInteger(note.pid) && note.pid > 0 && texts.every((name) => typeof note[name] === "string")) return note;
  } catch (e) {
    // an attempt to take it then says what is wrong with its path
    if (isNowhere(e)) return undefined;
  }
  // unreadable, or of another program: the holder is unknown
  return { nonce: "", pid: 0, start: "", boot: "", space: "", machine: "", host: thisProcess().host };
}

/** Creates the lock, unless another process was faster. */
function tryTake(path: string): string | undefined {
  const nonce = randomBytes(12).toString("hex");
  const note = JSON.stringify({ nonce, ...thisProcess() } satisfies Note);
  // written separately and then linked, so that a visible lock always names its holder
  const own = `${path}.${nonce}`;
  try {
    writeDurably(own, Buffer.from(note), 0o600);
    linkSync(own, path);
    return nonce;
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException;
    // NFS may lose the answer and repeat the request: the link count shows whether it succeeded
    if (code === "EEXIST") return statSync(own, { throwIfNoEntry: false })?.nlink === 2 ? nonce : undefined;
    // FAT has no hard links
    if (code === "EPERM" || code === "ENOTSUP" || code === "ENOSYS") return tryTakeWithoutLinks(path, note) ? nonce : undefined;
    throw systemFault(e, path) ?? e;
  } finally {
    removeFile(own);
  }
}

/** A kill between creating and writing leaves a lock with an unknown holder, which a person must remove. */
function tryTakeWithoutLinks(path: string, note: string): boolean {
  try {
    writeDurably(path, Buffer.from(note), 0o600);
    return true;
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw systemFault(e, path) ?? e;
  }
}

/** Removes the lock with `nonce`, whose process has ended. */
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
  if (readNote(path)?.nonce === nonce) removeFile(path);
}

/** Releases all locks when a signal ends the program, so that others need not take them over. */
function releaseAll(): void {
  for (const [path, nonce] of ours) releaseLock(path, nonce);
}

/**
 * Removes the leftovers of killed processes beside the lock: notes that were not linked yet, and the lock of a
 * takeover.
 */
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
      } else if (note.nonce === "" ? isOld(left) : hasEnded(note, left)) removeFile(left);
    }
  } catch {
    // it is in nobody's way
  }
}

/** Whether an empty note is old: it was never written, or is about to be. */
function isOld(path: string): boolean {
  const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return changed !== undefined && Date.now() - changed > 3_600_000;
}
