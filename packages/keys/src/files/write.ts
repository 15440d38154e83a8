// Writes files atomically: an output is the old file or the new one, never a part, and signals wait until it is
// complete.

import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { constants as osConstants } from "node:os";
import { basename, dirname, join, normalize, resolve } from "node:path";
import { syncFolder as sync } from "@firmseal/verifier/device/file";
import { environment, type Failure, systemFault, usage } from "../errors/failure.js";
import { outputPlace } from "./place.js";
import { isNowhere } from "./read.js";

let temporary: string | undefined;

function cleanUp(): void {
  if (temporary === undefined) return;
  try {
    removeFile(temporary);
  } catch {
    // a folder that is being written
    try {
      rmSync(temporary, { recursive: true, force: true });
    } catch {
      // it stays
    }
  }
  temporary = undefined;
}

/** Removes a file, if it exists. rmSync() would check it twice, and is a module of its own in Node 20. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (e) {
    if (!isNowhere(e)) throw e;
  }
}

/** SIGBREAK is Ctrl+Break on Windows; other systems have none. */
const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1, SIGBREAK: 21 } as const;

function onSignal(signal: NodeJS.Signals): void {
  cleanUp();
  process.exit(128 + SIGNAL_NUMBERS[signal as keyof typeof SIGNAL_NUMBERS]);
}

/** Number of current writers. */
let holders = 0;

/**
 * Delays signals until the returned function is called, so that the current output becomes complete. Call it only when
 * writing begins: at other times (reading stdin or a large file, signing with a token), a signal must end the program
 * at once, and an installed handler would only run after the current call returns.
 */
export function holdSignals(): () => void {
  if (holders++ === 0) for (const signal of Object.keys(SIGNAL_NUMBERS)) process.on(signal, onSignal);
  let released = false;
  return () => {
    if (released) return;
    released = true;
    // after the event loop has polled once more, so that no signal is lost
    setImmediate(() => {
      if (--holders === 0) for (const signal of Object.keys(SIGNAL_NUMBERS)) process.off(signal, onSignal);
    });
  };
}

/**
 * Ends the program now if a signal is pending, and lets later signals end it at once. Await it before calling foreign
 * code that may not return, such as the module of a token.
 */
