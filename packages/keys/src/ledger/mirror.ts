// The copy of a ledger on this machine. It is a signing log like any other, and only grows: what a machine has seen, it
// keeps. So a ledger that was restored from an old copy, or changed, differs from what its users have.

import { closeSync, constants, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { Failure, systemFault } from "../errors/failure.js";
import { isFile, openRegular } from "../files/read.js";
import { fsyncFolder } from "../files/write.js";
import { KEY_LIMITS } from "../limits.js";
import { shellWord } from "../words.js";
import type { Ledger } from "./ledger.js";
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
  const { fd, size } = openRegular(path);
  try {
    // most lines have a few hundred bytes
    for (let room = 16 * 1024; ; room *= 16) {
      const from = Math.max(0, size - room);
      const bytes = Buffer.alloc(size - from);
      for (let have = 0; have < bytes.length; ) {
        const got = readSync(fd, bytes, have, bytes.length - have, from + have);
        if (got === 0) break;
        have += got;
      }
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      const before = end === 0 ? -1 : bytes.lastIndexOf(NEWLINE, end - 2);
      if (before >= 0 && end > 1) return { size: from + end, last: bytes.subarray(before + 1, end) };
      if (from === 0) return end === 0 ? none : { size: end, last: bytes.subarray(0, end) };
      if (room > 4 * KEY_LIMITS.logEntry) return { size, last: bytes };
    }
  } finally {
    closeSync(fd);
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
    `restore the right ledger: it was restored from an old copy, changed, or made anew; firmseal ledger verify --ledger ${shellWord(text)} says more`,
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
  let at = size - last.length;
  for await (const bytes of ledger.read(at)) {
    const isFirst = at < size;
    if (isFirst && !bytes.subarray(0, last.length).equals(last))
      throw differs(ledger.place, path, "the ledger differs from what this machine has seen");
    const added = isFirst ? bytes.subarray(last.length) : bytes;
    if (added.length > 0) appendToMirror(path, isFirst ? size : at, added);
    at += bytes.length;
  }
  if (at < size) throw differs(ledger.place, path, "the ledger ends before what this machine has seen");
  return at;
}
