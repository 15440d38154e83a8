// Text for people, from parts that may be untrusted.

import { KEY_LIMITS } from "./limits.js";

/** Formats an integer for messages: 16,384. By hand, because the first toLocaleString() of a process takes 30 ms. */
export const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

/** A number of things for messages: "1 root", "1,024 roots". */
export const plural = (n: number, one: string): string => `${grouped(n)} ${one}${n === 1 ? "" : "s"}`;

/** A number of bytes for messages: "1 byte", "16,384 bytes". */
export const byteWords = (n: number): string => plural(n, "byte");

/** Returns the first items of a list that may be long. */
export function someOf(names: readonly string[]): string {
  const first = names.slice(0, KEY_LIMITS.namesInMessage).join(", ");
  const more = names.length - KEY_LIMITS.namesInMessage;
  return more > 0 ? `${first} and ${grouped(more)} more` : first;
}

/**
 * A path or name as it is typed in a command: quoted where a shell would divide or change it. On Windows cmd knows no
 * single quotes, and names have no double ones; PowerShell still expands a $ in them.
 */
export function shellWord(text: string): string {
  if (process.platform === "win32") return /^[\w@+=:.\\/-]+$/.test(text) ? text : `"${text}"`;
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Shortens a message to a bounded length. It leaves out the middle, because both ends carry information. */
export function boundedMessage(message: string): string {
  if (message.length <= KEY_LIMITS.message) return message;
  const half = KEY_LIMITS.message / 2 - 2;
  return `${message.slice(0, half)} … ${message.slice(-half)}`;
}

/**
 * Makes untrusted text safe to show: replaces control and formatting characters by visible escapes, so that a text
 * field of a manifest or a file name cannot control the terminal.
 */
export function visible(text: string): string {
  return replaceUnsafe(text, (c) => `\\u{${(c.codePointAt(0) as number).toString(16)}}`);
}

/** Replaces each unsafe character by what `escaped` returns for it. */
export function replaceUnsafe(text: string, escaped: (c: string) => string): string {
  return PLAIN.test(text) ? text : text.replace(UNSAFE, escaped);
}

/** Text without unsafe characters, as most is: V8 takes 2 ms to prepare the expression below. */
const PLAIN = /^[ -~\u2026]*$/;

/** Control, formatting, private-use and surrogate characters, and line and paragraph separators. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;
