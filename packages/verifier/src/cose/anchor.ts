// Makes trust anchors from the name of an algorithm and a raw key.

import { rawKey } from "../base/bytes.js";
import { HAS_PREPARED } from "../base/features.js";
import { markAt, refuse } from "../base/refuse.js";
import type { Alg, Anchor, Bytes, Prepared } from "../base/types.js";
import { ANCHOR_KEY, TRUST_POLICY } from "../spec/errors.js";

/**
 * Makes an anchor for the algorithm `name` among `algs`. Checks the key, so that a device detects a bad one when it is
 * set up.
 */
export function makeAnchor(algs: { [name: string]: Alg }, name: string, key: Bytes | Prepared, kid: Bytes | undefined): Anchor {
  var alg = algs.hasOwnProperty(name) ? algs[name] : null,
    a: Anchor;
  markAt(-1);
  if (!alg) refuse(TRUST_POLICY);
  // a table without its digest could verify nothing; alg/table25519.ts checks the digest itself
  if (!key || !(alg as Alg).valid(rawKey(key)) || (HAS_PREPARED && (key as Prepared).table && !(key as Prepared).digest))
    refuse(ANCHOR_KEY);
  a = { alg: alg as Alg, key: key };
  if (kid) a.kid = kid;
  return a;
}