export function signalsFree(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** The absolute path of an output file, which must be a regular file or absent. Refuses links: see outputPlace(). */
function targetOf(path: string): string {
  // what the name of a file cannot end with
  if (path.endsWith("/") && !statSync(path, { throwIfNoEntry: false })) throw missingFolder(path, path.slice(0, -1));
  const target = outputPlace(path);
  const stat = lstatSync(target, { throwIfNoEntry: false });
  if (stat && !stat.isFile())
    throw usage(
      `${path} is a ${stat.isDirectory() ? "folder" : stat.isFIFO() ? "FIFO" : "device"}, not a file`,
      "give a file name, or - for stdout",
    );
  return target;
}

/** Makes changes of a folder durable. */
export function fsyncFolder(folder: string): void {
  sync({ openSync, fsyncSync, closeSync }, folder);
}

function create(path: string, bytes: Uint8Array, mode: number, isDurable: boolean): void {
  const fd = openSync(path, "wx", mode);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    if (isDurable) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Creates a file. Its content is durable on return; its name only after fsyncFolder(). */
export function writeDurably(path: string, bytes: Uint8Array, mode: number): void {
  create(path, bytes, mode, true);
}

function noFolder(path: string, cause?: unknown): Failure {
  const folder = dirname(path);
  // /proc and the like
  if (existsSync(folder)) return environment(`${path}: no file can be made in the folder ${folder}`, "choose another folder", cause);
  return missingFolder(path, folder, cause);
}

const missingFolder = (path: string, folder: string, cause?: unknown) =>
  environment(`${path}: there is no folder ${folder}`, "make the folder, or choose another name", cause);

/** A name beside the target, shortened, because a name may have 255 bytes and this one is longer. */
function temporaryBeside(target: string): string {
  return join(dirname(target), `.${basename(target).slice(0, 40)}.${randomBytes(6).toString("hex")}.tmp`);
}

/**
 * Checks that writeWhole() can write here, by making and removing its temporary file. Call it before anything that
 * cannot be undone: a used sequence number, a used leaf, or a passphrase that a person types. A disk may still fill up
 * afterwards. Throws a Failure, ENVIRONMENT, if it cannot.
 */
export function checkWritable(path: string): void {
  const release = holdSignals();
  try {
    temporary = temporaryBeside(targetOf(path));
    // with content: a full disk often still has room for names. It need not last, and file systems reserve its room
    // when it is written.
    create(temporary, new Uint8Array(4096), 0o600, false);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "ENOENT") throw noFolder(path, e);
    throw systemFault(e, path) ?? e;
  } finally {
    cleanUp();
    release();
  }
}

/** Like checkWritable(), for a file that must not exist yet. Throws a usage Failure if it does. */
export function checkNew(path: string): void {
  freshPlace(path);
  checkWritable(path);
}

/** The absolute path of an output that must not exist, not even as a link that leads nowhere. */
function freshPlace(path: string): string {
  if (lstatSync(path, { throwIfNoEntry: false })) throw existsAlready(path);
  return outputPlace(path);
}

function existsAlready(path: string): Failure {
  return usage(`${path} exists already and is never overwritten`, "choose another name, or move the file away");
}

/**
 * Writes a file through a temporary file, fsync and rename. `fresh`: the file must not exist; it is linked instead of
 * renamed, so that a file created meanwhile is not replaced. `mode` applies from the first byte.
 */
export function writeWhole(path: string, bytes: Uint8Array, { mode = 0o644, fresh = false } = {}): void {
  const release = holdSignals();
  try {
    const target = fresh ? freshPlace(path) : targetOf(path);
    temporary = temporaryBeside(target);
    // keep the mode of a replaced file: a file that others could not read must stay so
    writeDurably(temporary, bytes, (lstatSync(target, { throwIfNoEntry: false })?.mode ?? mode) & 0o777);
    // A folder may have become a link meanwhile. rename() and link() themselves follow no link at the name.
    outputPlace(target);
    if (fresh) {
      linkSync(temporary, target);
      cleanUp();
    } else {
      renameSync(temporary, target);
      temporary = undefined;
    }
    fsyncFolder(dirname(target));
  } catch (e) {
    cleanUp();
    if ((e as NodeJS.ErrnoException).code === "ENOENT") throw noFolder(path, e);
    if (fresh && (e as NodeJS.ErrnoException).code === "EEXIST") throw existsAlready(path);
    throw systemFault(e, path) ?? e;
  } finally {
    release();
  }
}

/**
 * Makes a folder and those around it. Returns the outermost one that it made, or undefined. Not the recursive mkdir of
 * Node: it never returns where a folder is there and takes no other one, as in /proc.
 */
export function makeFolders(path: string, mode = 0o777): string | undefined {
  const make = (): string | undefined => {
    try {
      mkdirSync(path, { mode });
      return path;
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== "EEXIST") throw e;
      if (statSync(path).isDirectory()) return undefined;
      throw Object.assign(new Error(`${path}: not a folder`), { code: "ENOTDIR", errno: -osConstants.errno.ENOTDIR, path });
    }
  };
  try {
    return make();
  } catch (e) {
    const around = dirname(path);
    if ((e as NodeJS.ErrnoException).code !== "ENOENT" || around === path) throw e;
    const outermost = makeFolders(around, mode);
    const made = make();
    return outermost ?? made;
  }
}

/** How often a folder may vanish between the moment when it is made and the next, in which something is put into it. */
const MOST_VANISHED = 100;

/**
 * Makes a folder, and its parent if it is missing. While the parent is empty, another process may remove it again:
 * removeEmpty().
 */
function makeInside(parent: string, path: string): void {
  for (let n = 1; ; n++) {
    try {
      makeFolders(parent);
      mkdirSync(path, 0o755);
      return;
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== "ENOENT" || n === MOST_VANISHED) throw e;
    }
  }
}

/**
 * Writes a new folder with files, whole or not at all: into a folder beside it, which is then renamed. Folders around
 * it are made. `time`: seconds since 1970 for the files; default: now. Throws a usage Failure if the path exists.
 */
