// minify() of terser, with its results kept beside node_modules: the same bundle is made by the build, by checks,
// engines and tests (those that call the command line too), in each run. A result is found by the content of the text,
// the options and the version of terser, so it is what terser would give again.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const fromBundler = createRequire(new URL("../packages/bundler/package.json", import.meta.url));
const FOLDER = fileURLToPath(new URL("../node_modules/.cache/firmseal/minified/", import.meta.url));

export async function minify(text, options) {
  const asked = JSON.stringify([fromBundler("terser/package.json").version, options, text]);
  const file = FOLDER + createHash("sha256").update(asked).digest("hex");
  // a syntax tree, or a text
  const result = (kept) => (options.format?.spidermonkey ? { ast: JSON.parse(kept) } : { code: kept });
  try {
    return result(readFileSync(file, "utf8"));
  } catch {
    const { ast, code = JSON.stringify(ast) } = await fromBundler("terser").minify(text, options);
    mkdirSync(FOLDER, { recursive: true });
    // others may be making the same
    writeFileSync(`${file}.${process.pid}`, code);
    renameSync(`${file}.${process.pid}`, file);
    return result(code);
  }
}
