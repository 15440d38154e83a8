// The interpreter (M37 §6). It does no I/O: step() runs until a command needs the device, and hands that command out as an Effect; the
// caller carries it out and says in the next step() how it went.

import { int, type Slice, skip } from "./cbor.js";
import { isCondition } from "./commands.js";
import { barrier, type Effect, type Frame, fail, frame, type Identity, type Run } from "./frame.js";
import { COMMANDS, effect } from "./handlers.js";
import { isManifest, type Manifest } from "./open.js";
import { refuse } from "./refuse.js";
import {
  CONTENT_MISMATCH,
  DIRECTIVE_FAILED,
  IMAGE_MISMATCH,
  INDEX_UNSET,
  NOT_A_MANIFEST,
  RUN_LIMIT,
  RUN_OUTCOME,
  SEVERED_ABSENT,
  SLOT_MISMATCH,
} from "./spec/errors.js";
import { COND_COMPONENT_SLOT, COND_IMAGE_MATCH, DIR_SET_COMPONENT_INDEX } from "./spec/suit.js";

/**
 * Commands that one run may execute. Nested sequences over all components multiply; a manifest in use stays far below a hundred, and
 * an endless one cannot be written, but one that takes years can.
 */
var MAX_COMMANDS = 4096;

/**
 * Prepares a run of one section (its number, e.g. MAN_INSTALL) or of several in order. Parameters are cleared here and live through the
 * sections given; the shared sequence runs before each. A section that the manifest does not have is passed over; one that was severed
 * and is not at hand is refused when its turn comes.
 */
export function start(manifest: Manifest, section: number | number[], identity: Identity): Run {
  var parameters = [],
    i;
  if (!isManifest(manifest)) refuse(NOT_A_MANIFEST, -1);
  for (i = 0; i < manifest.components.length; i++) parameters.push({});
  return {
    manifest: manifest,
    identity: identity || { vendor: [], class: [] },
    sections: typeof section === "number" ? [section] : section,
    next: 0,
    queue: [],
    frames: [],
    parameters: parameters,
    strict: true,
    sources: [],
    targets: [],
    commands: 0,
    effect: null,
    broken: false,
    checked: {},
  };
}

/** Puts the next section's sequences into the queue. False where no section is left. */
function nextSection(run: Run): boolean {
  var m = run.manifest,
    key,
    i;
  if (run.next === run.sections.length) return false;
  key = run.sections[run.next++];
  if (m.absent.indexOf(key) >= 0) refuse(SEVERED_ABSENT, -1);
  for (i = 0; i < m.commands.length; i++) {
    if (m.commands[i].key === key) {
      if (m.shared) run.queue.push(m.shared);
      run.queue.push(m.commands[i].content);
    }
  }
  return true;
}

/** Reads the next command of a frame and settles for which components it is to be carried out. */
function fetchCommand(f: Frame): void {
  f.code = int(f.r);
  f.arg = f.r.at;
  skip(f.r);
  f.left -= 2;
  f.turn = 0;
  f.turns = f.code === DIR_SET_COMPONENT_INDEX ? [0] : (f.index as number[]);
  if (!f.turns) refuse(INDEX_UNSET, f.arg);
}

function mismatch(op: number): number {
  return op === COND_IMAGE_MATCH ? IMAGE_MISMATCH : op === COND_COMPONENT_SLOT ? SLOT_MISMATCH : CONTENT_MISMATCH;
}

/**
 * Runs to the next Effect, or to the end (undefined). `outcome` tells how the last Effect went: for a condition whether it holds, for a
 * directive whether it succeeded; nothing at the first step. Throws a refusal; after that the run is dead.
 */
export function step(run: Run, outcome?: boolean): Effect | undefined {
  var last = run.effect,
    f: Frame,
    slice,
    handler,
    e;
  if (run.broken || (last ? typeof outcome !== "boolean" : outcome !== undefined)) refuse(RUN_OUTCOME, -1);
  run.broken = true;
  run.effect = null;
  if (last && !outcome) {
    f = run.frames[run.frames.length - 1];
    // a directive that failed is never swallowed, whatever soft-failure says (M37 §6.2)
    if (!isCondition(last.op)) refuse(DIRECTIVE_FAILED, f.arg);
    fail(run, mismatch(last.op), f.arg);
  }
  for (;;) {
    if (run.frames.length === 0) {
      if (run.queue.length === 0) {
        if (!nextSection(run)) break;
      } else {
        slice = run.queue.shift() as Slice;
        run.strict = true;
        barrier(run);
        frame(run, slice, 0, run.manifest.components.length === 1 ? [0] : null);
      }
      continue;
    }
    f = run.frames[run.frames.length - 1];
    if (f.turn < f.turns.length) {
      if (++run.commands > MAX_COMMANDS) refuse(RUN_LIMIT, f.arg);
      handler = COMMANDS[f.code];
      e = f.turns[f.turn++];
      if (handler) handler(run, f, e);
      else {
        run.effect = effect(run, f, e);
        if (run.effect) {
          run.broken = false;
          return run.effect;
        }
      }
    } else if (f.left > 0) fetchCommand(f);
    else run.frames.pop();
  }
  run.broken = false;
  return undefined;
}
