// Results that follow from content alone, kept in node_modules/.cache/firmseal. A result is found by a hash of all that
// it is made from, so it is what would be made again.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const CACHE = fileURLToPath(new URL("../../node_modules/.cache/firmseal/", import.meta.url));

/**
 * A result of the kind `kind`, which is a folder. `parts`: texts or bytes, all that it is made from besides Node.
 * read() gives its bytes, or undefined; write() keeps them, and gives them back as bytes.
 */
export function kept(kind, parts, cache = CACHE) {
  const hash = createHash("sha256").update(process.version);
  // the length says where a part ends
  for (const part of parts) hash.update(`\n${Buffer.byteLength(part)} `).update(part);
  const file = `${cache}${kind}/${hash.digest("hex")}`;
  return {
    file,
    read() {
      try {
        return readFileSync(file);
      } catch {
        return undefined;
      }
    },
    write(result, mode = 0o666) {
      mkdirSync(`${cache}${kind}`, { recursive: true });
      // others may be making the same
      writeFileSync(`${file}.${process.pid}`, result, { mode });
      renameSync(`${file}.${process.pid}`, file);
      return Buffer.from(result);
    },
  };
}

/** The result, made unless it was kept. */
export function keptOnce(kind, parts, make) {
  const one = kept(kind, parts);
  return one.read() ?? one.write(make());
}
