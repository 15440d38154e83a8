// Octets and the two ways a description writes them.

import { type BytesValue, DescriptionError } from "./manifest.js";

export function toHex(bytes: ArrayLike<number>): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** `text` must be hexadecimal of whole bytes. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** The octets of a value; a file must have been resolved. */
export function toBytes(value: BytesValue, path = ""): Uint8Array {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (value instanceof Uint8Array) return value;
  if ("hex" in value) return fromHex(value.hex);
  throw new DescriptionError(path, "a file is named: resolve() has to read it first");
}
