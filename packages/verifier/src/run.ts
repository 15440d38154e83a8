// The interpreter (M37 §6). It does no I/O: step() runs until a command needs the device, and hands that command out as an Effect; the
// caller carries it out and says in the next step() how it went. Nesting lives on a stack of frames, never on the engine's own.

import {
  array,
  BSTR,
  bool,
  bstr,
  int,
  map,
  peekType,
  type Reader,
  SIMPLE,
  type Slice,
  same,
  skip,
  sub,
  take,
  tstr,
  UINT,
  uint,
} from "./cbor.js";
import { isCondition, uri } from "./commands.js";
import { type Digest, digest } from "./digest.js";
import { isManifest, type Manifest } from "./open.js";
import { refuse } from "./refuse.js";
import {
  ABORTED,
  CLASS_MISMATCH,
  CONTENT_MISMATCH,
  DEVICE_MISMATCH,
  DIRECTIVE_FAILED,
  IMAGE_MISMATCH,
  INDEX_UNSET,
  NOT_A_MANIFEST,
  PARAMETER_MISSING,
  RUN_LIMIT,
  RUN_OUTCOME,
  SEVERED_ABSENT,
  SLOT_MISMATCH,
  SOFT_FAILURE_SCOPE,
  STRICT_ORDER,
  TRY_EACH_EXHAUSTED,
  VENDOR_MISMATCH,
} from "./spec/errors.js";
import {
  COND_ABORT,
  COND_CHECK_CONTENT,
  COND_CLASS_IDENTIFIER,
  COND_COMPONENT_SLOT,
  COND_DEVICE_IDENTIFIER,
  COND_IMAGE_MATCH,
  COND_VENDOR_IDENTIFIER,
  DIR_COPY,
  DIR_FETCH,
  DIR_INVOKE,
  DIR_OVERRIDE_PARAMETERS,
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_SWAP,
  DIR_TRY_EACH,
  DIR_WRITE,
  PARAM_CLASS_IDENTIFIER,
  PARAM_COMPONENT_SLOT,
  PARAM_CONTENT,
  PARAM_DEVICE_IDENTIFIER,
  PARAM_FETCH_ARGS,
  PARAM_IMAGE_DIGEST,
  PARAM_IMAGE_SIZE,
  PARAM_INVOKE_ARGS,
  PARAM_SOFT_FAILURE,
  PARAM_SOURCE_COMPONENT,
  PARAM_STRICT_ORDER,
  PARAM_URI,
  PARAM_VENDOR_IDENTIFIER,
} from "./spec/suit.js";
import type { Bytes } from "./types.js";

/**
 * Commands that one run may execute. Nested sequences over all components multiply; a manifest in use stays far below a hundred, and
 * an endless one cannot be written, but one that takes years can.
 */
var MAX_COMMANDS = 4096;

/** What the device says it is. 16-byte UUIDs; a vendor may also be a private enterprise number, as the CBOR item #6.112(bstr). */
export interface Identity {
  vendor: Bytes[];
  class: Bytes[];
  device?: Bytes[];
}

/**
 * A command that needs the device: `op` is its number in the specification, `component` the index in `manifest.components`.
 * Present where the parameter is set, whatever the command: `digest`, `size`. By command: `content` (write, check-content), `uri` and
 * `args` (fetch), `args` (invoke), `source` (copy, swap: a component index), `slot` (component-slot).
 */
export interface Effect {
  op: number;
  component: number;
  digest?: Digest;
  size?: number;
  content?: Bytes;
  uri?: string;
  args?: Bytes;
  source?: number;
  slot?: number;
  /** swap: what is set for the source, which gets the content of `component`. */
  sourceDigest?: Digest;
  sourceSize?: number;
}

interface Frame {
  r: Reader;
  /** Items (codes and arguments) that are left. */
  left: number;
  /** Which command nested it: DIR_TRY_EACH, DIR_RUN_SEQUENCE, or 0 for a section. */
  kind: number;
  soft: boolean;
  index: number[] | null;
  /** The command at work, and how many of `index` it has been carried out for. */
  code: number;
  arg: Slice;
  turn: number;
  turns: number[];
  /** Alternatives of the try-each that are still to come. */
  rest: Reader | null;
  alternatives: number;
}

/** The state of one run: sections in order, with one set of parameters (cleared by start()). */
export interface Run {
  manifest: Manifest;
  identity: Identity;
  sections: number[];
  next: number;
  /** Sequences still to run: the shared sequence and the section. */
  queue: Slice[];
  frames: Frame[];
  parameters: { [key: number]: Slice }[];
  strict: boolean;
  sources: number[];
  targets: number[];
  commands: number;
  effect: Effect | null;
  broken: boolean;
  /** The section at work. */
  section: number;
  /** Whether a vendor and a class identifier have been checked, successfully. */
  vendor: boolean;
  class: boolean;
}

type Handler = (run: Run, frame: Frame, component: number) => Effect | null;