export function writeFolder(given: string, files: ReadonlyMap<string, Uint8Array>, time?: number): void {
  // behind a link, the system takes ".." for the folder that the link leads to, and the checks do not
  const path = normalize(given);
  const release = holdSignals();
  const made: string[] = [];
  try {
    freshPlace(path);
    const parent = dirname(path);
    for (let folder = parent; !existsSync(folder); folder = dirname(folder)) made.push(folder);
    temporary = temporaryBeside(path);
    makeInside(parent, temporary);
    for (const [name, bytes] of files) {
      writeDurably(join(temporary, name), bytes, 0o644);
      if (time !== undefined) utimesSync(join(temporary, name), time, time);
    }
    if (time !== undefined) utimesSync(temporary, time, time);
    fsyncFolder(temporary);
    // a folder around it may have become a link meanwhile
    freshPlace(path);
    // a folder that was made meanwhile is replaced only if it is empty
    renameSync(temporary, path);
    temporary = undefined;
    fsyncFolder(parent);
  } catch (e) {
    cleanUp();
    removeEmpty(made);
    const code = (e as NodeJS.ErrnoException).code;
    if (code === "ENOTEMPTY" || code === "EEXIST") throw existsAlready(path);
    throw systemFault(e, path) ?? e;
  } finally {
    release();
  }
}

/** The path of a folder that is replaced. Refuses links, and what is not a folder. */
function folderPlace(given: string): string {
  // "." has no name that another folder could take
  const path = resolve(given);
  const stat = lstatSync(outputPlace(path), { throwIfNoEntry: false });
  if (!stat?.isDirectory()) throw usage(`${given} is not a folder`, "name a folder");
  if (stat.dev !== statSync(dirname(path)).dev)
    throw usage(`${given} is the root of a file system`, "copy it into a folder, and name the copy");
  return path;
}

/** Checks that replaceFolder() can write files of `size` bytes in total here. Leaves nothing. Throws as it does. */
export function checkReplaced(given: string, size: number): void {
  checkFolder(`${folderPlace(given)}.probe`, "probe", size);
}

/** Where the old folder is while replaceFolder() works. */
const oldPlace = (path: string) => join(dirname(path), `.${basename(path)}.old`);

/** Whether a folder is missing because the power was cut within replaceFolder(): recoverFolder() brings it back. */
export const isFolderLost = (given: string): boolean => !existsSync(given) && existsSync(oldPlace(resolve(given)));

/** Brings back a folder that a power cut within replaceFolder() has left under another name, or removes the old one. */
export function recoverFolder(given: string): void {
  const path = resolve(given);
  const old = oldPlace(path);
  if (isFolderLost(path)) renameSync(old, path);
  else rmSync(old, { recursive: true, force: true });
}

/**
 * Replaces a folder and its files by a new one with all of `files`, so that a reader never finds a part of them. If the
 * power fails in between, recoverFolder() brings back the old one. Only one process may call it for a folder. Keeps the
 * modes of files. `time`: as for writeFolder().
 * Throws a usage Failure if the path is a link, or not a folder.
 */
export function replaceFolder(given: string, files: ReadonlyMap<string, Uint8Array>, time?: number): void {
  const path = folderPlace(given);
  const release = holdSignals();
  const next = temporaryBeside(path);
  const before = oldPlace(path);
  try {
    writeFolder(next, files, time);
    // others who could not read the old one cannot read the new one
    for (const name of files.keys()) {
      const mode = lstatSync(join(path, name), { throwIfNoEntry: false })?.mode;
      if (mode !== undefined) chmodSync(join(next, name), mode & 0o777);
    }
    chmodSync(next, statSync(path).mode & 0o777);
    renameSync(path, before);
    try {
      renameSync(next, path);
    } catch (e) {
      renameSync(before, path);
      throw e;
    }
    fsyncFolder(dirname(path));
    rmSync(before, { recursive: true, force: true });
  } catch (e) {
    rmSync(next, { recursive: true, force: true });
    throw systemFault(e, path) ?? e;
  } finally {
    release();
  }
}

/** Removes folders that were made, from the inside out, unless somebody has put something into them. */
function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch {
      return;
    }
  }
}

/**
 * Checks that writeFolder() can write here, by writing and removing one with a file called `name`, and that nothing is
 * there. Leaves no folder.
 */
export function checkFolder(given: string, name = "probe", size = 4096): void {
  const path = normalize(given);
  freshPlace(path);
  const probe = temporaryBeside(path);
  const made: string[] = [];
  for (let folder = dirname(path); !existsSync(folder); folder = dirname(folder)) made.push(folder);
  writeFolder(probe, new Map([[name, new Uint8Array(size)]]));
  rmSync(probe, { recursive: true, force: true });
  removeEmpty(made);
}
