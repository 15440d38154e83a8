// Two modules of packages/signer/lib as programs get them: what they use of other packages is in them, so that nobody has to install those.
// description/schema.js has the code that Ajv makes of the schemas in schema/, and the few functions that it calls; cbor.js has the encoder of
// cbor-x, which would bring the native cbor-extract and its install script.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SIGNER = `${ROOT}packages/signer/`;

/** Options of esbuild for either. `write` stays off: the file is both what is read and what is written. */
const SHARED = {
  metafile: true,
  absWorkingDir: ROOT,
  bundle: true,
  write: false,
  format: "esm",
  target: "node20.19",
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  logLevel: "warning",
};

/** Replaces a module of the signer that tsc made. Returns the paths of the files that are in it now, from the top of the repository. */
async function replaceModule(name, options) {
  const { outputFiles, metafile } = await build({ ...SHARED, ...options });
  writeFileSync(`${SIGNER}lib/${name}.js`, outputFiles[0].text);
  return Object.keys(metafile.inputs);
}

/** What tsc made of packages/signer/src/description/schema.ts compiles a schema when it is first asked. */
async function precompileSchemas() {
  const ofSigner = createRequire(`${SIGNER}package.json`);
  const { Ajv2020 } = ofSigner("ajv/dist/2020.js");
  const { default: standaloneCode } = ofSigner("ajv/dist/standalone");
  // a part that is referred to becomes a function, rather than code wherever it is referred to; verbose: the messages say what is allowed
  const ajv = new Ajv2020({ allowUnionTypes: true, verbose: true, inlineRefs: false, code: { source: true, esm: true } });
  const names = {};
  for (const file of readdirSync(`${SIGNER}schema`).sort()) {
    const schema = JSON.parse(readFileSync(`${SIGNER}schema/${file}`, "utf8"));
    ajv.addSchema(schema);
    names[file.replace(".schema.json", "")] = schema.$id;
  }
  const code = standaloneCode(ajv, names);
  const compiled = {
    name: "compiled",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^compiled$/ }, ({ path }) => ({ path, namespace: "schema" }));
      onLoad({ filter: /^compiled$/, namespace: "schema" }, () => ({ contents: code, resolveDir: SIGNER }));
    },
  };
  return replaceModule("description/schema", {
    stdin: {
      contents:
        'import * as checks from "compiled";\nexport const violations = (value, name) => (checks[name](value) ? [] : checks[name].errors);',
    },
    plugins: [compiled],
    platform: "node",
  });
}

/** The neutral platform takes the entry of cbor-x that asks for nothing native. */
const withCborX = () => replaceModule("cbor", { entryPoints: [`${SIGNER}src/cbor.ts`], external: ["./bytes.js"], platform: "neutral" });

/** Returns the paths of the files of other packages that the signer holds. */
export async function withoutDependencies() {
  return [...(await precompileSchemas()), ...(await withCborX())];
}
