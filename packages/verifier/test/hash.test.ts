import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { toHex as hex } from "../../test-support/src/bytes.js";
import { LEAST, LONG } from "../../test-support/src/environment/effort.js";
import { drawOctets, draws } from "../../test-support/src/randoms.js";
import type { Hash } from "../src/base/types.js";
import { type Compress, startHash, writeLength } from "../src/hash/block.js";
import { HIGH, LOW } from "../src/hash/constants.js";
import { hashOneBlock, sha256 } from "../src/hash/sha256.js";
import { sha384, sha512 } from "../src/hash/sha512.js";

const random = draws(1);

const bytes = (n: number) => drawOctets(random, n);

const hashes: [string, Hash, number][] = [
  ["sha256", sha256, 64],
  ["sha384", sha384, 128],
  ["sha512", sha512, 128],
];

describe.each(hashes)("%s", (name, hash, block) => {
  const expected = (b: Uint8Array) => createHash(name).update(b).digest("hex");

  it("agrees with node:crypto at every length from 0 to 300, whole and in random pieces", () => {
    for (let n = 0; n <= 300; n++) {
      const message = bytes(n);
      expect(hex(hash.once!(message))).toBe(expected(message));
      expect(hex(hash.once!(Array.from(message)))).toBe(expected(message));
      for (let round = 0; round < 3; round++) {
        const state = hash.create();
        for (let at = 0; at < n; ) {
          const end = Math.min(n, at + random(round === 0 ? 3 : 2 * block + 2));
          const piece = message.subarray(at, end);
          state.update(random(2) ? piece : Array.from(piece));
          at = end;
        }
        expect(hex(state.digest())).toBe(expected(message));
      }
    }
  });

  it("agrees on larger messages, where every constant and every carry has been at work", () => {
    for (const n of LEAST ? [1000, 4096] : [1000, 4096, 65537, 300001]) {
      const message = bytes(n);
      const state = hash.create();
      for (let at = 0; at < n; ) {
        const end = Math.min(n, at + random(5 * block));
        state.update(message.subarray(at, end));
        at = end;
      }
      expect(hex(state.digest())).toBe(expected(message));
    }
    for (const fill of [0, 255]) {
      const message = new Uint8Array(1000).fill(fill);
      expect(hex(hash.once!(message))).toBe(expected(message));
    }
  });

  it("keeps two computations apart", () => {
    const one = hash.create();
    const two = hash.create();
    one.update([1]);
    two.update([2]);
    one.update([3]);
    two.update([4]);
    expect(hex(one.digest())).toBe(expected(Uint8Array.of(1, 3)));
    expect(hex(two.digest())).toBe(expected(Uint8Array.of(2, 4)));
  });
});

it("hashes a message that fits one block in the caller's words, which it leaves as they are", () => {
  sha256.create();
  for (const n of [0, 3, 55]) {
    const message = bytes(n);
    const block = Buffer.alloc(64);
    block.set([...message, 128]);
    block.writeUInt32BE(8 * n, 60);
    const words = Array.from({ length: 16 }, (_, i) => block.readInt32BE(4 * i));
    const [state, work] = [new Array<number>(8).fill(7), [...words]];
    hashOneBlock(state, work);
    const digest = Buffer.alloc(32);
    state.forEach((word, i) => void digest.writeInt32BE(word, 4 * i));
    expect(hex(digest)).toBe(createHash("sha256").update(message).digest("hex"));
    expect(work.slice(0, 16)).toEqual(words);
  }
});

