// For the bundled command line: what is imported from a package is imported from the module that has it. A bundler that splits its output puts
// all that an index lists into whatever imports one name of it, and each command would load it all.

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** `{ a, type b, c as d }` as [[exported, local]]. */
const namesOf = (list) =>
  list.split(",").flatMap((name) => {
    const words = name.trim().split(/\s+/);
    if (words[0] === "" || words[0] === "type") return [];
    return [[words[0], words.at(-1)]];
  });

/** By name that the index of a package exports: its module, and its name there. */
function exportsOf(packages, name) {
  const map = new Map();
  for (const [, list, module] of readFileSync(`${packages}${name}/lib/index.js`, "utf8").matchAll(
    /^export \{([^}]*)\} from "(\.[^"]+)";/gm,
  ))
    for (const [inside, outside] of namesOf(list)) map.set(outside, { inside, path: `${packages}${name}/lib/${module.slice(2)}` });
  return map;
}

/** An esbuild plugin. `packages`: the folder of the packages, which are built; `names`: those whose indices are seen through. */
export function directImports(packages, names) {
  const known = new Map(names.map((name) => [name, exportsOf(packages, name)]));
  const direct = (all, list, name) => {
    const map = known.get(name);
    if (!map) return all;
    return namesOf(list)
      .map(([outside, local]) => {
        const found = map.get(outside);
        if (!found) return `import { ${outside} as ${local} } from "@firmseal/${name}";`;
        return `import { ${found.inside} as ${local} } from ${JSON.stringify(found.path)};`;
      })
      .join(" ");
  };
  return {
    name: "direct-imports",
    setup({ onLoad }) {
      onLoad({ filter: /\/packages\/\w+\/(src|lib)\/.*\.[jt]s$/ }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        const contents = text.replace(/^import \{([^}]*)\} from "@firmseal\/(\w+)";/gm, direct);
        return { contents, loader: path.endsWith(".ts") ? "ts" : "js" };
      });
    },
  };
}
