// Which trust file a device accepts, and which keys it then trusts in a role. docs/guides/trust.md has the rules. Included
// in bundles on request.

import { equalConstantTime, sameKey } from "../base/bytes.js";
import { sequenceExceeds, sequenceLess } from "../base/number.js";
import { markAt, refuse } from "../base/refuse.js";
import type { Alg, Anchor, Bytes, Host, Sequence, Source, Trust } from "../base/types.js";
import { input } from "../cbor/reader.js";
import { verified } from "../cose/message.js";
import type { Identity } from "../interpreter/frame.js";
import {
  ANCHOR_KEY,
  TRUST_CHAIN,
  TRUST_EPOCH,
  TRUST_LIMIT,
  TRUST_NAME,
  TRUST_PREVIOUS,
  TRUST_ROLLBACK,
  TRUST_SIGNERS,
  TRUST_UNUSABLE,
} from "../spec/errors.js";
import { JUMP, ROLE_ROOT } from "../spec/trust.js";
import { policy } from "./open.js";
import { beginHeld, fileAt, readTrust, type TrustStore, type UnverifiedTrust } from "./trust-list.js";

/** Files in a chain. */
const MAX_CHAIN = 16;

/** The trust of a new device that has no trust file yet: its roots, and which file may be the first. */
export interface FirstTrust extends Trust {
  /** The product line, in UTF-8. */
  name?: Bytes;
  /** The lowest sequence number of the first file. */
  sequence?: Sequence;
}

/** The roots of a file that this build can verify with, as a policy for the next file. */
function rootsOf(store: TrustStore): Trust {
  var out: Anchor[] = [],
    i,
    a;
  for (i = 0; i < store.anchors.length; i++) {
    a = store.anchors[i];
    if (a.alg && a.roles[0] === ROLE_ROOT) out.push(a as Anchor);
  }
  return { anchors: out, threshold: store.thresholds[ROLE_ROOT] };
}

/** How many keys of `anchors` are among those at the positions `found` of `all`. */
function counted(found: number[], all: Anchor[], anchors: Anchor[]): number {
  var n = 0,
    i,
    j;
  for (i = 0; i < found.length; i++) {
    for (j = 0; j < anchors.length && !sameKey(anchors[j].key, all[found[i]].key); j++);
    if (j < anchors.length) n++;
  }
  return n;
}

/**
 * Verifies that a file can replace `before`, and returns its content. `more`: other files of a chain follow. Then a file
 * older than `before` is skipped.
 */
function accepted(f: UnverifiedTrust, before: TrustStore | FirstTrust, host: Host, more: boolean): TrustStore {
  var last = before as TrustStore,
    isList = before && last.payload,
    roots = isList ? rootsOf(last) : (before as Trust),
    threshold = policy(roots),
    store = f.store,
    own = rootsOf(store),
    all = roots.anchors.concat(own.anchors),
    found,
    i,
    a;
  if (more && isList && sequenceLess(store.sequence, last.sequence)) return last;
  for (i = 0; i < store.anchors.length; i++) {
    a = store.anchors[i];
    if (a.alg && !a.alg.valid(a.key)) refuse(ANCHOR_KEY);
  }
  // each signature once, for both lists
  found = verified(f.signatures, all, 0, host, f.signatures.length);
  if (counted(found, all, roots.anchors) < threshold) refuse(TRUST_PREVIOUS);
  if (counted(found, all, own.anchors) < (own.threshold as number)) refuse(TRUST_SIGNERS);
  // one root key may serve several product lines: devices of one must refuse files of another
  if (last.name && !equalConstantTime(last.name, store.name)) refuse(TRUST_NAME);
  // Rollback: revoked keys would be trusted again. Two lists with one number are a fork.
  if (
    last.sequence &&
    !sequenceLess(last.sequence, store.sequence) &&
    (isList ? !equalConstantTime(last.payload, store.payload) : sequenceLess(store.sequence, last.sequence))
  )
    refuse(TRUST_ROLLBACK);
  // with an older epoch, releases from before the floor reset would be accepted again
  if (isList && store.epoch < last.epoch) refuse(TRUST_EPOCH);
  store.file = f.file;
  return store;
}

