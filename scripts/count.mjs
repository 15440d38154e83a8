// Counts what a new maintainer has to read: lines by kind, exported names and who imports them, circles of folders,
// variables of the tests, words of CONTRIBUTING, files of each recipe. `node scripts/count.mjs [FOLDER]` counts another
// checkout, for a comparison. Reads tracked files; needs no build.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { checkCircles } from "./checks/circles.mjs";

const root = resolve(process.argv[2] ?? join(import.meta.dirname, ".."));
const paths = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
const read = (path) => readFileSync(join(root, path), "utf8");
const code = paths.filter((path) => /\.(?:[cm]?[jt]s|[ch])$/.test(path) && existsSync(join(root, path)));
const texts = new Map(code.map((path) => [path, read(path)]));
const linesOf = (some) => some.reduce((sum, path) => sum + read(path).split("\n").length - 1, 0);

const KINDS = {
  "sources of packages": /^(?:packages\/(?!test-support)[\w-]+\/src|action\/src)\/(?!.*\.generated\.)/,
  "generated sources": /\.generated\./,
  "tests of packages": /^packages\/[\w-]+\/test\//,
  "tests of the whole, vectors": /^(?:test|test-vectors)\//,
  "scripts, test-support, fuzz, bench, conformance": /^(?:scripts|packages\/test-support|fuzz|bench|conformance)\//,
};
for (const [kind, pattern] of Object.entries(KINDS)) console.log(`${kind}: ${linesOf(code.filter((path) => pattern.test(path)))} lines`);
console.log(`documents: ${linesOf(paths.filter((path) => path.endsWith(".md")))} lines`);

/** The names of `{ a, type b, c as d }`. */
const namesOf = (list, outside) =>
  list
    .split(",")
    .map((name) =>
      name
        .trim()
        .replace(/^type /, "")
        .split(" as ")
        .at(outside),
    )
    .filter(Boolean);

for (const name of ["keys", "release"])
  for (const entry of ["index", "internal"]) {
    const path = `packages/${name}/src/${entry}.ts`;
    if (!texts.has(path)) continue;
    const exported = [...texts.get(path).matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list]) => namesOf(list, -1));
    const specifier = `"@firmseal/${name}${entry === "index" ? "" : "/internal"}"`;
    const imported = { cli: new Set(), others: new Set() };
    for (const [file, text] of texts)
      for (const [, list] of text.matchAll(new RegExp(`\\{([^}]*)\\} from ${specifier}`, "g")))
        for (const one of namesOf(list, 0)) imported[file.startsWith("packages/cli/") ? "cli" : "others"].add(one);
    const alone = exported.filter((one) => imported.cli.has(one) && !imported.others.has(one));
    const nobody = exported.filter((one) => !imported.cli.has(one) && !imported.others.has(one));
    console.log(`${specifier}: ${exported.length} names; the command line alone imports ${alone.length}, nothing ${nobody.length}`);
  }

const sources = code.filter((path) => /^packages\/[\w-]+\/src\//.test(path)).map((path) => ({ path, text: texts.get(path) }));
console.log(`circles of folders: ${checkCircles(sources).length}`);

const forTests = /^(?:scripts|packages\/(?:test-support|[\w-]+\/test)|test|fuzz|bench)\/|^vitest|^\.ci\//;
const variables = new Set();
for (const path of paths.filter((one) => forTests.test(one) && /\.[cm]?[jt]s$|^\.ci\/run$/.test(one)))
  for (const [, , name] of read(path).matchAll(/(env\??\.|env\[["']|\$\{)(FIRMSEAL_\w+)/g)) variables.add(name);
const ofProduct = [...texts].filter(([path]) => /^packages\/(?!test-support)[\w-]+\/src\//.test(path));
const own = [...variables].filter((name) => !/_TEST_(?:KEY|PASS)/.test(name) && !ofProduct.some(([, text]) => text.includes(name)));
console.log(`variables of the tests: ${own.length} (${own.sort().join(", ")})`);
console.log(`CONTRIBUTING.md: ${read("CONTRIBUTING.md").split(/\s+/).filter(Boolean).length} words`);
for (const path of paths.filter((one) => /^test\/recipes\/.*\.patch$/.test(one)))
  console.log(`${path}: changes ${[...read(path).matchAll(/^\+\+\+ /gm)].length} files`);
