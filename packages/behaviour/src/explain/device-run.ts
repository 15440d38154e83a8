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
 * Returns the slots in which a release is tried. A device with two slots installs in each of them in turn, so a release
 * that names one slot is refused in the other one.
 *
 * @param named - The slots that the manifest names.
 * @returns These slots, and both slots of a device with two; one slot if the manifest names none.
 */
export const slotsToTry = (named: readonly number[]): number[] => (named.length > 0 ? [...new Set([...named, 0, 1])] : [0]);

/**
 * Combines identifiers and slots to kinds of device. No list is empty.
 *
 * @param vendors - Vendor identifiers, 16 bytes each.
 * @param classes - Class identifiers, 16 bytes each.
 * @param devices - Device identifiers. One of 0 bytes stands for any device.
 * @param slots - Slots in which devices install: slotsToTry().
 * @returns Every kind of device with one of these identifiers and slots, with and without the images.
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

/** Refuses, if there is a number of a refusal. */
function refuseIf(code: number | false): void {
  if (code) throw new Refused(code);
}

/** How effects are played: with all comparisons that are not known taken as held, or as failed; or carried out. */
type Mode = "held" | "failed" | "real";

/** What is played. */
interface Way {
  during: Phase;
  kind: DeviceKind;
  /** For a start: what the installation before it has written. */
  before: KnownContents | undefined;
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

/** `known`: what is known of the components, and changes with the effects. */
function play(by: Interpreter, m: Manifest, { during, kind, before }: Way, mode: Mode, known = new KnownContents(before)): Played {
  const out: Played = { done: [], compared: false };
  const installs = during === "install";
  const isReal = mode === "real";
  const holds = mode === "held";
  let isFault = false;
  // outside of the try: what it throws is not a refusal of a device
  const run = by.start(m, SECTIONS[during], kind.identity);
  try {
    drive(by, run, (e) => {
      const isIdentified = by.identityChecked?.(run) ?? true;
      if (!e) {
        refuseIf((isReal || holds) && !isIdentified && errors.IDENTITY_UNCHECKED);
        if (isReal && installs) refuseIf(known.readBack());
        return true;
      }
      // it matters what the run has done before
      const isOrdered = isReal || (!installs && holds);
      refuseIf(admissionRefusal(e, installs, isIdentified, isOrdered ? known.done : undefined));
      if (isReal) refuseIf(isWrongSize(e) && errors.PAYLOAD_SIZE);
      else refuseIf(!installs && known.isWrongWrite(e) && errors.IMAGE_UNVERIFIED);
      const asks = isComparison(e);
      out.compared ||= asks;
      const decides = isReal ? known.isFixed(e) : !installs && known.isInstalled(e);
      const assumed = isReal ? !installs || kind.there : holds;
      const ok =
        e.op === COND_COMPONENT_SLOT ? isSlot(e, kind, before) : !asks || (isReal || decides ? known.matches(e, assumed) : assumed);
      isFault = asks && !ok && decides;
      known.took(e, ok);
      // a comparison that fails leads to another branch, and has no effect
      if (ok) out.done.push(e);
      return ok;
    });
  } catch (x) {
    const { code } = x as { code?: unknown };
    if (typeof code !== "number") throw x;
    out.refused = { during, code, isFault: isFault || x instanceof Refused, isOfStart: !installs };
  }
  return out;
}

/** Refusals of a rehearsal in which nothing matches: it says nothing of a device in which something does. */
const OF_COMPARISONS: readonly number[] = [errors.IMAGE_MISMATCH, errors.CONTENT_MISMATCH, errors.TRY_EACH_EXHAUSTED];

/**
 * Everything that devices refuse before they change anything, or before the start of what was installed may become
 * current: once as if all comparisons held whose images are not known, once as if none did.
 */
function rehearse(by: Interpreter, m: Manifest, way: Way): Course | undefined {
  const held = play(by, m, way, "held");
  if (held.refused || !held.compared) return held.refused && held;
  const failed = play(by, m, way, "failed");
  return failed.refused && !OF_COMPARISONS.includes(failed.refused.code) ? failed : undefined;
}

/**
 * What a device of one kind does in both phases. Before a release becomes current, the device rehearses its start.
 * Nothing is started from an installation that was refused.
 */
export function coursesOf(given: Interpreter, m: Manifest, kind: DeviceKind): { [phase in Phase]?: Course } {
  const courses: { [phase in Phase]?: Course } = {};
  let before: KnownContents | undefined;
  for (const during of ["install", "start"] as const) {
    const by = kind.unchecked === during ? { ...given, identityChecked: () => false } : given;
    const known = new KnownContents(before);
    const way = { during, kind, before };
    const installs = during === "install";
    const course = (installs && rehearse(by, m, way)) || play(by, m, way, "real", known);
    if (installs && !course.refused) {
      const refused = rehearse(by, m, { during: "start", kind, before: known })?.refused;
      if (refused) course.refused = { ...refused, during };
    }
    courses[during] = course;
    if (course.refused) break;
    before = known;
  }
  return courses;
}

/**
 * Asks whether devices of one kind take a release.
 *
 * @param by - The interpreter that runs the commands.
 * @param m - The open manifest.
 * @param kind - The kind of device.
 * @returns The refusal, or undefined if such a device installs and starts the release.
 */
export function kindRefusal(by: Interpreter, m: Manifest, kind: DeviceKind): DeviceRefusal | undefined {
  const { install, start } = coursesOf(by, m, kind);
  return install?.refused ?? start?.refused;
}

/**
 * Finds the payloads that a start writes on a device of one kind. It compares them at once, and not again.
 *
 * @param by - The interpreter that runs the commands.
 * @param m - The open manifest.
 * @param kind - The kind of device.
 * @returns What these payloads of the envelope must match.
 */
export function loadedPayloadsOf(by: Interpreter, m: Manifest, kind: DeviceKind): readonly Expectation[] {
  const expected: Expectation[] = [];
  try {
    drive(by, by.start(m, SECTIONS.start, kind.identity), (e) => {
      if (e?.uri !== undefined) expected.push({ uri: e.uri, component: e.component, digest: e.digest, size: e.size });
      return e?.op === COND_COMPONENT_SLOT ? e.slot === kind.slot : !e || !isComparison(e) || kind.there;
    });
  } catch (x) {
    // what a start does before it is refused counts
    if (typeof (x as { code?: unknown }).code !== "number") throw x;
  }
  return expected;
}

/**
 * Finds the payloads that a device of one kind installs, also those that it reads before it refuses. Only the
 * interpreter refuses here: rules of devices say nothing about payloads.
 *
 * @param by - The interpreter that runs the commands.
 * @param m - The open manifest.
 * @param kind - The kind of device.
 * @returns What payloads must match, and the refusal of the interpreter if there is one.
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
