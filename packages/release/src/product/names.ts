// What a product calls the identifiers in its manifests.

import { classesOf } from "./devices.js";
import type { Product } from "./file/product.js";

/** The vendor and the classes of a product by their UUIDs. */
export function productNames(product: Product): Map<string, string> {
  const names = new Map<string, string>();
  for (const board of product.boards) {
    const { vendor, classes } = classesOf(product, board);
    names.set(vendor, product.vendor);
    for (const { id, name } of classes) names.set(id, name);
  }
  return names;
}
