// Which element of an envelope a byte belongs to, in any encoding, and in old drafts by the names of today.

import type { Item } from "@firmseal/verifier/tools";
import { escaped } from "../text.js";
import { type Draft, isMessage, numberNow, oldDraftOf, openedItem, untagged } from "./drafts.js";
import { type LooseItem, looseItemIn, MOST_LEVELS_SHOWN } from "./loose-item.js";
import { insideBytes, itemsPerElement, keyAt, PLACE_NAMES, type Place, POSITION_NAMES, valuePlace } from "./places.js";

/** An element of an envelope. */
export interface ElementAt {
  /** The names of what contains it, from the outside, and its own name. */
  path: string[];
  /** Where it begins, with its key, and ends. */
  at: number;
  end: number;
}

/** Characters of a text that is a key, such as a URI, that are shown. */
const SHOWN = 80;

/** The name of an element: that of its key or position, its key if that is a text, or the number itself. */
export function nameOf(envelope: Uint8Array, item: LooseItem, place: Place, i: number, draft: Draft | undefined): string {
  const key = keyAt(item, place, i);
  const [first, value] = item.items.slice(i, i + itemsPerElement(item, place)) as [LooseItem, LooseItem];
  const { kind, body, end } = first;
  if (place === "wrapper") return isMessage(openedItem(envelope, first)) ? "signature block" : "digest";
  if (itemsPerElement(item, place) === 1) return (key !== undefined && POSITION_NAMES[place]?.[key]) || String(i);
  if (kind === "text") return escaped(new TextDecoder().decode(envelope.subarray(body, Math.min(end, body + SHOWN))));
  if (key === undefined) return String(i / 2);
  const now = numberNow(draft, place, key, value);
  return PLACE_NAMES[place]?.[now] === undefined ? String(key) : `${PLACE_NAMES[place][now]}${now === key ? "" : ` (${key})`}`;
}

/** What a value contains: that of a byte string which holds CBOR, or of the value itself; and what that is. */
export function contentAt(
  envelope: Uint8Array,
  value: LooseItem,
  place: Place,
  key: number | undefined,
  draft: Draft | undefined,
): { item: LooseItem; place: Place } {
  // in old drafts, nothing precedes the signatures, and byte strings did not wrap all of them
  const inWrapper = place === "wrapper" ? openedItem(envelope, value) : undefined;
  if (inWrapper) return { item: inWrapper, place: isMessage(inWrapper) ? "block" : "digest" };
  const now = key === undefined ? undefined : numberNow(draft, place, key, value);
  // a payload in the message: the digest
  const holds = place === "block" && key === 2 && draft ? "digest" : insideBytes(place, now);
  const content = holds && value.kind === "bytes" ? openedItem(envelope, value) : undefined;
  if (holds && content && content !== value) return { item: content, place: holds };
  return { item: value, place: valuePlace(value, place, now) };
}

/** The element of a container that has the byte at `at`. */
function elementOf(item: LooseItem, place: Place, at: number): { i: number; begin: number; value: LooseItem } | undefined {
  const step = itemsPerElement(item, place);
  for (let i = 0; i + step <= item.items.length; i += step) {
    const [first, value] = [item.items[i], item.items[i + step - 1]] as [LooseItem, LooseItem];
    if (at >= first.at && at < value.end) return { i, begin: first.at, value };
  }
  return undefined;
}

const isContainer = ({ kind }: Pick<Item, "kind">) => kind === "map" || kind === "array";

/**
 * Finds the element that has a byte, for the offset of a refusal.
 *
 * @param envelope - The envelope.
 * @param at - The offset of the byte.
 * @returns The innermost element with this byte. undefined if the envelope is not well-formed CBOR, or ends before.
 * @example
 * ```ts
 * import { elementAt } from "@firmseal/behaviour";
 *
 * console.log(elementAt(envelope, 2)?.path.join(", "));
 * ```
 */
export function elementAt(envelope: Uint8Array, at: number): ElementAt | undefined {
  const outer = looseItemIn(envelope);
  if (!outer || at >= outer.end) return undefined;
  const draft = oldDraftOf(envelope, outer);
  let place: Place = "envelope";
  const found: ElementAt = { path: [place], at: outer.at, end: outer.end };
  let item = untagged(outer);
  while (item && found.path.length < MOST_LEVELS_SHOWN && isContainer(item)) {
    const element = elementOf(item, place, at);
    if (!element) break;
    const { i, begin, value } = element;
    found.path.push(nameOf(envelope, item, place, i, draft));
    found.at = begin;
    found.end = value.end;
    const key = keyAt(item, place, i);
    // a byte of the head of a string belongs to the string
    const isBefore = value.kind === "bytes" && at < value.body;
    const content: { item: LooseItem; place: Place } = isBefore ? { item: value, place } : contentAt(envelope, value, place, key, draft);
    place = content.place;
    item = untagged(content.item);
  }
  return found;
}