it("derives the round constants of FIPS 180-4 §4.2.3 and the initial values", () => {
  const primes = Array.from({ length: 410 }, (_, n) => n).filter(
    (n) => n > 1 && !Array.from({ length: n }, (_, m) => m).some((m) => m > 1 && n % m === 0),
  );
  expect(primes).toHaveLength(80);
  // whatever has been hashed before
  for (const words of [HIGH, LOW]) for (let i = 0; i < 96; i++) words[i] = 0;
  sha512.create();
  primes.forEach((prime, i) => {
    const constant = (BigInt(Math.floor(Math.cbrt(prime))) << 64n) + (BigInt(HIGH[i]!) << 32n) + BigInt(LOW[i]!);
    // The constant is the cube root rounded down: its cube is not above p * 2^192, and the next one's is.
    expect(constant ** 3n <= BigInt(prime) << 192n).toBe(true);
    expect((constant + 1n) ** 3n > BigInt(prime) << 192n).toBe(true);
  });
  // The initial values (§5.3.4, §5.3.5) are square roots in the same manner.
  primes.slice(0, 16).forEach((prime, i) => {
    const value = (BigInt(Math.floor(Math.sqrt(prime))) << 64n) + (BigInt(HIGH[80 + i]!) << 32n) + BigInt(LOW[80 + i]!);
    expect(value ** 2n <= BigInt(prime) << 128n).toBe(true);
    expect((value + 1n) ** 2n > BigInt(prime) << 128n).toBe(true);
  });
  expect(HIGH).toHaveLength(96);
});

describe("the length of the message", () => {
  it("is exact from 0 to 2^53 octets", () => {
    const counts = [0, 1, 31, 32, 255, 256];
    for (let power = 16; power <= 53; power++) {
      counts.push(2 ** power - 1, 2 ** power, 2 ** power - 2 ** (power - 9));
      if (power < 53) {
        counts.push(2 ** power + 1);
      }
    }
    for (const count of counts) {
      const expected = Buffer.alloc(8);
      expected.writeBigUInt64BE(BigInt(count) * 8n);
      const block = [1, 2, 3];
      writeLength(block, 3, 11, count);
      expect(hex(block), String(count)).toBe(`010203${expected.toString("hex")}`);
    }
  });

  // Everything but the compression of the blocks is as in the hashes: blocks are cut, counted, padded and closed. So the count passes 2^32
  // bits (2^29 octets) with FIRMSEAL_LONG=1, and 2^32 octets with FIRMSEAL_CASES set, for which there is time.
  const counts: [number, number][] = [[2 ** 20 + 3, 128]];
  if (LONG) {
    counts.push([2 ** 29 - 1, 64], [2 ** 29 + 3, 128]);
  }
  if (process.env["FIRMSEAL_CASES"]) {
    counts.push([2 ** 32 - 56, 64], [2 ** 32 + 5, 64], [2 ** 32 + 5, 128]);
  }
  it.each(counts)("ends a message of %d octets in blocks of %d", { timeout: 120000 }, (count, size) => {
    const piece = new Uint8Array(1 << 27).fill(7);
    let blocks = 0;
    let last: number[] = [];
    const skip: Compress = (_state, words) => {
      blocks++;
      last = Array.from(words.slice(0, size / 4));
    };
    const state = startHash(skip, 80, size, 1);
    let left = count;
    for (; left >= piece.length; left -= piece.length) {
      state.update(piece);
    }
    state.update(piece.subarray(0, left));
    state.digest();
    const reserved = size / 8;
    expect(blocks).toBe(Math.ceil((count + 1 + reserved) / size));
    expect(last).toHaveLength(size / 4);
    const block = last.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]);
    expect(Buffer.from(block).readBigUInt64BE(size - 8)).toBe(BigInt(count) * 8n);
    expect(block.slice(size - reserved, size - 8).every((octet) => octet === 0)).toBe(true);
    // What comes before the length: the tail of the message (unless the padding took a block of its own), one bit, and zeros.
    const kept = count % size;
    const expected = new Array(size - reserved).fill(0);
    if (kept + 1 + reserved <= size) {
      expected.fill(7, 0, kept);
      expected[kept] = 128;
    }
    expect(block.slice(0, size - reserved)).toEqual(expected);
  });
});
