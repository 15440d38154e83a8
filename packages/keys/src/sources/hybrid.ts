// Hybrid pairs: a classic key and an ML-DSA key that sign the same releases. They are two keys with two signatures: an
// older device verifies the algorithm that it knows, and a newer one requires both. Only their file names show that
// they belong together.

import { existsSync } from "node:fs";
import { extname } from "node:path";
import { warn } from "../notices.js";
import { visible } from "../words.js";

/** Returns the path of the post-quantum half of a pair: release.pem → release.pq.pem, release → release.pq. */
export function partnerOf(file: string): string {
  const end = extname(file);
  return `${file.slice(0, file.length - end.length)}.pq${end}`;
}

/**
 * The path of the classic half: release.pq.pem → release.pem. Returns undefined if the name is not that of a
 * post-quantum half.
 */
function wholeOf(file: string): string | undefined {
  const end = extname(file);
  if (end === ".pq") return file.slice(0, -3);
  const stem = file.slice(0, file.length - end.length);
  return stem.endsWith(".pq") ? `${stem.slice(0, -3)}${end}` : undefined;
}

/**
 * Warns if only one half of a pair signs: devices that require both would refuse the release. It may be intended, so it
 * is not an error.
 */
export function warnOfLonePartner(files: readonly string[]): void {
  for (const file of files) {
    const other = wholeOf(file) ?? partnerOf(file);
    if (existsSync(other) && !files.includes(other))
      warn(`${visible(file)} signs without ${visible(other)}, which is beside it: devices that demand both refuse the release`);
  }
}
