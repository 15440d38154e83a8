// CBOR as a plain tree of items with their offsets. For tools that show or take apart what nobody has verified: heads are read as strictly as
// by the verifier (shortest, definite lengths, UTF-8), and the order of map keys is the caller's to check.

import { refuse } from "../base/refuse.js";
import type { Bytes, Source } from "../base/types.js";
import { arg, begin, bstr, done, enter, head, here, high, input, low, MAX_DEPTH, type Slice, seek, stop, tstr } from "../cbor/reader.js";
import { CBOR_DEPTH, CBOR_TRUNCATED } from "../spec/errors.js";

export type ItemKind = "unsigned" | "negative" | "bytes" | "text" | "array" | "map" | "tag" | "simple";

/** One item of CBOR. */
export interface Item {
  readonly kind: ItemKind;
  /** Where it begins, where what follows its head begins, and where it ends: offsets in what was read. */
  readonly at: number;
  readonly body: number;
  readonly end: number;
  /**
   * The number of an unsigned, negative or simple item (20 false, 21 true, 22 null) or of a tag; else the bytes of a string, the items of an
   * array, the pairs of a map. Rounded from 2^53 on: `high` and `low`, the halves of the argument, are exact.
   */
  readonly value: number;
  readonly high: number;
  readonly low: number;
  /** Of an array its items, of a map its keys and values in turn, of a tag the one item behind it; else none. */
  readonly items: readonly Item[];
}

/** By major type (RFC 8949 §3.1). */
var KINDS: ItemKind[] = ["unsigned", "negative", "bytes", "text", "array", "map", "tag", "simple"];

/** Containers and tags that may be open at once: one item inside another takes this function once more. */
var MOST = 3 * MAX_DEPTH;

function read(depth: number): Item {
  var at = here,
    kind = KINDS[head()],
    body = here,
    value = arg,
    upper = high,
    lower = low,
    items: Item[] = [],
    n = kind === "array" ? value : kind === "map" ? 2 * value : kind === "tag" ? 1 : 0;
  if (kind === "bytes" || kind === "text") {
    seek(input, at, stop);
    if (kind === "text") tstr();
    else bstr();
  }
  if (n > 0 && depth >= MOST) refuse(CBOR_DEPTH);
  // every item takes a byte at least
  if (n > stop - here) refuse(CBOR_TRUNCATED);
  for (; n > 0; n--) items.push(read(depth + 1));
  return {
    kind: kind,
    at: at,
    body: body,
    end: here,
    value: kind === "negative" ? -1 - value : value,
    high: upper,
    low: lower,
    items: items,
  };
}

/**
 * Reads the one item of `bytes`, or of a stretch of it. Throws CBOR_… refusals; a hostile input costs one Item for each of its bytes, so bound
 * its length before.
 * @example decodeItem([0x82, 0x01, 0x41, 0xff]).items[1] // { kind: "bytes", at: 2, body: 3, end: 4, value: 1, … }
 */
export function decodeItem(bytes: Bytes | Source, stretch?: Slice): Item {
  var src = begin(bytes),
    out;
  if (stretch) enter(src, stretch);
  out = read(0);
  done();
  return out;
}
