// How a device gets its next trust file: a release brings it as the component "trust", and after the commit of that
// release the device adopts it. docs/guides/rotation.md describes the whole procedure. Only the signatures on the trust
// file count, never those on the release.

import { HAS_FAMILIES } from "../base/features.js";
import { sequenceLess } from "../base/number.js";
import { markAt, type Refusal, refuse } from "../base/refuse.js";
import type { Bytes, Host, Source } from "../base/types.js";
import { type Identity, identityChecked } from "../interpreter/frame.js";
import { START_SECTIONS, start, step } from "../interpreter/run.js";
import { IDENTITY_UNCHECKED } from "../spec/errors.generated.js";
import { open } from "../trust/open.js";
import { policyOf, trustFileUnchecked } from "../trust/trust-file.js";
import type { TrustStore } from "../trust/trust-list.js";
import type { Device, TrialDevice } from "./device.js";
import { TRUST_COMPONENT } from "./keep.js";

/** Ends the sessions that began with `store`, if `next` is a later trust file. */
function replace(store: TrustStore, next: TrustStore): boolean {
  var isLater = sequenceLess(store.sequence, next.sequence);
  if (isLater) store.successors = (store.successors || 0) + 1;
  return isLater;
}

/** As updatedTrust(), but the trust file is not adopted yet. */
function candidate(
  store: TrustStore,
  bytes: Bytes | Source,
  envelope: Bytes | Source,
  role: number,
  identity: Identity,
  host?: Host,
): TrustStore {
  var next = trustFileUnchecked(store.algs, bytes, store, host),
    m = open(envelope, policyOf(next, role, identity), host, true),
    run = start(m, START_SECTIONS, identity),
    e = step(run);
  while (e) e = step(run, true);
  markAt(-1);
  // a start requires more than open(): each key counts only for its vendor and class, if the release checks these at
  // all
  if (!identityChecked(run)) {
    m.threshold = 0;
    if (HAS_FAMILIES) m.families = undefined;
    if (identityChecked(run)) refuse(IDENTITY_UNCHECKED);
  }
  return next;
}

/**
 * Verifies that a trust file can replace `store` on a device that runs a release. If it is a later one, sessions that
 * began with `store` are refused from then on: a key that is revoked now may have signed their release.
 *
 * @param store - The current trust file.
 * @param bytes - The new trust file, or a chain of them.
 * @param envelope - The envelope of the running release.
 * @param role - ROLE_RELEASE (2), ROLE_DEBUG (3) or ROLE_RECOVERY (4).
 * @param identity - That of the device.
 * @param host - Hash functions. Default: our own.
 * @returns The content of the new trust file.
 * @throws The refusals of trustFileUnchecked(), and those of policyOf(), open() and boot() if the running release would
 *   not be valid under it: the device could then no longer start.
 */
export function updatedTrust(
  store: TrustStore,
  bytes: Bytes | Source,
  envelope: Bytes | Source,
  role: number,
  identity: Identity,
  host?: Host,
): TrustStore {
  var next = candidate(store, bytes, envelope, role, identity, host);
  replace(store, next);
  return next;
}

/**
 * The content of the trust file `bytes` if it can replace `store`, otherwise null. `envelope`: as for updatedTrust();
 * if absent, the running release is not checked.
 */
export function replacement(
  store: TrustStore,
  bytes: Bytes | Source,
  envelope: Bytes | Source | undefined,
  role: number,
  identity: Identity,
  host?: Host,
): TrustStore | null {
  try {
    return envelope ? candidate(store, bytes, envelope, role, identity, host) : trustFileUnchecked(store.algs, bytes, store, host);
  } catch (e) {
    // refused: not a trust file of ours, or an old one
    if (typeof (e as Refusal).code !== "number") throw e;
    return null;
  }
}

/**
 * Finds the trust file that replaces `store`. Call it at each start, before boot(): if the power fails before the bytes
 * are stored, the next start returns them again. While a device may still go back to the previous release, it keeps the
 * trust file of that release.
 *
 * @param store - The current trust file.
 * @param device - The device.
 * @param envelope - The envelope of the current release.
 * @param role - ROLE_RELEASE (2), ROLE_DEBUG (3) or ROLE_RECOVERY (4).
 * @param host - Hash functions. Default: our own.
 * @returns Its bytes, which the device must store where only it can write. null if `store` remains, and until
 *   confirm().
 * @throws Refusal.
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { nextTrust } from "@firmseal/verifier";
 *
 * const bytes = nextTrust(store, device, envelope, 2);
 * if (bytes) writeFileSync("current.trust", Uint8Array.from(bytes));
 * ```
 */
export function nextTrust(store: TrustStore, device: Device, envelope: Bytes | Source, role: number, host?: Host): Bytes | null {
  var trial = device as TrialDevice,
    // without an envelope, the running release would not be checked
    n = envelope && device.capacity(TRUST_COMPONENT) >= 0 && !(trial.pending && trial.pending()) && device.size(TRUST_COMPONENT, false),
    bytes = n && device.read(TRUST_COMPONENT, 0, n, false),
    next = bytes && bytes.length === n && replacement(store, bytes, envelope, role, device.identity, host);
  return next && replace(store, next) ? (next.file as Bytes) : null;
}

export { TRUST_COMPONENT } from "./keep.js";
