// The interpreter (M37 §6). It does no I/O: step() runs until a command needs the device and returns that command as an
// Effect. The caller executes it and passes the outcome to the next step().

import { HAS_COPY } from "../base/features.js";
import { markAt, refuse } from "../base/refuse.js";
import {
  arg as argument,
  array,
  BSTR,
  bstr,
  checkEnd,
  head,
  here,
  input,
  int,
  NULL,
  peekType,
  SIMPLE,
  seek,
  skip,
  uint,
} from "../cbor/reader.js";
import { COMMAND_KINDS, FOREIGN, foreign, isCondition, POLICY, SHARED, tableEntry } from "../manifest/code-points.js";
import { MARK, type Manifest } from "../manifest/manifest.js";
import type { UnverifiedManifest } from "../manifest/parse.js";
import {
  COMMAND_ARGUMENT,
  COMMAND_UNKNOWN,
  CONTENT_MISMATCH,
  DIRECTIVE_FAILED,
  IMAGE_MISMATCH,
  INDEX_UNSET,
  NOT_A_MANIFEST,
  RUN_LIMIT,
  RUN_OUTCOME,
  SEVERED_ABSENT,
  SHARED_COMMAND,
  SLOT_MISMATCH,
} from "../spec/errors.generated.js";
import {
  COND_COMPONENT_SLOT,
  COND_IMAGE_MATCH,
  DIR_COPY,
  DIR_COPY_PARAMS,
  DIR_FETCH,
  DIR_OVERRIDE_MULTIPLE,
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_SWAP,
  DIR_TRY_EACH,
  MAN_INSTALL,
  MAN_INVOKE,
  MAN_LOAD,
  MAN_PAYLOAD_FETCH,
  MAN_VALIDATE,
} from "../spec/suit.js";
import { performCommand, setIndex, setParameters } from "./commands.js";
import { barrier, type Effect, type Frame, failRun, frame, type Identity, type Run, type Subject, top } from "./frame.js";

/**
 * Maximum number of commands in one run. Nested sequences over all components multiply; real manifests need far fewer
 * than a hundred. A manifest cannot loop forever, but could run for years.
 */
const MAX_COMMANDS = 4096;

/** Maximum number of alternatives in a try-each: a run scans all of them each time it executes one. */
const MAX_ALTERNATIVES = 256;

/** Every condition, and every directive that acts on a device, takes a reporting policy of four bits (M37 §8.4.7). */
const MAX_POLICY = 15;

/** The sections of an installation, in order. Missing ones are skipped. */
export var INSTALL_SECTIONS = [MAN_PAYLOAD_FETCH, MAN_INSTALL, MAN_VALIDATE];

/** The sections of a start, in order. */
export var START_SECTIONS = [MAN_VALIDATE, MAN_LOAD, MAN_INVOKE];

function createRun(manifest: Subject, sections: number[], identity: Identity, looked: UnverifiedManifest | null): Run {
  var parameters = [],
    i;
  for (i = 0; i < manifest.components.length; i++) parameters.push({});
  // strict, sources, targets: see beginNextSequence(); other absent fields count as false
  return {
    subject: manifest,
    identity: identity || {},
    sections: sections,
    begun: 0,
    frames: [],
    parameters: parameters,
    commands: 0,
    checked: [],
    looked: looked,
  } as unknown as Run;
}

/**
 * Begins the next sequence. Returns false if no section is left. `begun` is below 2^8, because each section has two
 * sequences.
 */
function beginNextSequence(run: Run): boolean {
  var m = run.subject,
    n = run.begun++,
    key = run.sections[n >> 1],
    slice,
    i;
  if (n >> 1 >= run.sections.length) return false;
  run.strict = true;
  barrier(run);
  if (m.absent.indexOf(key) >= 0) refuse(SEVERED_ABSENT);
  for (i = 0; i < m.commands.length; i++) {
    slice = n & 1 ? m.commands[i].inside : m.shared;
    if (m.commands[i].number === key && slice) frame(run, slice, 0, m.components.length === 1 ? [0] : null);
  }
  return true;
}

/**
 * Reads the next command of a sequence. When running, determines the components to execute it for. When checking, an
 * unknown command or parameter makes the whole manifest invalid (M37 §6.1), and commands that this build cannot run are
 * refused now rather than half-way through an installation.
 */
