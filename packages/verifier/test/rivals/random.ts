import { createCipheriv, createHash } from "node:crypto";

/** The key stream of AES-CTR: fast, and the same for the same seed, so that a case comes again. */
export class Random {
  #cipher;
  #rest = Buffer.alloc(0);

  constructor(seed: string) {
    this.#cipher = createCipheriv("aes-128-ctr", createHash("sha256").update(seed).digest().subarray(0, 16), Buffer.alloc(16));
  }

  octets(n: number): Uint8Array {
    if (this.#rest.length < n) this.#rest = this.#cipher.update(Buffer.alloc(Math.max(n, 1 << 16)));
    const out = this.#rest.subarray(0, n);
    this.#rest = this.#rest.subarray(n);
    return Uint8Array.from(out);
  }

  /** 0 to n - 1, for small n. */
  below(n: number): number {
    return Buffer.from(this.octets(6)).readUIntBE(0, 6) % n;
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** With one bit the other way. */
  flip(octets: Uint8Array): Uint8Array {
    const out = octets.slice();
    const bit = this.below(8 * out.length);
    out[bit >> 3]! ^= 1 << (bit & 7);
    return out;
  }
}
