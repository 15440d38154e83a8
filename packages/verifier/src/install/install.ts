// An installation or a start, from the envelope to the commit: slots.ts carries out each effect of the interpreter.
// What was written becomes current in one step at the end, together with the floor.

import { equalConstantTime, octetsOf } from "../base/bytes.js";
import { HAS_TRUST } from "../base/features.js";
import { sequenceLess } from "../base/number.js";
import { markAt, refuse, rethrow } from "../base/refuse.js";
import type { Bytes, Host, Source, Trust } from "../base/types.js";
import { copySlice, inputOf, sameBytes } from "../cbor/reader.js";
import { sameDigest } from "../hash/digest.js";
import type { Effect } from "../interpreter/frame.js";
import { step } from "../interpreter/run.js";
import type { Manifest } from "../manifest/manifest.js";
import { parsePayloads } from "../manifest/parse.js";
import { DEVICE_FAULT, IMAGE_UNVERIFIED, PAYLOAD_ABSENT, PAYLOAD_SIZE, RUN_OUTCOME } from "../spec/errors.generated.js";
import { believe, open, read, TO_KEEP } from "../trust/open.js";
import type { TrustStore } from "../trust/trust-list.js";
import type { ComponentId, Device, Progress } from "./device.js";
import { keptOf, trustIndex } from "./keep.js";
import { rehearseBoth, restart } from "./rehearsal.js";
import { checkFloor, checkIdentity, countersOf, id, payloadRange, renew, type Session, sumOf } from "./session.js";
import { contents, end, perform, receive, stored } from "./slots.js";

/**
 * Opens what a start will open, from storage, including payloads if it was assembled. The verified signatures come
 * first and are the same bytes, so they are not verified again, which would take RAM that the installation needs.
 */
function reopened(s: Session, bytes: Bytes | Source): Manifest {
  var m = s.release,
    u = read(bytes, s.trust, s.host, TO_KEEP),
    n = 0,
    i,
    c,
    again;
  for (i = 0; i < m.signatures.length; i++) {
    c = m.signatures[i];
    if (c.good) {
      again = u.signatures[n++];
      if (!again || !equalConstantTime(again.sum as Bytes, c.sum as Bytes)) refuse(DEVICE_FAULT);
    }
  }
  again = believe(u, m.signers, s.trust, s.host);
  markAt(-1);
  if (!sameDigest(again.digest, m.digest)) refuse(DEVICE_FAULT);
  return again;
}

/**
 * Makes current what was written, once it has been read back after the last write (RAUC CVE-2020-25860: the checked
 * bytes must be the used bytes).
 */
function commit(s: Session): void {
  var written: ComponentId[] = [],
    m = s.release,
    i,
    w,
    kept,
    lies,
    brought: Bytes | undefined,
    from;
  for (i = 0; i < m.components.length; i++) {
    w = s.fresh[i];
    if (w) {
      if (w.expected ? !w.passed && !stored(s, i, w.expected, contents(s, i)) : !s.target.dangerouslySkipDigest) refuse(IMAGE_UNVERIFIED);
      written.push(id(s, i));
      if (HAS_TRUST && s.trust.store && i === m.trustAt) {
        from = contents(s, i);
        brought = copySlice(from, from);
      }
    }
  }
  // the device must not discover at its next start that it has kept something else
  kept = keptOf(m, s.input, s.host);
  lies = s.target.keep(kept);
  if (m.loads) s.release = reopened(s, lies);
  else if (!sameBytes(inputOf(lies), inputOf(kept))) refuse(DEVICE_FAULT);
  // nor must it discover then that the release never starts
  s.installing = false;
  s.kept = true;
  rehearseBoth(s);
  // another installation may have been committed since this one was opened, or a host's hash may have used the device
  // meanwhile
  if (HAS_TRUST) renew(s, brought, lies);
  checkFloor(s);
  if (s.target.session !== s) refuse(RUN_OUTCOME);
  s.target.persist(
    HAS_TRUST
      ? { sequence: m.sequence, written: written, counters: countersOf(s), reset: s.resets }
      : { sequence: m.sequence, written: written, counters: sumOf(s) },
  );
}

/** The count of the trust file of a session that updatedTrust() raises. */
function successors(s: Session): number | undefined {
  return s.trust.store ? (s.trust.store as TrustStore).successors : undefined;
}

