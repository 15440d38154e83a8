// The state of a run (M37 §6), and the nesting of sequences in it: a stack of frames, so that the engine's own stack never grows.

import { array, bstr, peekType, type Reader, SIMPLE, type Slice, sub } from "./cbor.js";
import type { Digest } from "./digest.js";
import type { Manifest } from "./open.js";
import { refuse } from "./refuse.js";
import { TRY_EACH_EXHAUSTED } from "./spec/errors.js";
import { COND_CLASS_IDENTIFIER, COND_VENDOR_IDENTIFIER, DIR_RUN_SEQUENCE, DIR_TRY_EACH } from "./spec/suit.js";
import type { Bytes } from "./types.js";

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
  digest?: Digest | undefined;
  size?: number | undefined;
  content?: Bytes;
  uri?: string;
  args?: Bytes;
  source?: number;
  slot?: number;
  /** swap: what is set for the source, which gets the content of `component`. */
  sourceDigest?: Digest;
  sourceSize?: number;
}

export interface Frame {
  r: Reader;
  /** Items (codes and arguments) that are left. */
  left: number;
  /** Which command nested it: DIR_TRY_EACH, DIR_RUN_SEQUENCE, or 0 for a section. */
  kind: number;
  soft: boolean;
  index: number[] | null;
  /** The command at work, where its argument lies, and for which components it is to be carried out (`turns`, as far as `turn`). */
  code: number;
  arg: number;
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
  /** By component: where the values lie that are set. */
  parameters: { [name: number]: number }[];
  strict: boolean;
  sources: number[];
  targets: number[];
  commands: number;
  effect: Effect | null;
  broken: boolean;
  /** By command: whether an identifier has been checked, successfully. */
  checked: { [code: number]: boolean };
}

/** Whether a run has found that the vendor and the class of this device are meant. */
export function identified(run: Run): boolean {
  return !!(run.checked[COND_VENDOR_IDENTIFIER] && run.checked[COND_CLASS_IDENTIFIER]);
}

/** Begins a sequence: a new frame on top. */
export function frame(run: Run, slice: Slice, kind: number, index: number[] | null): Frame {
  var r = sub(run.manifest.r, slice),
    f: Frame = {
      r: r,
      left: array(r),
      kind: kind,
      soft: kind === DIR_TRY_EACH,
      index: index,
      code: 0,
      arg: slice.at,
      turn: 0,
      turns: [],
      rest: null,
      alternatives: 0,
    };
  run.frames.push(f);
  return f;
}

/** Takes the next alternative of a try-each, for the component of the frame that failed; refuses where none is left. */
export function alternative(run: Run, rest: Reader, n: number, index: number[] | null): void {
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
export function fail(run: Run, code: number, at: number): void {
  var f = run.frames.pop() as Frame;
  while (f.kind === DIR_RUN_SEQUENCE && !f.soft) f = run.frames.pop() as Frame;
  if (!f.soft) refuse(code, at);
  if (f.kind === DIR_TRY_EACH) alternative(run, f.rest as Reader, f.alternatives, f.index);
}

/** Where strict order is off, these are the points that all earlier commands must have reached (M37 §8.4.8.13). */
export function barrier(run: Run): void {
  run.sources = [];
  run.targets = [];
}
