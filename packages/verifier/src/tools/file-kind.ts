// The kind of a file, by its first bytes. This decides what a person meant by it; the verifier decides whether it is
// valid.

import { TAG_SIGN } from "../spec/cose.js";
import { TAG_ENVELOPE } from "../spec/suit.js";

/** Returns whether the bytes begin with tag 107 and a map, or with a map whose first key is 1, 2 or 3 (M37 §8.2). */
export function looksLikeEnvelope(head: ArrayLike<number>): boolean {
  var tagged = head[0] === 0xd8 && head[1] === TAG_ENVELOPE,
    at = tagged ? 2 : 0;
  return head[at] >> 5 === 5 && (tagged || (head[1] >= 1 && head[1] <= 3));
}

/**
 * Returns whether the bytes begin with tag 98, COSE_Sign (RFC 9052 §2), as trust files do. The head of this tag has one
 * form, of two bytes.
 */
export function looksLikeTrustFile(head: ArrayLike<number>): boolean {
  return head[0] === 0xd8 && head[1] === TAG_SIGN;
}
