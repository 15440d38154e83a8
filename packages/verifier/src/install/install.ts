// Translates the effects of the interpreter to calls of a Device. Data is written to slots that are not current, hashed
// while it is written, and hashed again from storage. It becomes current in one step at the end, together with the
// floor.

import { equalConstantTime, octetsOf } from "../base/bytes.js";
import { HAS_COPY, HAS_TRUST } from "../base/features.js";
import { sequenceLess } from "../base/number.js";
import { markAt, refuse, rethrow } from "../base/refuse.js";
import type { Bytes, Host, Source, Trust } from "../base/types.js";
import { copySlice, feed, type Input, inputOf, type Slice, sameBytes } from "../cbor/reader.js";
import { type Digest, digestSlice, hashing } from "../hash/digest.js";
import type { Effect } from "../interpreter/frame.js";
import { START_SECTIONS, start, step } from "../interpreter/run.js";
import type { Manifest } from "../manifest/manifest.js";
import { parsePayloads } from "../manifest/parse.js";
import {
  DEVICE_FAULT,
  IMAGE_UNVERIFIED,
  INVOKE_UNVERIFIED,
  NOT_SUPPORTED,
  PAYLOAD_ABSENT,
  PAYLOAD_SIZE,
  RUN_OUTCOME,
} from "../spec/errors.js";
import { COND_CHECK_CONTENT, COND_COMPONENT_SLOT, COND_IMAGE_MATCH, DIR_FETCH, DIR_INVOKE, DIR_SWAP, DIR_WRITE } from "../spec/suit.js";
import { believe, open, read } from "../trust/open.js";
import type { ComponentId, Device, Progress } from "./device.js";
import { keptOf, trustIndex } from "./keep.js";
import { INSTALL_SECTIONS } from "./sections.js";
import {
  admit,
  capacity,
  checkFloor,
  checkIdentity,
  countersOf,
  id,
  payloadRange,
  rehearseBoth,
  renew,
  type Session,
  sumOf,
  type WrittenComponent,
} from "./session.js";

function begin(s: Session, e: Effect): void {
  var c = e.component;
  s.fresh[c] = { passed: null, expected: e.digest };
  s.matched[c] = false;
  s.offset = 0;
  s.limit = e.size === undefined ? capacity(s, c) : e.size;
  // if the device can hash its storage, image-match uses that, and the data is not hashed on its way
  s.hash = e.digest && !s.target.digest ? hashing(s.host, e.digest.alg) : null;
  s.target.erase(id(s, c), s.limit);
}

/** Accepts a chunk of a payload. `bytes` is our own copy: see octetsOf(). */
function receive(s: Session, e: Effect, bytes: Bytes): void {
  // stop an endless payload as it arrives, not when it has filled the device
  if (!(bytes.length <= s.limit - s.offset)) refuse(PAYLOAD_SIZE);
  if (s.hash) s.hash.update(bytes);
  s.target.write(id(s, e.component), s.offset, bytes);
  s.offset += bytes.length;
}

function end(s: Session, e: Effect): boolean {
  if (e.size !== undefined && s.offset !== e.size) refuse(PAYLOAD_SIZE);
  if (s.hash) (s.fresh[e.component] as WrittenComponent).passed = { alg: (e.digest as Digest).alg, bytes: s.hash.digest() };
  s.hash = null;
  return true;
}

/** The content of a component: what this session has written to it, otherwise the current one. */
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

/** Compares the image in storage with a digest. */
function stored(s: Session, component: number, d: Digest, from: Input): boolean {
  var device = s.target,
    whole = device.digest && device.digest(id(s, component), !!s.fresh[component], d.alg);
  return equalConstantTime(whole || digestSlice(from, from, s.host, d.alg), d.bytes);
}

function imageMatch(s: Session, e: Effect): boolean {
  var d = e.digest as Digest,
    w = s.fresh[e.component],
    from = contents(s, e.component),
    // a missing image does not count as an image of 0 bytes, unless the manifest asks for 0 bytes
    ok = e.size === undefined ? from.n > 0 : from.n === e.size;
  // just written: use the hash of the incoming bytes; storage is read back before the commit
  if (w && w.passed && w.passed.alg === d.alg) ok = ok && equalConstantTime(w.passed.bytes, d.bytes);
  else ok = ok && stored(s, e.component, d, from);
  if (w) w.expected = d;
  s.matched[e.component] = ok;
  return ok;
}

/** Writes a range of `from` to a component. */
function pour(s: Session, e: Effect, from: Input, slice: Slice): boolean {
  begin(s, e);
  feed(from, slice, function (bytes) {
    receive(s, e, bytes);
  });
  return end(s, e);
}

/** The source image of a copy or swap. */
function image(s: Session, component: number): Input {
  var from = contents(s, component);
  if (!from.n) refuse(PAYLOAD_ABSENT);
  return from;
}

