// Sizes of the device bundles.

import { gzipSync } from "node:zlib";
import { BUNDLES, bundlePath, read, table } from "./lib.mjs";

console.log("## Sizes of the device bundles, bytes\n");
const rows = BUNDLES.map((name) => {
  const bytes = read(bundlePath(name));
  const size = (n) => n.toLocaleString("en");
  return [`firmseal-${name}.js`, size(bytes.length), size(gzipSync(bytes, { level: 9 }).length)];
});
table(["bundle", "minified", "gzip -9"], rows);
