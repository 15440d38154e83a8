// The table of formats.

import { ESP32 } from "./esp32/esp32.js";
import type { FieldFormat } from "./format.js";

/** The formats, in the order in which a file is compared with them. */
export const FORMATS: readonly FieldFormat[] = [ESP32];

/**
 * Recognizes a file by its content.
 *
 * @param bytes - The file.
 * @returns Its format, or undefined if it looks like none of them.
 */
export function formatOf(bytes: Uint8Array): FieldFormat | undefined {
  return FORMATS.find((format) => format.looksLike(bytes));
}
