// The file of an image: what a build wrote, under a name that may have a version or a date in it.

import { statSync } from "node:fs";
import { someOf } from "@firmseal/keys";
import { globSync, isDynamicPattern } from "tinyglobby";
import type { Product } from "../file/product.js";

/** The one file that a pattern matches. Throws a Failure: PRODUCT, at the member `at`. */
export function imageFile(product: Product, pattern: string, at: string): string {
  const stat = statSync(pattern, { throwIfNoEntry: false });
  if (stat?.isFile()) return pattern;
  if (stat) throw product.fault(at, `${pattern} is not a file`, "name the image that the build writes");
  // a build may be in a folder whose name begins with a dot; links are not followed, which may lead in circles
  const found = isDynamicPattern(pattern)
    ? globSync(pattern, { dot: true, followSymbolicLinks: false, expandDirectories: false }).sort()
    : [];
  if (found.length === 0) throw product.fault(at, `${pattern}: no image has this name`, "build it first, or correct the name");
  if (found.length > 1)
    throw product.fault(
      at,
      `${pattern}: matches ${found.length} files: ${someOf(found)}`,
      "remove old images, or make the pattern narrower",
    );
  return found[0] as string;
}
