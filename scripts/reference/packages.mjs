// The drawing and the table of the packages in docs/explanation/architecture.md: arrows are what the sources import.

import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";

const PACKAGES = new URL("../../packages/", import.meta.url);
const namesIn = (folder, options) => readdirSync(new URL(folder, PACKAGES), options).sort();

/** The packages that the sources of one import, in code or for their types. */
function importsOf(folder) {
  const found = new Set();
  for (const file of namesIn(`${folder}/src/`, { recursive: true })) {
    if (!file.endsWith(".ts")) continue;
    const text = readFileSync(new URL(`${folder}/src/${file}`, PACKAGES), "utf8").replace(/^\s*(?:\/\/|\*).*$/gm, "");
    for (const [, specifier] of text.matchAll(/\b(?:from|import|import\()\s*"([@\w][@\w/.-]*)"/g)) {
      const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
      if (!name.startsWith("node:") && !builtinModules.includes(name)) found.add(name);
    }
  }
  return [...found].sort();
}

function packages() {
  const folders = namesIn("./", { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map(({ name: folder }) => {
    const { name, description, peerDependencies } = JSON.parse(readFileSync(new URL(`${folder}/package.json`, PACKAGES), "utf8"));
    return { folder, name, description, optional: Object.keys(peerDependencies ?? {}), imports: importsOf(folder) };
  });
}

/** How many arrows there are at most from a package to one that has none. */
function height(one, all, below = []) {
  if (below.includes(one.name)) throw new Error(`packages import each other in a circle: ${[...below, one.name].join(" -> ")}`);
  const heights = all.filter((p) => p !== one && one.imports.includes(p.name)).map((p) => height(p, all, [...below, one.name]));
  return heights.length === 0 ? 0 : 1 + Math.max(...heights);
}

/** Whether `from` reaches `to` by way of a third package: such arrows are left out of the drawing. */
function reaches(from, to, all) {
  return all.some((p) => p !== from && p !== to && from.imports.includes(p.name) && (p.imports.includes(to.name) || reaches(p, to, all)));
}

function packagesPart() {
  const all = packages();
  const sorted = all.map((p) => ({ ...p, height: height(p, all) })).sort((a, b) => b.height - a.height || a.folder.localeCompare(b.folder));
  const arrows = sorted.flatMap((from) =>
    sorted
      .filter((to) => to.height < from.height && from.imports.includes(to.name) && !reaches(from, to, sorted))
      .map((to) => `  ${from.folder} --> ${to.folder}`),
  );
  const drawing = ["```mermaid", "flowchart TD", ...sorted.map((p) => `  ${p.folder}["packages/${p.folder}"]`), ...arrows, "```"];
  const quoted = (names) => names.map((name) => `\`${name}\``).join(", ");
  const rows = sorted.map(({ folder, name, description, imports, optional }) => {
    const always = quoted(imports.filter((i) => i !== name && !optional.includes(i)));
    const some = quoted(optional);
    const cell = [always, some && `if installed: ${some}`].filter(Boolean).join("; ") || "nothing";
    return `| [\`${name}\`](../../packages/${folder}/README.md) | ${description} | ${cell} |`;
  });
  const table = ["| Package | What it is | Imports |", "| ------- | ---------- | ------- |", ...rows];
  return `${drawing.join("\n")}\n\n${table.join("\n")}`;
}

const START = "<!-- packages: written by `pnpm docs:reference` from the sources -->";
const END = "<!-- /packages -->";

export function architecturePage(text) {
  const [before, rest] = text.split(START);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`docs/explanation/architecture.md has no place for the packages: ${START}`);
  return `${before}${START}\n\n${packagesPart()}\n\n${END}${after}`;
}
