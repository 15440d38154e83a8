// Tables of multiples of an Ed25519 key and of the base point, for alg/ed25519.ts of the verifier, which documents the
// layout. With a table, a device does not decode the key and needs fewer doublings.

import * as ed25519 from "@noble/ed25519";
import { sha256 } from "@noble/hashes/sha2.js";
import { publicKey } from "./key.js";

type Ed25519Point = InstanceType<typeof ed25519.Point>;

const FIELD_PRIME = 2n ** 255n - 19n;
const D2 = 2n * ed25519.Point.CURVE().d;

/**
 * The number of bases for each of the two points, and of odd multiples for each base. Each multiple takes 126
 * characters.
 */
const SHAPES = {
  "1k": { bases: 4, each: 1 },
  "2k": { bases: 4, each: 2 },
  "4k": { bases: 4, each: 4 },
  "8k": { bases: 8, each: 4 },
} as const;

/** The name of a size of a table: see tableNumbers(). */
export type TableSize = keyof typeof SHAPES;

/** The sizes of tables, from the smallest to the largest. */
export const TABLE_SIZES = Object.keys(SHAPES) as TableSize[];

/** A key with its table, as anchor() of the verifier takes it. */
export interface PreparedKey {
  /** The raw public key. */
  readonly key: Uint8Array;
  readonly table: string;
  /**
   * SHA-256 over the characters of the table. Store it in the code of the device: someone who can change the table must
   * not be able to change the digest.
   */
  readonly digest: Uint8Array;
}

/**
 * Makes a table for the raw Ed25519 public key `key`: 1,008 characters, or 2, 4 or 8 times as many, all printable ASCII
 * except `"` and `\`.
 * @example anchor("ed25519", prepareKey(key, "2k"))
 */
export function prepareKey(key: Uint8Array, size: TableSize): PreparedKey {
  const { bases, each } = SHAPES[size];
  let table = "";
  for (let base of [ed25519.Point.fromBytes(publicKey("ed25519", key).key), ed25519.Point.BASE])
    for (let i = 0; i < bases; i++) {
      const step = base.double();
      for (let j = 0, p = base; j < each; j++, p = p.add(step)) table += tableEntryText(p);
      for (let j = 0; j < 256 / bases; j++) base = base.double();
    }
  return { key: Uint8Array.from(key), table, digest: sha256(new TextEncoder().encode(table)) };
}

/**
 * Returns the table as an array of integers, 144 or 2, 4 or 8 times as many. It is faster but needs more RAM. Its
 * digest is the digest of the text.
 */
export function tableNumbers(table: string): number[] {
  return Array.from({ length: table.length / 7 }, (_, i) =>
    [...table.slice(7 * i, 7 * i + 7)].reduce((sum, c) => sum * 71 + (c.charCodeAt(0) % 92) - 46, 0),
  );
}

function tableEntryText(p: Ed25519Point): string {
  const { x, y } = p.toAffine();
  return written(y - x) + written(y + x) + written(D2 * x * y);
}

/**
 * Encodes a number as 42 characters, as `read` of alg/field25519.ts of the verifier takes them: pairs of limbs,
 * alternating 43 and 42 bits, in digits from -35 to 35.
 */
function written(value: bigint): string {
  let rest = ((value % FIELD_PRIME) + FIELD_PRIME) % FIELD_PRIME;
  if (rest > FIELD_PRIME / 2n) rest -= FIELD_PRIME;
  let text = "";
  for (let i = 0; i < 6; i++) {
    const width = i % 2 ? 42 : 43;
    let pair = i < 5 ? BigInt.asIntN(width, rest) : rest;
    rest = (rest - pair) >> BigInt(width);
    let digits = "";
    for (let j = 0; j < 7; j++) {
      const digit = ((((pair + 35n) % 71n) + 71n) % 71n) - 35n;
      const code = Number(digit) + 46;
      digits = String.fromCharCode(code < 35 ? code + 92 : code) + digits;
      pair = (pair - digit) / 71n;
    }
    text += digits;
  }
  return text;
}
