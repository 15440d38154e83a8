// The commands of an envelope as a tree of plain values, read with the reader of the verifier. For inspect, and to find
// what a payload check must try.

import { grouped, tooMuch } from "@firmseal/keys/internal";
import { formatUuid } from "@firmseal/signer";
import {
  COMMAND_NAMES,
  COMMAND_ROWS,
  decodeItem,
  HASH_NAMES,
  type Input,
  type Item,
  PARAM_CLASS_IDENTIFIER,
  PARAM_COMPONENT_SLOT,
  PARAM_DEVICE_IDENTIFIER,
  PARAM_IMAGE_DIGEST,
  PARAM_IMAGE_SIZE,
  PARAM_SOFT_FAILURE,
  PARAM_SOURCE_COMPONENT,
  PARAM_STRICT_ORDER,
  PARAM_VENDOR_IDENTIFIER,
  PARAMETER_NAMES,
  readSlice,
  type Slice,
  toHex,
} from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";

/** A digest in text form. */
export interface DigestText {
  algorithm: string;
  hex: string;
}

/** The value of a parameter: text, number, boolean, or digest; bytes as { hex }; unknown values as { cbor }. */
export type ParameterValue = string | number | boolean | DigestText | { hex: string } | { cbor: string };

/** A command of a manifest, for people. Nothing in it is verified. */
export interface SequenceCommand {
  /** The number of the command, and its name in the specification. */
  code: number;
  name: string;
  /** The reporting policy, if the command has one. */
  policy?: number;
  /** For set-component-index: true, one index, or several. */
  index?: true | number[];
  parameters?: { code: number; name: string; value: ParameterValue; raw: Uint8Array }[];
  /** For try-each: its alternatives (null: no alternative has to match). For run-sequence: one sequence. */
  sequences?: (SequenceCommand[] | null)[];
}

const textDecoder = new TextDecoder();

/** Returns a digest with the name of its COSE hash algorithm, or its number if it has no name, and the bytes in hex. */
export function formatDigest(d: { alg: number; bytes: ArrayLike<number> }): DigestText {
  return { algorithm: HASH_NAMES[d.alg] ?? String(d.alg), hex: toHex(d.bytes) };
}

/**
 * Parameters whose values the verifier has checked: small numbers and booleans. Those of other drafts are shown as
 * encoded.
 */
const SHOWN_AS_NUMBERS: number[] = [PARAM_COMPONENT_SLOT, PARAM_STRICT_ORDER, PARAM_SOFT_FAILURE, PARAM_IMAGE_SIZE, PARAM_SOURCE_COMPONENT];

function toValue(bytes: Uint8Array, code: number, item: Item): ParameterValue {
  const content = bytes.subarray(item.body, item.end);
  if (item.kind === "text") return textDecoder.decode(content);
  if (item.kind === "bytes") {
    if (code === PARAM_IMAGE_DIGEST) {
      const [alg, digest] = bstrContent(bytes, item).items as [Item, Item];
      return formatDigest({ alg: alg.value, bytes: bytes.subarray(digest.body, digest.end) });
    }
    const isId = code === PARAM_VENDOR_IDENTIFIER || code === PARAM_CLASS_IDENTIFIER || code === PARAM_DEVICE_IDENTIFIER;
    return isId ? formatUuid(content) : { hex: toHex(content) };
  }
  if (item.kind !== "tag" && SHOWN_AS_NUMBERS.includes(code)) return item.kind === "simple" ? item.value === 21 : item.value;
  return { cbor: toHex(bytes.subarray(item.at, item.end)) };
}

/** The item inside a byte string. */
function bstrContent(bytes: Uint8Array, { body, value }: Item): Item {
  return decodeItem(bytes, { at: body, n: value });
}

function parameterSteps(bytes: Uint8Array, { items }: Item): NonNullable<SequenceCommand["parameters"]> {
  const out: NonNullable<SequenceCommand["parameters"]> = [];
  for (let i = 0; i < items.length; i += 2) {
    const [{ value: code }, item] = items.slice(i, i + 2) as [Item, Item];
    const value = toValue(bytes, code, item);
    out.push({ code, name: PARAMETER_NAMES[code] ?? String(code), value, raw: Uint8Array.from(bytes.subarray(item.at, item.end)) });
  }
  return out;
}

function index(item: Item): true | number[] {
  if (item.kind === "simple") return true;
  return item.kind === "array" ? item.items.map(({ value }) => value) : [item.value];
}

/** Number of commands that sequenceCommands() may still read. */
let commandsLeft = 0;

/** Adds to a step what follows its command. Adds nothing for a command that is not known. */
function readArgument(bytes: Uint8Array, item: Item, step: SequenceCommand): void {
  const sequenceIn = (one: Item) => (one.kind === "bytes" ? sequenceSteps(bytes, bstrContent(bytes, one)) : null);
  switch (COMMAND_ROWS[step.code]?.argument) {
    case "policy":
      step.policy = item.value;
      break;
    case "index":
      step.index = index(item);
      break;
    case "parameters":
      step.parameters = parameterSteps(bytes, item);
      break;
    case "sequence":
      step.sequences = [sequenceIn(item)];
      break;
    case "alternatives":
      step.sequences = item.items.map(sequenceIn);
      break;
  }
}

/** The steps of the sequence in an array of `bytes`. */
function sequenceSteps(bytes: Uint8Array, array: Item): SequenceCommand[] {
  commandsLeft -= array.value / 2;
  if (commandsLeft < 0)
    throw tooMuch(
      `the manifest has more than ${grouped(LIMITS.sectionCommands)} commands in one section`,
      "a device runs no more than 4,096: make the manifest shorter",
    );
  const out: SequenceCommand[] = [];
  for (let i = 0; i < array.items.length; i += 2) {
    const [{ value: code }, item] = array.items.slice(i, i + 2) as [Item, Item];
    const step: SequenceCommand = { code, name: COMMAND_NAMES[code] ?? String(code) };
    readArgument(bytes, item, step);
    out.push(step);
  }
  return out;
}

/**
 * Reads a command sequence that decodeEnvelope() or open() has checked. Throws a Failure if it is longer than any that
 * a device runs.
 */
export function sequenceCommands(of: Input, slice: Slice): SequenceCommand[] {
  commandsLeft = LIMITS.sectionCommands;
  const bytes = Uint8Array.from(readSlice(of, slice));
  return sequenceSteps(bytes, decodeItem(bytes));
}

/** All parameters that any of the commands sets, including nested commands. */
export function* allParameters(list: readonly SequenceCommand[]): Generator<NonNullable<SequenceCommand["parameters"]>[number]> {
  for (const step of list) {
    yield* step.parameters ?? [];
    for (const s of step.sequences ?? []) if (s) yield* allParameters(s);
  }
}
