// CBOR diagnostic notation (RFC 8949 §8, RFC 8610 §G for << >>) of an envelope or a trust file, with the names of its
// numbers as comments. Byte strings are opened where the format says that they hold CBOR, and nowhere else.

import { decodeItem, type Item, type Names, toHex } from "@firmseal/verifier/tools";
import { escaped, grouped } from "../text.js";
import { exactArgument, insideBytes, isNumbered, keyOf, PLACE_NAMES, type Place, valueNames, valuePlace } from "./places.js";

function comment(names: Names | undefined, key: number | undefined): string {
  const name = key === undefined ? undefined : names?.[key];
  return name === undefined ? "" : `/ ${name} / `;
}

class DiagWriter {
  constructor(
    readonly bytes: Uint8Array,
    readonly shownBytes: number,
  ) {}

  /** A value that is under `key` in `place`. */
  value(it: Item, place: Place, key: number | undefined, indent: string): string {
    const opened = insideBytes(place, key);
    if (opened && it.kind === "bytes")
      return it.value === 0 ? "h''" : `<< ${this.item(decodeItem(this.bytes, { at: it.body, n: it.value }), opened, indent)} >>`;
    const names = valueNames(place, key);
    return names ? this.noted(it, names, indent) : this.item(it, valuePlace(it, place, key), indent);
  }

  /** A number, and what it stands for. */
  noted(it: Item, names: Names, indent: string): string {
    return `${this.item(it, "plain", indent)} ${comment(names, keyOf(it))}`.trimEnd();
  }

  /** A payload is not written out: a comment (RFC 8610 §G.1) says how much is left out. */
  string({ body, value }: Item): string {
    if (value <= this.shownBytes) return `h'${toHex(this.bytes.subarray(body, body + value))}'`;
    return `h'${toHex(this.bytes.subarray(body, body + 32))}' / and ${grouped(value - 32)} bytes more /'`;
  }

  item(it: Item, place: Place, indent: string): string {
    const deeper = `${indent}  `;
    switch (it.kind) {
      case "unsigned":
      case "negative":
        return String(exactArgument(it));
      case "bytes":
        return this.string(it);
      case "text":
        return escaped(JSON.stringify(new TextDecoder().decode(this.bytes.subarray(it.body, it.end))));
      case "simple":
        return it.value === 20 ? "false" : it.value === 21 ? "true" : "null";
      case "tag":
        return `${exactArgument(it)}(${this.item(it.items[0] as Item, place, indent)})`;
      case "map":
        return bracketed("{", this.pairs(it, place, ": ", deeper), "}", indent);
      default:
        if (place === "sequence") return bracketed("[", this.pairs(it, place, ", ", deeper), "]", indent);
        return bracketed("[", this.elements(it, place, deeper), "]", indent);
    }
  }

  /** The keys and values of a map, or the codes and arguments of a sequence. */
  pairs({ items }: Item, place: Place, between: string, indent: string): string[] {
    const out: string[] = [];
    for (let i = 0; i + 1 < items.length; i += 2) {
      const [first, second] = [items[i] as Item, items[i + 1] as Item];
      const key = keyOf(first);
      out.push(
        `${comment(PLACE_NAMES[place], key)}${this.item(first, "plain", indent)}${between}${this.value(second, place, key, indent)}`,
      );
    }
    return out;
  }

  elements({ items }: Item, place: Place, indent: string): string[] {
    return items.map((it, i) => this.value(it, place, isNumbered(place) ? i : undefined, indent));
  }
}

function bracketed(open: string, parts: string[], close: string, indent: string): string {
  const flat = `${open}${parts.join(", ")}${close}`;
  if (parts.length === 0 || (flat.length + indent.length <= 100 && !flat.includes("\n"))) return flat;
  return `${open}\n${parts.map((p) => `${indent}  ${p}`).join(",\n")}\n${indent}${close}`;
}

/**
 * Returns the diagnostic notation of an envelope that decodeEnvelope() has checked, or of a trust file (`place`:
 * "trust") that was read. Byte strings of more than `shownBytes` bytes are shortened.
 */
export function diagnostic(bytes: Uint8Array, shownBytes: number, place: Place = "envelope"): string {
  return new DiagWriter(bytes, shownBytes).item(decodeItem(bytes), place, "");
}
