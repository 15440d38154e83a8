// Runs a release as a device of one kind does: two rehearsals, then each effect with the answer that this kind gives.
// The only loop over effects outside the verifier; what payloads contain is compared by others.

import { type Effect, errors, type Identity, INSTALL_SECTIONS, type Manifest, type Run } from "@firmseal/verifier";
import { admissionRefusal, COND_COMPONENT_SLOT, START_SECTIONS } from "@firmseal/verifier/tools";
import { type Expectation, type Interpreter, isComparison, isWrongSize, KnownContents, type Phase } from "./device-rules.js";

/** A kind of device that a manifest distinguishes. */
export interface DeviceKind {
  identity: Identity;
  /** Slot in which it installs. */
  slot: number;
  /** Whether it already has the images. */
  there: boolean;
  /**
   * The part in which it refuses a release that does not check its identity, for an interpreter that cannot detect
   * this.
   */
  unchecked?: Phase;
}

/** Kinds of device that tools try: vendors × classes × devices × slots. */
export const MOST_DEVICE_KINDS = 256;

/**
 * Returns every kind of device with one of these identifiers and slots, with and without the images. No list is empty.
 */
export function everyKind(
  vendors: readonly Uint8Array[],
  classes: readonly Uint8Array[],
  devices: readonly Uint8Array[],
  slots: readonly number[],
): DeviceKind[] {
  const out: DeviceKind[] = [];
  for (const vendor of vendors)
    for (const classId of classes)
      for (const device of devices)
        for (const slot of slots)
          for (const there of [true, false]) out.push({ identity: { vendor: [vendor], class: [classId], device: [device] }, slot, there });
  return out;
}

/** The refusal with which an installation or a start ends. */
export interface DeviceRefusal {
  during: Phase;
  /** The number of the refusal. */
  code: number;
  /** Whether the commands themselves are wrong: the refusal does not depend on what a device is or has. */
  isFault: boolean;
  /** Whether the start is refused, or the rehearsal of the start that ends an installation. */
  isOfStart: boolean;
}

/** What a device does in one phase. */
export interface Course {
  /** The effects that were carried out, without the conditions that did not hold. */
  done: Effect[];
  refused?: DeviceRefusal;
}

/** A severed section that is absent is among them: the interpreter refuses it, as on a device. */
const SECTIONS = { install: INSTALL_SECTIONS, start: START_SECTIONS } as const;

/**
 * Runs to the end. `answer` gets each effect and returns its outcome, and gets undefined at the end. Throws the refusal
 * of the interpreter, and what `answer` throws.
 */
function drive(by: Interpreter, run: Run, answer: (e: Effect | undefined) => boolean): void {
  let e = by.step(run);
  while (e) e = by.step(run, answer(e));
  answer(undefined);
}

/** Ends a run with a rule of devices. */
class Refused extends Error {
  constructor(readonly code: number) {
    super();
  }
}

/** Refuses, unless `code` is 0. */
function refuseIf(code: number): void {
  if (code !== 0) throw new Refused(code);
}

/** How a phase is run. */
interface Way {
  during: Phase;
  kind: DeviceKind;
  /** The outcome of a comparison. */
  outcome(e: Effect): boolean;
  /** For a start: what the installation before it has written. */
  before: KnownContents | undefined;
  /** What is known of the components, and changes with the effects. */
  known: KnownContents;
  /** Whether `known` decides about comparisons. Otherwise, their outcome is assumed. */
  decides(e: Effect): boolean;
  /** Whether it matters what the run has done before. */
  isOrdered: boolean;
  /** Whether what a start would write is checked. */
  checksWrites: boolean;
  /** Whether the identity must have been checked at the end. */
  identifies: boolean;
  /** Whether effects are carried out, and not rehearsed. */
  carriesOut: boolean;
}

interface Played extends Course {
  /** Whether there was a comparison among the effects. */
  compared: boolean;
}

/**
 * An installation asks for the slot that it writes. A start asks for the current one: of what was not written, the
 * other one of the two.
 */
function isSlot({ component, slot }: Effect, kind: DeviceKind, before: KnownContents | undefined): boolean {
  if (!before || before.hasWritten(component)) return slot === kind.slot;
  return kind.slot > 1 ? slot !== kind.slot : slot === 1 - kind.slot;
}

