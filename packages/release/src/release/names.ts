// What a product calls the identifiers in its manifests, and the files of its releases.

import { join } from "node:path";
import type { Product } from "../product/file/product.js";
import type { SigningRole } from "../product/file/written.js";
import { classesOf } from "./board/devices.js";

/** The file of an envelope. Those of other roles can be published beside those of releases. */
export const envelopeName = (product: Product, board: string, version: string, role: SigningRole = "release"): string =>
  `${product.name}-${board}-${version}${role === "release" ? "" : `-${role}`}.suit`;

/** The folder of releases in a role. Other roles have numbers of their own, so their releases are apart. */
export const shelfPath = ({ out }: Product, role: SigningRole = "release"): string => (role === "release" ? out : join(out, role));

/** Returns the vendor and the classes of a product by their UUIDs. */
export function productNames(product: Product): Map<string, string> {
  const names = new Map<string, string>();
  for (const board of product.boards) {
    const { vendor, classes } = classesOf(product, board);
    names.set(vendor, product.vendor);
    for (const { id, name } of classes) names.set(id, name);
  }
  return names;
}
