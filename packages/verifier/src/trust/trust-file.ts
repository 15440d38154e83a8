// Which trust file a device accepts, and which keys it then trusts in a role. docs/guides/trust.md has the rules.
// Included in bundles on request.

import { equalConstantTime } from "../base/bytes.js";
import { HAS_FAMILIES } from "../base/features.js";
import { sequenceExceeds, sequenceLess } from "../base/number.js";
import { markAt, refuse } from "../base/refuse.js";
import type { Alg, Anchor, Bytes, Host, Sequence, Source, Trust } from "../base/types.js";
import { here } from "../cbor/reader.js";
import { MAX_SIGNATURES } from "../cose/message.js";
import { complete, isNew, verified } from "../cose/verify.js";
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
} from "../spec/errors.generated.js";
import { JUMP, ROLE_ROOT } from "../spec/trust.js";
import { checkLimit, policy } from "./open.js";
import { beginHeld, fileAt, readTrust, type TrustStore, type UnverifiedTrust } from "./trust-list.js";

/** Files in a chain. */
export const MAX_CHAIN = 16;

/** The trust of a new device that has no trust file yet: its roots, and which file may be the first. */
export interface FirstTrust extends Trust {
  /** The product line, in UTF-8. */
  name?: Bytes;
  /** The lowest sequence number of the first file. */
  sequence?: Sequence;
}

/** Whether an identifier is absent or among those of the device. */
function within(id: Bytes | undefined, ids: Bytes[] | undefined): boolean {
  var i;
  for (i = 0; id && ids && i < ids.length; i++) if (equalConstantTime(id, ids[i])) return true;
  return !id;
}

/**
 * The keys of a role that count on a device with this build, as a policy that may have too few keys for its threshold.
 */
function keysFor(store: TrustStore, role: number, identity: Partial<Identity>): Trust {
  var out: Anchor[] = [],
    i,
    a;
  for (i = 0; i < store.anchors.length; i++) {
    a = store.anchors[i];
    if (a.alg && a.roles.indexOf(role) >= 0 && within(a.vendor, identity.vendor) && within(a.class, identity.class)) out.push(a as Anchor);
  }
  return HAS_FAMILIES
    ? {
        anchors: out,
        threshold: store.thresholds[role],
        jump: store.jumps[role] || JUMP,
        store: store,
        role: role,
        families: store.families[role],
      }
    : { anchors: out, threshold: store.thresholds[role], jump: store.jumps[role] || JUMP, store: store, role: role };
}

/** Whether enough keys of a policy, each once, are among those at the positions `found` of `all`. */
function enough(trust: Trust, threshold: number, all: Anchor[], found: number[]): boolean {
  var anchors = trust.anchors,
    own: number[] = [],
    i;
  for (i = 0; i < anchors.length; i++) if (!isNew(all, found, anchors[i]) && isNew(anchors, own, anchors[i])) own.push(i);
  return own.length >= threshold && (!HAS_FAMILIES || complete(anchors, own, trust.families));
}

/**
 * Verifies that a file can replace `before`, and returns its content. `more`: other files of a chain follow. Then a
 * file older than `before` is skipped.
 */
function accepted(f: UnverifiedTrust, before: TrustStore | FirstTrust, host: Host, more: boolean): TrustStore | FirstTrust {
  var last = before as TrustStore,
    isList = before && last.payload,
    roots = isList ? keysFor(last, ROLE_ROOT, {}) : (before as Trust),
    threshold = policy(roots),
    store = f.store,
    own = keysFor(store, ROLE_ROOT, {}),
    all = roots.anchors.concat(own.anchors),
    older = last.sequence && sequenceLess(store.sequence, last.sequence),
    found,
    i,
    a;
  if (older && more) return before;
  // what is neither absent nor a number must not count as absent
  checkLimit(last.sequence);
  for (i = 0; i < store.anchors.length; i++) {
    a = store.anchors[i];
    if (a.alg && !a.alg.valid(a.key)) refuse(ANCHOR_KEY);
  }
  // each signature once, for both lists
  found = verified(f.signatures, all, 0, host, MAX_SIGNATURES);
  if (!enough(roots, threshold, all, found)) refuse(TRUST_PREVIOUS);
  if (!enough(own, own.threshold as number, all, found)) refuse(TRUST_SIGNERS);
  // one root key may serve several product lines: devices of one must refuse files of another
  if (last.name !== undefined && !(last.name && equalConstantTime(last.name, store.name))) refuse(TRUST_NAME);
  // Rollback: revoked keys would be trusted again. Two lists with the same number are a fork.
  if (older || (isList && !sequenceLess(last.sequence, store.sequence) && !equalConstantTime(last.payload, store.payload)))
    refuse(TRUST_ROLLBACK);
  // with an older epoch, releases from before the floor reset would be accepted again
  if (store.epoch < last.epoch) refuse(TRUST_EPOCH);
  store.file = f.file;
  return store;
}

