// Where the paths of a product file may lead. The file may be a stranger's: an image is published, and
// image = "/proc/self/environ" would publish the secrets of the job that releases it.

import { realpathSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import type { Product } from "./product.js";

/** The path below `folder`, or undefined. */
function below(folder: string, path: string): string | undefined {
  const rest = relative(folder, path);
  return rest === ".." || rest.startsWith(`..${sep}`) || isAbsolute(rest) ? undefined : rest;
}

/** Git keeps the token of a CI job in its configuration, and the addresses of other repositories. */
const isOfGit = (rest: string) => rest.split(sep).some((part) => part.toLowerCase() === ".git");

function isAllowed(product: Product, path: string, real: (path: string) => string, folder = dirname(product.path)): boolean {
  const rest = below(real(folder), path);
  if (rest !== undefined && !isOfGit(rest)) return true;
  return product.allowOutside.some((folder) => below(real(folder), path) !== undefined);
}

/**
 * Returns the real path of an existing image that the product file names at the member `at`. Throws a Failure: PRODUCT,
 * if it is outside the folder of images, by default that of the product file, or in .git, and not in a folder of
 * `allowOutside`.
 */
export function insideProject(product: Product, path: string, at: string): string {
  const real = realpathSync(path);
  if (isAllowed(product, real, (folder) => realpathSync(folder), product.images)) return real;
  const where = real === resolve(path) ? path : `${path} is a link to ${real}, and`;
  throw product.fault(
    at,
    `${where} is outside the folder of ${product.images === dirname(product.path) ? "the product file" : "images"}, or in .git`,
    `if the product file is yours, and the file may be published: \`allowOutside\` ${dirname(real)}`,
  );
}

/** The folders outside that of the product file in which it looks for images, each of which a release must allow. */
export const foldersOutside = (product: Product): string[] => [
  ...new Set(
    product.boards
      .flatMap(({ images }) => images.flatMap(({ files }) => files))
      .filter((file) => !isAllowed(product, resolve(file), (folder) => resolve(folder), product.images))
      .map((file) => dirname(file)),
  ),
];

/** Throws a Failure: PRODUCT, if the product file names a folder for releases outside its own folder. */
export function refuseOutsideOut(product: Product): void {
  // no output follows a link: it is where its name says
  if (!isAllowed(product, resolve(product.out), (folder) => resolve(folder)))
    throw product.fault(
      "/out",
      `${product.out} is outside the folder of the product file, or in .git`,
      `if the product file is yours: \`allowOutside\` ${resolve(product.out)}, or \`out\``,
    );
}
