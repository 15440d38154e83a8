// What the proofs of both curves share.

import { Abs, fixed, Unproved } from "./domain.mjs";

/** Imports of the verifier that are not examined: what they return has the bounds of what they get. */
export const BUILTINS = {
  floor: (v, x) => (x instanceof Abs ? v.domain.floor(x) : Math.floor(x)),
  rawKey: (_, key) => key,
  newBytes: () => [],
  copied: (_, bytes, length) => Array.from({ length }, (_, i) => bytes[i]),
};

/** Any `n` octets. */
export const octets = (v, n) => Array.from({ length: n }, () => v.domain.any(0n, fixed(255), 0));

/** `n` must be 0 modulo `modulus`. */
export function demandZero(n, modulus, what) {
  if (n % modulus !== 0n) throw new Unproved(`${what} is not what it should be`);
}

/** A proof of one function: all ways through it, and the closest that it comes to 2^53. */
export const checkOf = (open, attempt) => (name, precondition, own, work) => {
  const v = open(own);
  attempt(name, precondition, () => {
    v.explore(() => work(v));
    return v.domain.closest;
  });
};
