// Installs and starts a release that is the template: what install/install.ts does for it, without an interpreter. The
// image goes to the slot that is not current, is hashed from there, and becomes current in one step with the floor.

import { equalConstantTime, octetsOf, subBytes } from "../base/bytes.js";
import { HAS_SHA256 } from "../base/features.js";
import { compareLimit } from "../base/number.js";
import { markAt, refuse, rethrow } from "../base/refuse.js";
import type { Bytes, Hash, Host, Sequence, Source, Trust } from "../base/types.js";
import { hashing } from "../hash/digest.js";
import type { ComponentId, Device } from "../install/device.js";
import type { Effect } from "../interpreter/frame.js";
import { HASH_SHA_256 } from "../spec/cose.js";
import {
  CLASS_MISMATCH,
  COMPONENT_UNKNOWN,
  DEVICE_FAULT,
  DIRECTIVE_FAILED,
  IMAGE_MISMATCH,
  PAYLOAD_ABSENT,
  PAYLOAD_SIZE,
  ROLLBACK,
  RUN_OUTCOME,
  SEQUENCE_TAKEN,
  VENDOR_MISMATCH,
} from "../spec/errors.js";
import { DIR_FETCH } from "../spec/suit.js";
import { type MicroManifest, openMicro, portion } from "./open.js";

/** An installation or start in progress, like Progress of the package. */
export interface MicroProgress {
  done: boolean;
  manifest: MicroManifest;
  next(outcome?: Bytes | boolean): Effect | undefined;
}

/** The only component: h'00'. */
var COMPONENT: ComponentId = [[0]];

/**
 * Opens an envelope that is the template and prepares its installation, like install() of the package: checks everything
 * that must hold before anything is written, and begins a session of the device. The floor is the higher of
 * `trust.floor` and that of the device. Throws a Refusal, here or from next(); the current release has not changed then.
 * `kept`: see bootMicro().
 *
 * progress = install(bytes, trust, device, host);
 * while ((effect = progress.next(outcome))) outcome = ...   // only for an image outside the envelope
 */
