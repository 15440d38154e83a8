// Where the source of a package's export is: from the `exports` of its package.json, so that tests, fuzzers, mutants
// and vectors have the one table.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PACKAGES = fileURLToPath(new URL("../../packages/", import.meta.url));

/** By specifier ("@firmseal/verifier/tools"): the path of its TypeScript, "packages/verifier/src/tools/index.ts". */
export const SOURCES = Object.fromEntries(
  readdirSync(PACKAGES).flatMap((folder) => {
    const { name, exports = {} } = JSON.parse(readFileSync(`${PACKAGES}${folder}/package.json`, "utf8"));
    return Object.entries(exports).flatMap(([key, value]) => {
      const module = /^\.\/lib\/(.*)\.js$/.exec(value.default ?? "")?.[1];
      return module ? [[`${name}${key.slice(1)}`, `packages/${folder}/src/${module}.ts`]] : [];
    });
  }),
);
