// Hybrid pairs: a classic key and one of ML-DSA that sign the same releases. They are two keys and two signatures, so that a device that
// knows one algorithm verifies that one, and a newer one demands both. They are told to belong together by their names alone.

import { existsSync } from "node:fs";
import { extname } from "node:path";
import { warn } from "../notices.js";
import { visible } from "../words.js";

/** Where the post-quantum half of a pair lies: release.pem → release.pq.pem, release → release.pq. */
export function partnerOf(file: string): string {
  const end = extname(file);
  return `${file.slice(0, file.length - end.length)}.pq${end}`;
}

/** The classic half: release.pq.pem → release.pem; undefined for a name that is none of a post-quantum half. */
function wholeOf(file: string): string | undefined {
  const end = extname(file);
  if (end === ".pq") return file.slice(0, -3);
  const stem = file.slice(0, file.length - end.length);
  return stem.endsWith(".pq") ? `${stem.slice(0, -3)}${end}` : undefined;
}

/** Half of a pair that signs alone makes a release that devices which demand both refuse. It may be meant, so it is a warning. */
export function warnOfLonePartner(files: readonly string[]): void {
  for (const file of files) {
    const other = wholeOf(file) ?? partnerOf(file);
    if (existsSync(other) && !files.includes(other))
      warn(`${visible(file)} signs without ${visible(other)}, which is beside it: devices that demand both refuse the release`);
  }
}
