// CBOR as a tree of items with their offsets. For tools that show or split unverified data. Heads are read as strictly
// as by the verifier (shortest form, definite lengths, UTF-8); the caller checks the order of map keys.

import { mark, refuse } from "../base/refuse.js";
import type { Bytes, Source } from "../base/types.js";
import {
  ARRAY,
  arg,
  BSTR,
  bstr,
  checkEnd,
  copySlice,
  enter,
  head,
  here,
  high,
  type Input,
  input,
  low,
  MAP,
  major,
  type Slice,
  seek,
  startReading,
  stop,
  TAG,
  TSTR,
  tstr,
} from "../cbor/reader.js";
import { CBOR_TRUNCATED } from "../spec/errors.generated.js";

export type { Input, Slice };

/** The kind of a CBOR item: its major type (RFC 8949 §3.1). */
export type ItemKind = "unsigned" | "negative" | "bytes" | "text" | "array" | "map" | "tag" | "simple";

/** The head of a CBOR item. */
export interface Head {
  readonly kind: ItemKind;
  /** The offset of the item, and the offset of what follows its head. */
  readonly at: number;
  readonly body: number;
  /**
   * The value of an unsigned, negative or simple item (20 false, 21 true, 22 null) or of a tag; otherwise the number of
   * bytes of a string, items of an array or pairs of a map. Rounded from 2^53 on; `high` and `low`, the halves of the
   * argument, are exact.
   */
  readonly value: number;
  readonly high: number;
  readonly low: number;
}

/** A CBOR item. */
export interface Item extends Head {
  /** The offset of its end. */
  readonly end: number;
  /** The items of an array, the alternating keys and values of a map, or the one item of a tag; otherwise empty. */
  readonly items: readonly Item[];
}

/** The kinds of items by major type (RFC 8949 §3.1). */
var ITEM_KINDS: ItemKind[] = ["unsigned", "negative", "bytes", "text", "array", "map", "tag", "simple"];

/**
 * Skips the item whose head was read last, with all that it contains. Neither allocates nor recurses, however many
 * items there are and however deeply they nest.
 */
function pass(): void {
  var left = 0,
    at;
  for (;;) {
    if (major === BSTR || major === TSTR) {
      at = mark;
      seek(input, at, stop);
      if (major === TSTR) tstr();
      else bstr();
    } else if (major === ARRAY) left += arg;
    else if (major === MAP) left += 2 * arg;
    else if (major === TAG) left++;
    // every item takes at least one byte
    if (left > stop - here) refuse(CBOR_TRUNCATED);
    if (!left--) return;
    head();
  }
}

/** The `n` items of a container that starts at `body`. */
function itemsInside(source: Bytes | Source, n: number, body: number, end: number): Item[] {
  var out: Item[] = [];
  startReading(source);
  seek(input, body, end);
  for (; n > 0; n--) out.push(next(source));
  return out;
}

function nextHead(): Head {
  var at = here,
    kind = ITEM_KINDS[head()];
  return { kind: kind, at: at, body: here, value: kind === "negative" ? -1 - arg : arg, high: high, low: low };
}

function next(source: Bytes | Source): Item {
  var item = nextHead() as Item,
    kind = item.kind,
    held: Item[] | undefined;
  pass();
  (item as { end: number }).end = here;
  Object.defineProperty(item, "items", {
    enumerable: true,
    get: function () {
      if (!held)
        held = itemsInside(
          source,
          kind === "array" ? item.value : kind === "map" ? 2 * item.value : kind === "tag" ? 1 : 0,
          item.body,
          item.end,
        );
      return held;
    },
  });
  return item;
}

/**
 * Reads the only item of `bytes`, or of a range of it. Checks its content at once, but creates the inner items when
 * `items` is read: `value` shows before how many there are.
 *
 * @param bytes - The bytes.
 * @param stretch - A range of them. Default: all.
 * @returns The item.
 * @throws CBOR_… refusals.
 * @example
 * ```ts
 * import { decodeItem } from "@firmseal/verifier/tools";
 *
 * decodeItem([0x82, 0x01, 0x41, 0xff]).items[1]; // { kind: "bytes", at: 2, body: 3, end: 4, value: 1, … }
 * ```
 */
export function decodeItem(bytes: Bytes | Source, stretch?: Slice): Item {
  var src = startReading(bytes),
    out;
  if (stretch) enter(src, stretch);
  out = next(bytes);
  checkEnd();
  return out;
}

/**
 * Reads only the head of an item. Does not check what follows it.
 *
 * @param bytes - The bytes.
 * @param at - The offset of the item.
 * @returns The head.
 * @throws CBOR_… refusals.
 */
export function readHead(bytes: Bytes | Source, at: number): Head {
  var src = startReading(bytes);
  seek(src, at, src.n);
  return nextHead();
}

/**
 * Reads an item. Other bytes may follow it.
 *
 * @param bytes - The bytes.
 * @param at - The offset of the item.
 * @returns The item.
 * @throws CBOR_… refusals.
 */
export function readItem(bytes: Bytes | Source, at: number): Item {
  var src = startReading(bytes);
  seek(src, at, src.n);
  return next(bytes);
}

/**
 * Takes a range of the input from which a manifest or an envelope was read.
 *
 * @param of - What was read.
 * @param slice - The range.
 * @returns The bytes.
 */
export function readSlice(of: Input, slice: Slice): Bytes {
  return copySlice(of, slice);
}
