// How a device comes to its next trust file: a release has brought it as the component "trust", and it is taken over once that release has
// been committed. docs/guides/rotation.md tells the whole way. What counts is who signed the file, never who signed the release that brought it.

import { sequenceLess } from "../base/number.js";
import { markAt, type Refusal, refuse } from "../base/refuse.js";
import type { Alg, Bytes, Host, Source } from "../base/types.js";
import { type Identity, identityChecked } from "../interpreter/frame.js";
import { START_SECTIONS, start, step } from "../interpreter/run.js";
import { IDENTITY_UNCHECKED } from "../spec/errors.js";
import { open } from "../trust/open.js";
import { policyOf, type TrustStore, trustFile } from "../trust/trust-file.js";
import type { Device, TrialDevice } from "./device.js";
import { TRUST_COMPONENT } from "./keep.js";

/**
 * What is trusted after `store` where the trust file `bytes` takes its place on a device that runs the release `envelope`. Throws the refusals of
 * trustFile(), and those of policyOf(), open() and boot() where the release would not be good under it: the device could then not start it any more.
 */
export function updatedTrust(
  algs: Alg[],
  store: TrustStore,
  bytes: Bytes | Source,
  envelope: Bytes | Source,
  role: number,
  identity: Identity,
  host?: Host,
): TrustStore {
  var next = trustFile(algs, bytes, store, host),
    m = open(envelope, policyOf(next, role, identity), host, true),
    run = start(m, START_SECTIONS, identity),
    e = step(run);
  while (e) e = step(run, true);
  markAt(-1);
  // a start asks more than open(): each key counts for the vendor and class that it is trusted for, where the release asks for these at all
  if (!identityChecked(run)) {
    m.threshold = 0;
    if (identityChecked(run)) refuse(IDENTITY_UNCHECKED);
  }
  return next;
}

/**
 * The bytes of the trust file that takes the place of `store`, to be kept where only the device itself writes; null where `store` stays. To be
 * called at each start, before boot(): if the power fails before they are kept, the next start gives them again. `envelope`: that of what is current.
 * A device that may still go back to the release before keeps the trust that goes with it: null until confirm().
 *
 *     bytes = nextTrust(algs, store, device, envelope, 2, host);
 *     if (bytes) keep(bytes);
 */
export function nextTrust(
  algs: Alg[],
  store: TrustStore,
  device: Device,
  envelope: Bytes | Source,
  role: number,
  host?: Host,
): Bytes | null {
  var trial = device as TrialDevice,
    bytes,
    next,
    n;
  if (!(device.capacity(TRUST_COMPONENT) >= 0) || (trial.pending && trial.pending())) return null;
  n = device.size(TRUST_COMPONENT, false);
  if (!n) return null;
  bytes = device.read(TRUST_COMPONENT, 0, n, false);
  if (!bytes || bytes.length !== n) return null;
  try {
    next = updatedTrust(algs, store, bytes, envelope, role, device.identity, host);
    return sequenceLess(store.sequence, next.sequence) ? (next.file as Bytes) : null;
  } catch (e) {
    // a refusal: what the release brought is no trust file of ours, or an old one
    if (typeof (e as Refusal).code !== "number") throw e;
    return null;
  }
}

export { TRUST_COMPONENT } from "./keep.js";