function play(by: Interpreter, m: Manifest, way: Way): Played {
  const { during, kind, known, before } = way;
  const out: Played = { done: [], compared: false };
  let isFault = false;
  // outside of the try: what it throws is not a refusal of a device
  const run = by.start(m, SECTIONS[during], kind.identity);
  try {
    drive(by, run, (e) => {
      const isIdentified = !by.identityChecked || by.identityChecked(run);
      if (!e) {
        if (way.identifies && !isIdentified) throw new Refused(errors.IDENTITY_UNCHECKED);
        if (way.carriesOut && during === "install") refuseIf(known.readBack());
        return true;
      }
      refuseIf(admissionRefusal(e, during === "install", isIdentified, way.isOrdered ? known.doings : undefined));
      if (way.checksWrites && known.isWrongWrite(e)) throw new Refused(errors.IMAGE_UNVERIFIED);
      if (way.carriesOut && isWrongSize(e)) throw new Refused(errors.PAYLOAD_SIZE);
      const asks = isComparison(e);
      out.compared ||= asks;
      const ok = e.op === COND_COMPONENT_SLOT ? isSlot(e, kind, before) : !asks || way.outcome(e);
      isFault = asks && !ok && way.decides(e);
      known.took(e, ok);
      // a comparison that fails leads to another branch, and has no effect
      if (ok) out.done.push(e);
      return ok;
    });
  } catch (x) {
    const { code } = x as { code?: unknown };
    if (typeof code !== "number") throw x;
    out.refused = { during, code, isFault: isFault || x instanceof Refused, isOfStart: during === "start" };
  }
  return out;
}

/** Refusals of a rehearsal in which nothing matches: it says nothing of a device in which something does. */
const OF_COMPARISONS: readonly number[] = [errors.IMAGE_MISMATCH, errors.CONTENT_MISMATCH, errors.TRY_EACH_EXHAUSTED];

/**
 * Everything that devices refuse before they change anything, or before the start of what was installed may become
 * current: once as if all comparisons held whose images are not known, once as if none did.
 */
function rehearse(by: Interpreter, m: Manifest, way: Pick<Way, "during" | "kind" | "before">): Course | undefined {
  const isKept = way.during === "start";
  const assume = (all: boolean): Played => {
    const known = new KnownContents(way.before);
    const decides = (e: Effect) => isKept && known.isInstalled(e);
    const outcome = (e: Effect) => (decides(e) ? known.matches(e, all) : all);
    const isOrdered = isKept && all;
    return play(by, m, { ...way, known, decides, outcome, isOrdered, checksWrites: isKept, identifies: all, carriesOut: false });
  };
  const all = assume(true);
  if (all.refused || !all.compared) return all.refused && all;
  const none = assume(false);
  return none.refused && !OF_COMPARISONS.includes(none.refused.code) ? none : undefined;
}

/**
 * What an installation refuses because its start could not be carried out: before a release becomes current, the device
 * rehearses its start.
 */
function keptRefusal(by: Interpreter, m: Manifest, kind: DeviceKind, before: KnownContents): DeviceRefusal | undefined {
  const refused = rehearse(by, m, { during: "start", kind, before })?.refused;
  return refused && { ...refused, during: "install" };
}

/** What a device of one kind does in both phases. Nothing is started from an installation that was refused. */
export function coursesOf(given: Interpreter, m: Manifest, kind: DeviceKind): { [phase in Phase]?: Course } {
  const courses: { [phase in Phase]?: Course } = {};
  let before: KnownContents | undefined;
  for (const during of ["install", "start"] as const) {
    const by = kind.unchecked === during ? { ...given, identityChecked: () => false } : given;
    const known = new KnownContents(before);
    const has = during === "start" || kind.there;
    const way = { during, kind, before };
    const outcome = (e: Effect) => known.matches(e, has);
    const decides = (e: Effect) => known.isFixed(e);
    const installs = during === "install";
    const played =
      (installs ? rehearse(by, m, way) : undefined) ??
      play(by, m, { ...way, known, outcome, decides, isOrdered: true, checksWrites: false, identifies: installs, carriesOut: true });
    const kept = installs && !played.refused ? keptRefusal(by, m, kind, known) : undefined;
    const course = kept ? { ...played, refused: kept } : played;
    courses[during] = course;
    if (course.refused) break;
    before = known;
  }
  return courses;
}

/** Returns the refusal of a device of one kind. Returns undefined if it installs and starts the release. */
export function kindRefusal(by: Interpreter, m: Manifest, kind: DeviceKind): DeviceRefusal | undefined {
  const { install, start } = coursesOf(by, m, kind);
  return install?.refused ?? start?.refused;
}

/**
 * Returns what payloads must match if a device of one kind installs them, also what it detects before it refuses. Only
 * the interpreter refuses here: rules of devices say nothing about payloads.
 */
export function payloadsOf(by: Interpreter, m: Manifest, kind: DeviceKind): { expected: readonly Expectation[]; refused?: unknown } {
  const known = new KnownContents();
  const run = by.start(m, SECTIONS.install, kind.identity);
  try {
    drive(by, run, (e) => {
      if (!e) {
        known.readBack();
        return true;
      }
      const ok = e.op === COND_COMPONENT_SLOT ? e.slot === kind.slot : !isComparison(e) || known.matches(e, kind.there);
      known.took(e, ok);
      return ok;
    });
    return { expected: known.expected };
  } catch (refused) {
    return { expected: known.expected, refused };
  }
}