/**
 * Verifies a trust file from outside, or a chain of at most 16: several files one after the other, each with the next
 * sequence number. As many roots of `before` as its threshold requires must have signed, and so must the roots that the
 * file itself lists. The sequence number must be higher than that of `before`; the same list again is accepted. Files
 * of a chain that are older than `before` are skipped.
 *
 * Unchecked: the running release may be invalid under the file. The device could then no longer start. updatedTrust()
 * checks that too.
 *
 * @param algs - The algorithms of this build. Keys of other algorithms never count.
 * @param bytes - The trust files.
 * @param before - The current trust file; or root keys, optionally with the name and the lowest sequence number of the
 *   first file.
 * @param host - Hash functions. Default: our own.
 * @returns The content of the last file. The caller stores its `file` where nobody else can write, and reads that with
 *   embeddedTrust() from then on: what a Source returns later is not verified.
 * @throws Refusal { code, at }. Nothing has changed then.
 */
export function trustFileUnchecked(algs: Alg[], bytes: Bytes | Source, before: TrustStore | FirstTrust, host?: Host): TrustStore {
  var src = beginHeld(bytes, host && host.memory),
    n = 0,
    end = 0,
    f,
    next,
    last: Sequence | undefined;
  do {
    f = fileAt(algs, src, end);
    markAt(end);
    if (n++ === MAX_CHAIN) refuse(TRUST_LIMIT);
    next = f.store.sequence;
    // higher by exactly 1: a missing list may have been the one that revoked a key
    if (last && (!sequenceLess(last, next) || sequenceExceeds(next, last, [0, 1]))) refuse(TRUST_CHAIN);
    last = next;
    end = here;
    before = accepted(f, before, host || {}, end < src.n);
  } while (end < src.n);
  return before as TrustStore;
}

/**
 * Reads a trust file that is part of the firmware, or that updatedTrust() has accepted before. Its storage is trusted,
 * as for a key in the firmware, so no signature is verified.
 *
 * @param algs - The algorithms of this build.
 * @param bytes - The trust file.
 * @returns Its content, for policyOf().
 * @throws Refusal if it is not a valid trust file.
 */
export function embeddedTrust(algs: Alg[], bytes: Bytes | Source): TrustStore {
  return readTrust(algs, bytes).store;
}

/**
 * Makes the trust policy for one role, for open(), install() and boot(). The caller sets `floor`.
 *
 * @param store - The trust file, from embeddedTrust(), updatedTrust() or trustFileUnchecked().
 * @param role - ROLE_RELEASE (2), ROLE_DEBUG (3) or ROLE_RECOVERY (4).
 * @param identity - That of the device.
 * @returns The policy.
 * @throws Refusal if the file has fewer usable keys with the role than its threshold, and for the role of roots, which
 *   sign no manifests.
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { embeddedTrust, policyOf } from "@firmseal/verifier";
 *
 * const policy = policyOf(embeddedTrust(readFileSync("first.trust")), 2, { vendor: [vendorUuid], class: [classUuid] });
 * ```
 */
export function policyOf(store: TrustStore, role: number, identity: Identity): Trust {
  var trust = keysFor(store, role, identity);
  markAt(-1);
  if (role === ROLE_ROOT || !trust.threshold || trust.anchors.length < trust.threshold) refuse(TRUST_UNUSABLE);
  if (HAS_FAMILIES && !complete(trust.anchors, null, trust.families)) refuse(TRUST_UNUSABLE);
  return trust;
}
