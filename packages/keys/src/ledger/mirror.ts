// The copy of a ledger on this machine. It is a signing log like any other, and only grows: what a machine has seen, it
// keeps. So a ledger that was restored from an old copy, or changed, differs from what its users have.

import { closeSync, constants, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { Failure, systemFault } from "../errors/failure.js";
import { isFile, readIfThere, sizeOf } from "../files/read.js";
import { fsyncFolder } from "../files/write.js";
import { KEY_LIMITS } from "../limits.js";
import { follows, parseLog, readFrom } from "../signing-log/log-file.js";
import { shellWord } from "../words.js";
import { brokenLedger, type Ledger, linesFrom } from "./ledger.js";
import type { LedgerPlace } from "./place.js";

const NEWLINE = 0x0a;

/** The whole lines of a copy: how many bytes they have, and the last one. */
interface MirrorEnd {
  readonly size: number;
  readonly last: Buffer;
}

function endOf(path: string): MirrorEnd {
  const none = { size: 0, last: Buffer.alloc(0) };
  if (!isFile(path)) return none;
  const size = sizeOf(path);
  // most lines have a few hundred bytes
  for (let room = 16 * 1024; ; room *= 16) {
    const from = Math.max(0, size - room);
    const bytes = readFrom(path, from);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    const before = end === 0 ? -1 : bytes.lastIndexOf(NEWLINE, end - 2);
    if (before >= 0 && end > 1) return { size: from + end, last: bytes.subarray(before + 1, end) };
    if (from === 0) return end === 0 ? none : { size: end, last: bytes.subarray(0, end) };
  }
}

/** Appends to a copy. Durable on return. What follows its last whole line is the rest of a write that was cut. */
export function appendToMirror(path: string, at: number, bytes: Uint8Array): void {
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600);
    try {
      ftruncateSync(fd, at);
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    fsyncFolder(dirname(path));
  } catch (e) {
    throw systemFault(e, path) ?? e;
  }
}

function differs({ text }: LedgerPlace, path: string, what: string): Failure {
  return new Failure(
    3,
    "ERR_LOG",
    `${text}: ${what}, which is in ${path}`,
    `its owner restored an old copy, or changed it: restore the right one, or bring back what is lost: firmseal ledger import ${shellWord(path)} --ledger ${shellWord(text)}`,
  );
}

/**
 * Brings the copy of a ledger up to date. The caller has its lock.
 *
 * @param path - The copy.
 * @param ledger - The ledger.
 * @returns The length of both, in bytes.
 * @throws Failure (exit 3) if the ledger lacks what the copy has. The copy stays as it was.
 */
export async function fetchInto(path: string, ledger: Ledger): Promise<number> {
  const { size, last } = endOf(path);
  const lines = await linesFrom(ledger, size - last.length);
  if (!lines.subarray(0, last.length).equals(last.subarray(0, lines.length)))
    throw differs(ledger.place, path, "the ledger differs from what this machine has seen");
  if (lines.length < last.length) throw differs(ledger.place, path, "the ledger ends before what this machine has seen");
  const added = lines.subarray(last.length);
  if (added.length > 0) {
    // what others have entered must be a log, or this machine could never use its copy again
    if (!follows(path, last, added) && !isWhole(path, size, added)) throw brokenLedger(ledger.place);
    appendToMirror(path, size, added);
  }
  return size + added.length;
}

/** Whether a copy, with these lines, is a log without a fault: it has been joined, or a loss was accepted. */
function isWhole(path: string, size: number, added: Buffer): boolean {
  const copy = Buffer.from(readIfThere(path, KEY_LIMITS.log) ?? []).subarray(0, size);
  const { faults, torn } = parseLog(path, Buffer.concat([copy, added]));
  return faults.length === 0 && torn === 0;
}
