// The forms that an envelope can come in, and the hosts that a verifier can have, honest and hostile.

import { errors, type Host, type Source, sha256, sha384, sha512 } from "@firmseal/verifier";
import type { Expect, Vector } from "../index.mjs";
import { deviceOf, type Form, play } from "./play.js";

const known = new Set(Object.values(errors));

/** What comes of a vector, and what its device then looks like. Whatever is thrown without a number fails the test. */
export function outcome(v: Vector, form: Form): { result: Expect; state: unknown } {
  const device = deviceOf(v.device ?? {});
  const state = () => [device.parts.map((p) => [p.current, p.slots]), device.sequence, device.invoked];
  try {
    return { result: play(v, [], device, form), state: state() };
  } catch (e) {
    const { code } = e as { code?: number };
    if (!known.has(code as never)) throw new Error(`${v.name}: an error without a number`, { cause: e });
    return { result: { code: code as number }, state: state() };
  }
}

export const same = (bytes: ArrayLike<number>) => bytes;
const sourceOf = (bytes: ArrayLike<number>, more: Partial<Source> = {}): Source => ({
  length: bytes.length,
  read: (at, n) => Array.from({ length: n }, (_, i) => bytes[at + i] as number),
  ...more,
});

export const honest: [string, Form][] = [
  ["a plain array", { input: (bytes) => Array.from(bytes) }],
  ["a Source over plain arrays", { input: (bytes) => sourceOf(bytes) }],
  ["a Source in chunks of 5", { input: (bytes) => sourceOf(bytes, { chunk: 5 }) }],
  // each array that it gives is written over at the next read
  [
    "a Source with one buffer",
    {
      input: (bytes) => {
        const buffer = new Uint8Array(70_000);
        return sourceOf(bytes, {
          read: (at, n) => {
            for (let i = 0; i < n; i++) buffer[i] = bytes[at + i] as number;
            return buffer.subarray(0, n);
          },
        });
      },
    },
  ],
  ["a host with hashes of its own", { input: same, host: { sha256, sha384, sha512 } }],
];

/** A Source that gives each octet once, and its opposite afterwards. */
export function fickle(bytes: ArrayLike<number>): Source {
  const seen = new Set<number>();
  return sourceOf(bytes, {
    read: (at, n) =>
      Array.from({ length: n }, (_, i) => {
        const b = bytes[at + i] as number;
        if (seen.has(at + i)) return b ^ 255;
        seen.add(at + i);
        return b;
      }),
  });
}

const lying = (change: (digest: number[]) => unknown): Host => {
  const hash = (h: typeof sha256) => ({
    create: () => {
      const state = h.create();
      return { update: state.update, digest: () => change([...Array.from(state.digest())]) as number[] };
    },
    once: (b: ArrayLike<number>) => change([...Array.from(h.once?.(b) ?? [])]) as number[],
  });
  return { sha256: hash(sha256), sha384: hash(sha384), sha512: hash(sha512) };
};

/**
 * Forms that must not be accepted. `every`: nothing can be accepted in them; otherwise an input that was refused for
 * its bytes may be refused with another number.
 */
export const hostile: [string, Form][] = [
  ["256 more in each octet", { input: (bytes) => sourceOf(Array.from(bytes, (b) => b + 256)) }],
  ["256 more in one octet", { input: (bytes) => sourceOf(Array.from(bytes, (b, i) => (i === bytes.length >> 1 ? b + 256 : b))) }],
  ["NaN in place of 0", { input: (bytes) => sourceOf(Array.from(bytes, (b) => (b === 0 ? Number.NaN : b))) }],
  [
    "undefined at the end of each read",
    {
      input: (bytes) =>
        sourceOf(bytes, { read: (at, n) => Array.from({ length: n }, (_, i) => (i === n - 1 ? undefined : bytes[at + i]) as number) }),
    },
  ],
  ["texts of digits", { input: (bytes) => Array.from(bytes, String) as never }],
  [
    "reads that are a byte short",
    { input: (bytes) => sourceOf(bytes, { read: (at, n) => Array.from({ length: n - 1 }, (_, i) => bytes[at + i] as number) }) },
  ],
  [
    "reads that are a byte long",
    { input: (bytes) => sourceOf(bytes, { read: (at, n) => Array.from({ length: n + 1 }, (_, i) => bytes[at + i] as number) }) },
  ],
  ["reads of nothing", { input: (bytes) => sourceOf(bytes, { read: () => undefined as never }) }],
  ["a length that is no integer", { input: (bytes) => sourceOf(bytes, { length: bytes.length - 0.5 }) }],
  ["a length of 2^53", { input: (bytes) => sourceOf(bytes, { length: 2 ** 53 }) }],
  ["hashes that are an octet short", { input: same, host: lying((d) => d.slice(1)) }],
  ["hashes that are an octet long", { input: same, host: lying((d) => [...d, 0]) }],
  ["hashes of nothing", { input: same, host: lying(() => []) }],
  ["hashes that are NaN throughout", { input: same, host: lying((d) => d.map(() => Number.NaN)) }],
  ["hashes that have only a length", { input: same, host: lying((d) => ({ length: d.length })) }],
];