/**
 * Verifies a trust file from outside, or a chain of at most 16: several files one after the other, each with the next
 * sequence number. `before`: the current trust file; or root keys, optionally with the name and the lowest sequence
 * number of the first file. As many of its roots as its threshold requires must have signed, and so must the roots that
 * the file itself lists. The sequence number must be higher than that of `before`; the same list again is accepted.
 * Files of a chain that are older than `before` are skipped. `algs`: the algorithms of this build; keys of other
 * algorithms never count.
 *
 * Unchecked: the running release may be invalid under the file. The device could then no longer start. updatedTrust()
 * checks that too.
 *
 * Returns the content of the last file, or throws a Refusal { code, at } and changes nothing. The caller stores its
 * `file` where nobody else can write, and reads that with embeddedTrust() from then on: what a Source returns later is
 * not verified.
 */
export function trustFileUnchecked(algs: Alg[], bytes: Bytes | Source, before: TrustStore | FirstTrust, host?: Host): TrustStore {
  var all: UnverifiedTrust[] = [],
    end = 0,
    f,
    next,
    last: Sequence | null = null,
    i;
  beginHeld(bytes, host && host.memory);
  do {
    f = fileAt(algs, end);
    markAt(end);
    if (all.length === MAX_CHAIN) refuse(TRUST_LIMIT);
    next = f.store.sequence;
    // higher by exactly 1: a missing list may have been the one that revoked a key
    if (last && (!sequenceLess(last, next) || sequenceExceeds(next, last, [0, 1]))) refuse(TRUST_CHAIN);
    last = next;
    end = f.end;
    all.push(f);
  } while (end < input.n);
  markAt(-1);
  for (i = 0; i < all.length; i++) before = accepted(all[i], before, host || {}, i < all.length - 1);
  return before as TrustStore;
}

/**
 * Reads a trust file that is part of the firmware, or that updatedTrust() has accepted before. Its storage is trusted,
 * as for a key in the firmware, so no signature is verified. Throws a Refusal if it is not a valid trust file.
 */
export function embeddedTrust(algs: Alg[], bytes: Bytes | Source): TrustStore {
  return readTrust(algs, bytes).store;
}

/** Whether an identifier is absent or among those of the device. */
function within(id: Bytes | undefined, ids: Bytes[] | undefined): boolean {
  var i;
  for (i = 0; id && ids && i < ids.length; i++) if (equalConstantTime(id, ids[i])) return true;
  return !id;
}

/**
 * The trust policy for one role, for open(), install() and boot(). `role`: ROLE_RELEASE, ROLE_DEBUG or ROLE_RECOVERY;
 * `identity`: that of the device. Throws a Refusal if the file has fewer usable keys with the role than its threshold,
 * and for the role of roots, which sign no manifests. The caller sets `floor`.
 *
 * open(envelope, policyOf(store, 2, device.identity), host)
 */
export function policyOf(store: TrustStore, role: number, identity: Identity): Trust {
  var threshold = role === ROLE_ROOT ? 0 : store.thresholds[role],
    out: Anchor[] = [],
    i,
    a;
  for (i = 0; i < store.anchors.length; i++) {
    a = store.anchors[i];
    if (a.alg && a.roles.indexOf(role) >= 0 && within(a.vendor, identity.vendor) && within(a.class, identity.class)) out.push(a as Anchor);
  }
  markAt(-1);
  if (!threshold || out.length < threshold) refuse(TRUST_UNUSABLE);
  return { anchors: out, threshold: threshold, jump: store.jumps[role] || JUMP, store: store, role: role };
}
