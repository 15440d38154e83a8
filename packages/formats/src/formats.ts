// The table of formats.

import type { FieldFormat } from "./format.js";

/** The formats, in the order in which a file is compared with them. */
export const FORMATS: readonly FieldFormat[] = [];

/**
 * Recognizes a file by its content.
 *
 * @param bytes - The file.
 * @returns Its format, or undefined if it looks like none of them.
 */
export function formatOf(bytes: Uint8Array): FieldFormat | undefined {
  return FORMATS.find((format) => format.looksLike(bytes));
}
