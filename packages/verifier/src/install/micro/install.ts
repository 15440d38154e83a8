// Installs and starts a release that is the template: what install/install.ts does for it, without an interpreter. The
// image goes to the slot that is not current, is hashed from there, and becomes current in one step with the floor.

import { equalConstantTime, octetsOf, subBytes } from "../../base/bytes.js";
import { HAS_BOOT, HAS_FETCH, HAS_GENERAL, HAS_SHA256 } from "../../base/features.js";
import { compareLimit } from "../../base/number.js";
import { markAt, refuse, rethrow } from "../../base/refuse.js";
import type { Bytes, Host, Sequence, Source, Trust } from "../../base/types.js";
import { digestOf, hashing } from "../../hash/digest.js";
import type { Effect } from "../../interpreter/frame.js";
import { HASH_SHA_256 } from "../../spec/cose.js";
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
} from "../../spec/errors.generated.js";
import { DIR_FETCH } from "../../spec/suit.js";
import type { ComponentId, Device } from "../device.js";
import type { MicroManifest } from "./manifest.js";
import { openMicro, portion } from "./open.js";

/** An installation or start in progress, like Progress of the package. */
export interface MicroProgress {
  done: boolean;
  manifest: MicroManifest;
  next(outcome?: Bytes | boolean): Effect | undefined;
}

/** The only component: h'00'. */
var COMPONENT: ComponentId = [[0]];

/**
 * Opens an envelope that is the template and prepares its installation, like install() of the package: checks
 * everything that must hold before anything is written, and begins a session of the device.
 *
 * @param input - The envelope.
 * @param trust - The trusted keys. The floor is the higher of `trust.floor` and that of the device.
 * @param device - The device.
 * @param host - Hash functions. Default: our own.
 * @param kept - As openMicro() takes it. Default: false.
 * @returns The installation, which next() carries out. It returns an image outside the envelope as an effect, and
 *   undefined at the end.
 * @throws Refusal, here or from next(); the current release has not changed then.
 * @example
 * ```ts
 * import { install } from "@firmseal/verifier/micro";
 *
 * const progress = install(envelope, trust, device);
 * if (progress.next()) throw new Error("the image is outside the envelope");
 * ```
 */
