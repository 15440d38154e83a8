// HSS/LMS parameters in text form.

import { KeyError } from "../key-error.js";
import type { Height, HssParams, Width } from "./params.js";

const HEIGHTS: readonly number[] = [5, 10, 15, 20, 25];
const WIDTHS: readonly number[] = [1, 2, 4, 8];

/**
 * Parses parameters of HSS/LMS.
 *
 * @param text - `HEIGHT/WIDTH` for each level from the top, separated by commas. The prefix `n24:` selects SHA-256/192;
 *   `n32:` or no prefix selects SHA-256. Examples: `15/4`, `n24:10/4,10/8`.
 * @returns The parameters.
 * @throws KeyError `format`.
 */
export function parseHss(text: string): HssParams {
  const found = /^(?:n(32|24):)?(\d{1,2}\/\d(?:,\d{1,2}\/\d)*)$/.exec(text);
  if (!found)
    throw new KeyError("format", "the levels of HSS/LMS are written HEIGHT/WIDTH, from the top, with commas: 15/4 or n24:10/4,10/8");
  const levels = (found[2] as string).split(",").map((one) => {
    const [height, width] = one.split("/").map(Number) as [number, number];
    if (!HEIGHTS.includes(height)) throw new KeyError("format", `an HSS/LMS tree has height 5, 10, 15, 20 or 25, not ${height}`);
    if (!WIDTHS.includes(width)) throw new KeyError("format", `the digits of HSS/LMS are 1, 2, 4 or 8 bits wide, not ${width}`);
    return { height: height as Height, width: width as Width };
  });
  // RFC 8554 §6: L is at most 8
  if (levels.length > 8) throw new KeyError("format", `HSS/LMS has at most 8 levels, not ${levels.length}`);
  return { n: found[1] === "24" ? 24 : 32, levels };
}

/**
 * Formats parameters in their canonical form.
 *
 * @param params - The parameters.
 * @returns The text, which parseHss() reads.
 */
export function formatHss({ n, levels }: HssParams): string {
  return `n${n}:${levels.map(({ height, width }) => `${height}/${width}`).join(",")}`;
}
