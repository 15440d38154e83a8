// Hashing in few bytes, for micro verifiers, against node:crypto.

import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { LONG } from "../../test-support/src/effort.js";
import type { Compress } from "../src/hash/block.js";
import { compress } from "../src/hash/sha256.js";
import { compressSmall, startSmall } from "../src/hash/small.js";

const HASHES: [string, Compress, number][] = [
  ["sha256", compress, 64],
  ["sha512", compressSmall, 128],
];

/** Whether the digest of `pieces` is that of node:crypto. */
function check([name, work, size]: (typeof HASHES)[0], pieces: Uint8Array[]): void {
  const state = startSmall(work, size);
  for (const piece of pieces) state.update(piece);
  expect(Buffer.from(state.digest() as Uint8Array).toString("hex")).toBe(createHash(name).update(Buffer.concat(pieces)).digest("hex"));
}

it.each(HASHES)("%s of every length up to three blocks", (...hash) => {
  const bytes = Uint8Array.from({ length: 390 }, (_, i) => i * 151 + (i >> 3));
  for (let n = 0; n <= bytes.length; n++) check(hash, [bytes.subarray(0, n)]);
});

it.each(HASHES)("%s of random pieces, with the extremes of bytes", (...hash) => {
  const piece = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(new Uint8Array(130), new Uint8Array(130).fill(255)));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => check(hash, pieces)),
    { numRuns: LONG ? 3000 : 300 },
  );
});

it.each(HASHES)("%s counts bits beyond 2^32", (_, _work, size) => {
  let last: number[] = [];
  const state = startSmall((_state, words) => {
    last = Array.from(words);
  }, size);
  // 2^30 + 64 bytes, none of which is read
  let asked = 0;
  state.update({
    get length() {
      return asked++ ? 2 ** 30 + 64 : 0;
    },
  });
  state.digest();
  expect(last.slice(size / 4 - 2, size / 4)).toEqual([2, 512]);
});
