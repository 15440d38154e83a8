// Writes packages/bundler/src/local-names.generated.ts: which names the variables of each function get in a bundle.
// Every order of the letters gives a bundle of the same length, and some compress better. This tries to exchange two
// letters of a function, or one for another, and keeps what does not make the bundle longer after gzip; first in the
// bundle for Ed25519, then in what the others add. Takes minutes, and gives the same for the same sources. Run `pnpm
// local-names`. A table that is out of date costs bytes and nothing else: names that a function cannot have are not
// used.

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { minifiedBundle } from "../../packages/bundler/lib/index.js";
import { nameVariables, RESERVED, scopesOf } from "../../packages/bundler/lib/naming.js";
import { DEFAULT_FEATURES } from "../../packages/bundler/lib/options.js";
import { BUNDLES, partsOnce } from "../build/bundle.mjs";

const { minify } = createRequire(new URL("../../packages/bundler/package.json", import.meta.url))("terser");
const FILE = fileURLToPath(new URL("../../packages/bundler/src/local-names.generated.ts", import.meta.url));
/** Letters that a variable may get instead of its own, the first of those that minified code uses most. */
const OTHERS = [..."nrtuofiecavldsyp"];
const SWEEPS = 6;
/** The longest line. */
const LINE = 140;

const names = {};

/** The text of a bundle before its variables get names, and its syntax tree. */
async function unnamed(algs) {
  let found;
  const options = { algs, features: DEFAULT_FEATURES, format: "umd" };
  await minifiedBundle(options, await partsOnce(), async (text, asked) => {
    const result = await minify(text, asked);
    if (result.ast) found = { text, ast: result.ast };
    return result;
  });
  return found;
}

/** Whether a function inside has a variable of its own with the name of one outside that it uses. */
const hides = (scope) =>
  scope.inner.some(
    (one) => [...one.variables.values()].some(({ short }) => [...one.outer].some((used) => (used.short ?? used) === short)) || hides(one),
  );

/** Improves the names of the scopes that no bundle before had. */
function search({ text, ast }) {
  const scopes = scopesOf(ast);
  nameVariables(scopes, RESERVED, names);
  // the text, with the variables in their places
  const pieces = [];
  let done = 0;
  for (const [at, variable] of scopes
    .flatMap(({ variables }) => [...variables.values()].flatMap((one) => one.at.map((at) => [at, one])))
    .sort(([a], [b]) => a - b)) {
    pieces.push(text.slice(done, at).replace(/\breturn\}/g, "return;}"), variable);
    done = at + variable.name.length;
  }
  pieces.push(text.slice(done).replace(/\breturn\}/g, "return;}"));
  const size = () => {
    let out = "";
    for (let i = 0; i < pieces.length; i++) out += i % 2 ? pieces[i].short : pieces[i];
    return gzipSync(`${out}\n`, { level: 9 }).length;
  };
  const own = scopes.slice(2).filter(({ key, variables }) => variables.size > 0 && !(key in names));
  let best = size();
  const first = best;
  /** Keeps a change that does not make the bundle longer: what changes nothing alone may make way for more. */
  const attempt = (scope, change, undo) => {
    change();
    const taken = [...scope.outer].some((used) => [...scope.variables.values()].some(({ short }) => short === (used.short ?? used)));
    const now = taken || hides(scope) ? Number.POSITIVE_INFINITY : size();
    if (now <= best) best = now;
    else undo();
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const scope of own) {
      const variables = [...scope.variables.values()];
      for (const [i, a] of variables.entries()) {
        for (const b of variables.slice(i + 1)) {
          const swap = () => ([a.short, b.short] = [b.short, a.short]);
          attempt(scope, swap, swap);
        }
        for (const letter of OTHERS) {
          const was = a.short;
          if (variables.some(({ short }) => short === letter)) continue;
          attempt(
            scope,
            () => (a.short = letter),
            () => (a.short = was),
          );
        }
      }
    }
    console.log(`  ${first} → ${best}`);
  }
  for (const { key, variables } of own) names[key] = [...variables.values()].map(({ short }) => short).join(" ");
  nameVariables(scopes, RESERVED, names);
  if (size() !== best) throw new Error(`the table gives ${size()} bytes, not ${best}`);
}

function write() {
  const rows = Object.entries(names).map(([key, shorts]) => {
    const start = `  ${/^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key)}:`;
    const end = `${JSON.stringify(shorts)},`;
    // as the formatter would
    return `${start}${start.length + end.length < LINE ? " " : "\n    "}${end}`;
  });
  writeFileSync(
    FILE,
    `// GENERATED from the bundles that ship. DO NOT EDIT: run \`pnpm local-names\`. The names of the variables of functions in
// bundles: see naming.ts.

import type { LocalNames } from "./naming.js";

export const LOCAL_NAMES: LocalNames = {
${rows.join("\n")}
};
`,
  );
}

for (const { name, algs } of BUNDLES) {
  console.log(name);
  search(await unnamed(algs));
  write();
}
