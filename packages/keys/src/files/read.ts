// Reads files and stdin. Refuses files that are not regular.

import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, statSync } from "node:fs";
import { environment, systemFault, usage } from "../errors/failure.js";
import { KEY_LIMITS } from "../limits.js";
import { byteWords } from "../words.js";
import { comparableName } from "./place.js";

/** The path for stdin, or for stdout when a command writes. */
export const STDIO = "-";

/** What messages call an input: its path, or "stdin". */
export const inputName = (path: string): string => (path === STDIO ? "stdin" : path);

/** Refuses a name with NUL: descriptions and fleet files name paths, and Node throws another kind of error for it. */
function checkName(path: string): void {
  if (path.includes("\0")) throw environment(`${path}: the name has a NUL byte`, "name an existing file");
}

/** Returns whether a path names a folder, also through a link. */
export const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Returns whether a path names a regular file, also through a link. */
export const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/**
 * Opens a regular file, with additional `flags`. Throws a usage Failure for a directory, FIFO or device, and an
 * environment Failure for a missing or unreadable file.
 */
export function openRegular(path: string, flags = 0): { fd: number; size: number } {
  checkName(path);
  let fd: number;
  try {
    // O_NONBLOCK: a FIFO without a writer must not hang here
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  } catch (e) {
    throw systemFault(e, path) ?? e;
  }
  const stat = fstatSync(fd);
  if (stat.isFile()) return { fd, size: stat.size };
  closeSync(fd);
  throw usage(
    `${path} is a ${stat.isDirectory() ? "folder" : stat.isFIFO() ? "FIFO" : "device"}, not a file`,
    "give a regular file; - is stdin where a command reads it",
  );
}

/** Bytes to read before the first check. */
const FIRST_READ = 4096;

export const tooLarge = (name: string, size: string, limit: number) =>
  usage(`${name} is too large (${size})`, `the limit is ${byteWords(limit)}`);

