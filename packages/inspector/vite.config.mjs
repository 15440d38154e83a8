// Builds the page. Everything that it loads is a file beside it, under a relative name, so that any folder of any host
// can hold it.

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** What the simulator and its models use of Node, in a browser. */
const alias = {
  "node:crypto": here("src/node/crypto.ts"),
  "node:path/posix": here("src/node/path.ts"),
};
const transform = { inject: { Buffer: [here("src/node/buffer.ts"), "Buffer"] } };

/** How long plugins take is not a finding. */
const checks = { pluginTimings: false };

/** The code of the devices apart, so that a budget can count the rest. */
// its annotations: minified, "1 / /* @__PURE__ */ f()" would become a comment
const output = { comments: { annotation: false }, codeSplitting: { groups: [{ name: "verifier", test: /packages[\\/]verifier[\\/]/ }] } };

export default defineConfig({
  root: here("."),
  base: "./",
  resolve: { alias },
  build: {
    target: "es2022",
    outDir: "dist",
    // the text of a data URL would need a source in the policy
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    rolldownOptions: { transform, output, checks },
  },
  worker: { format: "es", rolldownOptions: { transform, output, checks } },
});
