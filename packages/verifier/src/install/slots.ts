// Carries out effects of the interpreter on a Device. Data is written to slots that are not current, and hashed from
// there: what counts is what storage holds.

import { equalConstantTime } from "../base/bytes.js";
import { HAS_COPY } from "../base/features.js";
import { refuse } from "../base/refuse.js";
import type { Bytes, Source } from "../base/types.js";
import { copySlice, feed, type Input, inputOf, type Slice } from "../cbor/reader.js";
import { type Digest, digestSlice, sameDigest } from "../hash/digest.js";
import type { Effect } from "../interpreter/frame.js";
import { isCondition } from "../manifest/code-points.js";
import { INVOKE_UNVERIFIED, NOT_SUPPORTED, PAYLOAD_ABSENT, PAYLOAD_SIZE } from "../spec/errors.generated.js";
import { COND_CHECK_CONTENT, COND_COMPONENT_SLOT, DIR_FETCH, DIR_INVOKE, DIR_SWAP, DIR_WRITE } from "../spec/suit.js";
import { admit, capacity, id, payloadRange, type Session } from "./session.js";

/** Begins to write a component: erases the slot that will be written. */
function begin(s: Session, e: Effect): void {
  var c = e.component,
    i,
    w;
  // whatever this writes, storage is read back after it: areas of a device may overlap
  for (i = 0; i < s.release.components.length; i++) {
    w = s.fresh[i];
    if (w) w.passed = false;
  }
  s.fresh[c] = { passed: false, expected: e.digest };
  s.matched[c] = false;
  s.offset = 0;
  s.limit = e.size === undefined ? capacity(s, c) : e.size;
  s.target.erase(id(s, c), s.limit);
}

/** Accepts a chunk of a payload. `bytes` is our own copy: see octetsOf(). */
export function receive(s: Session, e: Effect, bytes: Bytes): void {
  // stop an endless payload as it arrives, not when it has filled the device
  if (!(bytes.length <= s.limit - s.offset)) refuse(PAYLOAD_SIZE);
  s.target.write(id(s, e.component), s.offset, bytes);
  s.offset += bytes.length;
}

/** Ends the payload of an effect, whose `n` bytes must be the size that is expected. */
export function end(e: Effect, n: number): boolean {
  if (e.size !== undefined && e.size !== n) refuse(PAYLOAD_SIZE);
  return true;
}

/** The content of a component: what this session has written to it, otherwise the current one. */
export function contents(s: Session, component: number): Input {
  var device = s.target,
    name = id(s, component),
    fresh = !!s.fresh[component];
  return inputOf({
    length: device.size(name, fresh),
    chunk: device.chunk || 0,
    read: function (offset: number, n: number) {
      return device.read(name, offset, n, fresh);
    },
  });
}

/** Compares the image in storage with a digest. */
export function stored(s: Session, component: number, d: Digest, from: Input): boolean {
  var device = s.target,
    whole = device.digest && device.digest(id(s, component), !!s.fresh[component], d.alg);
  return equalConstantTime(whole || digestSlice(from, from, s.host, d.alg), d.bytes);
}

/** Whether `n` bytes may be the image. A missing image has 0 bytes, which counts only if the manifest asks for them. */
export function isSize(e: Effect, n: number): boolean {
  return e.size === undefined ? n > 0 : n === e.size;
}

/** The outcome of a comparison, with what storage has for `component`. */
export function compare(s: Session, e: Effect, component: number): boolean {
  var d = e.digest as Digest,
    w = s.fresh[component],
    content = e.content as Bytes,
    from = contents(s, component),
    ok = isSize(e, from.n);
  if (e.op === COND_CHECK_CONTENT) return from.n === content.length && equalConstantTime(copySlice(from, from), content);
  // hashed only once after the last write of the session
  if (!w || !w.passed || !sameDigest(w.expected as Digest, d)) ok = ok && stored(s, component, d, from);
  if (w) {
    w.expected = d;
    w.passed = ok;
  }
  s.matched[component] = ok;
  return ok;
}

/**
 * The outcome of a condition. The slot that a release asks for is the one that will be current after the commit of this
 * session: the written slot if there is one, otherwise the other one of the two.
 */
export function holds(s: Session, e: Effect): boolean {
  var slot;
  if (e.op !== COND_COMPONENT_SLOT) return compare(s, e, e.component);
  slot = s.target.slot(id(s, e.component));
  return e.slot === (!s.kept || s.fresh[e.component] ? slot : 1 - slot);
}

/** Writes a range of `from` to a component. */
function pour(s: Session, e: Effect, from: Input, slice: Slice): boolean {
  begin(s, e);
  feed(from, slice, function (bytes) {
    receive(s, e, bytes);
  });
  return end(e, s.offset);
}

/** The source image of a copy or swap. */
function image(s: Session, component: number): Input {
  var from = contents(s, component);
  if (!from.n) refuse(PAYLOAD_ABSENT);
  return from;
}

/** Executes one effect. Returns undefined if it must wait for a payload. */
export function perform(s: Session, e: Effect): boolean | undefined {
  var device = s.target,
    c = e.component,
    other = e.source as number,
    name = id(s, c),
    from: Bytes | Source | undefined,
    here,
    own;
  admit(s, e, s);
  if (isCondition(e.op)) return holds(s, e);
  if (e.op === DIR_INVOKE) {
    own = s.fresh[c];
    // something was written since it was hashed: areas of a device may overlap
    if (own && !own.passed && !device.dangerouslySkipDigest && !stored(s, c, own.expected as Digest, contents(s, c)))
      refuse(INVOKE_UNVERIFIED);
    return device.invoke(name, e.args) === true;
  }
  if (e.op === DIR_WRITE) from = e.content;
  else if (e.op === DIR_FETCH) {
    own = payloadRange(s, e.uri);
    if (own) return pour(s, e, s.release.input, own);
    from = device.fetch && device.fetch(e.uri as string);
    if (!from) {
      begin(s, e);
      return undefined;
    }
  } else if (HAS_COPY) {
    here = image(s, other);
    if (e.op !== DIR_SWAP) return pour(s, e, here, here);
    own = image(s, c);
    pour(s, e, here, here);
    // the swap from the other component's side
    return pour(s, { op: e.op, component: other, digest: e.sourceDigest, size: e.sourceSize }, own, own);
  } else refuse(NOT_SUPPORTED);
  here = inputOf(from as Bytes | Source);
  return pour(s, e, here, here);
}
