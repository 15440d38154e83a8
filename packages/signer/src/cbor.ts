// Deterministic encoding of CBOR (RFC 8949 §4.2.1). It only writes: the one reader is the verifier's.

import { compareBytes } from "./bytes.js";

/** A CBOR tag around a value. */
export class Tagged {
  constructor(
    readonly tag: number,
    readonly value: Encodable,
  ) {}
}

/**
 * The types that encodeCbor() accepts. Numbers must be integers; maps are Map objects, whose keys encodeCbor() sorts.
 */
export type Encodable = number | bigint | string | boolean | null | Uint8Array | readonly Encodable[] | Map<Encodable, Encodable> | Tagged;

/** Major types (RFC 8949 §3.1). */
const [UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG] = [0, 1, 2, 3, 4, 5, 6] as const;
const [FALSE, TRUE, NULL] = [0xf4, 0xf5, 0xf6] as const;

const WIDE = 2n ** 64n;
const utf8 = new TextEncoder();

/** The shortest head of an item with this argument, 0 to 2^64 - 1. */
function headOf(major: number, argument: number | bigint): Uint8Array {
  const type = major << 5;
  const n = Number(argument);
  if (n < 24) return Uint8Array.of(type | n);
  if (n < 2 ** 8) return Uint8Array.of(type | 24, n);
  if (n < 2 ** 16) return Uint8Array.of(type | 25, n >> 8, n & 255);
  const wide = n >= 2 ** 32;
  const head = new Uint8Array(wide ? 9 : 5);
  head[0] = type | (wide ? 27 : 26);
  const view = new DataView(head.buffer);
  if (wide) view.setBigUint64(1, BigInt(argument));
  else view.setUint32(1, n);
  return head;
}

function headOfInteger(value: number | bigint): Uint8Array {
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new RangeError(`not an exact integer: ${value}`);
  if (value < -WIDE / 2n || value >= WIDE) throw new RangeError(`outside -2^63 .. 2^64-1: ${value}`);
  return value < 0 ? headOf(NEGATIVE, -1n - BigInt(value)) : headOf(UNSIGNED, value);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((n, piece) => n + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

function writeMap(map: ReadonlyMap<Encodable, Encodable>, into: Uint8Array[]): void {
  const pairs = [...map].map(([key, value]) => ({ key: encodeCbor(key), value })).sort((a, b) => compareBytes(a.key, b.key));
  into.push(headOf(MAP, pairs.length));
  for (const [i, { key, value }] of pairs.entries()) {
    const next = pairs[i + 1];
    if (next && compareBytes(key, next.key) === 0) throw new TypeError("a map key is given twice");
    into.push(key);
    write(value, into);
  }
}

/** Appends the pieces of an item. A byte string is a piece of its own: it may have many megabytes. */
function write(value: Encodable, into: Uint8Array[]): void {
  if (typeof value === "number" || typeof value === "bigint") into.push(headOfInteger(value));
  else if (typeof value === "string") {
    if (!value.isWellFormed()) throw new TypeError("text with a lone surrogate");
    const text = utf8.encode(value);
    into.push(headOf(TEXT, text.length), text);
  } else if (typeof value === "boolean") into.push(Uint8Array.of(value ? TRUE : FALSE));
  else if (value === null) into.push(Uint8Array.of(NULL));
  else if (value instanceof Uint8Array) into.push(headOf(BYTES, value.length), value);
  else if (value instanceof Tagged) {
    into.push(headOf(TAG, value.tag));
    write(value.value, into);
  } else if (value instanceof Map) writeMap(value, into);
  else if (Array.isArray(value)) {
    into.push(headOf(ARRAY, value.length));
    for (const one of value) write(one, into);
  } else throw new TypeError(`cannot be written: ${typeof value}`);
}

/**
 * Encodes one item deterministically (RFC 8949 §4.2.1): shortest heads, definite lengths, map keys in bytewise order of
 * their encoding. Copies each byte string once. Throws RangeError for a number that is not a 64-bit integer, and
 * TypeError for a duplicate key, a lone surrogate or an unsupported type.
 */
export function encodeCbor(value: Encodable): Uint8Array {
  const pieces: Uint8Array[] = [];
  write(value, pieces);
  return joined(pieces);
}
