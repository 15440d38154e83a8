// Hybrid pairs: a classic key and one of ML-DSA that sign the same releases. They are two keys and two signatures, so that a device that
// knows one algorithm verifies that one, and a newer one demands both. They are told to belong together by their names alone.

import { existsSync } from "node:fs";
import { visible, warn } from "../ui.js";

/** Where the post-quantum half of a pair lies: release.pem → release.pq.pem. */
export function partnerOf(file: string): string {
  const stem = file.replace(/\.pem$/i, "");
  return `${stem}.pq${file.slice(stem.length) || ".pem"}`;
}

/** Half of a pair that signs alone makes a release that devices which demand both refuse. It may be meant, so it is a warning. */
export function warnOfLonePartner(files: readonly string[]): void {
  for (const file of files) {
    const partner = partnerOf(file);
    const whole = file.replace(/\.pq(\.pem)?$/i, (_, end: string | undefined) => end ?? ".pem");
    for (const other of [partner, whole])
      if (other !== file && existsSync(other) && !files.includes(other))
        warn(`${visible(file)} signs without ${visible(other)}, which lies beside it: devices that demand both refuse the release`);
  }
}
