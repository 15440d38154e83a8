// Writes files atomically: an output is the old file or the new one, never a part, and signals wait until it is
// complete.

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
 * Await this before calling foreign code that may not return, such as the module of a token: pending signals end the
 * program now, and later ones end it at once.
 */
export function signalsFree(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/**
 * The path of an output file. A symbolic link is kept, and its target is replaced. The target must be a regular file or
 * absent.
 */
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

/** Makes changes of a folder durable. */
export function fsyncFolder(folder: string): void {
  sync({ openSync, fsyncSync, closeSync }, folder);
}

/** Creates a file. Its content is durable on return; its name only after fsyncFolder(). */
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
 * Writes a file through a temporary file, fsync and rename. `fresh`: the file must not exist; it is linked instead of
 * renamed, so that a file created meanwhile is not replaced. `mode` applies from the first byte.
 */
export function writeWhole(path: string, bytes: Uint8Array, { mode = 0o644, fresh = false } = {}): void {
  const release = holdSignals();
  try {
    const target = fresh ? path : targetOf(path);
    const folder = dirname(target);
    // shortened, because a name may have 255 bytes and this one is longer
    temporary = join(folder, `.${basename(target).slice(0, 40)}.${randomBytes(6).toString("hex")}.tmp`);
    // keep the mode of a replaced file: a file that others could not read must stay so
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
