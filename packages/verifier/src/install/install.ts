// The driver: turns the interpreter's effects into calls on a Device. What is written goes where it does not run yet, is hashed as it is
// written, is hashed again from storage, and becomes current in one step at the end, together with the sequence floor.

import { equalConstantTime, octetsOf } from "../base/bytes.js";
import { HAS_COPY } from "../base/features.js";
import { markAt, refuse, rethrow } from "../base/refuse.js";
import type { Bytes, Host, Source, Trust } from "../base/types.js";
import { copySlice, feed, type Input, inputOf, type Slice, sameBytes } from "../cbor/reader.js";
import { type Digest, digestSlice, hashing } from "../hash/digest.js";
import type { Effect } from "../interpreter/frame.js";
import { START_SECTIONS, start, step } from "../interpreter/run.js";
import type { Manifest } from "../manifest/manifest.js";
import {
  DEVICE_FAULT,
  IMAGE_UNVERIFIED,
  INVOKE_UNVERIFIED,
  NOT_SUPPORTED,
  PAYLOAD_ABSENT,
  PAYLOAD_SIZE,
  RUN_OUTCOME,
} from "../spec/errors.js";
import {
  COND_CHECK_CONTENT,
  COND_COMPONENT_SLOT,
  COND_IMAGE_MATCH,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_SWAP,
  DIR_WRITE,
  MAN_INSTALL,
  MAN_PAYLOAD_FETCH,
  MAN_VALIDATE,
} from "../spec/suit.js";
import { believe, open, read } from "../trust/open.js";
import type { ComponentId, Device, Progress } from "./device.js";
import { keptOf } from "./keep.js";
import { admit, capacity, checkFloor, checkIdentity, countersOf, id, rehearseBoth, type Session, type Written } from "./session.js";

/** The sections of an installation, in order; a missing one is passed over. */
export var INSTALL_SECTIONS = [MAN_PAYLOAD_FETCH, MAN_INSTALL, MAN_VALIDATE];

function begin(s: Session, e: Effect): void {
  var c = e.component;
  s.fresh[c] = { passed: null, expected: e.digest };
  s.matched[c] = false;
  s.offset = 0;
  s.limit = e.size === undefined ? capacity(s, c) : e.size;
  // a device that hashes what lies in storage is asked for that at image-match: nothing is hashed on its way there
  s.hash = e.digest && !s.target.digest ? hashing(s.host, e.digest.alg) : null;
  s.target.erase(id(s, c), s.limit);
}

/** `bytes` are octets of our own: see octetsOf(). */
function receive(s: Session, e: Effect, bytes: Bytes): void {
  // an endless payload is cut off as it arrives, not when it has filled the device
  if (!(bytes.length <= s.limit - s.offset)) refuse(PAYLOAD_SIZE);
  if (s.hash) s.hash.update(bytes);
  s.target.write(id(s, e.component), s.offset, bytes);
  s.offset += bytes.length;
}

function end(s: Session, e: Effect): boolean {
  if (e.size !== undefined && s.offset !== e.size) refuse(PAYLOAD_SIZE);
  if (s.hash) (s.fresh[e.component] as Written).passed = { alg: (e.digest as Digest).alg, bytes: s.hash.digest() };
  s.hash = null;
  return true;
}

/** A component as something to read from: what this session wrote to it, else what is current. */
function contents(s: Session, component: number): Input {
  var device = s.target,
    name = id(s, component),
    fresh = !!s.fresh[component];
  return inputOf({
    length: device.size(name, fresh),
    chunk: device.chunk || 0,
    read: function (offset: number, n: number) {
      return device.read(name, offset, n, fresh);
    },
  });
}

/** The image as it lies in storage, against a digest. */
function stored(s: Session, component: number, d: Digest, from: Input): boolean {
  var device = s.target,
    whole = device.digest && device.digest(id(s, component), !!s.fresh[component], d.alg);
  return equalConstantTime(whole || digestSlice(from, from, s.host, d.alg), d.bytes);
}

