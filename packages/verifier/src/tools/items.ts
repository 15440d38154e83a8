// CBOR as a plain tree of items with their offsets. For tools that show or take apart what nobody has verified: heads are read as strictly as
// by the verifier (shortest, definite lengths, UTF-8), and the order of map keys is the caller's to check.

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
import { CBOR_TRUNCATED } from "../spec/errors.js";

export type { Input, Slice };

export type ItemKind = "unsigned" | "negative" | "bytes" | "text" | "array" | "map" | "tag" | "simple";

/** The head of an item of CBOR. */
export interface Head {
  readonly kind: ItemKind;
  /** Where the item begins, and where what follows its head begins: offsets in what was read. */
  readonly at: number;
  readonly body: number;
  /**
   * The number of an unsigned, negative or simple item (20 false, 21 true, 22 null) or of a tag; else the bytes of a string, the items of an
   * array, the pairs of a map. Rounded from 2^53 on: `high` and `low`, the halves of the argument, are exact.
   */
  readonly value: number;
  readonly high: number;
  readonly low: number;
}

/** One item of CBOR. */
export interface Item extends Head {
  /** Where it ends. */
  readonly end: number;
  /** Of an array its items, of a map its keys and values in turn, of a tag the one item behind it; else none. */
  readonly items: readonly Item[];
}

/** By major type (RFC 8949 §3.1). */
var ITEM_KINDS: ItemKind[] = ["unsigned", "negative", "bytes", "text", "array", "map", "tag", "simple"];

/**
 * Passes over the item whose head was read last, and all that it holds: nothing is allocated, however many items there are, and nothing
 * is called again, however deep they lie.
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
    // every item takes a byte at least
    if (left > stop - here) refuse(CBOR_TRUNCATED);
    if (!left--) return;
    head();
  }
}

/** The items of a container that is read from `body` on: `n` of them. */
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
 * Reads the one item of `bytes`, or of a stretch of it. What it holds is checked at once, and made into items when `items` is asked for: whoever
 * looks at `value` before knows how many there are. Throws CBOR_… refusals.
 * @example decodeItem([0x82, 0x01, 0x41, 0xff]).items[1] // { kind: "bytes", at: 2, body: 3, end: 4, value: 1, … }
 */
export function decodeItem(bytes: Bytes | Source, stretch?: Slice): Item {
  var src = startReading(bytes),
    out;
  if (stretch) enter(src, stretch);
  out = next(bytes);
  checkEnd();
  return out;
}

/** Only the head of the item that begins at `at`. What follows it has not been looked at. */
export function readHead(bytes: Bytes | Source, at: number): Head {
  var src = startReading(bytes);
  seek(src, at, src.n);
  return nextHead();
}

/** The item that begins at `at`, whatever follows it. */
export function readItem(bytes: Bytes | Source, at: number): Item {
  var src = startReading(bytes);
  seek(src, at, src.n);
  return next(bytes);
}

/** The bytes of a stretch of what a manifest or an envelope was read from. */
export function readSlice(of: Input, slice: Slice): Bytes {
  return copySlice(of, slice);
}
