// Octets and the two ways a description writes them.

import { DescriptionError } from "./description/conform.js";
import type { BytesValue } from "./description/manifest.js";

const DIGITS = new TextEncoder().encode("0123456789abcdef");
const asciiDecoder = new TextDecoder();

/** Takes no more memory than the digits do: a payload may have many megabytes. */
export function toHex(bytes: ArrayLike<number>): string {
  const out = new Uint8Array(2 * bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    out[2 * i] = DIGITS[byte >> 4] as number;
    out[2 * i + 1] = DIGITS[byte & 15] as number;
  }
  return asciiDecoder.decode(out);
}

/** Whether two strings of octets are the same. For what is public: it ends at the first difference. */
export function equalBytes(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.prototype.every.call(a, (byte, i) => byte === b[i]);
}

/** The order of two encoded items, bytewise: negative, 0 or positive (RFC 8949 §4.2.1). */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const i = a.findIndex((byte, at) => byte !== b[at]);
  return i < 0 ? a.length - b.length : i < b.length ? (a[i] as number) - (b[i] as number) : 1;
}

/**
 * A copy of a secret that its owner can take away: short arrays lie in the heap of V8, whose collector moves them and leaves what was there;
 * one with a buffer of its own stays where it is.
 */
export function secretCopy(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(new ArrayBuffer(bytes.length));
  out.set(bytes);
  return out;
}

/** `text` must be hexadecimal of whole bytes. */
export function fromHex(text: string): Uint8Array {
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** The octets of a value; a file must have been resolved. */
export function toBytes(value: BytesValue, path = ""): Uint8Array {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (value instanceof Uint8Array) return value;
  if ("hex" in value) return fromHex(value.hex);
  throw new DescriptionError(path, "a file is named: resolve() must read it first");
}
