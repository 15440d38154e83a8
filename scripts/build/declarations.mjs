// For the bundled command line: a second module of each command, that only declares it. --help and completion load no
// more than that. And tables that are worked out here, rather than at each start.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";

const PACKAGES = fileURLToPath(new URL("../../packages/", import.meta.url));

/** TypeScript drops imports that are not used. */
const PLAIN = { loader: "ts", format: "esm", tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: false } } };

/** Modules whose exports are tables: what they are made of is not loaded for them. */
const TABLES = [
  { loaded: "bundler/lib/options.js", built: "bundler/lib/options.js" },
  { loaded: "cli/src/common/choices.ts", built: "cli/lib/common/choices.js" },
  { loaded: "verifier/lib/tools/names.js", built: "verifier/lib/tools/names.js" },
  { loaded: "verifier/lib/tools/command-table.js", built: "verifier/lib/tools/command-table.js" },
];

/** A filter for one module. Throws if it does not exist: a filter that matches nothing would go unnoticed. */
function only(module) {
  if (!existsSync(PACKAGES + module)) throw new Error(`packages/${module} does not exist`);
  return new RegExp(`/packages/${module.replaceAll(".", "\\.")}$`);
}

/**
 * An esbuild plugin, for after tsc. In a command file, `run` and what follows it ends the definition; without them,
 * nothing needs the rest of the file.
 */
export function declarations() {
  return {
    name: "declarations",
    setup({ onLoad, onResolve }) {
      onLoad({ filter: only("cli/src/commands.generated.ts") }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        const both = text.replace(/load: \(\) => import\("(.+?)"\)/g, '$&, declare: () => import("declare:$1")');
        return { contents: both, loader: "ts" };
      });
      for (const { loaded, built } of TABLES)
        onLoad({ filter: only(loaded) }, async () => {
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
