// The names that a product file has for vendors and classes.

import { existsSync } from "node:fs";
import { PRODUCT_FILE } from "@firmseal/release";
import { onDemand } from "./on-demand.js";

/**
 * The names of the product file, if it is named, or if it is here and can be read: whoever looks at a release may be
 * anywhere. `named`: only if it is named.
 */
export async function namesHere(product: string | undefined, named = false): Promise<ReadonlyMap<string, string> | undefined> {
  if (product === undefined && (named || !existsSync(PRODUCT_FILE))) return undefined;
  const { productNames, readProduct } = await onDemand();
  try {
    return productNames(readProduct(product ?? PRODUCT_FILE));
  } catch (e) {
    if (product !== undefined) throw e;
    return undefined;
  }
}
