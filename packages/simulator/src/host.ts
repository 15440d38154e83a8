// The hash functions of Node, as a host of the verifier.

import { createHash } from "node:crypto";
import { type Bytes, type HashState, type Host, sha256, sha384, sha512 } from "@firmseal/verifier";

/** Pieces are hashed together: a call of node:crypto takes longer than the hash of a piece. */
const TOGETHER = 16 * 1024;

/** Memory for pieces, of hashes that have ended: many are short, and new memory costs more than they do. */
const free: Uint8Array[] = [];

class TogetherHash implements HashState {
  private readonly hash;
  private waiting: Uint8Array | undefined;
  private n = 0;

  constructor(name: string) {
    this.hash = createHash(name);
  }

  update(bytes: Bytes): void {
    const isLong = bytes.length > TOGETHER / 2;
    if (isLong || this.n + bytes.length > TOGETHER) this.flush();
    if (isLong) {
      this.hash.update(bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes));
      return;
    }
    this.waiting ??= free.pop() ?? new Uint8Array(TOGETHER);
    this.waiting.set(bytes, this.n);
    this.n += bytes.length;
  }

  digest(): Bytes {
    this.flush();
    if (this.waiting) free.push(this.waiting);
    this.waiting = undefined;
    return this.hash.digest();
  }

  private flush(): void {
    if (this.waiting && this.n > 0) this.hash.update(this.waiting.subarray(0, this.n));
    this.n = 0;
  }
}

const nodeHash = (name: string) => ({ create: (): HashState => new TogetherHash(name) });

/** A host for the verifier with the hash functions of Node. */
export const nodeHost = { sha256: nodeHash("sha256"), sha384: nodeHash("sha384"), sha512: nodeHash("sha512") } satisfies Host;

/** Hashing an input of at most this many bytes is faster than loading node:crypto. */
const SHORT = 8_192;

/**
 * Chooses the hash functions for an input: those of the verifier for a short one, otherwise those of Node.
 *
 * @param bytes - The length of the input.
 * @returns The host, for open(), install() and boot().
 */
export const hostFor = (bytes: number) => (bytes > SHORT ? nodeHost : { sha256, sha384, sha512 });
