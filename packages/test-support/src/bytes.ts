// Bytes of tests as text, and text as bytes.

import { createHash } from "node:crypto";

/** The bytes of hexadecimal text, which may have spaces. */
export const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

export const toHex = (bytes: ArrayLike<number>): string => Buffer.from(Array.from(bytes)).toString("hex");

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export const sha256Hex = (content: Uint8Array | string): string => createHash("sha256").update(content).digest("hex");
