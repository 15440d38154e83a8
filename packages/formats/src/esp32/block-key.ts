// Public keys in signature blocks: the bytes whose SHA-256 is in the eFuses. Numbers are little-endian.

import type { FormatKey } from "../key/key.js";
import { keyOnCurve, rawOf, rsaKey, rsaNumbers } from "../key/parts.js";
import { FormatRefusal, refuseFormat } from "../refusal.js";

const N = 384;
const E = 4;
/** n, e, R, M'. */
const RSA_KEY = 2 * N + 2 * E;

/** How a block holds a key on a curve: its number, and the length of the field of the point. */
const CURVES = [
  { kind: "p192", id: 1, field: 64 },
  { kind: "p256", id: 2, field: 64 },
  { kind: "p384", id: 3, field: 96 },
] as const;

/** The kinds of keys in signature blocks. */
export type BlockKeyKind = (typeof CURVES)[number]["kind"] | "rsa3072";

/**
 * Encodes a key as signature blocks hold it.
 *
 * @param key - RSA-3072, P-192, P-256 or P-384.
 * @returns n, e, R and M' (776 bytes), or curve and point (65 or 97 bytes).
 * @throws FormatRefusal FORMAT_KEY.
 */
export function encodeBlockKey(key: FormatKey): Uint8Array {
  for (const { kind, id, field } of CURVES) {
    if (kind !== key.kind) continue;
    const out = new Uint8Array(1 + field);
    const point = rawOf(key, kind);
    const size = point.length / 2;
    out[0] = id;
    out.set(reversed(point.subarray(0, size)), 1);
    out.set(reversed(point.subarray(size)), 1 + size);
    return out;
  }
  if (key.kind !== "rsa3072") return refuseFormat("FORMAT_KEY", -1, "Secure Boot v2 has RSA-3072, P-256 and P-384");
  const { n, e } = rsaNumbers(key);
  if (e.length > E) return refuseFormat("FORMAT_KEY", -1, "the exponent has more than 32 bits");
  return encodeRsa(numberOf(n), numberOf(e));
}

/** With R = 2^6144 mod n and M' = -1/n mod 2^32 the chip multiplies (secure_boot.h of ESP-IDF). */
function encodeRsa(n: bigint, e: bigint): Uint8Array {
  const out = new Uint8Array(RSA_KEY);
  out.set(little(n, N), 0);
  out.set(little(e, E), N);
  out.set(little(2n ** 6144n % n, N), N + E);
  out.set(little(BigInt.asUintN(32, -inverse32(n)), E), 2 * N + E);
  return out;
}

/** 1/n mod 2^32 of an odd n, by Newton's method: n itself is right in 3 bits, and each step doubles them. */
function inverse32(n: bigint): bigint {
  let x = n;
  for (let bits = 3; bits < 32; bits *= 2) x = BigInt.asUintN(32, x * (2n - n * x));
  return x;
}

/** A copy in the other order. slice() of a Buffer is not a copy. */
export const reversed = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes).reverse();

const numberOf = (big: Uint8Array) => BigInt(`0x${Buffer.from(big).toString("hex")}`);

const little = (value: bigint, length: number) => Buffer.from(value.toString(16).padStart(2 * length, "0"), "hex").reverse();

/**
 * Reads the key of a signature block.
 *
 * @param bytes - As encodeBlockKey() returns it.
 * @param at - Its offset in the file, for the refusal.
 * @returns The key.
 * @throws FormatRefusal ESP32_BLOCK_KEY if a point is not on its curve, or R or M' are not those of the modulus.
 */
export function readBlockKey(bytes: Uint8Array, at: number): FormatKey & { readonly kind: BlockKeyKind } {
  let key: FormatKey & { readonly kind: BlockKeyKind };
  try {
    key = decode(bytes);
  } catch (e) {
    if (!(e instanceof FormatRefusal)) throw e;
    return refuseFormat("ESP32_BLOCK_KEY", at);
  }
  // R, M', and the zeros that follow the point of P-192
  return Buffer.compare(encodeBlockKey(key), bytes) === 0 ? key : refuseFormat("ESP32_BLOCK_KEY", at);
}

function decode(bytes: Uint8Array): FormatKey & { readonly kind: BlockKeyKind } {
  const big = (begin: number, end: number) => reversed(bytes.subarray(begin, end));
  if (bytes.length === RSA_KEY) {
    const key = rsaKey(big(0, N), big(N, N + E));
    return key.kind === "rsa3072" ? { ...key, kind: key.kind } : refuseFormat("FORMAT_KEY");
  }
  const curve = CURVES.find(({ id, field }) => id === bytes[0] && field === bytes.length - 1);
  if (!curve) return refuseFormat("FORMAT_KEY");
  const { kind } = curve;
  const size = { p192: 24, p256: 32, p384: 48 }[kind];
  return { ...keyOnCurve(kind, Buffer.concat([big(1, 1 + size), big(1 + size, 1 + 2 * size)])), kind };
}
