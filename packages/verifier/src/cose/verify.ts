// Verifies signatures and tags (RFC 9052 §4.4, §6.3) against anchors. The anchor fixes the algorithm: `alg` in the
// message can only match it.

import { equalConstantTime, rawKey, sameKey } from "../base/bytes.js";
import { HAS_WINDOWS } from "../base/features.js";
import { refuse } from "../base/refuse.js";
import type { Anchor, Family, Host } from "../base/types.js";
import {
  ANCHOR_KEY,
  SIGNATURE_COUNT,
  SIGNATURE_INVALID,
  SIGNATURE_NO_ANCHOR,
  SIGNATURE_THRESHOLD,
  WRAPPER_EMPTY,
} from "../spec/errors.generated.js";
import { type CoseSignature, MAX_SIGNATURES } from "./message.js";

/**
 * Tells whether a signature can be by this anchor: same algorithm, and same key identifier if both have one.
 *
 * @param c - The signature.
 * @param anchor - The anchor.
 * @returns true if it can.
 */
export function matchesAnchor(c: Pick<CoseSignature, "alg" | "kid">, anchor: Anchor): boolean {
  return anchor.alg.ids.indexOf(c.alg) >= 0 && !(c.kid && anchor.kid && !equalConstantTime(c.kid, anchor.kid));
}

/**
 * Whether `a` shares no secret with the anchors at the positions `found` of `all`. A secret counts once, however often
 * it signed or is listed.
 */
export function isNew(all: Anchor[], found: number[], a: Anchor): boolean {
  var i;
  for (i = 0; i < found.length; i++) if (sameKey(all[found[i]].key, a.key)) return false;
  return true;
}

/**
 * Whether the anchors at the positions `at`, by default all, reach the threshold of each family that this build knows.
 */
export function complete(anchors: Anchor[], at: number[] | null, families: Family[] | undefined): boolean {
  var i,
    j,
    n,
    f,
    count = at ? at.length : anchors.length;
  for (i = 0; families && i < families.length; i++) {
    f = families[i];
    n = 0;
    for (j = 0; j < count; j++) if (f.ids.indexOf((anchors[at ? at[j] : j] as { cose?: number }).cose as number) >= 0) n++;
    if (f.known && n < f.threshold) return false;
  }
  return true;
}

/**
 * Verifies signatures with the anchors until `threshold` of them have signed, or `most`. Returns the indices of these
 * anchors. Refuses if there are fewer than `threshold`.
 *
 * Limits the cost of junk signatures: before the first good signature, at most `threshold` + 2 may fail. A release with
 * more foreign signatures must name its keys (kid). The limit does not apply with `own`, for signatures that the caller
 * has kept or made, nor with a `threshold` of 0, for trust files, which keys of many lists may sign.
 */
export function verified(all: CoseSignature[], anchors: Anchor[], threshold: number, host: Host, most?: number, own?: boolean): number[] {
  var found: number[] = [],
    fits = false,
    left = own || (HAS_WINDOWS && !threshold) ? MAX_SIGNATURES : threshold + 2,
    missed,
    c,
    a,
    i,
    j;
  for (i = 0; i < all.length && found.length < ((HAS_WINDOWS && most) || threshold); i++) {
    c = all[i];
    missed = false;
    for (j = 0; j < anchors.length; j++) {
      a = anchors[j];
      if (matchesAnchor(c, a)) {
        fits = true;
        if (isNew(anchors, found, a)) {
          if (a.alg.verify(a.key, c.message, c.signature, host) === true) {
            c.good = true;
            found.push(j);
            break;
          }
          missed = true;
        }
      }
    }
    if (missed && !found.length && !left--) refuse(SIGNATURE_COUNT);
  }
  if (found.length < threshold) {
    if (!all.length) refuse(WRAPPER_EMPTY);
    if (!fits) refuse(SIGNATURE_NO_ANCHOR);
    // an unusable key is a fault of the device, not a bad signature
    for (j = 0; j < anchors.length; j++) if (!anchors[j].alg.valid(rawKey(anchors[j].key))) refuse(ANCHOR_KEY);
    refuse(found.length ? SIGNATURE_THRESHOLD : SIGNATURE_INVALID);
  }
  return found;
}
