// The commands of an envelope as a tree of plain values, read with the verifier's reader. For inspect, and to find what a payload check
// has to try.

import { grouped, tooMuch } from "@firmseal/keys";
import { formatUuid, toHex } from "@firmseal/signer";
import {
  ARRAY,
  array,
  BSTR,
  bool,
  bstr,
  enter,
  here,
  type Input,
  input,
  int,
  leave,
  map,
  open,
  peekType,
  SIMPLE,
  type Slice,
  simple,
  skip,
  TAG,
  TSTR,
  take,
  tstr,
  uint,
} from "@firmseal/verifier/cbor";
import { COMMANDS, HASHES, PARAMETERS } from "@firmseal/verifier/names";
import {
  DIR_COPY_PARAMS,
  DIR_OVERRIDE_MULTIPLE,
  DIR_OVERRIDE_PARAMETERS,
  DIR_RUN_SEQUENCE,
  DIR_SET_COMPONENT_INDEX,
  DIR_SET_PARAMETERS,
  DIR_TRY_EACH,
  PARAM_CLASS_IDENTIFIER,
  PARAM_COMPONENT_SLOT,
  PARAM_DEVICE_IDENTIFIER,
  PARAM_IMAGE_DIGEST,
  PARAM_IMAGE_SIZE,
  PARAM_SOFT_FAILURE,
  PARAM_SOURCE_COMPONENT,
  PARAM_STRICT_ORDER,
  PARAM_VENDOR_IDENTIFIER,
} from "@firmseal/verifier/spec";
import { LIMITS } from "../limits.js";

/** A digest in text form. */
export interface DigestText {
  algorithm: string;
  hex: string;
}

/** The value of a parameter: text, number, boolean, a digest; octets as { hex }; what is not known as { cbor }. */
export type Value = string | number | boolean | DigestText | { hex: string } | { cbor: string };

export interface Step {
  code: number;
  name: string;
  /** Reporting policy, where the command has one. */
  policy?: number;
  /** set-component-index: true, one index, or several. */
  index?: true | number[];
  parameters?: { code: number; name: string; value: Value; raw: Uint8Array }[];
  /** try-each: its alternatives (null: nothing has to fit); run-sequence: one. */
  sequences?: (Step[] | null)[];
}

const utf8 = new TextDecoder();

function octets(s: Slice): Uint8Array {
  return Uint8Array.from(take(input, s.at, s.n));
}

function text(): string {
  return utf8.decode(octets(tstr()));
}

export function digestText(d: { alg: number; bytes: ArrayLike<number> }): DigestText {
  return { algorithm: HASHES[d.alg] ?? String(d.alg), hex: toHex(d.bytes) };
}

/** Parameters whose values the verifier has looked at: small numbers and booleans. Those of other drafts are shown as they are. */
const SHOWN_AS_NUMBERS: number[] = [PARAM_COMPONENT_SLOT, PARAM_STRICT_ORDER, PARAM_SOFT_FAILURE, PARAM_IMAGE_SIZE, PARAM_SOURCE_COMPONENT];

function toValue(code: number): Value {
  const start = here;
  const type = peekType();
  if (type === TSTR) return text();
  if (type === BSTR) {
    if (code === PARAM_IMAGE_DIGEST) {
      const outer = open();
      array();
      const alg = int();
      const bytes = octets(bstr());
      leave(outer);
      return digestText({ alg, bytes });
    }
    const bytes = octets(bstr());
    const isId = code === PARAM_VENDOR_IDENTIFIER || code === PARAM_CLASS_IDENTIFIER || code === PARAM_DEVICE_IDENTIFIER;
    return isId ? formatUuid(bytes) : { hex: toHex(bytes) };
  }
  if (type !== TAG && SHOWN_AS_NUMBERS.includes(code)) return type === SIMPLE ? bool() : int();
  skip();
  return { cbor: toHex(octets({ at: start, n: here - start })) };
}

function parameters(): NonNullable<Step["parameters"]> {
  const out: NonNullable<Step["parameters"]> = [];
  for (let n = map(); n > 0; n--) {
    const code = int();
    const at = here;
    const value = toValue(code);
    out.push({ code, name: PARAMETERS[code] ?? String(code), value, raw: octets({ at, n: here - at }) });
  }
  return out;
}

function index(): true | number[] {
  const type = peekType();
  if (type === SIMPLE) {
    simple();
    return true;
  }
  if (type !== ARRAY) return [uint()];
  const out: number[] = [];
  for (let n = array(); n > 0; n--) out.push(uint());
  return out;
}

/** Commands that steps() may still read. */
let left = 0;

/** The sequence that `slice` of the input holds; the cursor then stands behind it. */
function sequence(slice: Slice): Step[] {
  const outer = enter(input, slice);
  const out: Step[] = [];
  for (let n = array() / 2; n > 0; n--) {
    if (left-- === 0)
      throw tooMuch(
        `the manifest has more than ${grouped(LIMITS.sectionCommands)} commands in one section`,
        "a device runs no more than 4,096: make the manifest shorter",
      );
    const code = int();
    const step: Step = { code, name: COMMANDS[code] ?? String(code) };
    if (code === DIR_SET_COMPONENT_INDEX) step.index = index();
    else if (code === DIR_OVERRIDE_PARAMETERS || code === DIR_SET_PARAMETERS) step.parameters = parameters();
    else if (code === DIR_RUN_SEQUENCE) step.sequences = [sequence(bstr())];
    else if (code === DIR_TRY_EACH) {
      step.sequences = [];
      for (let m = array(); m > 0; m--) {
        if (peekType() === BSTR) step.sequences.push(sequence(bstr()));
        else {
          simple();
          step.sequences.push(null);
        }
      }
    } else if (code === DIR_OVERRIDE_MULTIPLE || code === DIR_COPY_PARAMS) skip();
    else step.policy = uint();
    out.push(step);
  }
  leave(outer);
  return out;
}

/** Reads a command sequence that peek() or open() has looked at. Throws a Failure where it is longer than any that a device runs. */
export function steps(of: Input, slice: Slice): Step[] {
  left = LIMITS.sectionCommands;
  enter(of, of);
  return sequence(slice);
}

/** Every parameter that any of the commands sets, nested ones included. */
export function* allParameters(list: readonly Step[]): Generator<NonNullable<Step["parameters"]>[number]> {
  for (const step of list) {
    yield* step.parameters ?? [];
    for (const s of step.sequences ?? []) if (s) yield* allParameters(s);
  }
}
