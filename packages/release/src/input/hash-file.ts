// Hashes a file of any size.

import { createHash } from "node:crypto";
import { closeSync, readSync } from "node:fs";
import { basename } from "node:path";
import { openRegular, progress as progressOf, systemFault } from "@firmseal/keys/internal";
import type { FileDigest } from "@firmseal/signer";

/**
 * Chunk size: large enough that the calls do not matter, small enough to stay in the processor's cache until it is
 * hashed.
 */
const HASH_CHUNK = 1 << 18;
/** Yields to signals after each such number of hashed bytes. */
const HASH_TURN = 1 << 26;

/**
 * Computes digest and size of a file of any size, in constant memory. `most`: the size that it should have; a longer
 * file is only read until that is certain, and the result is that of another file.
 */
export async function hashFile(
  path: string,
  algorithm: "sha-256" | "sha-384" | "sha-512" = "sha-256",
  most = Number.POSITIVE_INFINITY,
): Promise<FileDigest> {
  const { fd, size } = openRegular(path);
  const hash = createHash(algorithm.replace("-", ""));
  const progress = progressOf(`hashing ${basename(path)}`, size);
  const buffer = Buffer.allocUnsafe(HASH_CHUNK);
  let done = 0;
  try {
    while (done <= most) {
      const n = readSync(fd, buffer, 0, HASH_CHUNK, done);
      if (n === 0) break;
      hash.update(n === HASH_CHUNK ? buffer : buffer.subarray(0, n));
      done += n;
      progress.at(done);
      if (done % HASH_TURN < HASH_CHUNK) await new Promise(setImmediate);
    }
    return { digest: new Uint8Array(hash.digest()), size: done };
  } catch (e) {
    throw systemFault(e, path) ?? e;
  } finally {
    progress.end();
    closeSync(fd);
  }
}