export function installMicro(input: Bytes | Source, trust: Trust, device: Device, host?: Host, kept?: boolean): MicroProgress {
  // first of all: on Espruino, the functions below take memory from where they are declared
  var m = openMicro(input, trust, host, kept),
    counters = subBytes(m.digest, 0, 28),
    progress = { done: false, manifest: m } as MicroProgress,
    effect: Effect | 0 | undefined,
    // bytes of the image so far
    offset = 0,
    // set while next() runs: a refused session cannot continue
    over: number | undefined,
    size = m.imageSize,
    room;

  /** A floor that is not a number is refused. Its number is accepted only for the manifest that it comes from. */
  function checkFloor(): void {
    // null has no numbers, and is refused
    var floor = device.floor() || (0 as unknown as Sequence),
      had = device.counters && device.counters(),
      order = compareLimit(m.sequence, floor, DEVICE_FAULT);
    if (order < 0) refuse(ROLLBACK);
    if (!order && (had ? !equalConstantTime(counters, subBytes(octetsOf(had, had.length), 0, 28)) : floor[0] || floor[1]))
      refuse(SEQUENCE_TAKEN);
  }

  /** A device that has begun another session meanwhile belongs to that one. */
  function checkOwner(): void {
    if (device.session !== progress) refuse(RUN_OUTCOME);
  }

  /** Valid signature, wrong device: RFC 9124 §4.3.2. */
  function checkAmong(ids: Bytes[], id: Bytes, code: number): void {
    var i = ids.length;
    do if (!i--) refuse(code);
    while (!equalConstantTime(ids[i], id));
  }

  /** Writes a part of the image, or all of it: what follows `at`. */
  function put(from: Bytes | Source, at: number): void {
    var end = HAS_FETCH ? from.length : at + size,
      chunk = device.chunk || 1024,
      n;
    // stop an endless image as it arrives, not when it has filled the device
    if (HAS_FETCH && !(end - at <= size - offset)) refuse(PAYLOAD_SIZE);
    for (; at < end; at += n) {
      n = end - at < chunk ? end - at : chunk;
      device.write(COMPONENT, offset, portion(from, at, n));
      offset += n;
    }
  }

  try {
    if (!HAS_BOOT || !kept) checkFloor();
    device.begin(!HAS_BOOT || !kept);
    device.session = progress;
    checkAmong(device.identity.vendor, m.forVendor, VENDOR_MISMATCH);
    checkAmong(device.identity.class, m.forClass, CLASS_MISMATCH);
    room = device.capacity(COMPONENT);
    if (!(room >= 0)) refuse(COMPONENT_UNKNOWN);
    if (size > room) refuse(PAYLOAD_SIZE);
  } catch (e) {
    rethrow(e);
  }
  progress.next = function (outcome) {
    var chunk = device.chunk || 1024,
      at = 0,
      from: Bytes | Source | undefined,
      found: Bytes | undefined | false,
      end,
      hash,
      n,
      ok: boolean;
    if (progress.done) return undefined;
    if (HAS_GENERAL) markAt(-1);
    checkOwner();
    if (over) refuse(RUN_OUTCOME);
    over = 1;
    try {
      if (!effect !== (outcome === undefined)) refuse(RUN_OUTCOME);
      if (HAS_FETCH && outcome === false) refuse(PAYLOAD_ABSENT);
      if (!HAS_BOOT || !kept) {
        if (!HAS_FETCH || !effect) {
          // the image is here, or an effect asks for it
          if (HAS_FETCH) from = m.imageAt ? input : device.fetch && device.fetch(m.imageUri);
          device.erase(COMPONENT, size);
          if (!HAS_FETCH) put(input, m.imageAt);
          else if (from) put(from, m.imageAt);
          else effect = { op: DIR_FETCH, component: 0, size: size, uri: m.imageUri };
        } else if (outcome === true) effect = 0;
        else put(outcome as Bytes, 0);
        if (HAS_FETCH && effect) {
          over = 0;
          return effect;
        }
        if (HAS_FETCH && offset !== size) refuse(PAYLOAD_SIZE);
      }
      // the image is hashed where it is
      found =
        device.size(COMPONENT, !HAS_BOOT || !kept) === size && device.digest && device.digest(COMPONENT, !HAS_BOOT || !kept, HASH_SHA_256);
      if (found === undefined)
        if (HAS_SHA256) {
          hash = hashing(host || {}, HASH_SHA_256);
          for (; at < size; at += n) {
            n = size - at < chunk ? size - at : chunk;
            hash.update(octetsOf(device.read(COMPONENT, at, n, !HAS_BOOT || !kept), n));
          }
          found = hash.digest();
        } else found = digestOf(octetsOf(device.read(COMPONENT, 0, size, !HAS_BOOT || !kept), size), host as Host);
      if (!found || !equalConstantTime(found, m.image)) refuse(IMAGE_MISMATCH);
      if (HAS_BOOT && kept) {
        checkOwner();
        if ((device.invoke as (id: ComponentId) => boolean)(COMPONENT) !== true) refuse(DIRECTIVE_FAILED);
      } else {
        if (HAS_BOOT) {
          from = device.keep(m.kept);
          // the device must not discover at its next start that it has kept something else
          end = from.length;
          if (!HAS_SHA256) ok = equalConstantTime(portion(from, 0, end), m.kept);
          else {
            ok = end === m.kept.length;
            // beside the code of the hash, the smallest heaps have no room for a second envelope
            for (at = 0; ok && at < end; at += n) {
              n = end - at < chunk ? end - at : chunk;
              ok = equalConstantTime(portion(from, at, n), subBytes(m.kept, at, n));
            }
          }
          if (!ok) refuse(DEVICE_FAULT);
        }
        // another installation may have been committed since this one was opened
        checkFloor();
        checkOwner();
        device.persist({ sequence: m.sequence, written: [COMPONENT], counters: counters, digest: m.image });
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
 * the image is invoked.
 *
 * @param input - The envelope.
 * @param trust - The trusted keys.
 * @param device - The device.
 * @param host - Hash functions. Default: our own.
 * @returns The start, which next() carries out.
 * @throws Refusal, here or from next().
 */
export function bootMicro(input: Bytes | Source, trust: Trust, device: Device, host?: Host): MicroProgress {
  return installMicro(input, trust, device, host, true);
}
