// The table of admission rules, which devices and tools ask.

import { expect, it } from "vitest";
import { admissionRefusal, type Doings, isChange, took } from "../src/install/admission.js";
import type { Effect } from "../src/interpreter/frame.js";
import * as E from "../src/spec/errors.generated.js";
import { COND_CHECK_CONTENT, COND_IMAGE_MATCH, DIR_COPY, DIR_FETCH, DIR_INVOKE, DIR_SWAP, DIR_WRITE } from "../src/spec/suit.js";
import { refusalName } from "./refusals.js";

const digest = { alg: -16, bytes: new Uint8Array(32) };
const effect = (op: number, component = 0, more: Partial<Effect> = {}): Effect => ({ op, component, digest, ...more });
const swap = (component: number, source: number) => effect(DIR_SWAP, component, { source, sourceDigest: digest });
const copy = (component: number, source: number) => effect(DIR_COPY, component, { source });
const done = (written: number[] = [], matched: number[] = []): Doings => ({
  fresh: Object.fromEntries(written.map((i) => [i, true])),
  matched: Object.fromEntries(matched.map((i) => [i, true])),
});

it.each<[string, Effect, boolean, boolean, Doings | undefined, boolean, number]>([
  ["a condition, always", { op: COND_IMAGE_MATCH, component: 0 }, true, false, done(), false, 0],
  ["an invocation while installing", effect(DIR_INVOKE), true, true, undefined, false, E.INVOKE_MISPLACED],
  ["an invocation without a digest of its own", { op: DIR_INVOKE, component: 0 }, false, true, done([], [0]), false, 0],
  ["an invocation of an image that was not compared", effect(DIR_INVOKE), false, true, done([], [1]), false, E.INVOKE_UNVERIFIED],
  ["an invocation where the order does not count", effect(DIR_INVOKE), false, true, undefined, false, 0],
  ["an invocation without digests", effect(DIR_INVOKE), false, true, done(), true, 0],
  ["an invocation without an identity", effect(DIR_INVOKE), false, false, done([], [0]), false, E.IDENTITY_UNCHECKED],
  ["a write without a digest", { op: DIR_WRITE, component: 0 }, true, true, undefined, false, E.DIGEST_UNSET],
  ["a write on a device without digests", { op: DIR_WRITE, component: 0 }, true, true, undefined, true, 0],
  ["a fetch with a digest", effect(DIR_FETCH), true, true, done([0]), false, 0],
  ["a fetch without an identity", effect(DIR_FETCH), true, false, undefined, false, E.IDENTITY_UNCHECKED],
  ["a copy without a second digest", copy(0, 1), true, true, done([0, 1]), false, 0],
  ["a copy of a component into itself, first", copy(0, 0), true, true, done([1]), false, 0],
  ["a copy of what was written into itself", copy(0, 0), true, true, done([0]), false, E.NOT_SUPPORTED],
  ["a swap without the digest of the source", effect(DIR_SWAP, 0, { source: 1 }), true, true, undefined, false, E.DIGEST_UNSET],
  ["a swap", swap(0, 1), true, true, done([2]), false, 0],
  ["a swap with itself", swap(0, 0), true, true, done(), false, E.NOT_SUPPORTED],
  ["a swap of what was written", swap(0, 1), true, true, done([0]), false, E.NOT_SUPPORTED],
  ["a swap with what was written", swap(0, 1), true, true, done([1]), false, E.NOT_SUPPORTED],
])("judges what a command does: %s", (_, e, installing, identified, before, skipDigest, code) => {
  expect(refusalName(admissionRefusal(e, installing, identified, before, skipDigest))).toBe(refusalName(code));
});

it("takes in what was done", () => {
  const all = done([], [0, 1, 2]);
  took(effect(COND_IMAGE_MATCH, 2), all, false);
  took(effect(COND_CHECK_CONTENT, 1, { content: [1] }), all, false);
  took(effect(DIR_INVOKE, 1), all, true);
  expect(all).toEqual({ fresh: {}, matched: { 0: true, 1: true, 2: false } });
  const [one, both] = [copy(0, 3), swap(1, 2)];
  took(one, all, true);
  expect(all).toEqual({ fresh: { 0: one }, matched: { 0: false, 1: true, 2: false } });
  took(both, all, true);
  expect(all).toEqual({ fresh: { 0: one, 1: both, 2: both }, matched: { 0: false, 1: false, 2: false } });
  expect([DIR_FETCH, DIR_WRITE, DIR_COPY, DIR_SWAP, DIR_INVOKE, COND_IMAGE_MATCH].map((op) => isChange(effect(op)))).toEqual([
    ...[true, true, true, true],
    ...[false, false],
  ]);
});
