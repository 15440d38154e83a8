// The session of an installation or start, and what must hold before it changes anything.

import { concat, equalConstantTime, subBytes } from "../base/bytes.js";
import { HAS_COPY, HAS_TRUST } from "../base/features.js";
import { isSequence, sequenceExceeds, sequenceLess } from "../base/number.js";
import { markAt, refuse, refuseIf } from "../base/refuse.js";
import type { Bytes, Host, Sequence, Source, Trust } from "../base/types.js";
import type { Slice } from "../cbor/reader.js";
import type { Digest } from "../hash/digest.js";
import { type Effect, identityChecked, type Run } from "../interpreter/frame.js";
import type { Manifest } from "../manifest/manifest.js";
import {
  COMPONENT_UNKNOWN,
  DEVICE_FAULT,
  IDENTITY_UNCHECKED,
  NOT_SUPPORTED,
  PAYLOAD_SIZE,
  ROLLBACK,
  RUN_OUTCOME,
  SEQUENCE_JUMP,
  SEQUENCE_TAKEN,
} from "../spec/errors.generated.js";
import { JUMP } from "../spec/trust.js";
import type { TrustStore } from "../trust/trust-list.js";
import { admissionRefusal, type Doings, isChange } from "./admission.js";
import type { ComponentId, Device } from "./device.js";
import { replacement } from "./trust-update.js";

/** A component that this session has written. */
export interface WrittenComponent {
  /** The digest that it must match before the commit. */
  expected: Digest | undefined;
  /** Whether its bytes in storage have matched `expected` since the last write of the session. */
  passed: boolean;
}

export interface Session extends Doings {
  input: Bytes | Source;
  trust: Trust;
  release: Manifest;
  target: Device;
  host: Host;
  installing: boolean;
  run: Run;
  fresh: { [component: number]: WrittenComponent };
  effect: Effect | undefined;
  /** The next release has been stored, and its start is being rehearsed. */
  kept: boolean;
  /** An incoming payload: bytes so far, and limit. */
  offset: number;
  limit: number;
  over: boolean;
  /** `successors` of the trust file when the session began. */
  successors: number | undefined;
  /** The epoch after the commit, and the lowest sequence number of a new epoch. */
  epoch: number;
  begins: Sequence | undefined;
  resets: boolean;
  /** The effect that writes the trust file, in the rehearsal. */
  brings: Effect | null;
}

/** Bytes of the manifest digest that a device keeps: enough of SHA-256 that nobody finds a second manifest. */
export const SUM = 28;

/** The epoch in the counters of a device: the number of its floor resets. */
export function epochOf(known: Bytes | null | undefined): number {
  // below 2^24, so 32 bits are enough
  return known && known.length > SUM ? (known[SUM + 1] << 16) | (known[SUM + 2] << 8) | known[SUM + 3] : 0;
}

function known(s: Session): Bytes | null | undefined {
  return s.target.counters && (HAS_TRUST ? s.target.counters(s.trust.role) : s.target.counters());
}

/** The part of the manifest digest that a device keeps. */
export function sumOf(s: Session): Bytes {
  return subBytes(s.release.digest.bytes, 0, SUM);
}

/**
 * The counters that the device stores with the floor, with trust files: 28 bytes of the manifest digest, the role of
 * the signers, and the epoch in 3 bytes. Without trust files, they are the 28 bytes alone.
 */
export function countersOf(s: Session): Bytes {
  var e = s.epoch;
  // below 2^24, so 32 bits are enough
  return concat([sumOf(s), [s.trust.role || 0, e >> 16, (e >> 8) & 255, e & 255]]);
}

/**
 * Reads a trust file that the release brings. If it starts a new epoch and will replace the current one, the floor is
 * reset to its number once. A device without counters never resets its floor, because it could not detect a second
 * reset. `envelope`: the envelope that the device will store, if it is already known.
 */
