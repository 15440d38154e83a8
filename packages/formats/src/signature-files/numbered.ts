// The line of base64 in files of minisign and signify: two letters for the algorithm, the number of the key, 8 bytes,
// and the signature or the public key. A key that neither has numbered gets a number that follows from it.

import { createHash } from "node:crypto";
import { type FormatKey, formatKey } from "../key/key.js";
import { keyOnCurve, rawOf } from "../key/parts.js";
import { refuseFormat } from "../refusal.js";
import { afterPrefix, fromBase64, MINISIGN_COMMENT, printable, SIGNIFY_COMMENT, signatureLines, toBase64, UNTRUSTED } from "./text.js";

const SIGNATURE = 64;

/** What such a line says. */
export interface NumberedLine {
  /** "Ed": Ed25519 over the file. "ED": over its BLAKE2b-512, only in minisign. */
  readonly algorithm: string;
  /** Hex, in the order of the file. */
  readonly number: string;
  readonly value: Uint8Array;
}

/**
 * Reads such a line.
 *
 * @param line - The base64.
 * @param length - Bytes of the signature or key.
 * @param at - Its offset, for refusals.
 * @returns Its parts.
 * @throws FormatRefusal SIGNATURE_FILE_BASE64 and SIGNATURE_FILE_FORM.
 */
export function readNumbered(line: string | undefined, length: number, at: number): NumberedLine {
  const bytes = fromBase64(line ?? "", at);
  if (bytes.length !== 10 + length)
    return refuseFormat("SIGNATURE_FILE_FORM", at, `the base64 has ${bytes.length} bytes, not ${10 + length}`);
  return {
    algorithm: Buffer.from(bytes.subarray(0, 2)).toString("latin1"),
    number: Buffer.from(bytes.subarray(2, 10)).toString("hex"),
    value: bytes.subarray(10),
  };
}

/** Writes such a line. */
export function writeNumbered({ algorithm, number, value }: NumberedLine): string {
  return toBase64(Buffer.concat([Buffer.from(algorithm, "latin1"), Buffer.from(number, "hex"), value]));
}

/** The number of a key, in hex: the one that it has, or the first 8 bytes of SHA-256 of the raw key. */
export function keyNumber(key: FormatKey): string {
  return key.number ?? createHash("sha256").update(rawOf(key, "ed25519")).digest("hex").slice(0, 16);
}

/** The Ed25519 keys that may have made a signature with this number: those with it, and those without any. */
export function keysNumbered(keys: readonly FormatKey[], number: string): FormatKey[] {
  return keys.filter((key) => key.kind === "ed25519" && (key.number === undefined || key.number === number));
}

/** A first line that no signature covers, with a comment of at most this many bytes. Throws SIGNATURE_FILE_TEXT. */
export const untrustedLine = (comment: string, most: number): string => `${UNTRUSTED}${printable(Buffer.from(comment), most)}\n`;

/** Like untrustedLine(), for signify: it reads no empty comment. */
export function signifyLine(comment: string, most = SIGNIFY_COMMENT): string {
  return comment === "" ? refuseFormat("SIGNATURE_FILE_TEXT", -1, "signify does not read an empty comment") : untrustedLine(comment, most);
}

/**
 * Reads a public key of minisign or signify, with its number.
 *
 * @param text - The two lines of the file.
 * @returns The key.
 * @throws FormatRefusal SIGNATURE_FILE_* and FORMAT_KEY.
 */
export function numberedKey(text: string): FormatKey {
  const [comment, line] = signatureLines(Buffer.from(text), 2);
  afterPrefix(comment, UNTRUSTED, SIGNIFY_COMMENT, 0);
  const { algorithm, number, value } = readNumbered(line, 32, (comment?.length ?? 0) + 1);
  if (algorithm !== "Ed") return refuseFormat("SIGNATURE_FILE_ALGORITHM");
  return { ...keyOnCurve("ed25519", value), number };
}

/**
 * Writes a public key for minisign or signify.
 *
 * @param key - An Ed25519 key.
 * @param comment - The first line.
 * @returns The two lines of the file.
 * @throws FormatRefusal FORMAT_KEY for another key, and SIGNATURE_FILE_TEXT.
 */
export function writeNumberedKey(key: FormatKey, comment: string): string {
  if (key.kind !== "ed25519") return refuseFormat("FORMAT_KEY", -1, `${key.kind} in minisign and signify`);
  const line = writeNumbered({ algorithm: "Ed", number: keyNumber(key), value: rawOf(formatKey(key.key), "ed25519") });
  // one file for both tools: the strictest of their limits
  return `${signifyLine(comment, MINISIGN_COMMENT)}${line}\n`;
}

/** Refuses what is not an Ed25519 signature. */
export function refuseOtherLength(signature: Uint8Array): void {
  if (signature.length !== SIGNATURE) refuseFormat("FORMAT_SIGNATURE_ENCODING", -1, `it has ${signature.length} bytes`);
}
