// Bytes of tests as text, and text as bytes.

import { createHash } from "node:crypto";
import type { Source } from "@firmseal/verifier";

/** The bytes of hexadecimal text, which may have spaces. */
export const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

export const toHex = (bytes: ArrayLike<number>): string => Buffer.from(Array.from(bytes)).toString("hex");

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export const sha256Hex = (content: Uint8Array | string): string => createHash("sha256").update(content).digest("hex");

export const sha256 = (content: Uint8Array | string): Uint8Array => Uint8Array.from(createHash("sha256").update(content).digest());

/** Bytes as a string with a character for each, as engines keep them. */
export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** The bytes of a string with a character for each. */
export const fromLatin1 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, "latin1"));

/** Bytes that count up in steps of 7. */
export const countingBytes = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (i * 7) & 255);

/** An image in which each byte depends on its place and on `seed`. */
export const patterned = (n: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: n }, (_, i) => (i * 31 + seed * 7 + (i >> 8)) & 255);

/** Bytes as a Source. */
export const sourceOf = (bytes: Uint8Array): Source => ({ length: bytes.length, read: (at, n) => bytes.slice(at, at + n) });
