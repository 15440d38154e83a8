// Makes trust anchors from an algorithm and a raw key.

import { newBytes, rawKey } from "../base/bytes.js";
import { HAS_GENERAL, HAS_PLAIN, HAS_PREPARED } from "../base/features.js";
import { markAt, refuse } from "../base/refuse.js";
import type { Alg, Anchor, Bytes, Prepared } from "../base/types.js";
import { ANCHOR_KEY, TRUST_POLICY } from "../spec/errors.generated.js";

/**
 * Makes an anchor for the algorithm `alg`, undefined if there is none of that name. Checks the key, so that a device
 * detects a bad one when it is set up.
 */
export function makeAnchor(alg: Alg | undefined, key: Bytes | Prepared, kid: Bytes | undefined): Anchor {
  if (HAS_GENERAL) markAt(-1);
  // what objects inherit has no numbers
  if (!alg || !alg.ids) refuse(TRUST_POLICY);
  // a table without its digest could verify nothing; alg/table25519.ts checks the digest itself
  if (!key || !alg.valid(rawKey(key)) || (HAS_PREPARED && (key as Prepared).table && !(key as Prepared).digest)) refuse(ANCHOR_KEY);
  return { alg: alg, key: HAS_GENERAL || HAS_PLAIN ? key : newBytes(key as Bytes), kid: kid };
}

/** The algorithms of a micro verifier by name. The bundler assigns them. */
export var ALGORITHMS: { [name: string]: Alg } = {};

/**
 * anchor() of micro verifiers: like makeAnchor(), with the name of an algorithm.
 *
 * @public bundles export it
 */
export function anchorMicro(name: string, key: Bytes, kid: Bytes | undefined): Anchor {
  var alg = ALGORITHMS[name];
  // what objects inherit has no numbers
  if (!alg || !alg.ids) refuse(TRUST_POLICY);
  if (!key || !alg.valid(key)) refuse(ANCHOR_KEY);
  return { alg: alg, key: HAS_PLAIN ? key : newBytes(key), kid: kid };
}
