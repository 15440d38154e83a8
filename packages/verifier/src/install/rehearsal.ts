// The rehearsals of an installation or start: everything that would be refused later is refused before the first byte
// is erased, and a release that would never start before it is current.

import { equalConstantTime } from "../base/bytes.js";
import { HAS_COPY, HAS_TRUST } from "../base/features.js";
import { type Refusal, refuse } from "../base/refuse.js";
import { inputOf, type Slice } from "../cbor/reader.js";
import { type Digest, digestSlice } from "../hash/digest.js";
import type { Effect } from "../interpreter/frame.js";
import { INSTALL_SECTIONS, START_SECTIONS, start, step } from "../interpreter/run.js";
import { isCondition } from "../manifest/code-points.js";
import { CONTENT_MISMATCH, IMAGE_MISMATCH, IMAGE_UNVERIFIED, PAYLOAD_ABSENT, TRY_EACH_EXHAUSTED } from "../spec/errors.generated.js";
import { COND_COMPONENT_SLOT } from "../spec/suit.js";
import { type Doings, isChange, took } from "./admission.js";
import { admit, checkIdentity, payloadRange, type Session } from "./session.js";
import { compare, holds, isSize } from "./slots.js";

/** Whether a component still has what this session has installed. */
function isInstalled(s: Session, component: number, done: Doings): boolean | undefined {
  return s.fresh[component] && !done.fresh[component];
}

/**
 * Checks what a start will write, if that is known: from the manifest, from a payload of the kept envelope, or from an
 * image that was installed. A payload that is named by a fragment is nowhere else.
 */
function checkWrite(s: Session, e: Effect, done: Doings, d: Digest): void {
  var uri = e.uri as string,
    other = e.source as number,
    from = s.release.input,
    range: Slice | undefined,
    ok = true;
  if (HAS_COPY && other >= 0) ok = !isInstalled(s, other, done) || compare(s, e, other);
  else {
    range = e.content ? (from = inputOf(e.content)) : payloadRange(s, uri);
    if (range) ok = isSize(e, range.n) && equalConstantTime(digestSlice(from, range, s.host, d.alg), d.bytes);
    else if (!uri.indexOf("#") && !(s.target.fetch && s.target.fetch(uri))) refuse(PAYLOAD_ABSENT);
  }
  if (!ok) refuse(IMAGE_UNVERIFIED);
}

/** Begins to run the sections of the session. */
export function restart(s: Session): void {
  s.run = start(s.release, s.installing ? INSTALL_SECTIONS : START_SECTIONS, s.target.identity);
}

/**
 * Executes the sections with every directive assumed to succeed, and conditions on image content to match (`fitting`)
 * or not. Every effect is checked again when it is executed, so a path that no rehearsal takes is not a way around. In
 * the start of what was just installed, what is known of the images decides.
 */
function rehearse(s: Session, fitting: boolean): void {
  var done: Doings = { fresh: {}, matched: {} },
    e,
    ok;
  restart(s);
  e = step(s.run);
  while (e) {
    admit(s, e, s.kept && fitting ? done : undefined);
    // what is copied is not known yet
    if (HAS_TRUST && s.installing && isChange(e) && !((e.source as number) >= 0) && e.component === s.release.trustAt) s.brings = e;
    ok = true;
    if (isCondition(e.op)) ok = e.op === COND_COMPONENT_SLOT || isInstalled(s, e.component, done) ? holds(s, e) : fitting;
    else if (s.kept && isChange(e) && e.digest) checkWrite(s, e, done, e.digest);
    took(e, done, ok);
    e = step(s.run, ok);
  }
}

/**
 * Rehearses an installation, or the start that follows it: once as if all images that are not known matched, and once
 * as if none did.
 */
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
