// CBOR diagnostic notation (RFC 8949 §8, RFC 8610 §G for << >>) of an envelope or a trust file, with the names of its
// numbers as comments. Byte strings are opened where the format says that they hold CBOR, and nowhere else.

import { decodeItem, type Item, type Names, type Slice, toHex } from "@firmseal/verifier/tools";
import { escaped, grouped } from "../text.js";
import { type LooseItem, looseItem, looseItemIn, MOST_LEVELS_SHOWN } from "./loose-item.js";
import { exactArgument, insideBytes, isNumbered, keyOf, PLACE_NAMES, type Place, valueNames, valuePlace } from "./places.js";

function comment(names: Names | undefined, key: number | undefined): string {
  const name = key === undefined ? undefined : names?.[key];
  return name === undefined ? "" : `/ ${name} / `;
}

/** A payload is not written out: a comment (RFC 8610 §G.1) says how much is left out. */
function stringText(bytes: Uint8Array, at: number, n: number, shownBytes: number): string {
  if (n <= shownBytes) return `h'${toHex(bytes.subarray(at, at + n))}'`;
  return `h'${toHex(bytes.subarray(at, at + 32))}' / and ${grouped(n - 32)} bytes more /'`;
}

function simpleText({ value, float }: Pick<LooseItem, "value" | "float">): string {
  if (Object.is(float, -0)) return "-0.0";
  if (float !== undefined) return /^-?\d+$/.test(String(float)) ? `${float}.0` : String(float);
  return { 20: "false", 21: "true", 22: "null", 23: "undefined" }[value] ?? `simple(${value})`;
}

/**
 * Returns the notation of an item that contains no others. Undefined for an array, a map or a tag. A byte string of
 * more than `shownBytes` bytes is shortened.
 */
export function scalarText(bytes: Uint8Array, it: Item | LooseItem, shownBytes: number): string | undefined {
  const isString = it.kind === "bytes" || it.kind === "text";
  if (isString && it.items.length > 0) return `(_ ${it.items.map((part) => scalarText(bytes, part, shownBytes)).join(", ")})`;
  switch (it.kind) {
    case "unsigned":
    case "negative":
      return String(exactArgument(it));
    case "bytes":
      return stringText(bytes, it.body, Math.max(it.value, 0), shownBytes);
    case "text":
      return escaped(JSON.stringify(new TextDecoder().decode(bytes.subarray(it.body, it.value < 0 ? it.body : it.end))));
    case "simple":
      return simpleText(it);
    default:
      return undefined;
  }
}

/** Byte strings in byte strings are opened up to this indent. */
const DEEPEST_INDENT = 2 * MOST_LEVELS_SHOWN;

/** Reads the item of a range, or of all bytes. Undefined: they are shown as bytes. */
type ReadItem = (bytes: Uint8Array, stretch?: Slice) => Item | LooseItem | undefined;

class DiagWriter {
  constructor(
    readonly bytes: Uint8Array,
    readonly shownBytes: number,
    readonly read: ReadItem,
  ) {}

  /** A value that is under `key` in `place`. */
  value(it: Item | LooseItem, place: Place, key: number | undefined, indent: string): string {
    const isOpened = it.kind === "bytes" && it.items.length === 0 && indent.length < DEEPEST_INDENT;
    const opened = isOpened ? insideBytes(place, key) : undefined;
    if (opened && it.value === 0) return "h''";
    const inside = opened && this.read(this.bytes, { at: it.body, n: it.value });
    if (opened && inside) return `<< ${this.item(inside, opened, indent)} >>`;
    const names = valueNames(place, key);
    return names ? this.noted(it, names, indent) : this.item(it, valuePlace(it, place, key), indent);
  }

  /** A number, and what it stands for. */
  noted(it: Item | LooseItem, names: Names, indent: string): string {
    return `${this.item(it, "plain", indent)} ${comment(names, keyOf(it))}`.trimEnd();
  }

  item(it: Item | LooseItem, place: Place, indent: string): string {
    const deeper = `${indent}  `;
    const scalar = scalarText(this.bytes, it, this.shownBytes);
    if (scalar !== undefined) return scalar;
    const more = "isCut" in it && it.isCut ? ["/ and more /"] : [];
    switch (it.kind) {
      case "tag":
        return `${exactArgument(it)}(${it.items[0] ? this.item(it.items[0], place, indent) : more.join()})`;
      case "map":
        return bracketed("{", [...this.pairs(it, place, ": ", deeper), ...more], "}", indent);
      default:
        if (place === "sequence") return bracketed("[", [...this.pairs(it, place, ", ", deeper), ...more], "]", indent);
        return bracketed("[", [...this.elements(it, place, deeper), ...more], "]", indent);
    }
  }

  /** The keys and values of a map, or the codes and arguments of a sequence. */
  pairs({ items }: Item | LooseItem, place: Place, between: string, indent: string): string[] {
    const out: string[] = [];
    for (let i = 0; i + 1 < items.length; i += 2) {
      const [first, second] = items.slice(i, i + 2) as [Item | LooseItem, Item | LooseItem];
      const key = keyOf(first);
      out.push(
        `${comment(PLACE_NAMES[place], key)}${this.item(first, "plain", indent)}${between}${this.value(second, place, key, indent)}`,
      );
    }
    return out;
  }

  elements({ items }: Item | LooseItem, place: Place, indent: string): string[] {
    return items.map((it, i) => this.value(it, place, isNumbered(place) ? i : undefined, indent));
  }
}

function bracketed(open: string, parts: string[], close: string, indent: string): string {
  const flat = `${open}${parts.join(", ")}${close}`;
  if (parts.length === 0 || (flat.length + indent.length <= 100 && !flat.includes("\n"))) return flat;
  return `${open}\n${parts.map((p) => `${indent}  ${p}`).join(",\n")}\n${indent}${close}`;
}

/**
 * Formats an envelope or a trust file in diagnostic notation (RFC 8949 §8). Byte strings of more than `shownBytes`
 * bytes are shortened.
 *
 * @param bytes - An envelope that decodeEnvelope() has checked, or a trust file that was read.
 * @param shownBytes - Bytes of a byte string that are shown.
 * @param place - "trust" for a trust file. Default: an envelope.
 * @returns The text, in lines.
 * @example
 * ```ts
 * import { diagnostic } from "@firmseal/behaviour";
 *
 * console.log(diagnostic(envelope, 32));
 * ```
 */
export function diagnostic(bytes: Uint8Array, shownBytes: number, place: Place = "envelope"): string {
  return new DiagWriter(bytes, shownBytes, decodeItem).item(decodeItem(bytes), place, "");
}

/**
 * Formats any well-formed CBOR like diagnostic().
 *
 * @param bytes - One item.
 * @param shownBytes - Bytes of a byte string that are shown.
 * @returns The text, in lines.
 * @throws NotWellFormed.
 */
export function looseDiagnostic(bytes: Uint8Array, shownBytes: number): string {
  return new DiagWriter(bytes, shownBytes, looseItemIn).item(looseItem(bytes), "envelope", "");
}
