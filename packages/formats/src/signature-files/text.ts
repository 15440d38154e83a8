// The text of signature files. Lines end with LF, also the last one: a file with CR LF was converted on its way, and is
// refused, although minisign reads it. Base64 has one encoding: no line ends in it, no stray bits.

import { decodeBase64 } from "@firmseal/keys/internal";
import { refuseFormat } from "../refusal.js";

/** The most bytes of a first line, without its beginning, that minisign reads, and that signify reads. */
export const MINISIGN_COMMENT = 1003;
export const SIGNIFY_COMMENT = 1023;
/** The most bytes of a trusted comment that minisign reads. */
export const TRUSTED_COMMENT = 8173;

/** Bytes of a signature file, without content in it. The longest one is of RSA-4096 in sshsig. */
const FILE_LIMIT = 2 ** 16;

export const UNTRUSTED = "untrusted comment: ";

/**
 * Splits a file into lines.
 *
 * @param bytes - The file.
 * @param most - How many lines it has at most.
 * @returns The lines, without their ends, as Latin-1.
 * @throws FormatRefusal SIGNATURE_FILE_CRLF and SIGNATURE_FILE_FORM.
 */
export function signatureLines(bytes: Uint8Array, most: number): string[] {
  if (bytes.length > FILE_LIMIT) return refuseFormat("SIGNATURE_FILE_FORM", FILE_LIMIT, `it has ${bytes.length} bytes`);
  const text = Buffer.from(bytes).toString("latin1");
  const cr = text.indexOf("\r");
  if (cr >= 0) return refuseFormat("SIGNATURE_FILE_CRLF", cr);
  if (!text.endsWith("\n")) return refuseFormat("SIGNATURE_FILE_FORM", bytes.length, "the last line has no end");
  const lines = text.slice(0, -1).split("\n");
  if (lines.length > most) return refuseFormat("SIGNATURE_FILE_FORM", -1, `${lines.length} lines`);
  return lines;
}

/**
 * Decodes base64 in its one encoding.
 *
 * @param text - The base64, with padding.
 * @param at - Its offset, for the refusal.
 * @returns The bytes.
 * @throws FormatRefusal SIGNATURE_FILE_BASE64.
 */
export function fromBase64(text: string, at = -1): Uint8Array {
  return new Uint8Array(decodeBase64(text) ?? refuseFormat("SIGNATURE_FILE_BASE64", at));
}

/** Encodes as base64 with padding. */
export const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

const UNPRINTABLE = /[^\P{Cc}\t]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/** Whether bytes are UTF-8 text of at most this length that can be shown to people. Comments by minisign have tabs. */
export function isPrintable(text: Uint8Array, most: number): boolean {
  const shown = Buffer.from(text).toString("utf8");
  return text.length <= most && !UNPRINTABLE.test(shown) && Buffer.from(shown).equals(text);
}

/**
 * Checks text that is shown to people.
 *
 * @param text - Its bytes.
 * @param most - Bytes that it has at most.
 * @param at - Its offset, for the refusal.
 * @returns The text.
 * @throws FormatRefusal SIGNATURE_FILE_TEXT for other control characters, for those that change the direction of text,
 *   and for what is not UTF-8.
 */
export function printable(text: Uint8Array, most: number, at = -1): string {
  return isPrintable(text, most) ? Buffer.from(text).toString("utf8") : refuseFormat("SIGNATURE_FILE_TEXT", at);
}

/** The text of a line behind its beginning. Throws SIGNATURE_FILE_FORM for another beginning. */
export function afterPrefix(line: string | undefined, prefix: string, most: number, at = -1): string {
  if (!line?.startsWith(prefix)) return refuseFormat("SIGNATURE_FILE_FORM", at, `a line does not begin with "${prefix.trim()}"`);
  return printable(Buffer.from(line.slice(prefix.length), "latin1"), most, at);
}
