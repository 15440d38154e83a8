// What must never be in the repository of a product, as lines of .gitignore.

import { basename, relative } from "node:path";
import { isIn } from "./first-list.js";

/** A path as .gitignore takes it literally, from its own folder. */
const ignoring = (path: string) => `/${path.replace(/[\\*?[\] !#]/g, "\\$&")}`;

const IGNORED = ["*.pem", "*.pem.*", "*.hss", "*.hss.*"];
const isIgnored = (file: string) => /\.(?:pem|hss)(?:\.|$)/.test(basename(file));

/**
 * What must never be in the repository: private keys, and their logs and states, which are beside them. Public keys
 * that these lines match are in it all the same.
 */
export function ignoreLines(folder: string, secrets: readonly string[], publicKeys: readonly string[]): string[] {
  const inside = (files: readonly string[]) =>
    [...new Set(files)].filter((file) => isIn(folder, file) && !/[\r\n]/.test(file)).map((file) => relative(folder, file));
  const others = inside(secrets).filter((file) => !isIgnored(file));
  const kept = inside(publicKeys).filter((file) => isIgnored(file) || others.some((other) => file.startsWith(`${other}.`)));
  return [...IGNORED, ...others.flatMap((file) => [ignoring(file), `${ignoring(file)}.*`]), ...kept.map((file) => `!${ignoring(file)}`)];
}