function command(run: Run, f: Frame): void {
  var code = int(),
    kind = tableEntry(COMMAND_KINDS, code);
  f.left -= 2;
  f.command = code;
  f.arg = here;
  if (!run.looked) {
    skip();
    f.turn = 0;
    f.turns = code === DIR_SET_COMPONENT_INDEX ? [0] : (f.index as number[]);
    if (!f.turns) refuse(INDEX_UNSET);
    return;
  }
  if (!kind) refuse(COMMAND_UNKNOWN);
  if (kind & FOREIGN || (!HAS_COPY && (code === DIR_COPY || code === DIR_SWAP))) foreign();
  if (run.shared && !(kind & SHARED)) refuse(SHARED_COMMAND);
  if (code === DIR_FETCH && run.starts) run.looked.loads = true;
  if (kind & POLICY) {
    if (uint() > MAX_POLICY) refuse(COMMAND_ARGUMENT);
  } else if (code === DIR_SET_COMPONENT_INDEX) setIndex(run, f);
  else if (code === DIR_RUN_SEQUENCE) frame(run, bstr(), 0, null);
  else if (code === DIR_TRY_EACH) {
    f.each = f.alternatives = array();
    if (f.each < 2 || f.each > MAX_ALTERNATIVES) refuse(COMMAND_ARGUMENT);
  } else if (code === DIR_OVERRIDE_MULTIPLE || code === DIR_COPY_PARAMS) skip();
  else setParameters(run, f, 0);
}

/** Continues to the next Effect, or to the end. */
function advance(run: Run): void {
  var f;
  for (;;) {
    f = top(run);
    if (!f) {
      if (run.looked || !beginNextSequence(run)) return;
    } else if (f.turn < f.turns.length) {
      if (++run.commands > MAX_COMMANDS) refuse(RUN_LIMIT);
      performCommand(run, f, f.turns[f.turn++]);
      if (run.effect) return;
    } else {
      seek(input, f.at, f.end);
      if (f.each) {
        f.each--;
        // [2* bstr, ? nil]: at least two, and only the last may be nil
        if (peekType() === BSTR) frame(run, bstr(), 0, null);
        else if (head() !== SIMPLE || argument !== NULL || f.each || f.alternatives < 3) refuse(COMMAND_ARGUMENT);
      } else if (f.left) command(run, f);
      else {
        checkEnd();
        run.frames.pop();
      }
      f.at = here;
    }
  }
}

/**
 * Checks every command of every sequence that is present, and collects the URIs and the sum of the image sizes. Reads
 * the bytes in order, each once. Refuses unknown commands, those that this build does not run, and side effects in a
 * shared sequence.
 */
export function checkCommands(m: UnverifiedManifest): void {
  var run = createRun(m as unknown as Subject, [], null as unknown as Identity, m),
    i;
  // a hash of the host may have used the reader meanwhile
  seek(m.input, 0, 0);
  for (i = 0; i <= m.commands.length; i++) {
    run.shared = i === 0;
    if (i) frame(run, m.commands[i - 1].inside, 0, null);
    else if (m.shared) frame(run, m.shared, 0, null);
    // validate, load and invoke are the sections of a start
    run.starts = i > 0 && m.commands[i - 1].number <= MAN_INVOKE;
    advance(run);
  }
}

/**
 * Prepares a run of one section or of several in order. Clears the parameters, which then persist through these
 * sections; the shared sequence runs before each. Skips a section that the manifest does not have. A severed section
 * that is absent from the envelope is refused when its turn comes.
 *
 * @param manifest - From open().
 * @param section - The number of a section, for example MAN_INSTALL, or several.
 * @param identity - That of the device.
 * @returns The run, for step().
 * @example
 * ```ts
 * import { INSTALL_SECTIONS, open, start, step } from "@firmseal/verifier";
 *
 * const run = start(open(envelope, trust), INSTALL_SECTIONS, { vendor: [vendorUuid], class: [classUuid] });
 * for (let effect = step(run); effect; effect = step(run, true)) console.log(effect.op);
 * ```
 */
export function start(manifest: Manifest, section: number | number[], identity: Identity): Run {
  markAt(-1);
  if (!manifest || manifest.mark !== MARK) refuse(NOT_A_MANIFEST);
  return createRun(manifest, typeof section === "number" ? [section] : section || [], identity, null);
}

/**
 * Runs to the next Effect, or to the end.
 *
 * @param run - From start(). It cannot continue after a refusal.
 * @param outcome - The result of the last Effect: whether the condition holds or the directive succeeded. Omit it in
 *   the first step.
 * @returns The effect, or undefined at the end.
 * @throws Refusal.
 */
export function step(run: Run, outcome?: boolean): Effect | undefined {
  var last = run.effect;
  markAt(-1);
  if (run.broken || (last ? typeof outcome !== "boolean" : outcome !== undefined)) refuse(RUN_OUTCOME);
  run.broken = true;
  run.effect = null;
  seek(run.subject.input, 0, 0);
  if (last && !outcome) {
    // a failed directive always ends the run, regardless of soft-failure (M37 §6.2)
    markAt(top(run).arg);
    if (!isCondition(last.op)) refuse(DIRECTIVE_FAILED);
    failRun(run, last.op === COND_IMAGE_MATCH ? IMAGE_MISMATCH : last.op === COND_COMPONENT_SLOT ? SLOT_MISMATCH : CONTENT_MISMATCH);
  }
  advance(run);
  run.broken = false;
  return run.effect || undefined;
}
