// The names that a product file has for vendors and classes.

import { existsSync } from "node:fs";
import type { Product } from "@firmseal/release";
import { PRODUCT_FILE } from "@firmseal/release/internal";
import { onDemand } from "./on-demand.js";

/**
 * The product, if its file is named, or if it is here and can be read: a release may be inspected anywhere. `named`:
 * only if it is named.
 */
export async function productHere(product: string | undefined, named = false): Promise<Product | undefined> {
  if (product === undefined && (named || !existsSync(PRODUCT_FILE))) return undefined;
  const { readProduct } = await onDemand();
  try {
    return readProduct(product ?? PRODUCT_FILE);
  } catch (e) {
    if (product !== undefined) throw e;
    return undefined;
  }
}

const UUID = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;

/** The names of vendors and classes, by their UUIDs. */
export interface ProductNames {
  readonly [uuid: string]: string;
}

/** Lines with the names of a product instead of its UUIDs. */
export const namedLines = (lines: readonly string[], names: ProductNames = {}) =>
  lines.map((line) => line.replace(UUID, (uuid) => (Object.hasOwn(names, uuid) ? (names[uuid] as string) : uuid)));

/** The names of a product, as a part of the facts of a command: none without a product. */
export async function namesOfProduct(product: Product | undefined): Promise<{ names?: ProductNames }> {
  return product ? { names: Object.fromEntries((await onDemand()).productNames(product)) } : {};
}
