// packages/signer/lib/description/schema.js without Ajv: the code that Ajv makes of manifest.schema.json, and the few functions that it calls.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SIGNER = `${ROOT}packages/signer/`;

/**
 * Replaces what tsc made of packages/signer/src/description/schema.ts, which compiles the schema when it is first asked. Returns the paths of the
 * files that are in it, from the top of the repository.
 */
export async function precompileSchema() {
  const ofSigner = createRequire(`${SIGNER}package.json`);
  const { Ajv2020 } = ofSigner("ajv/dist/2020.js");
  const { default: standaloneCode } = ofSigner("ajv/dist/standalone");
  const schema = JSON.parse(readFileSync(`${SIGNER}schema/manifest.schema.json`, "utf8"));
  // a part that is referred to becomes a function, rather than code wherever it is referred to
  const ajv = new Ajv2020({ allowUnionTypes: true, inlineRefs: false, code: { source: true, esm: true } });
  const code = standaloneCode(ajv, ajv.compile(schema));
  const compiled = {
    name: "compiled",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^compiled$/ }, ({ path }) => ({ path, namespace: "schema" }));
      onLoad({ filter: /^compiled$/, namespace: "schema" }, () => ({ contents: code, resolveDir: SIGNER }));
    },
  };
  const { outputFiles, metafile } = await build({
    stdin: { contents: 'import check from "compiled";\nexport const violations = (value) => (check(value) ? [] : check.errors);' },
    plugins: [compiled],
    metafile: true,
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20.19",
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    logLevel: "warning",
  });
  writeFileSync(`${SIGNER}lib/description/schema.js`, outputFiles[0].text);
  return Object.keys(metafile.inputs);
}
