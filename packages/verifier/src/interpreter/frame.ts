// The state of a run (M37 §6). Nested sequences are a stack of frames, so that the stack of the engine does not grow.

import { equalConstantTime } from "../base/bytes.js";
import { HAS_FAMILIES, HAS_TRUST } from "../base/features.js";
import { markAt, refuse } from "../base/refuse.js";
import type { Anchor, Bytes } from "../base/types.js";
import { array, bstr, enter, here, input, MAX_DEPTH, peekType, SIMPLE, type Slice, seek, stop } from "../cbor/reader.js";
import { complete } from "../cose/verify.js";
import type { Digest } from "../hash/digest.js";
import type { Manifest } from "../manifest/manifest.js";
import type { UnverifiedManifest } from "../manifest/parse.js";
import { CBOR_DEPTH, COMMAND_ARGUMENT, TRY_EACH_EXHAUSTED } from "../spec/errors.generated.js";
import { COND_CLASS_IDENTIFIER, COND_DEVICE_IDENTIFIER, COND_VENDOR_IDENTIFIER, DIR_RUN_SEQUENCE, DIR_TRY_EACH } from "../spec/suit.js";

/**
 * The identity of the device. 16-byte UUIDs; a vendor may also be a private enterprise number, #6.112(bstr) in CBOR.
 */
export interface Identity {
  vendor: Bytes[];
  class: Bytes[];
  device?: Bytes[];
}

/**
 * A command that the device must execute: `op` is its number in the specification, `component` the index in
 * `manifest.components`. `digest` and `size` are present if the parameter is set. Other members by command: `content`
 * (write, check-content), `uri` and `args` (fetch), `args` (invoke), `source` (copy, swap: a component index), `slot`
 * (component-slot).
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
  /** For swap: the parameters of the source, which gets the content of `component`. */
  sourceDigest?: Digest | undefined;
  sourceSize?: number | undefined;
}

export interface Frame {
  /** The rest of the sequence: its offset, and the number of items (codes and arguments) left. */
  at: number;
  end: number;
  left: number;
  /** The command that nested it: DIR_TRY_EACH, DIR_RUN_SEQUENCE, or 0 for a section. */
  kind: number;
  soft: boolean;
  index: number[] | null;
  /**
   * The current command, the offset of its argument, and the components to execute it for (`turns`; `turn` counts those
   * that are done).
   */
  command: number;
  arg: number;
  turn: number;
  turns: number[];
  /** Remaining alternatives of the try-each, and their offset. */
  alternatives: number;
  rest: number;
  /** Number of checked identifiers when it began. */
  known: number;
  /** When checking only: remaining alternatives; `alternatives` is then their total number. */
  each: number;
}

/** An identifier of a vendor, class or device that matched, and the command that checked it. */
interface Checked {
  command: number;
  id: Bytes;
}

/**
 * What a run needs of a manifest. When commands are only checked, the manifest is not verified yet and no key is
 * trusted.
 */
export type Subject = Pick<Manifest, "input" | "components" | "shared" | "commands" | "absent" | "believed" | "threshold" | "families">;

/** The state of one run: sections in order, with one set of parameters, which start() clears. */
export interface Run {
  subject: Subject;
  identity: Identity;
  sections: number[];
  /** Number of sequences begun. Each section has two: the shared sequence, if any, and the section itself. */
  begun: number;
  frames: Frame[];
  /** For each component: the offsets of the parameter values. */
  parameters: { [name: number]: number }[];
  strict: boolean;
  sources: number[];
  targets: number[];
  commands: number;
  effect: Effect | null;
  broken: boolean;
  /** Identifiers that were checked successfully, with the command. Excludes those of a branch that failed later. */
  checked: Checked[];
  /**
   * When commands are checked and not run: what they contain, and whether this is the shared sequence, or a section of
   * the start.
   */
  looked: UnverifiedManifest | null;
  shared: boolean;
  starts: boolean;
}

/** Whether the command `code` has checked the identifier, or any identifier if `id` is absent. */
function wasChecked(run: Run, code: number, id?: Bytes): boolean {
  var all = run.checked,
    i;
  for (i = 0; i < all.length; i++) if (all[i].command === code && (!HAS_TRUST || !id || equalConstantTime(all[i].id, id))) return true;
  return false;
}

/**
 * Tells whether a run has checked that the release is for the vendor and the class of this device, and whether enough
 * signers are trusted for them: a key that is restricted to one vendor or class counts only if the manifest has checked
 * exactly that one. Devices and tools share this rule.
 *
 * @param run - The run.
 * @returns true if it has.
 */
export function identityChecked(run: Run): boolean {
  var m = run.subject,
    n = 0,
    who: Anchor[] = [],
    i,
    a;
  if (!wasChecked(run, COND_VENDOR_IDENTIFIER) || !wasChecked(run, COND_CLASS_IDENTIFIER)) return false;
  if (!HAS_TRUST) return true;
  for (i = 0; i < m.believed.length; i++) {
    a = m.believed[i];
    if (
      wasChecked(run, COND_VENDOR_IDENTIFIER, a.vendor) &&
      wasChecked(run, COND_CLASS_IDENTIFIER, a.class) &&
      (!a.single || wasChecked(run, COND_DEVICE_IDENTIFIER))
    ) {
      n++;
      if (HAS_FAMILIES) who.push(a);
    }
  }
  return n >= m.threshold && (!HAS_FAMILIES || complete(who, null, m.families));
}

/** The current sequence. */
export function top(run: Run): Frame {
  return run.frames[run.frames.length - 1];
}

/** Begins a sequence: pushes a frame. The cursor is then after `slice`. */
export function frame(run: Run, slice: Slice, kind: number, index: number[] | null): Frame {
  var outer = enter(input, slice),
    n = array(),
    // fields that are absent are set before they are read, or count as 0: each field costs RAM on a small engine
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

/** Begins the next of `n` alternatives of a try-each, at the cursor. Refuses if none is left. */
export function alternative(run: Run, n: number, index: number[] | null): void {
  var f;
  if (n === 0) refuse(TRY_EACH_EXHAUSTED);
  // a final nil: no alternative has to match
  if (peekType() === SIMPLE) return;
  f = frame(run, bstr(), DIR_TRY_EACH, index);
  f.alternatives = n - 1;
  f.rest = here;
}

/**
 * Handles a failed condition. With soft-failure, a try-each continues with its next alternative, and a run-sequence
 * ends. Otherwise a run-sequence passes the failure to the surrounding sequence, and everything else ends the run (M37
 * §8.4.8.14).
 */
export function failRun(run: Run, code: number): void {
  var f = run.frames.pop() as Frame,
    outer;
  markAt(f.arg);
  while (f.kind === DIR_RUN_SEQUENCE && !f.soft) f = run.frames.pop() as Frame;
  if (!f.soft) refuse(code);
  // discard the identifiers that the failed branch has checked
  while (run.checked.length > f.known) run.checked.pop();
  if (f.kind === DIR_TRY_EACH) {
    outer = top(run);
    seek(input, f.rest, outer.end);
    // restore the component of the try-each: the choice of the failed alternative is discarded
    alternative(run, f.alternatives, [outer.turns[outer.turn - 1]]);
  }
}

/** Without strict order, all earlier commands must be complete at these points (M37 §8.4.8.13). */
export function barrier(run: Run): void {
  run.sources = [];
  run.targets = [];
}
