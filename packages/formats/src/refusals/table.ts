// The only table of the words of refusals: one group for all formats, and one for each family. `pnpm refusals` writes
// the tables of errors.md from it. Not in device bundles.

import { COMMON_REFUSALS } from "./common.js";
import { ESP32_REFUSALS } from "./esp32.js";
import { MCUBOOT_REFUSALS } from "./mcuboot.js";
import { FORMAT_REFUSALS, type FormatRefusalName } from "./numbers.js";
import type { FormatRefusalRow } from "./row.js";
import { SIGNATURE_FILE_REFUSALS } from "./signature-files.js";

/** A family of formats, with the range of its numbers, both ends included. */
export interface FormatRefusalGroup {
  readonly from: number;
  readonly to: number;
  readonly what: string;
}

/** The ranges of numbers. The compiler demands a row for each number, and a number for each row. */
export const FORMAT_REFUSAL_GROUPS: readonly FormatRefusalGroup[] = [
  { from: 600, to: 619, what: "files of every other format" },
  { from: 620, to: 659, what: "MCUboot images" },
  { from: 660, to: 699, what: "images of ESP32 chips" },
  { from: 700, to: 759, what: "signature files" },
];

const ROWS: { readonly [name in FormatRefusalName]: FormatRefusalRow } = {
  ...COMMON_REFUSALS,
  ...MCUBOOT_REFUSALS,
  ...ESP32_REFUSALS,
  ...SIGNATURE_FILE_REFUSALS,
};

/** A refusal with its number, name and words. */
export interface NumberedFormatRefusal extends FormatRefusalRow {
  readonly number: number;
  readonly name: FormatRefusalName;
}

/**
 * Finds the words of a refusal.
 *
 * @param name - Its name.
 * @returns Its row.
 */
export function formatRefusalOf(name: FormatRefusalName): NumberedFormatRefusal {
  return { number: FORMAT_REFUSALS[name], name, ...ROWS[name] };
}

/** All refusals of this package, in the order of their numbers. */
export const FORMAT_REFUSAL_ROWS: readonly NumberedFormatRefusal[] = (Object.keys(ROWS) as FormatRefusalName[])
  .map(formatRefusalOf)
  .sort((a, b) => a.number - b.number);
