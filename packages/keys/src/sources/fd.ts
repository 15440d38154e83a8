// --key fd:N: the key is read from a file descriptor, from a secret store or from a file that this program could not
// open itself.

import { readSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { KeyFileError } from "../errors/key-file.js";
import { KEY_LIMITS } from "../limits.js";
import { checkDescriptor } from "../secrets/descriptor.js";
import type { Asking, OpenedKey } from "../source.js";
import { holdKey } from "./file.js";

/** Milliseconds without a byte: a descriptor that nobody writes to must not block a build. */
const PATIENCE = 60_000;

const OPEN_HINT = "open it: firmseal … --key fd:3 3<FILE";

/**
 * Reads a key from a descriptor to its end, in any format. File modes are not checked: the program that opened it is
 * responsible.
 */
export async function openDescriptor(ref: string, ask: Asking): Promise<OpenedKey> {
  const digits = ref.slice("fd:".length);
  if (!/^[0-9]{1,4}$/.test(digits) || digits === "1" || digits === "2")
    throw new KeyFileError("`key` fd: is not followed by the number of a descriptor that can be read", OPEN_HINT, 2);
  return holdKey(await readDescriptor(Number(digits), ask.signal), ref, ask);
}

async function readDescriptor(fd: number, signal: AbortSignal | undefined): Promise<Buffer> {
  const buffer = Buffer.alloc(KEY_LIMITS.keyFile + 1);
  let length = 0;
  try {
    checkDescriptor(fd);
    for (let since = Date.now(); length < buffer.length; ) {
      signal?.throwIfAborted();
      const n = tryRead(fd, buffer, length);
      if (n === 0) break;
      if (n !== undefined) {
        length += n;
        since = Date.now();
      } else if (Date.now() - since > PATIENCE) throw Object.assign(new Error(), { code: "ETIMEDOUT" });
      else await sleep(10);
    }
  } catch (e) {
    buffer.fill(0);
    signal?.throwIfAborted();
    throw new KeyFileError(`file descriptor ${fd} cannot be read (${(e as NodeJS.ErrnoException).code})`, OPEN_HINT, 3);
  }
  return buffer.subarray(0, length);
}

/** Returns the number of bytes read, 0 at the end, or undefined if none are available yet. */
function tryRead(fd: number, buffer: Buffer, at: number): number | undefined {
  try {
    return readSync(fd, buffer, at, buffer.length - at, null);
  } catch (e) {
    const code = (e as NodeJS.ErrnoException).code;
    // Windows says EOF for a closed pipe
    if (code === "EOF") return 0;
    if (code === "EAGAIN") return undefined;
    throw e;
  }
}