export function installMicro(input: Bytes | Source, trust: Trust, device: Device, host?: Host, kept?: boolean): MicroProgress {
  var progress = { done: false } as MicroProgress,
    m: MicroManifest,
    counters: Bytes,
    effect: Effect | undefined,
    // bytes of the image so far
    offset = 0,
    // set while next() runs: a refused session cannot continue
    over = false,
    room,
    // what the device has kept
    lies: Bytes | Source;

  /** A floor that is not a number is refused. Its number is accepted only for the manifest that it comes from. */
  function checkFloor(): void {
    // null has no numbers, and is refused
    var floor = device.floor() || ([] as unknown as Sequence),
      had = device.counters && device.counters(),
      order = compareLimit(m.sequence, floor, DEVICE_FAULT);
    if (order < 0) refuse(ROLLBACK);
    if (!order && (had ? !equalConstantTime(counters, subBytes(had, 0, 28)) : floor[0] || floor[1])) refuse(SEQUENCE_TAKEN);
  }

  /** A device that has begun another session meanwhile belongs to that one. */
  function checkOwner(): void {
    if (device.session !== progress) refuse(RUN_OUTCOME);
  }

  /** How many of `left` bytes are copied at a time. */
  function portionOf(left: number): number {
    var n = device.chunk || 1024;
    return n < left ? n : left;
  }

  function among(ids: Bytes[], id: Bytes): boolean {
    var i = ids.length;
    while (i--) if (equalConstantTime(ids[i], id)) return true;
    return false;
  }

  /** Compares the image in storage with the release. */
  function checkImage(): void {
    var found: Bytes | undefined | false =
        device.size(COMPONENT, !kept) === m.imageSize && device.digest && device.digest(COMPONENT, !kept, HASH_SHA_256),
      at = 0,
      n,
      hash;
    if (!HAS_SHA256 && found === undefined)
      found = (((host as Host).sha256 as Hash).once as (bytes: Bytes) => Bytes)(
        portion(device.read(COMPONENT, 0, m.imageSize, !kept), 0, m.imageSize),
      );
    else if (HAS_SHA256 && found === undefined) {
      hash = hashing(host || {}, HASH_SHA_256);
      for (; at < m.imageSize; at += n) {
        n = portionOf(m.imageSize - at);
        hash.update(octetsOf(device.read(COMPONENT, at, n, !kept), n));
      }
      found = hash.digest();
    }
    if (!found || !equalConstantTime(found, m.image)) refuse(IMAGE_MISMATCH);
  }

  /** Writes a part of the image. */
  function put(from: Bytes | Source, at: number, n: number): void {
    // stop an endless image as it arrives, not when it has filled the device
    if (!(n <= m.imageSize - offset)) refuse(PAYLOAD_SIZE);
    device.write(COMPONENT, offset, portion(from, at, n));
    offset += n;
  }

  /** Begins the image, and writes it if it is here. Returns the fetch if it is not. */
  function begin(): Effect | undefined {
    var at = m.imageAt,
      from = at ? input : device.fetch && device.fetch(m.imageUri),
      end,
      n;
    device.erase(COMPONENT, m.imageSize);
    if (!from) return { op: DIR_FETCH, component: 0, size: m.imageSize, uri: m.imageUri };
    end = at ? at + m.imageSize : from.length;
    for (; at < end; at += n) put(from, at, (n = portionOf(end - at)));
    return undefined;
  }

  /** Hashes what was written where it is, and makes it current. */
  function commit(): void {
    if (offset !== m.imageSize) refuse(PAYLOAD_SIZE);
    checkImage();
    lies = device.keep(m.kept);
    // the device must not discover at its next start that it has kept something else
    if (lies.length !== m.kept.length || !equalConstantTime(portion(lies, 0, m.kept.length), m.kept)) refuse(DEVICE_FAULT);
    // another installation may have been committed since this one was opened
    checkFloor();
    checkOwner();
    device.persist({ sequence: m.sequence, written: [COMPONENT], counters: counters });
  }

  try {
    progress.manifest = m = openMicro(input, trust, host, kept);
    counters = subBytes(m.digest, 0, 28);
    markAt(-1);
    if (!kept) checkFloor();
    device.begin(!kept);
    device.session = progress;
    // valid signature, wrong device: RFC 9124 §4.3.2
    if (!among(device.identity.vendor, m.forVendor)) refuse(VENDOR_MISMATCH);
    if (!among(device.identity.class, m.forClass)) refuse(CLASS_MISMATCH);
    room = device.capacity(COMPONENT);
    if (!(room >= 0)) refuse(COMPONENT_UNKNOWN);
    if (m.imageSize > room) refuse(PAYLOAD_SIZE);
  } catch (e) {
    rethrow(e);
  }
  progress.next = function (outcome) {
    if (progress.done) return undefined;
    markAt(-1);
    checkOwner();
    if (over) refuse(RUN_OUTCOME);
    over = true;
    try {
      if (!effect !== (outcome === undefined)) refuse(RUN_OUTCOME);
      if (outcome === false) refuse(PAYLOAD_ABSENT);
      if (kept) {
        checkImage();
        checkOwner();
        if (device.invoke(COMPONENT, undefined) !== true) refuse(DIRECTIVE_FAILED);
      } else {
        if (!effect) effect = begin();
        else if (outcome === true) effect = undefined;
        else put(outcome as Bytes, 0, (outcome as Bytes).length);
        if (effect) {
          over = false;
          return effect;
        }
        commit();
      }
    } catch (e) {
      try {
        // data of a later session must not be discarded
        checkOwner();
        device.discard();
      } catch (_) {
        // the refusal matters more than a failed clean-up, and nothing that was written is current
      }
      rethrow(e);
    }
    progress.done = true;
    return undefined;
  };
  return progress;
}

/**
 * Opens the envelope that the device has kept and prepares its start: the signature, then the digest of the image, then
 * the image is invoked. Throws a Refusal, here or from next().
 */
export function bootMicro(input: Bytes | Source, trust: Trust, device: Device, host?: Host): MicroProgress {
  return installMicro(input, trust, device, host, true);
}
