// Text for people, from parts that may come from outside.

import { KEY_LIMITS } from "./limits.js";

/** A number as the messages have it: 16,384. */
export const grouped = (n: number): string => n.toLocaleString("en-US");

/** The first few of a list that may be long. */
export function someOf(names: readonly string[]): string {
  const first = names.slice(0, KEY_LIMITS.namesInMessage).join(", ");
  const more = names.length - KEY_LIMITS.namesInMessage;
  return more > 0 ? `${first} and ${grouped(more)} more` : first;
}

/** Shortens a message to a bounded length. It leaves out the middle, because both ends carry information. */
export function bounded(message: string): string {
  if (message.length <= KEY_LIMITS.message) return message;
  const half = KEY_LIMITS.message / 2 - 2;
  return `${message.slice(0, half)} … ${message.slice(-half)}`;
}

/**
 * Text from outside as it can be shown: control and formatting characters become visible escapes, so that a text field of a manifest or
 * a file name cannot drive the terminal.
 */
export function visible(text: string): string {
  return text.replace(UNSAFE, (c) => `\\u{${(c.codePointAt(0) as number).toString(16)}}`);
}

/** Control, formatting, private-use and surrogate characters, and the separators of lines and paragraphs. */
export const UNSAFE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;