function frame(run: Run, slice: Slice, kind: number, index: number[] | null): Frame {
  var r = sub(run.manifest.r, slice),
    f: Frame = {
      r: r,
      left: array(r),
      kind: kind,
      soft: kind === DIR_TRY_EACH,
      index: index,
      code: 0,
      arg: slice,
      turn: 0,
      turns: [],
      rest: null,
      alternatives: 0,
    };
  run.frames.push(f);
  return f;
}

/** A reader on the value of a parameter, or null where it is not set. */
function parameter(run: Run, component: number, key: number): Reader | null {
  var s = run.parameters[component][key];
  return s ? sub(run.manifest.r, s) : null;
}

function bytesOf(r: Reader): Bytes {
  var s = bstr(r);
  return take(r, s.at, s.n);
}

/** Takes the next alternative of a try-each, for the component of the frame that failed; refuses where none is left. */
function alternative(run: Run, rest: Reader, n: number, index: number[] | null): void {
  var f;
  if (n === 0) refuse(TRY_EACH_EXHAUSTED, rest.at);
  // a final nil: no alternative had to fit
  if (peekType(rest) === SIMPLE) return;
  f = frame(run, bstr(rest), DIR_TRY_EACH, index);
  f.rest = rest;
  f.alternatives = n - 1;
}

/**
 * A condition failed. Softly: a try-each goes on with its next alternative, a run-sequence ends. Otherwise a run-sequence hands the
 * failure to the sequence around it, and everything else ends the run (M37 §8.4.8.14).
 */
function fail(run: Run, code: number, at: number): void {
  var f = run.frames.pop() as Frame;
  while (f.kind === DIR_RUN_SEQUENCE && !f.soft) f = run.frames.pop() as Frame;
  if (!f.soft) refuse(code, at);
  if (f.kind === DIR_TRY_EACH) alternative(run, f.rest as Reader, f.alternatives, f.index);
}

function identify(run: Run, component: number, key: number, ids: Bytes[] | undefined): boolean {
  var r = parameter(run, component, key),
    value,
    i;
  if (!r || !ids) return false;
  // a UUID is compared without its head; a private enterprise number with its tag
  value = peekType(r) === BSTR ? bytesOf(r) : take(r, r.at, r.end - r.at);
  for (i = 0; i < ids.length; i++) if (same(ids[i], value)) return true;
  return false;
}

function vendor(run: Run, f: Frame, component: number): null {
  if (identify(run, component, PARAM_VENDOR_IDENTIFIER, run.identity.vendor)) run.vendor = true;
  else fail(run, VENDOR_MISMATCH, f.arg.at);
  return null;
}

function classOf(run: Run, f: Frame, component: number): null {
  if (identify(run, component, PARAM_CLASS_IDENTIFIER, run.identity.class)) run.class = true;
  else fail(run, CLASS_MISMATCH, f.arg.at);
  return null;
}

function device(run: Run, f: Frame, component: number): null {
  if (!identify(run, component, PARAM_DEVICE_IDENTIFIER, run.identity.device)) fail(run, DEVICE_MISMATCH, f.arg.at);
  return null;
}

function abort(run: Run, f: Frame): null {
  fail(run, ABORTED, f.arg.at);
  return null;
}

/** Where strict order is off, these are the points that all earlier commands must have reached (M37 §8.4.8.13). */
function barrier(run: Run): void {
  run.sources = [];
  run.targets = [];
}

function setIndex(run: Run, f: Frame): null {
  var r = sub(run.manifest.r, f.arg),
    type = peekType(r),
    n = 1,
    i;
  f.index = [];
  if (type === SIMPLE) for (i = 0; i < run.manifest.components.length; i++) f.index.push(i);
  else {
    if (type !== UINT) n = array(r);
    for (; n > 0; n--) f.index.push(uint(r));
  }
  barrier(run);
  return null;
}

function override(run: Run, f: Frame, component: number): null {
  var r = sub(run.manifest.r, f.arg),
    n = map(r),
    at,
    key;
  barrier(run);
  for (; n > 0; n--) {
    key = int(r);
    at = r.at;
    if (key === PARAM_SOFT_FAILURE) {
      if (f.kind === 0) refuse(SOFT_FAILURE_SCOPE, at);
      f.soft = bool(r);
    } else if (key === PARAM_STRICT_ORDER) run.strict = bool(r);
    else {
      skip(r);
      run.parameters[component][key] = { at: at, n: r.at - at };
    }
  }
  return null;
}

function runSequence(run: Run, f: Frame, component: number): null {
  frame(run, bstr(sub(run.manifest.r, f.arg)), DIR_RUN_SEQUENCE, [component]);
  return null;
}

function tryEach(run: Run, f: Frame, component: number): null {
  var r = sub(run.manifest.r, f.arg);
  alternative(run, r, array(r), [component]);
  return null;
}

