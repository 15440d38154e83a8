// The file of an image: what a build wrote, under a name that may have a version or a date in it.

import { statSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { grouped, isFile, STDIO, someOf } from "@firmseal/keys/internal";
import { unlessThrown } from "@firmseal/signer";
import { LIMITS } from "../../input/limits.js";
import { insideProject } from "../../product/file/inside.js";
import type { Product, ProductImage } from "../../product/file/product.js";
import { filesMatching, isPattern } from "./pattern.js";

/** An image of a build: its path in words, and the real one. */
export interface ImageFile {
  readonly path: string;
  readonly real: string;
}

/** The name of a signed image, beside the binary of the build. stdin goes to stdout. */
export const signedImageName = (path: string): string =>
  path === STDIO ? STDIO : join(dirname(path), `${basename(path, extname(path))}.signed${extname(path)}`);

/** The file of an image. Throws a Failure: PRODUCT, at the member that names it. */
export function imageFile(product: Product, { files, at, isGiven, isForBoot }: ProductImage, i: number): ImageFile {
  const path = oneFile(product, files[i] as string, at, isForBoot);
  // what a person names on the command line may be anywhere
  return { path, real: isGiven ? path : insideProject(product, path, at) };
}

/** The one file that a pattern matches. */
function oneFile(product: Product, pattern: string, at: string, isForBoot?: true): string {
  // a pattern may be longer than a name
  const stat = isPattern(pattern) ? unlessThrown(() => statSync(pattern)) : statSync(pattern, { throwIfNoEntry: false });
  if (stat?.isFile()) return pattern;
  if (stat) throw product.fault(at, `${pattern} is not a file`, "name the image that the build writes");
  const all = isPattern(pattern) ? matching(product, pattern, at) : [];
  // what a release has signed is beside the binary, and would match too
  const signed = isForBoot ? all.map(signedImageName) : [];
  const found = all.filter((one) => !signed.includes(one));
  if (found.length === 0) throw product.fault(at, `${pattern}: no image has this name`, "build it first, or correct the name");
  if (found.length > 1)
    throw product.fault(
      at,
      `${pattern}: matches ${found.length} files: ${someOf(found)}`,
      "remove old images, or make the pattern narrower",
    );
  return found[0] as string;
}

/** Files that a pattern matches. The name of the folder of images is not a part of the pattern. */
function matching(product: Product, pattern: string, at: string): string[] {
  const folder = product.images;
  const isBelow = pattern.startsWith(`${folder}/`);
  const found = filesMatching(isBelow ? folder : "", isBelow ? pattern.slice(folder.length + 1) : pattern);
  if (!found)
    throw product.fault(
      at,
      `${pattern} is too large to search: at most ${grouped(LIMITS.patternAlternatives)} alternatives, and ${grouped(LIMITS.patternNames)} names in its folders`,
      "make the pattern narrower",
    );
  const paths = found.map((path) => (isBelow ? join(folder, path) : path));
  return paths.filter((path) => isFile(path));
}
