// The driver: turns the interpreter's effects into calls on a Device. What is written goes where it does not run yet, is hashed as it is
// written, is hashed again from storage, and becomes current in one step at the end, together with the sequence floor.

import { same, sameConstantTime } from "./bytes.js";
import { feed, type Reader, reader, sub, take } from "./cbor.js";
import type { ComponentId, Device, Progress } from "./device.js";
import { type Digest, digestSlice, hashOf } from "./digest.js";
import { HAS_COPY } from "./features.js";
import type { Effect, Run } from "./frame.js";
import { open } from "./open.js";
import { refuse } from "./refuse.js";
import { start, step } from "./run.js";
import { admit, checkFloor, checkIdentity, id, rehearseBoth, type Session, type Written } from "./session.js";
import {
  DEVICE_FAULT,
  IMAGE_UNVERIFIED,
  INVOKE_UNVERIFIED,
  NOT_SUPPORTED,
  PAYLOAD_ABSENT,
  PAYLOAD_SIZE,
  RUN_OUTCOME,
} from "./spec/errors.js";
import {
  COND_CHECK_CONTENT,
  COND_COMPONENT_SLOT,
  COND_IMAGE_MATCH,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_SWAP,
  DIR_WRITE,
  MAN_INSTALL,
  MAN_INVOKE,
  MAN_LOAD,
  MAN_PAYLOAD_FETCH,
  MAN_VALIDATE,
} from "./spec/suit.js";
import type { Bytes, Host, Source, Trust } from "./types.js";

/** The sections of an installation, in order; a missing one is passed over. */
export var INSTALL_SECTIONS = [MAN_PAYLOAD_FETCH, MAN_INSTALL, MAN_VALIDATE];

/** Refusals pass; whatever else a device throws becomes one, with its cause kept for the log. */
function rethrow(e: unknown): never {
  var cause = e as { code?: unknown; at?: unknown };
  if (cause && typeof cause.code === "number" && typeof cause.at === "number") throw e;
  try {
    refuse(DEVICE_FAULT, -1);
  } catch (r) {
    (r as { cause: unknown }).cause = e;
    throw r;
  }
}

/** A swap as the other component sees it. */
function back(e: Effect): Effect {
  return { op: e.op, component: e.source as number, digest: e.sourceDigest, size: e.sourceSize };
}

function begin(s: Session, e: Effect): void {
  var c = e.component;
  s.written[c] = { digest: null, expected: e.digest, proved: false };
  s.matched[c] = false;
  s.offset = 0;
  s.limit = e.size === undefined ? s.device.capacity(id(s, c)) : e.size;
  s.hash = e.digest ? hashOf(s.host, e.digest.alg).create() : null;
  s.device.erase(id(s, c));
}

function receive(s: Session, e: Effect, bytes: Bytes): void {
  // an endless payload is cut off as it arrives, not when it has filled the device
  if (bytes.length > s.limit - s.offset) refuse(PAYLOAD_SIZE, -1);
  if (s.hash) s.hash.update(bytes);
  s.device.write(id(s, e.component), s.offset, bytes);
  s.offset += bytes.length;
}

function end(s: Session, e: Effect): boolean {
  if (e.size !== undefined && s.offset !== e.size) refuse(PAYLOAD_SIZE, -1);
  if (s.hash) (s.written[e.component] as Written).digest = s.hash.digest();
  s.hash = null;
  return true;
}

/** A component as something to read from: what this session wrote to it, else what is current. */
function contents(s: Session, component: number): Reader {
  var device = s.device,
    name = id(s, component),
    fresh = !!s.written[component],
    source: Source = {
      length: device.size(name, fresh),
      read: function (offset: number, n: number) {
        return device.read(name, offset, n, fresh);
      },
    };
  if (device.chunk) source.chunk = device.chunk;
  return reader(source);
}

/** The image as it lies in storage, against a digest and, where it is set, a size. */
function stored(s: Session, component: number, digest: Digest, size: number | undefined): boolean {
  var r = contents(s, component);
  if (r.end === 0 && size !== 0) return false;
  if (size !== undefined && r.end !== size) return false;
  return same(digestSlice(r, { at: 0, n: r.end }, s.host, digest.alg), digest.bytes);
}

function imageMatch(s: Session, e: Effect): boolean {
  var d = e.digest as Digest,
    w = s.written[e.component],
    ok;
  if (w && w.digest && !s.matched[e.component] && w.expected && w.expected.alg === d.alg) {
    // just written: the bytes on their way in decide, and storage is read back before anything is committed
    ok = same(w.digest, d.bytes) && (e.size === undefined || s.device.size(id(s, e.component), true) === e.size);
  } else {
    ok = stored(s, e.component, d, e.size);
    if (w) w.proved = ok;
  }
  if (w) w.expected = d;
  s.matched[e.component] = ok;
  return ok;
}

function checkContent(s: Session, e: Effect): boolean {
  var r = contents(s, e.component),
    content = e.content as Bytes;
  return r.end === content.length && sameConstantTime(take(r, 0, r.end), content);
}

/** Writes all that `r` has to a component. */
function pour(s: Session, e: Effect, r: Reader): boolean {
  begin(s, e);
  feed(r, { at: r.at, n: r.end - r.at }, function (bytes) {
    receive(s, e, bytes);
  });
  return end(s, e);
}

