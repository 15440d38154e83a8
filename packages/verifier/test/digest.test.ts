// SUIT_Digest at its edges, and which hash answers for it: the host's, in one call or in pieces, or ours.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Bytes, Hash, Host, Source } from "../src/base/types.js";
import { checkEnd, inputOf, startReading } from "../src/cbor/reader.js";
import { digestSlice, hashing, readDigest } from "../src/hash/digest.js";
import * as E from "../src/spec/errors.generated.js";
import { refusalOf } from "./refusals.js";

const ALGS = [
  [-16, "sha256", 32],
  [-43, "sha384", 48],
  [-44, "sha512", 64],
] as const;
const bytes = Uint8Array.from({ length: 3000 }, (_, i) => (i * 11) & 255);
const right = (name: string, b = bytes) => Uint8Array.from(createHash(name).update(b).digest());

const head = (n: number) => (n < 24 ? [64 + n] : [88, n]);
const negative = (n: number) => (n >= -24 ? [31 - n] : [56, -1 - n]);
const item = (alg: number, n: number, array = 130, more: number[] = []) =>
  Uint8Array.from([array, ...negative(alg), ...head(n), ...new Array(n).fill(7), ...more]);

describe("a SUIT_Digest", () => {
  const read = (b: Uint8Array) => {
    startReading(b);
    const d = readDigest();
    checkEnd();
    return d;
  };
  it.each(ALGS)("%i has as many octets as %s gives", (alg, _, n) => {
    expect(read(item(alg, n))).toEqual({ alg, bytes: new Uint8Array(n).fill(7) });
    for (const m of [0, 1, n - 1, n + 1]) expect(refusalOf(read, item(alg, m))[0]).toBe(E.DIGEST_LENGTH);
    for (const other of ALGS) if (other[2] !== n) expect(refusalOf(read, item(alg, other[2]))[0]).toBe(E.DIGEST_LENGTH);
  });
  it("is of a known algorithm, and has nothing after it", () => {
    for (const alg of [-18, -45]) for (const n of [32, 64]) expect(refusalOf(read, item(alg, n))[0]).toBe(E.NOT_SUPPORTED);
    for (const alg of [-1, -14, -15, -17, -19, -42, -46]) expect(refusalOf(read, item(alg, 32))[0]).toBe(E.DIGEST_ALG);
    expect(refusalOf(read, item(-16, 32, 131, [0]))).toEqual([E.CBOR_TYPE, 0]);
    expect(refusalOf(read, Uint8Array.of(129, 47))).toEqual([E.CBOR_TYPE, 0]);
  });
});

describe("a digest of a stretch", () => {
  const chunk = 500;
  const source: Source = { length: bytes.length, chunk, read: (at, n) => bytes.slice(at, at + n) };
  const calls: string[] = [];
  const whole = (name: string) => ({
    once: (b: Bytes) => {
      calls.push(`${name} once ${b.length}`);
      return right(name, Uint8Array.from(b));
    },
  });
  const pieces = (name: string) => ({
    create: () => {
      const h = createHash(name);
      return {
        update: (b: Bytes) => {
          calls.push(`${name} ${b.length}`);
          h.update(Uint8Array.from(b));
        },
        digest: () => Uint8Array.from(h.digest()),
      };
    },
  });
  const called = (f: () => unknown) => {
    calls.length = 0;
    f();
    return [...calls];
  };

  it.each(ALGS)("%i is ours if the host has none", (alg, name) => {
    for (const host of [{}, { [name]: undefined }, { [name]: {} }] as Host[]) {
      expect(Uint8Array.from(digestSlice(inputOf(bytes), { at: 0, n: 3000 }, host, alg))).toEqual(right(name));
      expect(Uint8Array.from(digestSlice(inputOf(source), { at: 7, n: 501 }, host, alg))).toEqual(right(name, bytes.slice(7, 508)));
    }
  });
  it.each(ALGS)("%i is the host's, in one call for a single chunk, and in pieces for more", (alg, name) => {
    const slice = (n: number) => ({ at: 3, n });
    const both = { [name]: { ...whole(name), ...pieces(name) } } as Host;
    const one = { [name]: whole(name) } as Host;
    const more = { [name]: pieces(name) } as Host;
    for (const host of [both, one, more])
      for (const n of [0, 1, 499, 500, 501, 1200])
        expect(Uint8Array.from(digestSlice(inputOf(source), slice(n), host, alg))).toEqual(right(name, bytes.slice(3, 3 + n)));
    const of = (host: Host, n: number) => called(() => digestSlice(inputOf(source), slice(n), host, alg));
    expect(of(both, 500)).toEqual([`${name} once 500`]);
    expect(of(both, 501)).toEqual([`${name} 500`, `${name} 1`]);
    expect(of(one, 500)).toEqual([`${name} once 500`]);
    expect(of(one, 501)).toEqual([]);
    expect(of(more, 500)).toEqual([`${name} 500`]);
    expect(called(() => hashing(more, alg).update([1, 2]))).toEqual([`${name} 2`]);
  });
  it.each(ALGS)("%i asks no other hash of the host's", (alg, name) => {
    const refusing = { create: () => expect.fail("another hash"), once: () => expect.fail("another hash") } as unknown as Hash;
    const host = { sha256: refusing, sha384: refusing, sha512: refusing, [name]: undefined } as unknown as Host;
    expect(Uint8Array.from(digestSlice(inputOf(source), { at: 0, n: 300 }, host, alg))).toEqual(right(name, bytes.slice(0, 300)));
  });
});
