// The version of a release that cannot name one, because its consumer accepts no text.

import { numberVersion } from "@firmseal/keys";
import { consumerOf } from "../consumer/consumers.js";
import { hasText } from "../consumer/recipe.js";
import type { Board, Product } from "./file/product.js";

/** Whether no release for a board names its version. */
export const isUnnamed = ({ for: name }: Pick<Board, "for">): boolean => name !== undefined && !hasText(consumerOf(name));

/** The version that the number of such a release has, if the numbers of the product are those of versions. */
export function impliedVersion(
  { sequence: { source } }: Pick<Product, "sequence">,
  boards: readonly Pick<Board, "for">[],
  sequence: bigint,
): string | undefined {
  return source === "version" && boards.length > 0 && boards.every(isUnnamed) ? numberVersion(sequence) : undefined;
}