/** Where the content comes from that a directive writes; undefined where it has to be waited for. */
function origin(s: Session, e: Effect): Reader | undefined {
  var payloads = s.manifest.payloads,
    c = e.component,
    other = e.source as number,
    r,
    i,
    source;
  if (e.op === DIR_WRITE) return reader(e.content as Bytes);
  if (e.op === DIR_FETCH) {
    for (i = 0; i < payloads.length; i++) if (payloads[i].uri === e.uri) return sub(s.manifest.r, payloads[i].content);
    source = s.device.fetch && s.device.fetch(e.uri as string);
    return source ? reader(source) : undefined;
  }
  if (!HAS_COPY) refuse(NOT_SUPPORTED, -1);
  // What this session has written lies in the slot that would be written again: it is no source for itself, and cannot be swapped, for
  // which each goes to the other's slot that is not current, so that the power may fail at any point.
  if (e.op === DIR_SWAP ? c === other || s.written[c] || s.written[other] : c === other && s.written[c]) refuse(NOT_SUPPORTED, -1);
  r = contents(s, other);
  if (r.end === 0) refuse(PAYLOAD_ABSENT, -1);
  return r;
}

/** Carries out one effect. undefined: it has to be waited for. */
function perform(s: Session, e: Effect): boolean | undefined {
  var device = s.device,
    name = id(s, e.component),
    r,
    here;
  admit(s, e);
  if (e.op === COND_COMPONENT_SLOT) return device.slot(name) === e.slot;
  if (e.op === COND_IMAGE_MATCH) return imageMatch(s, e);
  if (e.op === COND_CHECK_CONTENT) return checkContent(s, e);
  if (e.op === DIR_INVOKE) {
    if (!s.matched[e.component] && !device.dangerouslySkipDigest) refuse(INVOKE_UNVERIFIED, -1);
    return device.invoke(name, e.args) === true;
  }
  r = origin(s, e);
  if (!r) {
    begin(s, e);
    return undefined;
  }
  if (HAS_COPY && e.op === DIR_SWAP) {
    here = contents(s, e.component);
    if (here.end === 0) refuse(PAYLOAD_ABSENT, -1);
    pour(s, e, r);
    e = back(e);
    r = here;
  }
  return pour(s, e, r);
}

/** Reads back what has not been read back yet, and makes it current (RAUC CVE-2020-25860: the bytes that were checked are the bytes used). */
function commit(s: Session): void {
  var written: ComponentId[] = [],
    i,
    w;
  checkIdentity(s);
  // another installation may have been committed since this one was opened
  checkFloor(s);
  for (i = 0; i < s.written.length; i++) {
    w = s.written[i];
    if (w) {
      if (w.expected ? !w.proved && !stored(s, i, w.expected, undefined) : !s.device.dangerouslySkipDigest) refuse(IMAGE_UNVERIFIED, -1);
      written.push(id(s, i));
    }
  }
  s.device.persist({ sequence: s.manifest.sequence, written: written, envelope: s.input });
}

function advance(s: Session, progress: Progress, outcome: Bytes | boolean | undefined): Effect | undefined {
  var e: Effect | undefined, ok;
  if (progress.done) return undefined;
  // a later session has the device now: this one must touch nothing any more
  if (s.over || s.device.session !== s) refuse(RUN_OUTCOME, -1);
  // stays set when anything below throws: a refused session does not go on
  s.over = true;
  try {
    e = s.effect;
    if (e) {
      if (outcome === undefined) refuse(RUN_OUTCOME, -1);
      if (outcome === false) refuse(PAYLOAD_ABSENT, -1);
      if (outcome !== true) {
        receive(s, e, outcome as Bytes);
        s.over = false;
        return e;
      }
      s.effect = undefined;
      e = step(s.run, end(s, e));
    } else if (outcome !== undefined) refuse(RUN_OUTCOME, -1);
    else e = step(s.run);
    while (e) {
      ok = perform(s, e);
      if (ok === undefined) {
        s.effect = e;
        s.over = false;
        return e;
      }
      e = step(s.run, ok);
    }
    if (s.installing) commit(s);
  } catch (x) {
    try {
      s.device.discard();
    } catch (_) {
      // the refusal says more than a failed clean-up, and nothing that was written is current
    }
    rethrow(x);
  }
  progress.done = true;
  return undefined;
}

function session(input: Bytes | Source, trust: Trust, device: Device, host: Host, sections: number[]): Progress {
  var installing = sections === INSTALL_SECTIONS,
    s: Session,
    progress: Progress;
  try {
    s = {
      input: input,
      manifest: open(input, trust, host),
      device: device,
      host: host,
      installing: installing,
      sections: sections,
      run: null as unknown as Run,
      written: [],
      matched: [],
      effect: undefined,
      offset: 0,
      limit: 0,
      hash: null,
      over: false,
    };
    if (installing) checkFloor(s);
    device.begin(installing);
    device.session = s;
    rehearseBoth(s);
    s.run = start(s.manifest, sections, device.identity);
  } catch (e) {
    rethrow(e);
  }
  progress = {
    done: false,
    manifest: s.manifest,
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
export function install(input: Bytes | Source, trust: Trust, device: Device, host: Host): Progress {
  return session(input, trust, device, host, INSTALL_SECTIONS);
}

/**
 * Opens the envelope of what is installed and prepares its start: validate, load, invoke. An image is invoked only after its digest has
 * matched in this session. The device's floor is not asked: what is current may be older than what was tried since.
 */
export function boot(input: Bytes | Source, trust: Trust, device: Device, host: Host): Progress {
  return session(input, trust, device, host, [MAN_VALIDATE, MAN_LOAD, MAN_INVOKE]);
}
