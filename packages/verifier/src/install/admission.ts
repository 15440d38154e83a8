// The rules by which a device admits an effect, apart from the room and the content of its storage. Devices, tools and
// pages ask them.

import { HAS_COPY } from "../base/features.js";
import type { Effect } from "../interpreter/frame.js";
import { isCondition } from "../manifest/code-points.js";
import { DIGEST_UNSET, IDENTITY_UNCHECKED, INVOKE_MISPLACED, INVOKE_UNVERIFIED, NOT_SUPPORTED } from "../spec/errors.generated.js";
import { COND_IMAGE_MATCH, DIR_INVOKE, DIR_SWAP } from "../spec/suit.js";

/** What a run has done, by component index. Objects, because not every engine has arrays with holes. */
export interface Doings {
  /** What it has written: the effect, or what its session needs of it. */
  fresh: { [component: number]: unknown };
  /** The components whose image has matched its digest since. */
  matched: { [component: number]: boolean };
}

/**
 * Tells whether an effect changes a component.
 *
 * @param e - The effect.
 * @returns true if it does.
 */
export function isChange(e: Effect): boolean {
  return !isCondition(e.op) && e.op !== DIR_INVOKE;
}

/**
 * Decides whether a device may carry out an effect.
 *
 * @param e - The effect.
 * @param installing - Whether it installs, or starts.
 * @param identified - Whether the run has checked the identity of the device.
 * @param done - What the run has done before, or undefined if that does not count.
 * @param skipDigest - Whether the device writes and invokes without digests. Default: false.
 * @returns The number of the refusal, or 0.
 */
export function admissionRefusal(
  e: Effect,
  installing: boolean,
  identified: boolean | undefined,
  done?: Doings,
  skipDigest?: boolean,
): number {
  var c = e.component,
    other = e.source as number,
    starts = e.op === DIR_INVOKE,
    swaps = HAS_COPY && e.op === DIR_SWAP,
    fresh;
  if (isCondition(e.op)) return 0;
  if (starts && installing) return INVOKE_MISPLACED;
  if (!starts && !skipDigest && (!e.digest || (swaps && !e.sourceDigest))) return DIGEST_UNSET;
  // valid signature, wrong device: RFC 9124 §4.3.2
  if (!identified) return IDENTITY_UNCHECKED;
  if (!done) return 0;
  // an image is invoked only after its digest has matched
  if (starts) return done.matched[c] || skipDigest ? 0 : INVOKE_UNVERIFIED;
  // What was written is in the slot that would be written again, so it is not copied to itself. In a swap, each image
  // goes to the other component's slot that is not current, so that the power may fail at any point.
  fresh = done.fresh;
  return HAS_COPY && (swaps ? c === other || fresh[c] || fresh[other] : c === other && fresh[c]) ? NOT_SUPPORTED : 0;
}

function noteWrite(e: Effect, done: Doings, component: number): void {
  done.fresh[component] = e;
  done.matched[component] = false;
}

/**
 * Notes an effect that was carried out.
 *
 * @param e - The effect.
 * @param done - What the run has done. It changes.
 * @param ok - The outcome.
 */
export function took(e: Effect, done: Doings, ok: boolean): void {
  if (e.op === COND_IMAGE_MATCH) done.matched[e.component] = ok;
  else if (isChange(e)) {
    noteWrite(e, done, e.component);
    if (HAS_COPY && e.op === DIR_SWAP) noteWrite(e, done, e.source as number);
  }
}
