// Byte strings: their order, and those that hold a secret.

import { unlessThrown } from "./key-error.js";

/** Compares two encoded items bytewise (RFC 8949 §4.2.1): negative, 0 or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const i = a.findIndex((byte, at) => byte !== b[at]);
  return i < 0 ? a.length - b.length : i < b.length ? (a[i] as number) - (b[i] as number) : 1;
}

/**
 * Makes room for a secret, which its owner can erase. V8 keeps short arrays in its heap, where the garbage collector
 * moves them and leaves copies behind. An array with a buffer of its own is not moved.
 *
 * @param length - How many bytes.
 * @returns Zeros, in a buffer of their own.
 */
export function secretBytes(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length));
}

/**
 * Copies a secret so that its owner can erase it: see secretBytes().
 *
 * @param bytes - The secret.
 * @returns The copy.
 */
export function secretCopy(bytes: Uint8Array): Uint8Array {
  const out = secretBytes(bytes.length);
  out.set(bytes);
  return out;
}

/**
 * Decodes UTF-8, and leaves out a byte order mark.
 *
 * @param bytes - The bytes.
 * @returns The text, or undefined for other bytes.
 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  return unlessThrown(() => new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}
