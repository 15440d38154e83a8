// For the bundled command line: a second module of each command, that only declares it. --help and completion load no
// more than that. And tables that are worked out here, rather than at each start.

import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { transform } from "esbuild";

/** TypeScript drops imports that are not used. */
const PLAIN = { loader: "ts", format: "esm", tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: false } } };

/** Modules whose exports are tables: what they are made of is not loaded for them. */
const TABLES = [
  { filter: /\/packages\/bundler\/lib\/options\.js$/, built: "bundler/lib/options.js" },
  { filter: /\/packages\/cli\/src\/common\/choices\.ts$/, built: "cli/lib/common/choices.js" },
  { filter: /\/packages\/verifier\/lib\/tools\/names\.js$/, built: "verifier/lib/tools/names.js" },
  { filter: /\/packages\/verifier\/lib\/tools\/command-table\.js$/, built: "verifier/lib/tools/command-table.js" },
];

/**
 * An esbuild plugin, for after tsc. In a command file, `run` and what follows it ends the definition; without them,
 * nothing needs the rest of the file.
 */
export function declarations() {
  return {
    name: "declarations",
    setup({ onLoad, onResolve }) {
      onLoad({ filter: /\/packages\/cli\/src\/commands\.ts$/ }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        const both = text.replace(/load: \(\) => import\("(.+?)"\)/g, '$&, declare: () => import("declare:$1")');
        return { contents: both, loader: "ts" };
      });
      for (const { filter, built } of TABLES)
        onLoad({ filter }, async () => {
          const exported = Object.entries(await import(`../../packages/${built}`));
          return { contents: exported.map(([name, table]) => `export const ${name} = ${JSON.stringify(table)};`).join("\n"), loader: "js" };
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
