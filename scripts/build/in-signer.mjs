// Modules of packages/signer/lib, packages/release/lib and packages/report/lib as programs get them: they contain what
// they use of other packages, so that nobody has to install those. schema.js has the code that Ajv makes of schemas,
// and the few functions that it calls; description/schema.js has its schema and what interprets it, and
// description/schema-why.js the code of Ajv; cbor.js has the encoder of cbor-x, which would bring the native
// cbor-extract and its install script.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "acorn";
import { build, transform } from "esbuild";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SIGNER = `${ROOT}packages/signer/`;
const RELEASE = `${ROOT}packages/release/`;

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

/**
 * Replaces a module that tsc made. Returns the paths of the files that are in it now, from the top of the repository.
 */
async function replaceModule(path, options) {
  const { outputFiles, metafile } = await build({ ...SHARED, ...options });
  writeFileSync(path, outputFiles[0].text);
  return Object.keys(metafile.inputs);
}

/**
 * The code that Ajv makes of schemas. `names`: by the name that it exports, the identifier of a schema or of a part of
 * it.
 */
function compiledSchemas(folder, schemas, names, options) {
  const ofPackage = createRequire(`${folder}package.json`);
  const { Ajv2020 } = ofPackage("ajv/dist/2020.js");
  const { default: standaloneCode } = ofPackage("ajv/dist/standalone");
  // a part that is referred to becomes a function, rather than code wherever it is referred to
  const ajv = new Ajv2020({
    allowUnionTypes: true,
    keywords: ["refersTo"],
    inlineRefs: false,
    code: { source: true, esm: true },
    ...options,
  });
  for (const schema of schemas) ajv.addSchema(schema);
  return standaloneCode(ajv, names);
}

/** What an object has that Ajv writes for an error, and one that it passes to the function of a part. */
const OF_ERROR = ["instancePath", "schemaPath", "keyword", "params"];
const OF_PART = ["instancePath", "parentDataProperty", "rootData"];

/** The same code, with an empty object for each error, and no path to it: only whether there is one counts. */
function withoutErrors(code) {
  const changes = [];
  const visit = (node) => {
    if (typeof node?.type !== "string") return;
    const members = node.type === "ObjectExpression" ? node.properties : [];
    const hasAll = (names) => names.every((name) => members.some(({ key }) => key?.name === name));
    if (hasAll(OF_ERROR)) changes.push([node, "{}"]);
    else if (hasAll(OF_PART)) changes.push([members.find(({ key }) => key.name === "instancePath"), 'instancePath: ""']);
    else for (const part of Object.values(node).flat()) visit(part);
  };
  visit(parse(code, { ecmaVersion: 2022, sourceType: "module" }));
  if (changes.length === 0) throw new Error("the code of a schema makes no errors");
  return changes
    .sort(([a], [b]) => b.start - a.start)
    .reduce((text, [{ start, end }, plain]) => text.slice(0, start) + plain + text.slice(end), code);
}

