// Files that are written: an output is the old one or the new one, never a part, and a signal waits until it is whole.

import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, realpathSync, renameSync, statSync, unlinkSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { syncFolder as sync } from "@firmseal/verifier/device/file";
import { environment, type Failure, systemFault, usage } from "../errors/failure.js";

let temporary: string | undefined;

function cleanUp(): void {
  if (temporary === undefined) return;
  try {
    unlinkSync(temporary);
  } catch {
    // gone already
  }
  temporary = undefined;
}

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

function onSignal(signal: NodeJS.Signals): void {
  cleanUp();
  process.exit(128 + SIGNAL_NUMBERS[signal as keyof typeof SIGNAL_NUMBERS]);
}

/** How many are writing. */
let holders = 0;

/**
 * From here on a signal waits until what is being written is whole, up to the call of the function that comes back. To be called when writing
 * begins: at any other time, while stdin or a large file is read or a token signs, a signal has to end the program at once, and where a
 * function is installed for it, it does nothing before the call that is under way returns.
 */
export function holdSignals(): () => void {
  if (holders++ === 0) for (const signal of Object.keys(SIGNAL_NUMBERS)) process.on(signal, onSignal);
  let released = false;
  return () => {
    if (released) return;
    released = true;
    // after the next look at what has come: one that came meanwhile must not get lost
    setImmediate(() => {
      if (--holders === 0) for (const signal of Object.keys(SIGNAL_NUMBERS)) process.off(signal, onSignal);
    });
  };
}

/**
 * To be waited for before code of others is called that may not return, such as a token's module: signals that have come end the program now,
 * and those that come while it is called end it at once.
 */
export function signalsFree(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Where an output file goes: a symbolic link stays, and what it leads to is replaced. It must be a regular file, or not there yet. */
function targetOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return path;
  if (!stat.isFile())
    throw usage(
      `${path}: is a ${stat.isDirectory() ? "directory" : stat.isFIFO() ? "FIFO" : "device"}, not a file`,
      "give a file name, or - for stdout",
    );
  return realpathSync(path);
}

/** Makes what was done in a folder durable. */
export function fsyncFolder(folder: string): void {
  sync({ openSync, fsyncSync, closeSync }, folder);
}

/** Makes a new file; what is in it is durable when it returns, its name only after fsyncFolder(). */
export function writeDurably(path: string, bytes: Uint8Array, mode: number): void {
  const fd = openSync(path, "wx", mode);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function noFolder(path: string, cause?: unknown): Failure {
  return environment(`${path}: there is no folder ${dirname(path)}`, "make the folder, or choose another name", cause);
}

/**
 * Writes a file by temporary file, fsync and rename. `fresh`: the file must not exist yet (then it is linked, not renamed,
 * so that one made in the meantime is not replaced). `mode` holds from the first byte on.
 */
export function writeWhole(path: string, bytes: Uint8Array, { mode = 0o644, fresh = false } = {}): void {
  const release = holdSignals();
  try {
    const target = fresh ? path : targetOf(path);
    const folder = dirname(target);
    // short, for a name may be 255 bytes long and this one is longer
    temporary = join(folder, `.${basename(target).slice(0, 40)}.${randomBytes(6).toString("hex")}.tmp`);
    // what is replaced keeps its mode: a file that others could not read must not become one that they can
    writeDurably(temporary, bytes, (statSync(target, { throwIfNoEntry: false })?.mode ?? mode) & 0o777);
    if (fresh) {
      linkSync(temporary, path);
      cleanUp();
    } else {
      renameSync(temporary, target);
      temporary = undefined;
    }
    fsyncFolder(folder);
  } catch (e) {
    cleanUp();
    if ((e as NodeJS.ErrnoException).code === "ENOENT") throw noFolder(path, e);
    if (fresh && (e as NodeJS.ErrnoException).code === "EEXIST")
      throw usage(`${path}: exists already and is never overwritten`, "choose another name, or move the file away");
    throw systemFault(e, path) ?? e;
  } finally {
    release();
  }
}
