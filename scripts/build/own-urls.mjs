// For esbuild: in a bundle, each module of ours keeps its own import.meta.url, and so finds the files beside it.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

export const ownUrls = {
  name: "own-urls",
  setup({ onLoad }) {
    onLoad({ filter: /\.(ts|mjs)$/ }, ({ path }) => {
      if (/[\\/]node_modules[\\/]/.test(path)) return undefined;
      const text = readFileSync(path, "utf8");
      return {
        contents: text.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
        loader: path.endsWith(".ts") ? "ts" : "js",
      };
    });
  },
};
