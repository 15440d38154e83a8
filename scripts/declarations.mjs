// For the bundled command line: a second module of each command, that only declares it. --help and completion load no more than that.

import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { transform } from "esbuild";

/** TypeScript drops imports that are not used. */
const PLAIN = { loader: "ts", format: "esm", tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: false } } };

/** An esbuild plugin, for after tsc. In a command file, `run` and what follows it ends the definition; without them, nothing needs the rest of the file. */
export function declarations() {
  return {
    name: "declarations",
    setup({ onLoad, onResolve }) {
      onLoad({ filter: /\/packages\/cli\/src\/commands\.ts$/ }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        const both = text.replace(/load: \(\) => import\("(.+?)"\)/g, '$&, declare: () => import("declare:$1")');
        return { contents: both, loader: "ts" };
      });
      // worked out here, so that nothing is loaded for it
      onLoad({ filter: /\/packages\/cli\/src\/common\/choices\.ts$/ }, async () => {
        const { CHOICES } = await import("../packages/cli/lib/common/choices.js");
        return { contents: `export const CHOICES = ${JSON.stringify(CHOICES)};`, loader: "js" };
      });
      onResolve({ filter: /^declare:/ }, ({ path, resolveDir }) => {
        const file = resolve(resolveDir, path.replace(/^declare:(.*)\.js$/, "$1.ts"));
        // the name of the output
        return { path: join(dirname(file), `declare-${basename(file)}`), namespace: "declare", pluginData: file, sideEffects: false };
      });
      onLoad({ filter: /./, namespace: "declare" }, async ({ pluginData: file }) => {
        const text = await readFile(file, "utf8");
        const end = text.lastIndexOf("\n  run: ");
        if (end < 0) throw new Error(`${file}: the definition of a command ends with run and words`);
        const declared = `${text.slice(0, end)}\n});\n`.replace(/^export (?!default )/gm, "");
        // first the functions go that nothing calls any more, then the imports that only they had
        const { code } = await transform(declared, { ...PLAIN, treeShaking: true });
        return { contents: (await transform(code, PLAIN)).code, loader: "js", resolveDir: dirname(file) };
      });
    },
  };
}
