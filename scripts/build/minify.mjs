// minify() of terser, with its results kept beside node_modules (kept.mjs): the same bundle is made by the build, by
// checks, engines and tests (those that call the command line too), in each run. A result is found by the text, the
// options and the version of terser.

import { createRequire } from "node:module";
import { kept } from "../testing/kept.mjs";

const fromBundler = createRequire(new URL("../../packages/bundler/package.json", import.meta.url));

export async function minify(text, options) {
  const one = kept("minified", [JSON.stringify([fromBundler("terser/package.json").version, options, text])]);
  // a syntax tree, or a text
  const result = (bytes) => (options.format?.spidermonkey ? { ast: JSON.parse(bytes) } : { code: String(bytes) });
  const known = one.read();
  if (known) return result(known);
  const { ast, code = JSON.stringify(ast) } = await fromBundler("terser").minify(text, options);
  return result(one.write(code));
}
