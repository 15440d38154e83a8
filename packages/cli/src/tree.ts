// The commands of an envelope as a tree of plain values, read with the verifier's reader. For inspect, and to find what a payload check
// has to try.

import { formatUuid, toHex } from "@firmseal/signer";
import {
  ARRAY,
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
  simple,
  skip,
  sub,
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

function octets(r: Reader, s: Slice): Uint8Array {
  return Uint8Array.from(take(r, s.at, s.n));
}

export function text(r: Reader): string {
  return utf8.decode(octets(r, tstr(r)));
}

export function digestText(d: { alg: number; bytes: ArrayLike<number> }): DigestText {
  return { algorithm: HASHES[d.alg] ?? String(d.alg), hex: toHex(d.bytes) };
}

/** Parameters whose values the verifier has looked at: small numbers and booleans. Those of other drafts are shown as they are. */
const SHOWN_AS_NUMBERS: number[] = [PARAM_COMPONENT_SLOT, PARAM_STRICT_ORDER, PARAM_SOFT_FAILURE, PARAM_IMAGE_SIZE, PARAM_SOURCE_COMPONENT];

function toValue(code: number, r: Reader): Value {
  const start = r.at;
  const type = peekType(r);
  if (type === TAG) {
    skip(r);
    return { cbor: toHex(take(r, start, r.at - start)) };
  }
  if (type === TSTR) return text(r);
  if (type === BSTR) {
    const s = bstr(r);
    if (code === PARAM_IMAGE_DIGEST) {
      const inner = sub(r, s);
      array(inner);
      const alg = int(inner);
      return digestText({ alg, bytes: octets(inner, bstr(inner)) });
    }
    const bytes = octets(r, s);
    const isId = code === PARAM_VENDOR_IDENTIFIER || code === PARAM_CLASS_IDENTIFIER || code === PARAM_DEVICE_IDENTIFIER;
    return isId ? formatUuid(bytes) : { hex: toHex(bytes) };
  }
  if (SHOWN_AS_NUMBERS.includes(code)) return type === SIMPLE ? bool(r) : int(r);
  skip(r);
  return { cbor: toHex(take(r, start, r.at - start)) };
}

function parameters(r: Reader): NonNullable<Step["parameters"]> {
  const out: NonNullable<Step["parameters"]> = [];
  for (let n = map(r); n > 0; n--) {
    const code = int(r);
    const at = r.at;
    const value = toValue(code, r);
    out.push({ code, name: PARAMETERS[code] ?? String(code), value, raw: octets(r, { at, n: r.at - at }) });
  }
  return out;
}

function index(r: Reader): true | number[] {
  const type = peekType(r);
  if (type === SIMPLE) {
    simple(r);
    return true;
  }
  if (type !== ARRAY) return [uint(r)];
  const out: number[] = [];
  for (let n = array(r); n > 0; n--) out.push(uint(r));
  return out;
}

/** Reads a command sequence that peek() or open() has looked at. */
export function steps(r0: Reader, slice: Slice): Step[] {
  const r = sub(r0, slice);
  const out: Step[] = [];
  for (let n = array(r) / 2; n > 0; n--) {
    const code = int(r);
    const step: Step = { code, name: COMMANDS[code] ?? String(code) };
    if (code === DIR_SET_COMPONENT_INDEX) step.index = index(r);
    else if (code === DIR_OVERRIDE_PARAMETERS || code === DIR_SET_PARAMETERS) step.parameters = parameters(r);
    else if (code === DIR_RUN_SEQUENCE) step.sequences = [steps(r, bstr(r))];
    else if (code === DIR_TRY_EACH) {
      step.sequences = [];
      for (let m = array(r); m > 0; m--) {
        if (peekType(r) === BSTR) step.sequences.push(steps(r, bstr(r)));
        else {
          simple(r);
          step.sequences.push(null);
        }
      }
    } else if (code === DIR_OVERRIDE_MULTIPLE || code === DIR_COPY_PARAMS) skip(r);
    else step.policy = uint(r);
    out.push(step);
  }
  return out;
}

/** Every parameter that any of the commands sets, nested ones included. */
export function* allParameters(list: readonly Step[]): Generator<NonNullable<Step["parameters"]>[number]> {
  for (const step of list) {
    yield* step.parameters ?? [];
    for (const s of step.sequences ?? []) if (s) yield* allParameters(s);
  }
}
