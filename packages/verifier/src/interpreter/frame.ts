// The state of a run (M37 §6), and the nesting of sequences in it: a stack of frames, so that the engine's own stack never grows.

import { equalConstantTime } from "../base/bytes.js";
import { HAS_TRUST } from "../base/features.js";
import { markAt, refuse } from "../base/refuse.js";
import type { Bytes } from "../base/types.js";
import { array, bstr, enter, here, input, MAX_DEPTH, peekType, SIMPLE, type Slice, seek, stop } from "../cbor/reader.js";
import type { Digest } from "../hash/digest.js";
import type { Manifest } from "../manifest/manifest.js";
import type { UnverifiedManifest } from "../manifest/parse.js";
import { CBOR_DEPTH, COMMAND_ARGUMENT, TRY_EACH_EXHAUSTED } from "../spec/errors.js";
import { COND_CLASS_IDENTIFIER, COND_VENDOR_IDENTIFIER, DIR_RUN_SEQUENCE, DIR_TRY_EACH } from "../spec/suit.js";

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
  args?: Bytes | undefined;
  source?: number;
  slot?: number;
  /** swap: what is set for the source, which gets the content of `component`. */
  sourceDigest?: Digest | undefined;
  sourceSize?: number | undefined;
}

export interface Frame {
  /** What is still to be read of the sequence, and how many items (codes and arguments) that is. */
  at: number;
  end: number;
  left: number;
  /** Which command nested it: DIR_TRY_EACH, DIR_RUN_SEQUENCE, or 0 for a section. */
  kind: number;
  soft: boolean;
  index: number[] | null;
  /** The command at work, where its argument lies, and for which components it is to be carried out (`turns`, as far as `turn`). */
  command: number;
  arg: number;
  turn: number;
  turns: number[];
  /** Alternatives of the try-each that are still to come, and where. */
  alternatives: number;
  rest: number;
  /** How many identifiers had been checked when it began. */
  known: number;
  /** Looking only: alternatives that are still to be looked at; `alternatives` is then how many there are in all. */
  each: number;
}

/** A vendor, class or device identifier that the device has, and the command that has asked for it. */
interface Checked {
  command: number;
  id: Bytes;
}

/** What a run has to know of a manifest. Where it is only looked at, it is not yet one, and nobody is believed. */
export type Subject = Pick<Manifest, "input" | "components" | "shared" | "commands" | "absent" | "believed" | "threshold">;

/** The state of one run: sections in order, with one set of parameters (cleared by start()). */
export interface Run {
  subject: Subject;
  identity: Identity;
  sections: number[];
  /** Sequences that have been begun: the shared sequence, where there is one, and the section, by turns. */
  begun: number;
  frames: Frame[];
  /** By component: where the values lie that are set. */
  parameters: { [name: number]: number }[];
  strict: boolean;
  sources: number[];
  targets: number[];
  commands: number;
  effect: Effect | null;
  broken: boolean;
  /** Identifiers that were checked, successfully, by the command that did: what a branch has checked that failed later is not among them. */
  checked: Checked[];
  /** Where commands are looked at and not run: what they say, and whether this is the shared sequence, or one of a start. */
  looked: UnverifiedManifest | null;
  shared: boolean;
  starts: boolean;
}

/** Whether an identifier, or where there is none any, was checked by the command `code`. */
function wasChecked(run: Run, code: number, id?: Bytes): boolean {
  var all = run.checked,
    i;
  for (i = 0; i < all.length; i++) if (all[i].command === code && (!HAS_TRUST || !id || equalConstantTime(all[i].id, id))) return true;
  return false;
}

/**
 * Whether a run has found that the vendor and the class of this device are meant, and so by enough of the keys that signed: a key that is trusted for
 * one vendor or class counts where the manifest asked for just that one. The one rule for devices and tools.
 */
export function identityChecked(run: Run): boolean {
  var m = run.subject,
    n = 0,
    i,
    a;
  if (!wasChecked(run, COND_VENDOR_IDENTIFIER) || !wasChecked(run, COND_CLASS_IDENTIFIER)) return false;
  if (!HAS_TRUST) return true;
  for (i = 0; i < m.believed.length; i++) {
    a = m.believed[i];
    if ((!a.vendor || wasChecked(run, COND_VENDOR_IDENTIFIER, a.vendor)) && (!a.class || wasChecked(run, COND_CLASS_IDENTIFIER, a.class)))
      n++;
  }
  return n >= m.threshold;
}

/** The sequence at work. */
export function top(run: Run): Frame {
  return run.frames[run.frames.length - 1];
}

/** Begins a sequence: a new frame on top. The cursor then stands behind `slice`. */
export function frame(run: Run, slice: Slice, kind: number, index: number[] | null): Frame {
  var outer = enter(input, slice),
    n = array(),
    // what is left out is set before it is read, or counts as 0: on a small engine each field costs RAM
    f = {
      at: here,
      end: stop,
      left: n,
      kind: kind,
      soft: kind === DIR_TRY_EACH,
      index: index,
      turns: [],
      known: run.checked.length,
    } as unknown as Frame;
  if (n === 0 || n % 2) refuse(COMMAND_ARGUMENT);
  if (run.frames.length === MAX_DEPTH) refuse(CBOR_DEPTH);
  run.frames.push(f);
  seek(input, stop, outer);
  return f;
}

/** Takes the next of `n` alternatives of a try-each, which the cursor stands at; refuses where none is left. */
export function alternative(run: Run, n: number, index: number[] | null): void {
  var f;
  if (n === 0) refuse(TRY_EACH_EXHAUSTED);
  // a final nil: no alternative had to fit
  if (peekType() === SIMPLE) return;
  f = frame(run, bstr(), DIR_TRY_EACH, index);
  f.alternatives = n - 1;
  f.rest = here;
}

/**
 * A condition failed. Softly: a try-each goes on with its next alternative, a run-sequence ends. Otherwise a run-sequence hands the
 * failure to the sequence around it, and everything else ends the run (M37 §8.4.8.14).
 */
export function failRun(run: Run, code: number): void {
  var f = run.frames.pop() as Frame,
    outer;
  markAt(f.arg);
  while (f.kind === DIR_RUN_SEQUENCE && !f.soft) f = run.frames.pop() as Frame;
  if (!f.soft) refuse(code);
  // what a branch has found out about the device is void with it
  while (run.checked.length > f.known) run.checked.pop();
  if (f.kind === DIR_TRY_EACH) {
    outer = top(run);
    seek(input, f.rest, outer.end);
    // the component that the try-each is at: what the failed alternative has chosen is over with it
    alternative(run, f.alternatives, [outer.turns[outer.turn - 1]]);
  }
}

/** Where strict order is off, these are the points that all earlier commands must have reached (M37 §8.4.8.13). */
export function barrier(run: Run): void {
  run.sources = [];
  run.targets = [];
}