/** A plugin for what a module imports by a name of its own. */
const virtual = (name, contents, resolveDir) => ({
  name,
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^${name}$`) }, ({ path }) => ({ path, namespace: name }));
    onLoad({ filter: /./, namespace: name }, () => ({ contents, resolveDir }));
  },
});

/**
 * The output of tsc for `module` compiles schemas on first use. `parts`: by name, the file of a schema, and the part of
 * it that values must match; by default all of it. violations() of the module takes the name. The module says only
 * whether a value is valid. If it is not, a second module says why. `check`: by the schemas and names, the text of a
 * module with a function for each name.
 */
async function precompileSchemas(folder, module, parts, check) {
  const schemas = [];
  const names = {};
  for (const [name, [file, part = ""]] of Object.entries(parts)) {
    const schema = JSON.parse(readFileSync(`${folder}schema/${file}`, "utf8"));
    schemas.push(schema);
    names[name] = `${schema.$id}${part}`;
  }
  const why = `${module}-why`;
  const write = (path, contents, code) => {
    const plain = { stdin: { contents: `import * as checks from "compiled";\n${contents}` }, platform: "node" };
    return replaceModule(`${folder}lib/${path}.js`, {
      ...plain,
      plugins: [virtual("compiled", code, folder)],
      external: [`./${basename(why)}.js`],
    });
  };
  return [
    ...(await write(
      why,
      "export const violations = (value, name) => (checks[name](value) ? [] : checks[name].errors);",
      // verbose: messages say what is allowed
      compiledSchemas(folder, schemas, names, { verbose: true }),
    )),
    ...(await write(
      module,
      `import { violations as why } from "./${basename(why)}.js";
      const UNKNOWN = { instancePath: "", keyword: "", params: {}, message: "does not fit the schema" };
      export const violations = (value, name) => {
        if (checks[name](value)) return [];
        const all = why(value, name);
        return all.length > 0 ? all : [UNKNOWN];
      };`,
      check(folder, schemas, names),
    )),
  ];
}

/** The code of Ajv without errors, which has half of its length, or less. */
const shortCode = (folder, schemas, names) => withoutErrors(compiledSchemas(folder, schemas, names, { messages: false }));

/** The schema as data, which is a tenth of the code. It is read when it is first asked. */
function interpreted(_, [schema, ...others], names) {
  if (others.length > 0 || Object.values(names).some((name) => name !== schema.$id)) throw new Error("one schema is interpreted at a time");
  const data = JSON.stringify(schema, (name, value) => (name === "description" && typeof value === "string" ? undefined : value));
  const checks = Object.keys(names).map((name) => `export const ${name} = (value) => fits(value, (schema ??= JSON.parse(data)));`);
  return `import { fits } from "./lib/description/fits.js";\nconst data = ${JSON.stringify(data)};\nlet schema;\n${checks.join("\n")}`;
}

/**
 * What the encoder of cbor-x takes from the module of its decoder: the decoder keeps the options, because the encoder
 * extends it.
 */
const IN_PLACE_OF_DECODER = `
export class Decoder {
  constructor(options) {
    Object.assign(this, options);
  }
  encodeKey(key) {
    return key;
  }
}
export class Tag {
  constructor(value, tag) {
    this.value = value;
    this.tag = tag;
  }
}
export const mult10 = [], typedArrays = [], FLOAT32_OPTIONS = {}, addExtension = () => {};
`;

/** The encoder of cbor-x alone. Its decoder would come with it, which is longer, and makes functions from text. */
const encoderAlone = {
  name: "encoder-alone",
  setup({ onLoad }) {
    onLoad({ filter: /\/cbor-x\/index\.js$/ }, () => ({
      contents: 'export { Encoder } from "./encode.js"; export { Tag } from "./decode.js";',
    }));
    onLoad({ filter: /\/cbor-x\/decode\.js$/ }, () => ({ contents: IN_PLACE_OF_DECODER }));
    onLoad({ filter: /\/cbor-x\/encode\.js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const made = /^let defaultEncoder = .*\n(?:export const \w+ = defaultEncoder\.\w+\n)+/m;
      const lists = "let extensions, extensionClasses\n";
      if (!made.test(text) || !text.includes(lists)) throw new Error(`${path}: what it makes when it is loaded is not where it was`);
      // declared where they get their values: a program that encodes nothing leaves them out with the encoder
      const declared = text.replace(lists, "").replace(/^(?:extensions|extensionClasses) = /gm, "let $&");
      return { contents: declared.replace(made, "export let encode, encodeAsIterable, encodeAsAsyncIterable;\n") };
    });
  },
};

/**
 * The neutral platform takes the entry of cbor-x that asks for nothing native. Node loads the class for blobs when it
 * is named.
 */
const withCborX = () =>
  replaceModule(`${SIGNER}lib/cbor.js`, {
    entryPoints: [`${SIGNER}src/cbor.ts`],
    external: ["./bytes.js"],
    platform: "neutral",
    plugins: [encoderAlone],
    define: { Blob: "undefined" },
  });

/** Returns the paths of the files of other packages that the signer holds. */
export async function withoutDependencies() {
  return [
    ...(await precompileSchemas(SIGNER, "description/schema", { manifest: ["manifest.schema.json"] }, interpreted)),
    ...(await withCborX()),
  ];
}

/** The names of published test keys that pages can have, by 128 bits of their thumbprints: none is shown as good. */
async function testKeyNames() {
  const { testKeys, testKeyForms, thumbprint } = await import(new URL(`file://${SIGNER}lib/index.js`).href);
  // those of ML-DSA have a digest: no page has that algorithm
  const rows = testKeys
    .filter(({ digest }) => digest === undefined)
    .flatMap((one) => testKeyForms(one).map((key) => [Buffer.from(thumbprint(key)).toString("hex").slice(0, 32), one.name]));
  return Object.fromEntries(rows.reverse());
}

/**
 * The script and the style of the report page, each as one text, in packages/report/lib/assets.js. Returns what is in
 * it.
 */
export async function withPage() {
  const folder = `${ROOT}packages/report/`;
  const { outputFiles, metafile } = await build({
    ...SHARED,
    entryPoints: [`${folder}src/page/page.ts`],
    format: "iife",
    platform: "browser",
    target: "es2022",
    minify: true,
    define: { FIRMSEAL_TEST_KEYS: JSON.stringify(await testKeyNames()) },
  });
  const style = await transform(readFileSync(`${folder}src/page/style.css`, "utf8"), { loader: "css", minify: true });
  const script = outputFiles[0].text;
  // either would end the element that holds it
  if (/<\/|<!/.test(script + style.code)) throw new Error("packages/report: the page has text that HTML takes for markup");
  const lines = [`export const PAGE_SCRIPT = ${JSON.stringify(script)};`, `export const PAGE_STYLE = ${JSON.stringify(style.code)};`, ""];
  writeFileSync(`${folder}lib/assets.js`, lines.join("\n"));
  return Object.keys(metafile.inputs);
}

/** Compiles the schemas of packages/release in advance. */
export const withoutSchemaCompiler = () =>
  precompileSchemas(
    RELEASE,
    "input/schema",
    {
      trust: ["trust.schema.json"],
      product: ["product.schema.json"],
      record: ["release.schema.json"],
      withdrawn: ["withdrawn.schema.json"],
      cohort: ["fleet.schema.json", "#/$defs/cohort"],
    },
    shortCode,
  );
