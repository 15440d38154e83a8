// Deterministic encoding of CBOR (RFC 8949 §4.2.1). Only this file uses cbor-x, and only to encode, because its decoder
// is not strict. In lib/, the build puts the encoder itself into this module (scripts/in-signer.mjs): a dependency on
// cbor-x would install cbor-extract.

import { Encoder, Tag } from "cbor-x";
import { compareBytes, secretBytes } from "./bytes.js";

// a separate object: cbor-x supports useTag259ForMaps, but its types do not
const options = { mapsAsObjects: false, useRecords: false, tagUint8Array: false, variableMapSize: true, useTag259ForMaps: false };
let made: Encoder | undefined;

/** Made when it is first needed: a module does nothing when it is loaded. */
function encoder(): Encoder {
  made ??= new Encoder(options);
  return made;
}

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

const wide = 2n ** 32n;

/**
 * cbor-x encodes a plain number of 2^32 or more as a float. Such numbers, and only those, are passed to it as BigInt.
 */
function cborInteger(value: number | bigint): number | bigint {
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new RangeError(`not an exact integer: ${value}`);
  const n = BigInt(value);
  if (n < -(wide * wide) / 2n || n >= wide * wide) throw new RangeError(`outside -2^63 .. 2^64-1: ${n}`);
  return n < wide && n >= -wide ? Number(n) : n;
}

const BYTES = 2;
const MAP = 5;

/** The head of an item of a major type with the argument `n`, below 2^32. */
function head(major: number, n: number): Uint8Array {
  const type = major << 5;
  if (n < 24) return Uint8Array.of(type + n);
  if (n < 256) return Uint8Array.of(type + 24, n);
  if (n < 65536) return Uint8Array.of(type + 25, n >> 8, n & 255);
  return Uint8Array.of(type + 26, ...[24, 16, 8, 0].map((shift) => (n >>> shift) & 255));
}

/** The pieces as one. They may contain a secret. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const out = secretBytes(pieces.reduce((n, piece) => n + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/**
 * encodeCbor() for a map of integers of up to 32 bits, to such integers and to byte strings: the members of a key. A
 * command that only shows the thumbprint of a key does not load cbor-x, because loading it takes longer than all other
 * work on the key.
 */
export function encodeMembers(map: ReadonlyMap<number, number | Uint8Array>): Uint8Array {
  const integer = (n: number) => (n < 0 ? head(1, -1 - n) : head(0, n));
  // a value may be a secret: only the result has a copy
  const pairs = [...map].map(([key, value]) => ({
    key: integer(key),
    value: typeof value === "number" ? [integer(value)] : [head(BYTES, value.length), value],
  }));
  pairs.sort((a, b) => compareBytes(a.key, b.key));
  return joined([head(MAP, pairs.length), ...pairs.flatMap(({ key, value }) => [key, ...value])]);
}

/**
 * encodeCbor() for a tagged map of byte strings that may have many megabytes: each one is copied only once. Throws
 * TypeError for a duplicate key.
 */
export function encodeBytesMap(tag: number, map: ReadonlyMap<Encodable, Uint8Array>): Uint8Array {
  // the same tag and keys, with null in place of each byte string
  const outline = encodeCbor(new Tagged(tag, new Map([...map.keys()].map((key) => [key, null]))));
  const pairs = [...map].map(([key, content]) => ({ key: encodeCbor(key), content })).sort((a, b) => compareBytes(a.key, b.key));
  const before = outline.subarray(0, outline.length - pairs.reduce((n, { key }) => n + key.length + 1, 0));
  return joined([before, ...pairs.flatMap(({ key, content }) => [key, head(BYTES, content.length), content])]);
}

/**
 * Converts a value to one that cbor-x encodes deterministically: maps have their keys in bytewise order of the
 * encoding.
 */
function toCborX(value: Encodable): unknown {
  if (typeof value === "number" || typeof value === "bigint") return cborInteger(value);
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new TypeError("text with a lone surrogate");
    return value;
  }
  if (typeof value === "boolean" || value === null || value instanceof Uint8Array) return value;
  if (value instanceof Tagged) return new Tag(toCborX(value.value), value.tag);
  if (value instanceof Map) {
    const pairs = [...value].map(([k, v]) => ({ bytes: encodeCbor(k), key: toCborX(k), value: toCborX(v) }));
    pairs.sort((a, b) => compareBytes(a.bytes, b.bytes));
    for (const [i, pair] of pairs.entries()) {
      const next = pairs[i + 1];
      if (next && compareBytes(pair.bytes, next.bytes) === 0) throw new TypeError("a map key is given twice");
    }
    return new Map(pairs.map((p) => [p.key, p.value]));
  }
  if (Array.isArray(value)) return value.map(toCborX);
  throw new TypeError(`cannot be written: ${typeof value}`);
}

/**
 * Encodes one item deterministically (RFC 8949 §4.2.1): shortest heads, definite lengths, map keys in bytewise order of
 * their encoding. Throws RangeError for a number that is not a 64-bit integer, and TypeError for a duplicate key, a
 * lone surrogate or an unsupported type.
 */
export function encodeCbor(value: Encodable): Uint8Array {
  // a copy, because cbor-x reuses its buffer
  return new Uint8Array(encoder().encode(toCborX(value)));
}
