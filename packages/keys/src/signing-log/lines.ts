// Reads a log line by line, in memory that does not depend on its length.

import { createHash } from "node:crypto";
import { closeSync, readSync } from "node:fs";
import { systemFault } from "../errors/failure.js";
import { openRegular, tooLarge } from "../files/read.js";
import { KEY_LIMITS } from "../limits.js";
import { byteWords } from "../words.js";

/** Bytes that are held at once. No line with an entry is longer, even if a truncated entry is before it. */
const HELD = 2 * KEY_LIMITS.logEntry;

/** A line with its line end, which the last one may lack. The bytes are valid until the next line is asked for. */
export interface LogLine {
  bytes: Buffer;
  /** Whether it begins and ends here. A longer line comes in parts. */
  begins: boolean;
  ends: boolean;
  /** Whether nothing follows. */
  isLast: boolean;
}

/** The lines of bytes that `read` puts into a buffer: it returns how many, and 0 at the end. */
function* split(name: string, size: number, read: (into: Buffer) => number): Generator<LogLine> {
  const held = Buffer.allocUnsafe(Math.min(size + 1, HELD));
  let [start, end, length] = [0, 0, 0];
  for (let isOver = false; !isOver || start < end; ) {
    const newline = held.subarray(start, end).indexOf(0x0a);
    const next = newline < 0 ? end : start + newline + 1;
    if (next === end && !isOver && end - start < held.length) {
      // whether a line is the last one shows only behind it
      held.copyWithin(0, start, end);
      [start, end] = [0, end - start];
      const got = read(held.subarray(end));
      isOver = got === 0;
      end += got;
      continue;
    }
    const begins = length === 0;
    length += next - start;
    if (length > KEY_LIMITS.log) throw tooLarge(name, `a line of more than ${byteWords(KEY_LIMITS.log)}`, KEY_LIMITS.log);
    const isLast = isOver && next === end;
    const ends = newline >= 0 || isLast;
    yield { bytes: held.subarray(start, next), begins, ends, isLast };
    if (ends) length = 0;
    start = next;
  }
}

/** The lines of bytes in memory. */
export function linesOf(name: string, bytes: Buffer): Iterable<LogLine> {
  let at = 0;
  return split(name, bytes.length, (into) => {
    const got = bytes.copy(into, 0, at);
    at += got;
    return got;
  });
}

/**
 * The lines of a file between two places, or up to the end that it has now: it may grow meanwhile. Throws a Failure for
 * what is not a file, for one that cannot be read, and for a line of more than 512 MiB.
 */
export function* linesIn(path: string, from = 0, to?: number): Generator<LogLine> {
  const { fd, size } = openRegular(path);
  try {
    const end = Math.min(size, to ?? size);
    let at = from;
    yield* split(path, Math.max(0, end - from), (into) => {
      const got = readSync(fd, into, 0, Math.min(into.length, Math.max(0, end - at)), at);
      at += got;
      return got;
    });
  } catch (e) {
    throw systemFault(e, path) ?? e;
  } finally {
    closeSync(fd);
  }
}

/** The SHA-256 of a file up to a place, in hex. */
export function hashUpTo(path: string, end: number): string {
  const hash = createHash("sha256");
  for (const { bytes } of linesIn(path, 0, end)) hash.update(bytes);
  return hash.digest("hex");
}