function imageMatch(s: Session, e: Effect): boolean {
  var d = e.digest as Digest,
    w = s.fresh[e.component],
    from = contents(s, e.component),
    // no image is no image of 0 bytes, unless that is what is asked for
    ok = e.size === undefined ? from.n > 0 : from.n === e.size;
  // just written: the bytes on their way in decide, and storage is read back before anything is committed
  if (w && w.passed && w.passed.alg === d.alg) ok = ok && equalConstantTime(w.passed.bytes, d.bytes);
  else ok = ok && stored(s, e.component, d, from);
  if (w) w.expected = d;
  s.matched[e.component] = ok;
  return ok;
}

function checkContent(s: Session, e: Effect): boolean {
  var from = contents(s, e.component),
    wanted = e.content as Bytes;
  return from.n === wanted.length && equalConstantTime(copySlice(from, from), wanted);
}

/** Writes a stretch of `from` to a component. */
function pour(s: Session, e: Effect, from: Input, slice: Slice): boolean {
  begin(s, e);
  feed(from, slice, function (bytes) {
    receive(s, e, bytes);
  });
  return end(s, e);
}

/** The image that a copy or swap takes. */
function image(s: Session, component: number): Input {
  var from = contents(s, component);
  if (!from.n) refuse(PAYLOAD_ABSENT);
  return from;
}

/** Carries out one effect. undefined: it has to be waited for. */
function perform(s: Session, e: Effect): boolean | undefined {
  var device = s.target,
    c = e.component,
    other = e.source as number,
    name = id(s, c),
    payloads = s.release.payloads,
    from: Bytes | Source | undefined,
    here,
    i;
  admit(s, e);
  if (e.op === COND_COMPONENT_SLOT) return device.slot(name) === e.slot;
  if (e.op === COND_IMAGE_MATCH) return imageMatch(s, e);
  if (e.op === COND_CHECK_CONTENT) return checkContent(s, e);
  if (e.op === DIR_INVOKE) {
    if (!s.matched[c] && !device.dangerouslySkipDigest) refuse(INVOKE_UNVERIFIED);
    return device.invoke(name, e.args) === true;
  }
  if (e.op === DIR_WRITE) from = e.content;
  else if (e.op === DIR_FETCH) {
    for (i = 0; i < payloads.length; i++) if (payloads[i].uri === e.uri) return pour(s, e, s.release.input, payloads[i].content);
    from = device.fetch && device.fetch(e.uri as string);
    if (!from) {
      begin(s, e);
      return undefined;
    }
  } else if (HAS_COPY) {
    // What this session has written lies in the slot that would be written again: it is no source for itself, and cannot be swapped, for
    // which each goes to the other's slot that is not current, so that the power may fail at any point.
    if (e.op === DIR_SWAP ? c === other || s.fresh[c] || s.fresh[other] : c === other && s.fresh[c]) refuse(NOT_SUPPORTED);
    here = image(s, other);
    if (e.op !== DIR_SWAP) return pour(s, e, here, here);
    i = image(s, c);
    pour(s, e, here, here);
    // the swap as the other component sees it
    return pour(s, { op: e.op, component: other, digest: e.sourceDigest, size: e.sourceSize }, i, i);
  } else refuse(NOT_SUPPORTED);
  here = inputOf(from as Bytes | Source);
  return pour(s, e, here, here);
}

/**
 * What a start will open, opened from where it lies, where it is put together from payloads too. The signatures that were verified come first, and are the
 * same octets, so that they are not verified once more: that takes RAM, which the installation has.
 */
function reopened(s: Session, bytes: Bytes | Source): Manifest {
  var m = s.release,
    u = read(bytes, s.trust, s.host),
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
  again = believe(u, m.signers, s.trust, s.host, true);
  markAt(-1);
  if (again.digest.alg !== m.digest.alg || !equalConstantTime(again.digest.bytes, m.digest.bytes)) refuse(DEVICE_FAULT);
  return again;
}

