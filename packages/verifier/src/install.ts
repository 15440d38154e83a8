// The driver: turns the interpreter's effects into calls on a Device. What is written goes where it does not run yet, is hashed as it is
// written, is hashed again from storage, and becomes current in one step at the end, together with the sequence floor.

import { same, sameConstantTime } from "./bytes.js";
import { chunkOf, type Reader, reader, take } from "./cbor.js";
import type { ComponentId, Device, Progress } from "./device.js";
import { type Digest, digestSlice, hashOf } from "./digest.js";
import type { Effect } from "./frame.js";
import { compareSequence } from "./number.js";
import { type Manifest, open } from "./open.js";
import { refuse } from "./refuse.js";
import { start, step } from "./run.js";
import { admit, checkIdentity, floorOf, id, rehearseBoth, type Session, type Written } from "./session.js";
import {
  DEVICE_FAULT,
  IMAGE_UNVERIFIED,
  INVOKE_UNVERIFIED,
  NOT_SUPPORTED,
  PAYLOAD_ABSENT,
  PAYLOAD_SIZE,
  ROLLBACK,
  RUN_OUTCOME,
} from "./spec/errors.js";
import {
  COND_CHECK_CONTENT,
  COND_COMPONENT_SLOT,
  COND_IMAGE_MATCH,
  DIR_COPY,
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
  var other: Effect = { op: e.op, component: e.source as number, source: e.component };
  if (e.sourceDigest) other.digest = e.sourceDigest;
  if (e.sourceSize !== undefined) other.size = e.sourceSize;
  return other;
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

/** Writes a stretch of something readable to a component. */
function pour(s: Session, e: Effect, r: Reader, at: number, n: number): boolean {
  var chunk = chunkOf(r),
    size;
  begin(s, e);
  for (; n > 0; n -= size) {
    size = n < chunk ? n : chunk;
    receive(s, e, take(r, at, size));
    at += size;
  }
  return end(s, e);
}

/**
 * Each goes to the other's slot that is not current, so that the power may fail at any point. What this session has written cannot be
 * swapped: its slot would be the target as well.
 */
function swap(s: Session, e: Effect): boolean {
  var other = e.source as number,
    a = contents(s, e.component),
    b = contents(s, other);
  if (s.written[e.component] || s.written[other]) refuse(NOT_SUPPORTED, -1);
  if (a.end === 0 || b.end === 0) refuse(PAYLOAD_ABSENT, -1);
  pour(s, e, b, 0, b.end);
  return pour(s, back(e), a, 0, a.end);
}

/** Carries out one effect. undefined: it has to be waited for. */
function perform(s: Session, e: Effect): boolean | undefined {
  var i, p, source;
  admit(s, e);
  if (e.op === COND_COMPONENT_SLOT) return s.device.slot(id(s, e.component)) === e.slot;
  if (e.op === COND_IMAGE_MATCH) return imageMatch(s, e);
  if (e.op === COND_CHECK_CONTENT) return checkContent(s, e);
  if (e.op === DIR_INVOKE) {
    if (!s.matched[e.component] && !s.device.dangerouslySkipDigest) refuse(INVOKE_UNVERIFIED, -1);
    return s.device.invoke(id(s, e.component), e.args) === true;
  }
  if (e.op === DIR_WRITE) return pour(s, e, reader(e.content as Bytes), 0, (e.content as Bytes).length);
  // what this session wrote lies in the slot that would be written again
  if (e.source === e.component && (e.op === DIR_SWAP || s.written[e.component])) refuse(NOT_SUPPORTED, -1);
  if (e.op === DIR_COPY) {
    source = contents(s, e.source as number);
    if (source.end === 0) refuse(PAYLOAD_ABSENT, -1);
    return pour(s, e, source, 0, source.end);
  }
  if (e.op === DIR_SWAP) return swap(s, e);
  // fetch: from the envelope, from the device's own transport, or from whoever drives us
  for (i = 0; i < s.manifest.payloads.length; i++) {
    p = s.manifest.payloads[i];
    if (p.uri === e.uri) return pour(s, e, s.manifest.r, p.content.at, p.content.n);
  }
  source = s.device.fetch ? s.device.fetch(e.uri as string) : undefined;
  if (source) return pour(s, e, reader(source), 0, source.length);
  begin(s, e);
  return undefined;
}

/** Reads back what has not been read back yet, and makes it current (RAUC CVE-2020-25860: the bytes that were checked are the bytes used). */
function commit(s: Session): void {
  var written: ComponentId[] = [],
    i,
    w;
  checkIdentity(s);
  // another installation may have been committed since this one was opened
  if (compareSequence(s.manifest.sequence, floorOf(s.device)) < 0) refuse(ROLLBACK, -1);
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

function session(input: Bytes | Source, trust: Trust, device: Device, host: Host, installing: boolean, sections: number[]): Progress {
  var manifest, s: Session, progress: Progress, floor;
  try {
    if (installing) {
      floor = floorOf(device);
      if (trust && trust.anchors && !(trust.floor && compareSequence(trust.floor, floor) > 0))
        trust = { anchors: trust.anchors, need: trust.need === undefined ? 1 : trust.need, floor: floor };
    }
    manifest = open(input, trust, host);
    device.begin(installing);
    s = {
      input: input,
      manifest: manifest,
      device: device,
      host: host,
      installing: installing,
      sections: sections,
      run: start(manifest, sections, device.identity),
      written: [],
      matched: [],
      effect: undefined,
      offset: 0,
      limit: 0,
      hash: null,
      over: false,
    };
    device.session = s;
    rehearseBoth(s);
    s.run = start(manifest, sections, device.identity);
  } catch (e) {
    rethrow(e);
  }
  progress = {
    done: false,
    manifest: manifest as Manifest,
    next: function (outcome) {
      return advance(s, progress, outcome);
    },
  };
  return progress;
}

/** The sections of an installation, in order; a missing one is passed over. */
export var INSTALL_SECTIONS = [MAN_PAYLOAD_FETCH, MAN_INSTALL, MAN_VALIDATE];

/**
 * Opens an envelope and prepares its installation: payload-fetch, install, validate, then one commit. The floor is the higher of
 * `trust.floor` and the device's. Throws a refusal, here or from next(); nothing that is current has changed then.
 *
 *     progress = install(bytes, trust, device, host);
 *     while ((effect = progress.next(outcome))) outcome = ...   // only where payloads come from outside
 */
export function install(input: Bytes | Source, trust: Trust, device: Device, host: Host): Progress {
  return session(input, trust, device, host, true, INSTALL_SECTIONS);
}

/**
 * Opens the envelope of what is installed and prepares its start: validate, load, invoke. An image is invoked only after its digest has
 * matched in this session. The device's floor is not asked: what is current may be older than what was tried since.
 */
export function boot(input: Bytes | Source, trust: Trust, device: Device, host: Host): Progress {
  return session(input, trust, device, host, false, [MAN_VALIDATE, MAN_LOAD, MAN_INVOKE]);
}