/** Executes one effect. Returns undefined if it must wait for a payload. */
function perform(s: Session, e: Effect): boolean | undefined {
  var device = s.target,
    c = e.component,
    other = e.source as number,
    name = id(s, c),
    from: Bytes | Source | undefined,
    here,
    own;
  admit(s, e);
  if (e.op === COND_COMPONENT_SLOT) return device.slot(name) === e.slot;
  if (e.op === COND_IMAGE_MATCH) return imageMatch(s, e);
  if (e.op === COND_CHECK_CONTENT) {
    here = contents(s, c);
    from = e.content as Bytes;
    return here.n === from.length && equalConstantTime(copySlice(here, here), from);
  }
  if (e.op === DIR_INVOKE) {
    if (!s.matched[c] && !device.dangerouslySkipDigest) refuse(INVOKE_UNVERIFIED);
    return device.invoke(name, e.args) === true;
  }
  if (e.op === DIR_WRITE) from = e.content;
  else if (e.op === DIR_FETCH) {
    own = payloadRange(s, e.uri);
    if (own) return pour(s, e, s.release.input, own);
    from = device.fetch && device.fetch(e.uri as string);
    if (!from) {
      begin(s, e);
      return undefined;
    }
  } else if (HAS_COPY) {
    // What this session has written is in the slot that would be written again, so it cannot be its own source. It
    // cannot be swapped either: in a swap, each image goes to the other component's slot that is not current, so that
    // the power may fail at any point.
    if (e.op === DIR_SWAP ? c === other || s.fresh[c] || s.fresh[other] : c === other && s.fresh[c]) refuse(NOT_SUPPORTED);
    here = image(s, other);
    if (e.op !== DIR_SWAP) return pour(s, e, here, here);
    own = image(s, c);
    pour(s, e, here, here);
    // the swap from the other component's side
    return pour(s, { op: e.op, component: other, digest: e.sourceDigest, size: e.sourceSize }, own, own);
  } else refuse(NOT_SUPPORTED);
  here = inputOf(from as Bytes | Source);
  return pour(s, e, here, here);
}

/**
 * Opens what a start will open, from storage, including payloads if it was assembled. The verified signatures come
 * first and are the same bytes, so they are not verified again, which would take RAM that the installation needs.
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

/** Reads back what was written and makes it current (RAUC CVE-2020-25860: the checked bytes must be the used bytes). */
function commit(s: Session): void {
  var written: ComponentId[] = [],
    m = s.release,
    i,
    w,
    kept,
    lies,
    brought: Bytes | undefined,
    from;
  markAt(-1);
  checkIdentity(s);
  for (i = 0; i < s.fresh.length; i++) {
    w = s.fresh[i];
    if (w) {
      if (w.expected ? !stored(s, i, w.expected, contents(s, i)) : !s.target.dangerouslySkipDigest) refuse(IMAGE_UNVERIFIED);
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
  if (!m.loads) {
    if (!sameBytes(inputOf(lies), inputOf(kept))) refuse(DEVICE_FAULT);
  } else {
    s.release = reopened(s, lies);
    s.sections = START_SECTIONS;
    s.installing = false;
    s.kept = true;
    rehearseBoth(s);
  }
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

function advance(s: Session, progress: Progress, outcome: Bytes | boolean | undefined): Effect | undefined {
  var e: Effect | undefined, ok;
  if (progress.done) return undefined;
  markAt(-1);
  // a later session owns the device: change nothing
  if (s.over || s.target.session !== s) refuse(RUN_OUTCOME);
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
    // the signed bytes are not needed any more, and take RAM
    for (i = 0; i < release.signatures.length; i++) {
      c = release.signatures[i];
      c.message = c.signature = [];
    }
    if (HAS_TRUST) release.trustAt = trustIndex(release.components);
    if (installing && !(HAS_TRUST && trust.store)) checkFloor(s);
    device.begin(installing);
    device.session = s;
    rehearseBoth(s);
    // a release below the floor may bring the trust file by which counting begins again
    if (HAS_TRUST && installing && trust.store) {
      renew(s, sequenceLess(release.sequence, device.floor(trust.role)) ? brought(s) : undefined);
      checkFloor(s);
    }
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
 * Opens an envelope and prepares its installation (SUIT manifest draft 37 §6): payload-fetch, install, validate, then
 * one commit. The floor is the higher of `trust.floor` and the floor of the device. Throws a Refusal, here or from
 * next(); the current release has not changed then.
 *
 * progress = install(bytes, trust, device, host);
 * while ((effect = progress.next(outcome))) outcome = ...   // only for payloads outside the envelope
 */
export function install(input: Bytes | Source, trust: Trust, device: Device, host?: Host): Progress {
  // one after the other, so that later data takes no memory while a signature is verified
  return session(prepare(open(input, trust, host), input, trust, device, host, INSTALL_SECTIONS));
}

/**
 * Opens the envelope of the installed release and prepares its start: validate, load, invoke. An image is invoked only
 * after its digest has matched in this session. The floor of the device is not checked, because the current release may
 * be older than one that was tried since. Throws a Refusal, here or from next().
 */
export function boot(input: Bytes | Source, trust: Trust, device: Device, host?: Host): Progress {
  return session(prepare(open(input, trust, host, true), input, trust, device, host, START_SECTIONS));
}
