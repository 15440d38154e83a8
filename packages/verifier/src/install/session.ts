// The session of an installation or start, and what must hold before it changes anything: it is rehearsed completely
// before the first byte is erased, and each effect is checked again when it is executed.

import { concat, equalConstantTime, subBytes } from "../base/bytes.js";
import { HAS_COPY, HAS_TRUST } from "../base/features.js";
import { isSequence, sequenceExceeds, sequenceLess } from "../base/number.js";
import { markAt, type Refusal, refuse } from "../base/refuse.js";
import type { Bytes, Host, Sequence, Source, Trust } from "../base/types.js";
import type { Slice } from "../cbor/reader.js";
import { type Digest, digestSlice } from "../hash/digest.js";
import { type Effect, identityChecked, type Run } from "../interpreter/frame.js";
import { start, step } from "../interpreter/run.js";
import { isCondition } from "../manifest/code-points.js";
import type { Manifest } from "../manifest/manifest.js";
import {
  COMPONENT_UNKNOWN,
  CONTENT_MISMATCH,
  DEVICE_FAULT,
  DIGEST_UNSET,
  IDENTITY_UNCHECKED,
  IMAGE_MISMATCH,
  IMAGE_UNVERIFIED,
  INVOKE_MISPLACED,
  INVOKE_UNVERIFIED,
  NOT_SUPPORTED,
  PAYLOAD_ABSENT,
  PAYLOAD_SIZE,
  ROLLBACK,
  RUN_OUTCOME,
  SEQUENCE_JUMP,
  SEQUENCE_TAKEN,
  TRY_EACH_EXHAUSTED,
} from "../spec/errors.generated.js";
import { COND_COMPONENT_SLOT, COND_IMAGE_MATCH, DIR_FETCH, DIR_INVOKE, DIR_SWAP } from "../spec/suit.js";
import { JUMP } from "../spec/trust.js";
import type { TrustStore } from "../trust/trust-list.js";
import type { ComponentId, Device } from "./device.js";
import { replacement } from "./trust-update.js";

/** A component that this session has written. */
export interface WrittenComponent {
  /** The digest that it must match before the commit. */
  expected: Digest | undefined;
  /** Whether its bytes in storage have matched `expected` since the last write of the session. */
  passed: boolean;
}

