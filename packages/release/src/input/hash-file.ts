// Hashes a file of any size. While one chunk is hashed, the next is read on another thread.

import { createHash } from "node:crypto";
import { closeSync, read } from "node:fs";
import { basename } from "node:path";
import { openRegular, progress as progressOf, systemFault } from "@firmseal/keys";
import type { Digested } from "@firmseal/signer";

/**
 * Chunk size: large enough that the calls do not matter, small enough to stay in the processor's cache until it is
 * hashed.
 */
const HASH_CHUNK = 1 << 20;

/** Reads up to the length of `buffer`. Returns the number of bytes, 0 at the end. */
function readAt(fd: number, buffer: Buffer, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, at, (fault, n) => (fault ? reject(fault) : resolve(n)));
  });
}

/** Computes digest and size of a file of any size, in constant memory. Signals end it between two chunks. */
export async function hashFile(path: string, algorithm: "sha-256" | "sha-384" | "sha-512" = "sha-256"): Promise<Digested> {
  const { fd, size } = openRegular(path);
  const hash = createHash(algorithm.replace("-", ""));
  const progress = progressOf(`hashing ${basename(path)}`, size);
  let [here, other] = [Buffer.allocUnsafe(HASH_CHUNK), Buffer.allocUnsafe(HASH_CHUNK)];
  let done = 0;
  let pending: Promise<number> | undefined;
  try {
    pending = readAt(fd, here, 0);
    for (;;) {
      const n = await pending;
      if (n === 0) break;
      done += n;
      pending = readAt(fd, other, done);
      hash.update(n === HASH_CHUNK ? here : here.subarray(0, n));
      progress.at(done);
      [here, other] = [other, here];
    }
    return { digest: new Uint8Array(hash.digest()), size: done };
  } catch (e) {
    throw systemFault(e, path) ?? e;
  } finally {
    progress.end();
    // never before the last read has ended: another file could get the number of this one
    await pending?.catch(() => {});
    closeSync(fd);
  }
}
