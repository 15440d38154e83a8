// For the bundled command line: what is imported from a package is imported from the module that has it. A bundler that
// splits its output puts all that an index lists into whatever imports one name of it, and each command would load it
// all.

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

/** `{ a, type b, c as d }` as [[exported, local]]. */
const namesOf = (list) =>
  list.split(",").flatMap((name) => {
    const words = name.trim().split(/\s+/);
    if (words[0] === "" || words[0] === "type") return [];
    return [[words[0], words.at(-1)]];
  });

/** By name that an index exports: its module, and its name there; without one, it is all of the module. */
function exportsOf(folder, index = "index.js") {
  const text = readFileSync(folder + index, "utf8");
  const pathOf = (module) => resolve(folder, module);
  const map = new Map();
  const imported = new Map();
  for (const [, list, module] of text.matchAll(/^import \{([^}]*)\} from "(\.[^"]+)";/gm))
    for (const [inside, local] of namesOf(list)) imported.set(local, { inside, path: pathOf(module) });
  for (const [, list] of text.matchAll(/^export \{([^}]*)\};/gm))
    for (const [local, outside] of namesOf(list)) if (imported.has(local)) map.set(outside, imported.get(local));
  for (const [, list, module] of text.matchAll(/^export \{([^}]*)\} from "(\.[^"]+)";/gm))
    for (const [inside, outside] of namesOf(list)) map.set(outside, { inside, path: pathOf(module) });
  for (const [, name, module] of text.matchAll(/^export \* as (\w+) from "(\.[^"]+)";/gm)) map.set(name, { path: pathOf(module) });
  return map;
}

/**
 * An esbuild plugin. `packages`: the folder of the packages, which are built; `names`: those whose indices are seen
 * through.
 */
export function directImports(packages, names) {
  const known = new Map(names.map((name) => [name, exportsOf(`${packages}${name}/lib/`)]));
  known.set("verifier/tools", exportsOf(`${packages}verifier/lib/tools/`));
  for (const name of ["keys", "release"]) known.set(`${name}/internal`, exportsOf(`${packages}${name}/lib/`, "internal.js"));
  const direct = (all, list, name) => {
    const map = known.get(name);
    if (!map) return all;
    return namesOf(list)
      .map(([outside, local]) => {
        const found = map.get(outside);
        if (!found) return `import { ${outside} as ${local} } from "@firmseal/${name}";`;
        return `import ${found.inside ? `{ ${found.inside} as ${local} }` : `* as ${local}`} from ${JSON.stringify(found.path)};`;
      })
      .join(" ");
  };
  return {
    name: "direct-imports",
    setup({ onLoad }) {
      onLoad({ filter: /\/packages\/\w+\/(src|lib)\/.*\.[jt]s$/ }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        const contents = text.replace(/^import \{([^}]*)\} from "@firmseal\/(\w+(?:\/\w+)?)";/gm, direct);
        return { contents, loader: path.endsWith(".ts") ? "ts" : "js" };
      });
    },
  };
}
