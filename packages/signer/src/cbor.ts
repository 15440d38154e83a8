// Deterministic encoding of CBOR (RFC 8949 §4.2.1). cbor-x encodes integers of more than 32 bits: to load it takes
// longer than to write all else. Only this file uses cbor-x, and only to encode, because its decoder is not strict. In
// lib/, the build puts the encoder itself into this module (scripts/build/in-signer.mjs): a dependency on cbor-x would
// install cbor-extract.

import { HEADER_ALG, HEADER_KID } from "@firmseal/verifier/tools";
import { Encoder } from "cbor-x";
import { compareBytes, secretBytes } from "./bytes.js";

let made: Encoder | undefined;

/** Made when it is first needed: a module does nothing when it is loaded. */
function encoder(): Encoder {
  made ??= new Encoder({ useRecords: false });
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
export type Encodable =
  | number
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | readonly Encodable[]
  | ReadonlyMap<Encodable, Encodable>
  | Tagged;

const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;

/** The head of an item of a major type with the argument `n`, below 2^32. */
function head(major: number, n: number): Uint8Array {
  const type = major << 5;
  if (n < 24) return Uint8Array.of(type + n);
  if (n < 256) return Uint8Array.of(type + 24, n);
  if (n < 65536) return Uint8Array.of(type + 25, n >> 8, n & 255);
  return Uint8Array.of(type + 26, n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);
}

const WIDE = 2 ** 32;

function integer(value: number | bigint): Uint8Array {
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new RangeError(`not an exact integer: ${value}`);
  if (value >= 0 && value < WIDE) return head(0, Number(value));
  if (value < 0 && value >= -WIDE) return head(1, -1 - Number(value));
  const n = BigInt(value);
  if (n < -(2n ** 63n) || n >= 2n ** 64n) throw new RangeError(`outside -2^63 .. 2^64-1: ${n}`);
  // a copy, because cbor-x reuses its buffer
  return new Uint8Array(encoder().encode(n));
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
 * The pieces of an item. A byte string is one: it may have many megabytes, or be a secret, and only the result has a
 * copy.
 */
function pieces(value: Encodable): Uint8Array[] {
  if (typeof value === "number" || typeof value === "bigint") return [integer(value)];
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new TypeError("text with a lone surrogate");
    const bytes = new TextEncoder().encode(value);
    return [head(TEXT, bytes.length), bytes];
  }
  if (value === null || typeof value === "boolean") return [Uint8Array.of(value === null ? 0xf6 : value ? 0xf5 : 0xf4)];
  if (value instanceof Uint8Array) return [head(BYTES, value.length), value];
  if (value instanceof Tagged) return [head(TAG, value.tag), ...pieces(value.value)];
  if (value instanceof Map) {
    const pairs = [...value].map(([key, one]) => ({ key: encodeCbor(key), value: pieces(one) }));
    pairs.sort((a, b) => compareBytes(a.key, b.key));
    for (const [i, { key }] of pairs.entries()) {
      const next = pairs[i + 1];
      if (next && compareBytes(key, next.key) === 0) throw new TypeError("a map key is given twice");
    }
    return [head(MAP, pairs.length), ...pairs.flatMap((one) => [one.key, ...one.value])];
  }
  if (Array.isArray(value)) return [head(ARRAY, value.length), ...value.flatMap(pieces)];
  throw new TypeError(`cannot be written: ${typeof value}`);
}

/**
 * Encodes one item deterministically (RFC 8949 §4.2.1): shortest heads, definite lengths, map keys in bytewise order of
 * their encoding. Throws RangeError for a number that is not a 64-bit integer, and TypeError for a duplicate key, a
 * lone surrogate or an unsupported type.
 */
export function encodeCbor(value: Encodable): Uint8Array {
  return joined(pieces(value));
}

/** The protected header of a signature (RFC 9052 §3). It contains the key identifier, if there is one. */
export function protectedHeader({ alg, kid }: { readonly alg: number; readonly kid?: Uint8Array | undefined }): Uint8Array {
  const headers = new Map<Encodable, Encodable>([[HEADER_ALG, alg]]);
  if (kid) headers.set(HEADER_KID, kid);
  return encodeCbor(headers);
}
