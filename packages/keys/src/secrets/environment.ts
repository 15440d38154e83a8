// Variables of the environment that hold secrets. A program that is started inherits the environment as it then is, and a plug-in that
// signs with one key must not get the passphrase of another.

import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { KeyFileError } from "../errors/key-file.js";

const takenVariables = new Map<string, string>();
/** Those that other processes can still read, whatever was tried. */
const shownVariables = new Set<string>();

/** The value of a variable, which from here on is not in the environment any more; undefined where there is none. */
export function takeVariable(name: string): string | undefined {
  // not what every object has: env:__proto__
  const value = Object.hasOwn(process.env, name) ? process.env[name] : undefined;
  if (value === undefined) return takenVariables.get(name);
  takenVariables.set(name, value);
  delete process.env[name];
  if (!erase(name)) shownVariables.add(name);
  return value;
}

/**
 * Forgets what was taken, for a program that runs one command after the other: each has an environment of its own.
 * @built the command line of the tests imports it from lib/
 */
export function forgetSecrets(): void {
  takenVariables.clear();
  shownVariables.clear();
}

/** The variable that `env:NAME` names, however its scheme is written. Throws KeyFileError (exit 2). */
export function variableOf(ref: string): string {
  const name = ref.slice("env:".length);
  // a key where its name should be: the message must not hold it
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name))
    throw new KeyFileError("--key env: is not followed by the name of a variable", "give the name, not the value: --key env:NAME", 2);
  return name;
}

/** Throws KeyFileError (exit 3) where a program of this user could read a secret of this command from this process. */
export function refuseWhileShown(name: string): void {
  if (shownVariables.size === 0) return;
  throw new KeyFileError(
    `${name}: the program could read a secret that this command got in a variable`,
    "give the secret through a descriptor: --passphrase-fd 3 3<FILE",
    3,
  );
}

interface VariablePlace {
  at: number;
  bytes: Buffer;
}

/** Where a variable stands in the memory that /proc/self/environ shows (proc(5)), once or more often. */
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
 * Takes a variable out of what the system tells others of the environment. Linux shows the memory of the process as it was filled when the
 * program began: unsetenv(3) leaves it is, so it is written over. The result is whether the variable is gone from there.
 */
function erase(name: string): boolean {
  // there the environment is the only copy, and `delete` has changed it
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

/** proc(5): env_start is field 50 of /proc/PID/stat; the name, which may hold anything, is the second, and state the third. */
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
      // anything else that lies there is not ours to change
      if (there.equals(bytes)) writeSync(fd, Buffer.alloc(bytes.length), 0, bytes.length, start + at);
      there.fill(0);
    }
  } finally {
    closeSync(fd);
  }
}