function advance(s: Session, progress: Progress, outcome: Bytes | boolean | undefined): Effect | undefined {
  var e: Effect | undefined, ok;
  if (progress.done) return undefined;
  markAt(-1);
  // a later session owns the device, or another trust file applies: change nothing
  if (s.over || s.target.session !== s || (HAS_TRUST && s.successors !== successors(s))) refuse(RUN_OUTCOME);
  // stays set if anything below throws: a refused session cannot continue
  s.over = true;
  try {
    e = s.effect;
    // an outcome belongs to the pending effect
    if (!e !== (outcome === undefined)) refuse(RUN_OUTCOME);
    if (outcome === false) refuse(PAYLOAD_ABSENT);
    if (e && outcome !== true) {
      // before it is copied
      if (!((outcome as Bytes).length <= s.limit - s.offset)) refuse(PAYLOAD_SIZE);
      receive(s, e, octetsOf(outcome as Bytes, (outcome as Bytes).length));
    } else {
      e = step(s.run, e && end(e, s.offset));
      while (e) {
        ok = perform(s, e);
        if (ok === undefined) break;
        e = step(s.run, ok);
      }
      s.effect = e;
    }
    if (e) {
      s.over = false;
      return e;
    }
    markAt(-1);
    // a release that starts nothing, too, is only for the devices that it checks
    checkIdentity(s);
    if (s.installing) commit(s);
  } catch (x) {
    try {
      // data of a later session must not be discarded
      if (s.target.session === s) s.target.discard();
    } catch (_) {
      // the refusal matters more than a failed clean-up, and nothing that was written is current
    }
    rethrow(x);
  }
  progress.done = true;
  return undefined;
}

/**
 * The trust file that a release brings in its manifest or envelope; the installed bytes are checked again at the end.
 * If the envelope is still arriving, throws a value that says how much is missing.
 */
function brought(s: Session): Bytes | undefined {
  var e = s.brings,
    parsed = s.release.parsed,
    missing,
    found;
  if (!e) return undefined;
  if (e.content) return e.content;
  try {
    // the heads of an arriving envelope are not read yet; afterwards, those before the missing bytes are known
    if (parsed.left) parsePayloads(parsed);
  } catch (x) {
    missing = x;
  }
  found = payloadRange(s, e.uri);
  if (found) return copySlice(parsed.input, found);
  if (missing) throw missing;
  return undefined;
}

/**
 * Checks everything that must hold before anything is written, for a release with an authenticated head: floor,
 * identity, components and sizes. Begins a session of the device.
 */
export function prepare(
  release: Manifest,
  input: Bytes | Source,
  trust: Trust,
  device: Device,
  host: Host | undefined,
  installing: boolean,
): Session {
  // begin() sets offset and limit
  var s = {
      input: input,
      trust: trust,
      release: release,
      target: device,
      host: host || {},
      installing: installing,
      fresh: {},
      matched: {},
    } as unknown as Session,
    i,
    c;
  try {
    // the signed bytes are not needed any more, and take RAM
    for (i = 0; i < release.signatures.length; i++) {
      c = release.signatures[i];
      c.message = c.signature = [];
    }
    if (HAS_TRUST) release.trustAt = trustIndex(release.components);
    if (installing && !(HAS_TRUST && trust.store)) checkFloor(s);
    device.begin(installing);
    device.session = s;
    if (installing) rehearseBoth(s);
    // a release below the floor may bring the trust file by which counting begins again
    if (HAS_TRUST && installing && trust.store) {
      renew(s, sequenceLess(release.sequence, device.floor(trust.role)) ? brought(s) : undefined);
      checkFloor(s);
    }
    if (HAS_TRUST) s.successors = successors(s);
    restart(s);
  } catch (e) {
    rethrow(e);
  }
  return s;
}

function session(s: Session): Progress {
  var progress: Progress = {
    done: false,
    manifest: s.release,
    next: function (outcome) {
      return advance(s, progress, outcome);
    },
  };
  return progress;
}

/**
 * Opens an envelope and prepares its installation (SUIT manifest draft 37 §6): payload-fetch, install, validate, then
 * one commit.
 *
 * @param input - The envelope.
 * @param trust - The trusted keys. The floor is the higher of `trust.floor` and the floor of the device.
 * @param device - The device.
 * @param host - Hash functions. Default: our own.
 * @returns The installation, which next() carries out. It returns a payload outside the envelope as an effect, and
 *   undefined at the end.
 * @throws Refusal, here or from next(); the current release has not changed then.
 * @example
 * ```ts
 * import { install } from "@firmseal/verifier";
 *
 * const progress = install(envelope, trust, device);
 * let effect = progress.next();
 * while (effect) {
 *   // a payload outside the envelope: pass its chunks as they arrive, then true
 *   progress.next(image);
 *   effect = progress.next(true);
 * }
 * ```
 */
export function install(input: Bytes | Source, trust: Trust, device: Device, host?: Host): Progress {
  // one after the other, so that later data takes no memory while a signature is verified
  return session(prepare(open(input, trust, host, TO_KEEP), input, trust, device, host, true));
}

/**
 * Opens the envelope of the installed release and prepares its start: validate, load, invoke. An image is invoked only
 * after its digest has matched in this session. The floor of the device is not checked, because the current release may
 * be older than one that was tried since.
 *
 * @param input - The envelope that the device has kept.
 * @param trust - The trusted keys.
 * @param device - The device.
 * @param host - Hash functions. Default: our own.
 * @returns The start, which next() carries out.
 * @throws Refusal, here or from next().
 * @example
 * ```ts
 * import { boot } from "@firmseal/verifier";
 *
 * const kept = device.start();
 * if (kept) boot(kept, trust, device).next();
 * ```
 */
export function boot(input: Bytes | Source, trust: Trust, device: Device, host?: Host): Progress {
  return session(prepare(open(input, trust, host, true), input, trust, device, host, false));
}
