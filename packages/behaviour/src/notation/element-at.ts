// Which element of an envelope a byte belongs to.

import { decodeItem, type Item } from "@firmseal/verifier/tools";
import { escaped } from "../text.js";
import { insideBytes, itemsPerElement, keyAt, PLACE_NAMES, type Place, POSITION_NAMES, valuePlace } from "./places.js";

/** An element of an envelope. */
export interface ElementAt {
  /** The names of what contains it, from the outside, and its own name. */
  path: string[];
  /** Where it begins, with its key, and ends. */
  at: number;
  end: number;
}

/** Levels that are opened. CBOR can nest thousands of them, and no release has more. */
const DEEPEST = 64;
/** Characters of a text that is a key, such as a URI, that are shown. */
const SHOWN = 80;

/** The content of a byte string. Undefined if it is not CBOR. */
function inside(bytes: Uint8Array, item: Item): Item | undefined {
  try {
    return decodeItem(bytes, { at: item.body, n: item.value });
  } catch {
    return undefined;
  }
}

/** The name of an element: that of its key or position, its key if that is a text, or the number itself. */
function nameOf(envelope: Uint8Array, item: Item, place: Place, i: number): string {
  const key = keyAt(item, place, i);
  const { kind, body, end } = item.items[i] as Item;
  if (itemsPerElement(item, place) === 2 && kind === "text")
    return escaped(new TextDecoder().decode(envelope.subarray(body, Math.min(end, body + SHOWN))));
  const names = itemsPerElement(item, place) === 2 ? PLACE_NAMES[place] : POSITION_NAMES[place];
  return (key !== undefined && names?.[key]) || String(key ?? i);
}

/** The element of a container that has the byte at `at`. */
function elementOf(item: Item, place: Place, at: number): { i: number; begin: number; value: Item } | undefined {
  const step = itemsPerElement(item, place);
  for (let i = 0; i + step <= item.items.length; i += step) {
    const [first, value] = [item.items[i] as Item, item.items[i + step - 1] as Item];
    if (at >= first.at && at < value.end) return { i, begin: first.at, value };
  }
  return undefined;
}

/**
 * Returns the innermost element of `envelope` that has the byte at the offset `at`. Undefined if the envelope is not
 * CBOR, or ends before.
 */
export function elementAt(envelope: Uint8Array, at: number): ElementAt | undefined {
  let item = inside(envelope, { body: 0, value: envelope.length } as Item);
  if (!item || at >= item.end) return undefined;
  let place: Place = "envelope";
  const found: ElementAt = { path: [place], at: item.at, end: item.end };
  while (item.kind === "tag") item = item.items[0] as Item;
  while (found.path.length < DEEPEST && (item.kind === "map" || item.kind === "array")) {
    const element = elementOf(item, place, at);
    if (!element) break;
    const { i, begin, value } = element;
    const key = keyAt(item, place, i);
    found.path.push(nameOf(envelope, item, place, i));
    found.at = begin;
    found.end = value.end;
    const opened: Place | undefined = value.kind === "bytes" && at >= value.body ? insideBytes(place, key) : undefined;
    const content: Item | undefined = opened && inside(envelope, value);
    place = (content && opened) || valuePlace(value, place, key);
    item = content ?? value;
    while (item.kind === "tag") item = item.items[0] as Item;
  }
  return found;
}