/** An Effect with what is set for the component. A condition without its parameter fails; a directive without it ends the run. */
function effect(run: Run, f: Frame, component: number): Effect | null {
  var op = f.code,
    e: Effect = { op: op, component: component },
    r = parameter(run, component, PARAM_IMAGE_DIGEST),
    missing = false;
  if (r) e.digest = digest(sub(r, bstr(r)));
  r = parameter(run, component, PARAM_IMAGE_SIZE);
  if (r) e.size = uint(r);
  if (op === COND_IMAGE_MATCH) missing = !e.digest;
  else if (op === COND_COMPONENT_SLOT) {
    r = parameter(run, component, PARAM_COMPONENT_SLOT);
    if (r) e.slot = uint(r);
    else missing = true;
  } else if (op === COND_CHECK_CONTENT || op === DIR_WRITE) {
    r = parameter(run, component, PARAM_CONTENT);
    if (r) e.content = bytesOf(r);
    else missing = true;
  } else if (op === DIR_FETCH) {
    r = parameter(run, component, PARAM_URI);
    if (r) e.uri = uri(r, tstr(r));
    else missing = true;
    r = parameter(run, component, PARAM_FETCH_ARGS);
    if (r) e.args = bytesOf(r);
  } else if (op === DIR_COPY || op === DIR_SWAP) {
    r = parameter(run, component, PARAM_SOURCE_COMPONENT);
    if (r) e.source = uint(r);
    else missing = true;
    if (op === DIR_SWAP && !missing) {
      r = parameter(run, e.source as number, PARAM_IMAGE_DIGEST);
      if (r) e.sourceDigest = digest(sub(r, bstr(r)));
      r = parameter(run, e.source as number, PARAM_IMAGE_SIZE);
      if (r) e.sourceSize = uint(r);
    }
  } else {
    r = parameter(run, component, PARAM_INVOKE_ARGS);
    if (r) e.args = bytesOf(r);
  }
  if (missing) {
    if (!isCondition(op)) refuse(PARAMETER_MISSING, f.arg.at);
    fail(run, PARAMETER_MISSING, f.arg.at);
    return null;
  }
  if (!isCondition(op) && !run.strict) {
    // a component must not be source and target at once; in a swap both are
    if (op === DIR_SWAP || run.sources.indexOf(component) >= 0 || component === e.source || run.targets.indexOf(e.source as number) >= 0)
      refuse(STRICT_ORDER, f.arg.at);
    run.targets.push(component);
    if (e.source !== undefined) run.sources.push(e.source);
  }
  return e;
}

var COMMANDS: { [code: number]: Handler } = {};
COMMANDS[COND_VENDOR_IDENTIFIER] = vendor;
COMMANDS[COND_CLASS_IDENTIFIER] = classOf;
COMMANDS[COND_DEVICE_IDENTIFIER] = device;
COMMANDS[COND_ABORT] = abort;
COMMANDS[COND_IMAGE_MATCH] = effect;
COMMANDS[COND_COMPONENT_SLOT] = effect;
COMMANDS[COND_CHECK_CONTENT] = effect;
COMMANDS[DIR_SET_COMPONENT_INDEX] = setIndex;
COMMANDS[DIR_OVERRIDE_PARAMETERS] = override;
COMMANDS[DIR_TRY_EACH] = tryEach;
COMMANDS[DIR_RUN_SEQUENCE] = runSequence;
COMMANDS[DIR_WRITE] = effect;
COMMANDS[DIR_FETCH] = effect;
COMMANDS[DIR_COPY] = effect;
COMMANDS[DIR_INVOKE] = effect;
COMMANDS[DIR_SWAP] = effect;

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
    section: 0,
    vendor: false,
    class: false,
  };
}

/** Puts the next section's sequences into the queue. False where no section is left. */
function nextSection(run: Run): boolean {
  var m = run.manifest,
    key,
    i;
  if (run.next === run.sections.length) return false;
  key = run.sections[run.next++];
  run.section = key;
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
  var at;
  f.code = int(f.r);
  at = f.r.at;
  skip(f.r);
  f.left -= 2;
  f.arg = { at: at, n: f.r.at - at };
  f.turn = 0;
  if (f.code === DIR_SET_COMPONENT_INDEX) f.turns = [0];
  else {
    if (!f.index) refuse(INDEX_UNSET, at);
    f.turns = f.index as number[];
  }
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
    e;
  if (run.broken || (last ? typeof outcome !== "boolean" : outcome !== undefined)) refuse(RUN_OUTCOME, -1);
  run.broken = true;
  run.effect = null;
  if (last && !outcome) {
    f = run.frames[run.frames.length - 1];
    // a directive that failed is never swallowed, whatever soft-failure says (M37 §6.2)
    if (!isCondition(last.op)) refuse(DIRECTIVE_FAILED, f.arg.at);
    fail(run, mismatch(last.op), f.arg.at);
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
      if (++run.commands > MAX_COMMANDS) refuse(RUN_LIMIT, f.arg.at);
      e = COMMANDS[f.code](run, f, f.turns[f.turn++]);
      if (e) {
        run.effect = e;
        run.broken = false;
        return e;
      }
    } else if (f.left > 0) fetchCommand(f);
    else run.frames.pop();
  }
  run.broken = false;
  return undefined;
}
