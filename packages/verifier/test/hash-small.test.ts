// Hashing in few bytes, for micro verifiers, against node:crypto.

import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { LONG } from "../../test-support/src/environment/effort.js";
import { startSmall } from "../src/hash/small.js";

const HASHES: [string, number][] = [
  ["sha256", 64],
  ["sha512", 128],
];

/** Whether the digest of `pieces` is that of node:crypto. */
function check([name, size]: (typeof HASHES)[0], pieces: Uint8Array[]): void {
  const state = startSmall(size);
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

it("continues after a SHA-512 that ended meanwhile, as where read() of a device verifies a signature", () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => i * 7);
  // between pieces, and before the end
  for (const n of [0, 64, 100, 300]) {
    const state = startSmall(64);
    state.update(bytes.subarray(0, n));
    check(["sha512", 128], [bytes]);
    state.update(bytes.subarray(n));
    check(["sha512", 128], [bytes]);
    expect(Buffer.from(state.digest() as Uint8Array).toString("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
  }
});

it.each(HASHES)("%s counts bits beyond 2^32", (name, size) => {
  // bytes of which none is read: the first length is that of the loop
  const unread = (n: number) => {
    let asked = 0;
    return {
      get length() {
        return asked++ ? n : 0;
      },
    };
  };
  const digests = [0, 2 ** 29, 2 ** 30].map((n) => {
    const state = startSmall(size);
    state.update(unread(n));
    return Buffer.from(state.digest() as Uint8Array).toString("hex");
  });
  expect(digests[0]).toBe(createHash(name).digest("hex"));
  expect(new Set(digests).size).toBe(3);
});
