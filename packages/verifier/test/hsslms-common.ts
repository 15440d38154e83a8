// What the tests of HSS/LMS share: hosts with hash functions of several kinds, and every small change of a signature.

import { createHash } from "node:crypto";
import { expect } from "vitest";
import { LEAST, LONG } from "../../test-support/src/environment/effort.js";
import { H, type Tree, u32 } from "../../test-support/src/keys/lms.js";
import { hsslms } from "../src/alg/hsslms.js";
import type { Bytes, Host } from "../src/base/types.js";
import { sha256 } from "../src/hash/sha256.js";

// What a host may bring: a one-shot hash, one in pieces, neither. The last one is the same code as ours, but is not known to be.
const once = (b: Bytes): Uint8Array => H(b instanceof Uint8Array ? b : Uint8Array.from(b));

const pieces = () => {
  const h = createHash("sha256");
  return { update: (b: Bytes) => void h.update(Uint8Array.from(b)), digest: () => Array.from(h.digest()) };
};

export const hosts: Record<string, Host> = {
  ours: {},
  "ours, named": { sha256 },
  "one-shot": { sha256: { create: sha256.create, once } },
  joined: {
    sha256: {
      create: sha256.create,
      once,
      joined: (pieces) =>
        H(Buffer.concat(pieces.map((p) => (typeof p === "number" ? [p] : p) as Uint8Array).map((p) => Uint8Array.from(p)))),
    },
  },
  "in pieces": { sha256: { create: pieces } },
  "ours, as if another": { sha256: { create: sha256.create, once: (b) => sha256.once!(b) } },
};

/** For runs over every byte: most hashes of a run are, in their turn, those of the first one. Each run begins by asking for the hash. */
export function remembering(): Host {
  const inputs: Uint8Array[] = [];
  const digests: Uint8Array[] = [];
  let turn = 0;
  const replay = {
    create: sha256.create,
    once(b: Bytes) {
      const old = inputs[turn];
      const known = digests[turn++];
      if (old && known && Buffer.compare(old, b as Uint8Array) === 0) return known;
      const d = once(b);
      if (!old) {
        inputs.push(Uint8Array.from(b));
        digests.push(d);
      }
      return d;
    },
  };
  return {
    get sha256() {
      turn = 0;
      return replay;
    },
  };
}

/** A copy with another 32-bit number at `at`. */
export function patch(b: Uint8Array, at: number, value: number): Buffer {
  const out = Buffer.from(b);
  out.writeUInt32BE(value, at);
  return out;
}

/** A key of two levels, and its signature of a message, whose inner key and signature name other types. `inner` has LMS type 5. */
export function innerOfTypes(top: Tree, inner: Tree, message: Uint8Array, lms: number, ots: number) {
  const key = Buffer.concat([u32(lms), u32(ots), inner.key.subarray(8)]);
  const last = inner.sign(message);
  const signature = Buffer.concat([u32(1), top.sign(key), key, patch(patch(last, 4, ots), last.length - 164, lms)]);
  return { key: Buffer.concat([u32(2), top.key]), signature };
}

export const plain = (b: Uint8Array): Uint8Array => Uint8Array.from(b);

export const check = (key: Bytes, message: Bytes, signature: Bytes, host: Host = {}) => hsslms.verify(key, message, signature, host);

/** Of a signature every byte where there is time (LONG); else every 23rd, which comes by every field, as none is shorter than a hash of 24. */
export const STEP = LONG ? 1 : LEAST ? 97 : 23;

/** Every host with LONG; by default our own and two others, in their turn. */
export const someHosts = (turn: number): Host[] => {
  const [own, ...others] = Object.values(hosts) as [Host, ...Host[]];
  return LONG ? [own, ...others] : [own, others[turn % others.length] as Host, others[(turn + 2) % others.length] as Host];
};

/** Of keys: by default every 3rd, which comes by every field. */
const SHORT_STEP = LONG ? 1 : LEAST ? 7 : 3;
/** Of messages, whose bytes are all alike. */
const MESSAGE_STEP = LONG ? 1 : LEAST ? 7 : 17;

/** Positions of which a change of one bit does not lead to refusal: of every `step`th from `first` on. */
export function survivors(bytes: Uint8Array, accepts: (changed: Uint8Array) => boolean, step = 1, first = 0): number[] {
  const out: number[] = [];
  const copy = plain(bytes);
  for (let at = first; at < copy.length; at += step) {
    copy[at]! ^= 1 << (at & 7);
    if (accepts(copy)) out.push(at);
    copy[at]! ^= 1 << (at & 7);
  }
  return out;
}

export function refusesEverything(key: Uint8Array, message: Uint8Array, signature: Uint8Array, host: Host): void {
  expect(check(key, message, signature, host)).toBe(true);
  expect(survivors(key, (k) => check(k, message, signature, host), SHORT_STEP)).toEqual([]);
  expect(survivors(message, (m) => check(key, m, signature, host), MESSAGE_STEP)).toEqual([]);
  expect(survivors(signature, (s) => check(key, message, s, host), STEP)).toEqual([]);
  const accepted: number[] = [];
  for (let n = 0; n < signature.length; n += STEP) if (check(key, message, signature.subarray(0, n), host)) accepted.push(n);
  for (let n = 0; n < message.length; n += MESSAGE_STEP) if (check(key, message.subarray(0, n), signature, host)) accepted.push(n);
  for (let n = 0; n < key.length; n += SHORT_STEP)
    if (hsslms.valid(key.subarray(0, n)) || check(key.subarray(0, n), message, signature, host)) accepted.push(n);
  for (const more of [1, 4, 24, 32, 100]) {
    const tail = new Uint8Array(more);
    if (check(key, message, Buffer.concat([signature, tail]), host)) accepted.push(more);
    if (check(key, Buffer.concat([message, tail]), signature, host)) accepted.push(more);
    if (hsslms.valid(Buffer.concat([key, tail])) || check(Buffer.concat([key, tail]), message, signature, host)) accepted.push(more);
  }
  expect(accepted).toEqual([]);
}
