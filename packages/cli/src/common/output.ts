// Outputs: what must not be replaced, and where the bytes go: to a file, to stdout, or into the JSON.

import { existsSync, unlinkSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { RECORD, SUMS } from "@firmseal/behaviour";
import { KEY_LIMITS, lock } from "@firmseal/keys";
import {
  checkNew,
  checkWritable,
  environment,
  isFile,
  isLedgerPlace,
  isPrivateFile,
  isRecord,
  isSameFile,
  outputPlace,
  ownFile,
  readAll,
  readFirstBytes,
  STDIO,
  sizeOf,
  systemFault,
  usage,
  writeWhole,
} from "@firmseal/keys/internal";
import { refuseReplacing } from "@firmseal/release/internal";
import { FILE_KINDS, type FileKind, looksLikeEnvelope, taggedKind } from "@firmseal/verifier/tools";
import { failureOf } from "../show/failure-of.js";
import { isBytesToTerminal, writeProduct } from "../show/ui.js";

/** The input's name with the extension .suit, beside the input. stdin goes to stdout. */
export function outputName(input: string): string {
  return input === STDIO ? STDIO : join(dirname(input), `${basename(input, extname(input))}.suit`);
}

/** Throws a Failure if a release at this place must not be replaced by the new one, unless --replace was given. */
export function checkRelease(out: string, envelope: Uint8Array, replace: boolean | undefined): void {
  if (out !== STDIO && !replace && isFile(out)) refuseReplacing(out, envelope);
}

/**
 * Returns what must still hold when an envelope is written. One that was signed in place must be the one that was read:
 * another process may have added a signature, or made a release.
 */
export function judgeRelease(out: string, made: Uint8Array, o: { replace?: boolean }, read?: { path: string; bytes: Uint8Array }) {
  return () => {
    if (out === STDIO) return;
    if (read && isSameFile(read.path, out)) refuseChanged(out, read.bytes);
    else {
      checkReplaced(out, "--out", "envelope");
      checkRelease(out, made, o.replace);
    }
  };
}

/** Throws a Failure if a file that gets a signature in place is no longer what was read. */
export function refuseChanged(path: string, read: Uint8Array): void {
  if (sizeOf(path) !== read.length || !Buffer.from(read).equals(readAll(path, read.length)))
    throw environment(`${path} was changed by another process meanwhile`, "run the command again");
}

/**
 * An output must not be an input, a private key, the state of a key, or another output. A mistyped name must not cost a
 * key, an image or a signed file: a signed file is replaced only by one of its kind, and a signed file replaces nothing
 * else, but for an envelope, which replaces any other file that is called *.suit. The folder of a release gets no file,
 * for verify would then refuse it. `kind`: of the output, if it is a signed file, or "log" for a signing log, to which
 * entries are appended.
 */
export function checkOutput(path: string, option: string, others: readonly string[], kind?: FileKind | "log"): void {
  refuseTerminal(path, option);
  if (path === STDIO) return;
  outputPlace(path);
  const clash = others.find((other) => other !== STDIO && isSameFile(path, other));
  if (clash !== undefined) throw usage(`${option} ${path} would replace ${clash}, which this command uses`, "choose another name");
  if (kind === undefined || !isFile(path)) refuseInRelease(path, option);
  checkReplaced(path, option, kind);
  // before a key signs what cannot be written
  checkWritable(path);
}

/** Checks a signing log like checkOutput(). A ledger is not a file. */
export function checkLog(log: string, others: readonly string[]): void {
  if (!isLedgerPlace(log)) checkOutput(log, "--log", others, "log");
}

/** Like checkOutput(), for a file that must not exist yet. */
export function checkNewOutput(path: string, option: string): void {
  if (path === STDIO) return;
  refuseInRelease(path, option);
  checkNew(path);
}

/** Refuses an output in the folder of a release, which has the files of the release and no others. */
function refuseInRelease(path: string, option: string): void {
  const folder = dirname(path);
  if ([RECORD, SUMS].every((name) => existsSync(join(folder, name))))
    throw usage(`${option} ${path} is in the folder of a release`, "name a file elsewhere");
}

/** Bytes must not go to a terminal. Called before anything is signed. */
export function refuseTerminal(path: string, option: string): void {
  if (path === STDIO && isBytesToTerminal())
    throw usage(`${option}: stdout is a terminal, and the output is binary`, "name a file, or send stdout to a file or a program");
}

function checkReplaced(path: string, option: string, kind: FileKind | "log" | undefined): void {
  if (!isFile(path)) return;
  const head = readFirstBytes(path, KEY_LIMITS.keyFile);
  const kept = (what: string) => usage(`${option} ${path} ${what}`, "choose another name, or move the file away");
  if (isPrivateFile(head)) throw usage(`${option} ${path} is a private key, or the state of a key`, "choose another name");
  // a log is read before an entry is appended, and says what is wrong with it
  if (kind === "log" && taggedKind(head) === undefined) return;
  if (isRecord(head)) throw usage(`${option} ${path} is ${ownFile(head)}, which is never replaced`, "choose another name");
  if (head.length === 0 || (kind !== undefined && isOfKind(head, kind))) return;
  const there = taggedKind(head);
  if (there !== undefined) throw kept(`exists and is ${FILE_KINDS[there].what}`);
  if (kind === undefined || kind === "log" || (kind === "envelope" && path.toLowerCase().endsWith(".suit"))) return;
  throw kept(`exists and is not ${FILE_KINDS[kind].what}`);
}

const isOfKind = (head: Uint8Array, kind: FileKind | "log") => (kind === "envelope" ? looksLikeEnvelope(head) : taggedKind(head) === kind);

/** With --json, bytes for stdout become a member of the one object there. */
export function inJson(out: string, bytes: Uint8Array, asJson: boolean | undefined): { data?: string } {
  return asJson && out === STDIO ? { data: Buffer.from(bytes).toString("base64") } : {};
}

/** Writes an output. Returns the member that goes into the JSON instead, if any. */
export function deliver(out: string, bytes: Uint8Array, asJson: boolean | undefined, o: { fresh?: boolean } = {}): { data?: string } {
  const member = inJson(out, bytes, asJson);
  if (member.data === undefined) writeOut(out, bytes, o);
  return member;
}

/**
 * Like deliver(), for a file that may replace another one. Calls `judge` when no other process of firmseal can write
 * the file any more: between the first check and the signature, a person may have typed a passphrase.
 */
export async function deliverOver(
  out: string,
  bytes: Uint8Array,
  asJson: boolean | undefined,
  judge: () => void,
): Promise<{ data?: string }> {
  if (out === STDIO) return deliver(out, bytes, asJson);
  const busy = `${out}: another process is writing it`;
  const alone = await lock(join(dirname(out), `.${basename(out).slice(0, 40)}.lock`), { busy });
  try {
    judge();
    return deliver(out, bytes, asJson);
  } finally {
    alone.release();
  }
}

/** Writes an output file whole, as writeWhole() does; "-" is stdout. */
export function writeOut(path: string, bytes: Uint8Array, o: { mode?: number; fresh?: boolean } = {}): void {
  try {
    if (path === STDIO) writeProduct(bytes);
    else writeWhole(path, bytes, o);
  } catch (e) {
    throw systemFault(e, "stdout") ?? e;
  }
}

/** A file that must not exist yet. */
export interface NewFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode?: number;
}

/** Writes new files, in this order: all of them or none, and never over an existing one. */
export function writeAllNew(files: readonly NewFile[]): void {
  const written: string[] = [];
  try {
    for (const { path, bytes, mode } of files) {
      writeOut(path, bytes, { ...(mode !== undefined && { mode }), fresh: true });
      written.push(path);
    }
  } catch (e) {
    for (const path of written) unlinkSync(path);
    throw e;
  }
}

/**
 * Writes what was signed. If it cannot be written, the number is used all the same: the log has it, and a leaf is
 * never used twice.
 */
export async function writeSigned<T>(sequence: string, write: () => T | Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (e) {
    const fault = failureOf(e);
    throw fault.with({ hint: `${fault.hint}; sequence number ${sequence} was used, and the signing log has it`, cause: e });
  }
}