/** Returns the number of bytes read; 0 at the end. */
function readInto(fd: number, into: Uint8Array, at: number, most: number): number {
  for (;;) {
    try {
      return readSync(fd, into, at, Math.min(most, into.length - at), null);
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException;
      // Windows says EOF for a closed pipe
      if (code === "EOF") return 0;
      // another process with the descriptor may have made it non-blocking
      if (code !== "EAGAIN") throw e;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/**
 * Reads a descriptor to its end, at most `limit` bytes. Counts while reading, because a pipe has no size and a file may
 * grow. `begins` gets the first bytes and may refuse before the rest is read.
 */
export function readToEnd(fd: number, name: string, limit: number, size = 0, begins?: (head: Uint8Array) => void): Uint8Array {
  // untouched pages take no memory
  let into = new Uint8Array(size > 0 && size < limit ? size + 1 : limit + 1);
  let n = 0;
  try {
    for (let seen = false; ; ) {
      const more = readInto(fd, into, n, seen ? limit : FIRST_READ);
      n += more;
      if (!seen && (n >= 8 || more === 0)) {
        seen = true;
        begins?.(into.subarray(0, n));
      }
      if (more === 0) return into.subarray(0, n);
      if (n > limit) throw tooLarge(name, `more than ${byteWords(limit)}`, limit);
      if (n === into.length) {
        const longer = new Uint8Array(limit + 1);
        longer.set(into);
        // it may hold a secret
        into.fill(0);
        into = longer;
      }
    }
  } catch (e) {
    throw systemFault(e, name) ?? e;
  }
}

/**
 * Reads a whole file, or stdin for "-". `begins`: see readToEnd(). Throws a Failure: USAGE for more than `limit` bytes
 * or for something that is not a file, ENVIRONMENT if the file cannot be read.
 */
export function readAll(path: string, limit: number, begins?: (head: Uint8Array) => void): Uint8Array {
  if (path === STDIO) return readToEnd(0, inputName(path), Math.min(limit, KEY_LIMITS.stdin), 0, begins);
  const { fd, size } = openRegular(path);
  try {
    if (size > limit) {
      begins?.(firstBytes(fd, FIRST_READ));
      throw tooLarge(path, byteWords(size), limit);
    }
    return readToEnd(fd, path, limit, size, begins);
  } finally {
    closeSync(fd);
  }
}

/** Whether an error says that a path names nothing: neither it nor a folder on the way. */
export function isMissing(e: unknown): boolean {
  const code = (e as NodeJS.ErrnoException | undefined)?.code;
  return code === "ENOENT" || code === "ENOTDIR";
}

/** Whether an error says that no file can be at a path: none is there, or the name is longer than names can be. */
export function isNowhere(e: unknown): boolean {
  return isMissing(e) || (e as NodeJS.ErrnoException).code === "ENAMETOOLONG";
}

/**
 * Returns what `work` reads from a file that may be missing: undefined then. The attempt to open it decides this. A
 * look before it could be out of date, and cannot tell a missing file from one that must not be seen.
 */
export function ifThere<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (e) {
    if (isMissing((e as Error).cause)) return undefined;
    throw e;
  }
}

/** Like readAll(), for a file that may be missing: returns undefined then. */
export const readIfThere = (path: string, limit: number): Uint8Array | undefined => ifThere(() => readAll(path, limit));

/**
 * Reads a file of our own, of at most `most` bytes. Returns "missing", or "damaged" for anything but a regular file of
 * this size: a link could lead to the file of another key. Reads the file that it has checked, even if another one
 * takes its name meanwhile. Throws a Failure: ENVIRONMENT.
 */
export function readOwn(path: string, most: number): Uint8Array | "missing" | "damaged" {
  try {
    // Windows has no such flag
    if (constants.O_NOFOLLOW === undefined && lstatSync(path).isSymbolicLink()) return "damaged";
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | (constants.O_NOFOLLOW ?? 0));
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() || stat.size > most) return "damaged";
      // one more, to notice a file that grows
      const bytes = new Uint8Array(stat.size + 1);
      let n = 0;
      for (let more = 1; more > 0 && n < bytes.length; n += more) more = readSync(fd, bytes, n, bytes.length - n, n);
      return n > stat.size ? "damaged" : bytes.subarray(0, n);
    } finally {
      closeSync(fd);
    }
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException;
    if (isMissing(e)) return "missing";
    if (code !== undefined && NOT_FILES.includes(code)) return "damaged";
    throw systemFault(e, path) ?? e;
  }
}

/** Errors of open() for what is not a regular file: a link, with two names in POSIX; a socket; a folder on Windows. */
const NOT_FILES: readonly string[] = ["ELOOP", "EMLINK", "ENXIO", "EISDIR"];

function firstBytes(fd: number, n: number): Uint8Array {
  const out = new Uint8Array(n);
  return out.subarray(0, readSync(fd, out, 0, n, 0));
}

/** Reads the first `n` bytes of a file. */
export function readFirstBytes(path: string, n: number): Uint8Array {
  const { fd } = openRegular(path);
  try {
    return firstBytes(fd, n);
  } finally {
    closeSync(fd);
  }
}

/** Returns the size of a regular file. */
export function sizeOf(path: string): number {
  const { fd, size } = openRegular(path);
  closeSync(fd);
  return size;
}

/** Refuses a path at which nothing is. */
export function refuseMissing(path: string): void {
  if (path === STDIO) return;
  checkName(path);
  try {
    statSync(path);
  } catch (e) {
    throw systemFault(e, path) ?? e;
  }
}

/** Returns whether two paths name one file, even if it does not exist yet. Then names that differ in case are one. */
export function isSameFile(a: string, b: string): boolean {
  checkName(a);
  checkName(b);
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return one && other ? one.dev === other.dev && one.ino === other.ino : !one && !other && comparableName(a) === comparableName(b);
}
