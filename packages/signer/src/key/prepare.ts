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
 * Makes a table for a public key, with which devices verify faster.
 *
 * @param key - The raw Ed25519 public key, 32 bytes.
 * @param size - The size of the table.
 * @returns The key with its table: 1,008 characters, or 2, 4 or 8 times as many, all printable ASCII except `"` and
 *   `\`.
 * @throws KeyError as publicKey().
 * @example
 * ```ts
 * import { prepareKey } from "@firmseal/signer";
 * import { anchor } from "@firmseal/verifier";
 *
 * const trusted = anchor("ed25519", prepareKey(publicKey, "2k"));
 * ```
 */
export function prepareKey(key: Uint8Array, size: TableSize): PreparedKey {
  const own = multiplesText(ed25519.Point.fromBytes(publicKey("ed25519", key).key), size);
  const base = baseTexts.get(size) ?? multiplesText(ed25519.Point.BASE, size);
  baseTexts.set(size, base);
  const table = own + base;
  return { key: Uint8Array.from(key), table, digest: sha256(new TextEncoder().encode(table)) };
}

/** The multiples of the base point, which all keys of a size have. */
const baseTexts = new Map<TableSize, string>();

function multiplesText(point: Ed25519Point, size: TableSize): string {
  const { bases, each } = SHAPES[size];
  const points: Ed25519Point[] = [];
  for (let base = point, i = 0; i < bases; i++) {
    const step = base.double();
    for (let j = 0, p = base; j < each; j++, p = p.add(step)) points.push(p);
    for (let j = 0; j < 256 / bases; j++) base = base.double();
  }
  return entriesText(points);
}

/**
 * Converts a table to integers. They are faster but need more RAM.
 *
 * @param table - The table of prepareKey().
 * @returns 144 integers, or 2, 4 or 8 times as many. Their digest is the digest of the text.
 */
export function tableNumbers(table: string): number[] {
  return Array.from({ length: table.length / 7 }, (_, i) =>
    [...table.slice(7 * i, 7 * i + 7)].reduce((sum, c) => sum * 71 + (c.charCodeAt(0) % 92) - 46, 0),
  );
}

/** The entries of a table. One inversion serves all points: the inverse of the product of their Z, and from it each. */
function entriesText(points: readonly Ed25519Point[]): string {
  let product = 1n;
  const before = points.map(({ Z }) => {
    const so = product;
    product = (product * Z) % FIELD_PRIME;
    return so;
  });
  let inverse = ed25519.etc.invert(product, FIELD_PRIME);
  let text = "";
  for (let i = points.length - 1; i >= 0; i--) {
    const { X, Y, Z } = points[i] as Ed25519Point;
    const byZ = (inverse * (before[i] as bigint)) % FIELD_PRIME;
    inverse = (inverse * Z) % FIELD_PRIME;
    const [x, y] = [(X * byZ) % FIELD_PRIME, (Y * byZ) % FIELD_PRIME] as const;
    text = written(y - x) + written(y + x) + written(D2 * x * y) + text;
  }
  return text;
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
