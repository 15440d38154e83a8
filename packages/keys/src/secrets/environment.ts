// Environment variables with secrets. Child processes inherit the environment, and a plug-in that signs with one key
// must not get the passphrase of another.

import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { KeyFileError } from "../errors/key-file.js";

const takenVariables = new Map<string, string>();
/** Variables that other processes can still read after an attempt to erase them. */
const shownVariables = new Set<string>();

/** Reads a variable and removes it from the environment. Returns undefined if it is not set. */
export function takeVariable(name: string): string | undefined {
  // own properties only: env:__proto__
  const value = Object.hasOwn(process.env, name) ? process.env[name] : undefined;
  if (value === undefined) return takenVariables.get(name);
  takenVariables.set(name, value);
  delete process.env[name];
  if (!erase(name)) shownVariables.add(name);
  return value;
}

/** Reads a variable that takeVariable() may have removed. */
export function heldVariable(name: string): string | undefined {
  return process.env[name] ?? takenVariables.get(name);
}

/** Calls `work` with removed variables in the environment: a library reads them there. It must read them at once. */
export function withHeld<T>(names: readonly string[], work: () => T): T {
  const held = names.filter((name) => process.env[name] === undefined && takenVariables.has(name));
  for (const name of held) process.env[name] = takenVariables.get(name);
  try {
    return work();
  } finally {
    for (const name of held) delete process.env[name];
  }
}

/**
 * Clears the cache of read variables, for a program that runs several commands in sequence, each with an environment of
 * its own.
 * @built the command line of the tests imports it from lib/
 */
export function forgetSecrets(): void {
  takenVariables.clear();
  shownVariables.clear();
}

/** The variable that `env:NAME` names, in any spelling of the scheme. Throws KeyFileError (exit 2). */
export function variableOf(ref: string): string {
  const name = ref.slice("env:".length);
  // a key in place of its name must not appear in the message
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name))
    throw new KeyFileError("`key` env: is not followed by the name of a variable", "give the name, not the value: `key` env:NAME", 2);
  return name;
}

/**
 * Throws KeyFileError (exit 3) if programs of this user could still read a secret of this command from this process.
 */
export function refuseWhileShown(name: string): void {
  if (shownVariables.size === 0) return;
  throw new KeyFileError(
    `${name}: the program could read a secret that this command got in a variable`,
    "give the secret through a descriptor: `passphraseFd` 3 3<FILE",
    3,
  );
}

interface VariablePlace {
  at: number;
  bytes: Buffer;
}

/** The offsets of a variable in the memory that /proc/self/environ shows (proc(5)). It may occur more than once. */
function variablePlaces(name: string): VariablePlace[] {
  const all = readFileSync("/proc/self/environ");
  const found: VariablePlace[] = [];
  const begin = Buffer.from(`${name}=`);
  for (let at = 0; at < all.length; ) {
    const nul = all.indexOf(0, at);
    const end = nul < 0 ? all.length : nul;
    if (all.subarray(at, at + begin.length).equals(begin)) found.push({ at, bytes: all.subarray(at, end) });
    at = end + 1;
  }
  return found;
}

/**
 * Erases a variable from the environment that other processes can read. On Linux, /proc shows the memory as it was at
 * the start; unsetenv(3) does not clear it, so it is overwritten. Returns whether the variable is gone.
 */
function erase(name: string): boolean {
  // the environment is the only copy there, and `delete` has changed it
  if (process.platform === "win32") return true;
  try {
    const found = variablePlaces(name);
    if (found.length > 0) overwrite(found);
    // what others see now is what counts
    return variablePlaces(name).length === 0;
  } catch {
    return false;
  }
}

/**
 * proc(5): env_start is field 50 of /proc/PID/stat. The second field, the name, may contain anything; the third is the
 * state.
 */
const ENV_START = 50 - 3;

function overwrite(found: readonly VariablePlace[]): void {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const start = Number(stat.slice(stat.lastIndexOf(") ") + 2).split(" ")[ENV_START]);
  if (!Number.isSafeInteger(start) || start <= 0) return;
  const fd = openSync("/proc/self/mem", "r+");
  try {
    for (const { at, bytes } of found) {
      const there = Buffer.alloc(bytes.length);
      readSync(fd, there, 0, there.length, start + at);
      // anything else in that place must not be changed
      if (there.equals(bytes)) writeSync(fd, Buffer.alloc(bytes.length), 0, bytes.length, start + at);
      there.fill(0);
    }
  } finally {
    closeSync(fd);
  }
}
