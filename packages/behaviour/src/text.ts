// Text from third-party files, made safe to show.

/** Control, formatting, private-use and surrogate characters, and line and paragraph separators. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Escapes hidden characters.
 *
 * @param text - The text.
 * @returns The text with hidden characters as escapes.
 */
export const escaped = (text: string) => text.replace(HIDDEN, (c) => `\\u{${(c.codePointAt(0) as number).toString(16)}}`);

/**
 * Formats an integer for people.
 *
 * @param n - The integer.
 * @returns Its digits in groups of three: 16,384.
 */
export const grouped = (n: number) => n.toLocaleString("en-US");
