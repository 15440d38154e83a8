// The names that a product file has for vendors and classes.

import { existsSync } from "node:fs";
import { PRODUCT_FILE, type Product } from "@firmseal/release";
import { onDemand } from "./on-demand.js";

/**
 * The product, if its file is named, or if it is here and can be read: a release may be looked at anywhere. `named`:
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

/** Lines with the names of a product in place of its UUIDs. */
export const namedLines = (lines: readonly string[], names: ReadonlyMap<string, string> | undefined) =>
  lines.map((line) => line.replace(UUID, (uuid) => names?.get(uuid) ?? uuid));

/** The names of the product file, as productHere() finds it. */
export async function namesHere(product: string | undefined, named = false): Promise<ReadonlyMap<string, string> | undefined> {
  const found = await productHere(product, named);
  return found && (await onDemand()).productNames(found);
}