/** Reads back what was written, and makes it current (RAUC CVE-2020-25860: the bytes that were checked are the bytes used). */
function commit(s: Session): void {
  var written: ComponentId[] = [],
    m = s.release,
    i,
    w,
    kept,
    lies;
  markAt(-1);
  checkIdentity(s);
  for (i = 0; i < s.fresh.length; i++) {
    w = s.fresh[i];
    if (w) {
      if (w.expected ? !stored(s, i, w.expected, contents(s, i)) : !s.target.dangerouslySkipDigest) refuse(IMAGE_UNVERIFIED);
      written.push(id(s, i));
    }
  }
  // a device must not find out at its next start that it has kept something else
  kept = keptOf(m, s.input, s.host);
  lies = s.target.keep(kept);
  if (!m.loads) {
    if (!sameBytes(inputOf(lies), inputOf(kept))) refuse(DEVICE_FAULT);
  } else {
    s.release = reopened(s, lies);
    s.sections = START_SECTIONS;
    s.installing = false;
    s.kept = true;
    rehearseBoth(s);
  }
  // another installation may have been committed since this one was opened, or a host's hash has taken the device for something else
  checkFloor(s);
  if (s.target.session !== s) refuse(RUN_OUTCOME);
  s.target.persist({ sequence: m.sequence, written: written, counters: countersOf(s) });
}

function advance(s: Session, progress: Progress, outcome: Bytes | boolean | undefined): Effect | undefined {
  var e: Effect | undefined, ok;
  if (progress.done) return undefined;
  markAt(-1);
  // a later session has the device now: this one must touch nothing any more
  if (s.over || s.target.session !== s) refuse(RUN_OUTCOME);
  // stays set when anything below throws: a refused session does not go on
  s.over = true;
  try {
    e = s.effect;
    // an outcome is of the effect that is waited for
    if (!e !== (outcome === undefined)) refuse(RUN_OUTCOME);
    if (outcome === false) refuse(PAYLOAD_ABSENT);
    if (e && outcome !== true) {
      // before it is copied
      if (!((outcome as Bytes).length <= s.limit - s.offset)) refuse(PAYLOAD_SIZE);
      receive(s, e, octetsOf(outcome as Bytes, (outcome as Bytes).length));
    } else {
      e = step(s.run, e && end(s, e));
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
    if (s.installing) commit(s);
  } catch (x) {
    try {
      // what a later session has written is not this one's
      if (s.target.session === s) s.target.discard();
    } catch (_) {
      // the refusal says more than a failed clean-up, and nothing that was written is current
    }
    rethrow(x);
  }
  progress.done = true;
  return undefined;
}

/**
 * What must hold before anything is written, of a release whose head is authenticated: floor, identity, components and sizes. Takes the device for a session
 * of its own.
 */
export function prepare(
  release: Manifest,
  input: Bytes | Source,
  trust: Trust,
  device: Device,
  host: Host | undefined,
  sections: number[],
): Session {
  var installing = sections === INSTALL_SECTIONS,
    // begin() sets offset, limit and hash
    s = {
      input: input,
      trust: trust,
      release: release,
      target: device,
      host: host || {},
      installing: installing,
      sections: sections,
      fresh: [],
      matched: [],
    } as unknown as Session,
    i,
    c;
  try {
    // what was signed is not needed any more, and takes RAM
    for (i = 0; i < release.signatures.length; i++) {
      c = release.signatures[i];
      c.message = c.signature = [];
    }
    if (installing) checkFloor(s);
    device.begin(installing);
    device.session = s;
    rehearseBoth(s);
    s.run = start(s.release, sections, device.identity);
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
 * Opens an envelope and prepares its installation: payload-fetch, install, validate, then one commit. The floor is the higher of
 * `trust.floor` and the device's. Throws a refusal, here or from next(); nothing that is current has changed then.
 *
 *     progress = install(bytes, trust, device, host);
 *     while ((effect = progress.next(outcome))) outcome = ...   // only where payloads come from outside
 */
export function install(input: Bytes | Source, trust: Trust, device: Device, host?: Host): Progress {
  // one after the other: while a signature is verified, nothing of what follows is in memory yet
  return session(prepare(open(input, trust, host), input, trust, device, host, INSTALL_SECTIONS));
}

/**
 * Opens the envelope of what is installed and prepares its start: validate, load, invoke. An image is invoked only after its digest has
 * matched in this session. The device's floor is not asked: what is current may be older than what was tried since.
 */
export function boot(input: Bytes | Source, trust: Trust, device: Device, host?: Host): Progress {
  return session(prepare(open(input, trust, host, true), input, trust, device, host, START_SECTIONS));
}