export interface Session {
  input: Bytes | Source;
  trust: Trust;
  release: Manifest;
  target: Device;
  host: Host;
  installing: boolean;
  sections: number[];
  run: Run;
  /** By component, what this session has written. An object, because not every engine has arrays with holes. */
  fresh: { [component: number]: WrittenComponent };
  /** The components whose image has matched its digest in this session. */
  matched: { [component: number]: boolean };
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
function epochOf(known: Bytes | null | undefined): number {
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

/** A manifest for other devices must not change this one, not even its floor. */
export function checkIdentity(s: Session): void {
  if (!identityChecked(s.run) && !s.target.dangerouslySkipIdentity) refuse(IDENTITY_UNCHECKED);
}

/** The capacity of a component in bytes. Refuses unknown components. */
export function capacity(s: Session, component: number): number {
  var n = s.target.capacity(id(s, component));
  if (!(n >= 0)) refuse(COMPONENT_UNKNOWN);
  return n;
}

/**
 * Checks what must hold before a component is changed. Called for every effect of the rehearsal, and again at its
 * execution.
 */
export function admit(s: Session, e: Effect): void {
  var skip = s.target.dangerouslySkipDigest,
    room;
  markAt(-1);
  // a device that has begun another session meanwhile belongs to that one
  if (s.target.session !== s) refuse(RUN_OUTCOME);
  room = capacity(s, e.component);
  if (isCondition(e.op)) return;
  if (e.op === DIR_INVOKE) {
    if (s.installing) refuse(INVOKE_MISPLACED);
  } else {
    if (!s.installing && s.target.cannotLoad) refuse(NOT_SUPPORTED);
    if (!e.digest && !skip) refuse(DIGEST_UNSET);
    if ((e.size as number) > room || (e.content && e.content.length > room)) refuse(PAYLOAD_SIZE);
    if (HAS_COPY && e.source !== undefined) capacity(s, e.source);
    if (HAS_COPY && e.op === DIR_SWAP && !e.sourceDigest && !skip) refuse(DIGEST_UNSET);
  }
  // valid signature, wrong device: RFC 9124 §4.3.2
  checkIdentity(s);
}

/**
 * Whether a slot will be current after the commit of this session: the written slot if there is one, otherwise the
 * other one of the two.
 */
function isSlot(s: Session, e: Effect): boolean {
  var slot = s.target.slot(id(s, e.component));
  return e.slot === (!s.kept || s.fresh[e.component] ? slot : 1 - slot);
}

/** The range of a payload in the envelope, or undefined. */
export function payloadRange(s: Session, uri: string | undefined): Slice | undefined {
  var all = s.release.parsed.payloads,
    i;
  for (i = 0; i < all.length; i++) if (all[i].uri === uri) return all[i].content;
  return undefined;
}

/**
 * Checks a payload that a start takes from the kept envelope: it is not verified yet, and a payload named by a fragment
 * is nowhere else.
 */
function checkPayload(s: Session, e: Effect): void {
  var d = e.digest,
    uri = e.uri as string,
    content = payloadRange(s, uri);
  if (content) {
    if (d && !equalConstantTime(digestSlice(s.release.input, content, s.host, d.alg), d.bytes)) refuse(IMAGE_UNVERIFIED);
  } else if (!uri.indexOf("#") && !(s.target.fetch && s.target.fetch(uri))) refuse(PAYLOAD_ABSENT);
}

/**
 * Refuses a copy or swap of what `written` has. It is in the slot that would be written again, so it cannot be its own
 * source. It cannot be swapped either: in a swap, each image goes to the other component's slot that is not current, so
 * that the power may fail at any point.
 */
export function checkSource(e: Effect, written: { [component: number]: unknown }): void {
  var c = e.component,
    other = e.source as number;
  if (e.op === DIR_SWAP ? c === other || written[c] || written[other] : c === other && written[c]) refuse(NOT_SUPPORTED);
}

/**
 * Executes the sections with every directive assumed to succeed, so that a manifest that would be refused later is
 * refused before the first byte is erased, and one that would never start before it is current. Conditions on image
 * content are assumed once to match and once not to. Every effect is checked again when it is executed, so a path that
 * neither rehearsal takes is not a way around.
 */
function rehearse(s: Session, fitting: boolean): void {
  var matched: { [component: number]: boolean } = {},
    written: { [component: number]: boolean } = {},
    e;
  s.run = start(s.release, s.sections, s.target.identity);
  e = step(s.run);
  while (e) {
    admit(s, e);
    // what is copied is not known yet
    if (HAS_TRUST && s.installing && !isCondition(e.op) && !((e.source as number) >= 0) && e.component === s.release.trustAt) s.brings = e;
    if (s.kept && e.op === DIR_FETCH) checkPayload(s, e);
    if (e.op === COND_IMAGE_MATCH) matched[e.component] = true;
    else if (e.op === DIR_INVOKE) {
      // no start invokes an image that it has not compared
      if (fitting && !matched[e.component] && !s.target.dangerouslySkipDigest) refuse(INVOKE_UNVERIFIED);
    } else if (!isCondition(e.op)) {
      if (HAS_COPY && fitting && s.kept && e.source !== undefined) checkSource(e, written);
      matched[e.component] = false;
      written[e.component] = true;
      if (HAS_COPY && e.op === DIR_SWAP) {
        matched[e.source as number] = false;
        written[e.source as number] = true;
      }
    }
    e = step(s.run, e.op === COND_COMPONENT_SLOT ? isSlot(s, e) : fitting || !isCondition(e.op));
  }
}

/** Runs both rehearsals. */
export function rehearseBoth(s: Session): void {
  rehearse(s, true);
  checkIdentity(s);
  try {
    rehearse(s, false);
  } catch (e) {
    // this rehearsal assumed that no image matches
    if ([IMAGE_MISMATCH, CONTENT_MISMATCH, TRY_EACH_EXHAUSTED].indexOf((e as Refusal).code) < 0) throw e;
  }
}