export function renew(s: Session, bytes: Bytes | undefined, envelope?: Bytes | Source): void {
  var now = known(s),
    store = s.trust.store as TrustStore | undefined,
    next: TrustStore | null | undefined;
  s.epoch = epochOf(now);
  s.begins = undefined;
  if (!store || !s.target.counters) return;
  if (store.epoch > s.epoch) s.epoch = store.epoch;
  next = bytes && replacement(store, bytes, envelope, s.trust.role as number, s.target.identity, s.host);
  if (next && next.epoch > s.epoch) {
    s.epoch = next.epoch;
    s.begins = next.begins;
  }
}

/**
 * Prevents rollback (RFC 9124 §4.3.1). A floor that is not a number is refused. The number of the floor is accepted
 * only for the manifest that the floor comes from, so that an interrupted installation can continue: otherwise, the
 * thief of a key that is limited to older releases could sign another manifest with it. Finds whether the floor is
 * reset: see renew().
 */
export function checkFloor(s: Session): void {
  var n = s.release.sequence,
    floor = HAS_TRUST ? s.target.floor(s.trust.role) : s.target.floor(),
    had = known(s),
    low,
    base;
  markAt(s.release.parsed.manifestElement.inside.at);
  if (!isSequence(floor)) refuse(DEVICE_FAULT);
  low = HAS_TRUST && s.begins && sequenceLess(n, floor) ? s.begins : floor;
  if (sequenceLess(n, low)) refuse(ROLLBACK);
  if (HAS_TRUST) {
    if (s.trust.jump) {
      base = s.trust.floor && sequenceLess(low, s.trust.floor) ? s.trust.floor : low;
      // a new device has no floor yet to jump from
      if (sequenceExceeds(n, base, base[0] || base[1] ? s.trust.jump : JUMP)) refuse(SEQUENCE_JUMP);
    }
    s.resets = low !== floor;
    if (s.resets) return;
  }
  if (!sequenceLess(floor, n) && (had ? !equalConstantTime(subBytes(had, 0, SUM), sumOf(s)) : floor[0] || floor[1])) refuse(SEQUENCE_TAKEN);
}

export function id(s: Session, component: number): ComponentId {
  return s.release.components[component];
}

function isIdentified(s: Session, run: Run): boolean | undefined {
  return identityChecked(run) || s.target.dangerouslySkipIdentity;
}

/** A manifest for other devices must not change this one, not even its floor. */
export function checkIdentity(s: Session): void {
  if (!isIdentified(s, s.run)) refuse(IDENTITY_UNCHECKED);
}

/** The capacity of a component in bytes. Refuses unknown components. */
export function capacity(s: Session, component: number): number {
  var n = s.target.capacity(id(s, component));
  if (!(n >= 0)) refuse(COMPONENT_UNKNOWN);
  return n;
}

/**
 * Checks what must hold before a component is changed. Called for every effect of the rehearsal, and again at its
 * execution. `done`: see admissionRefusal().
 */
export function admit(s: Session, e: Effect, done?: Doings): void {
  var room;
  markAt(-1);
  // a device that has begun another session meanwhile belongs to that one
  if (s.target.session !== s) refuse(RUN_OUTCOME);
  room = capacity(s, e.component);
  if (isChange(e)) {
    if (!s.installing && s.target.cannotLoad) refuse(NOT_SUPPORTED);
    if ((e.size as number) > room || (e.content && e.content.length > room)) refuse(PAYLOAD_SIZE);
    if (HAS_COPY && e.source !== undefined) capacity(s, e.source);
  }
  refuseIf(admissionRefusal(e, s.installing, isIdentified(s, s.run), done, s.target.dangerouslySkipDigest));
}

/** The range of a payload in the envelope, or undefined. */
export function payloadRange(s: Session, uri: string | undefined): Slice | undefined {
  var all = s.release.parsed.payloads,
    i;
  for (i = 0; i < all.length; i++) if (all[i].uri === uri) return all[i].content;
  return undefined;
}
