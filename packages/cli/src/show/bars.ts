// Pictures in the cells of a table: a bar for a share, and a strip for what happened step by step.

import { barText } from "./bar.js";
import { danger } from "./ui.js";

/** A terminal of fewer columns gets words only. */
export const NARROWEST = 60;

const BAR = 10;
/** Columns of a strip, unless it has more steps. */
const STRIP = 24;

/** A cell of a table that is a picture where there is room for it. */
export type Picture =
  /** A share, and the same in words. */
  | { readonly share: number; readonly words: string }
  /** One mark for each step, in their order. */
  | { readonly steps: readonly { readonly mark: string; readonly bad: boolean }[] };

/** The picture. If it does not fit, the words that say the same. */
export function pictureText(picture: Picture, isDrawn: boolean): string {
  if ("share" in picture) return isDrawn ? `${barText(picture.share, BAR)} ${picture.words}` : picture.words;
  const { steps } = picture;
  const each = isDrawn ? Math.max(1, Math.floor(STRIP / Math.max(1, steps.length))) : 1;
  return steps
    .map(({ mark, bad }) => {
      const text = mark.repeat(Math.max(1, each - 1));
      return `${bad && isDrawn ? danger(text) : text}${each > 1 ? " " : ""}`;
    })
    .join("")
    .trimEnd();
}
