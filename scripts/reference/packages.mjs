// The drawing and the table of the packages in docs/explanation/architecture.md: arrows are what the sources import.

import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";

const ROOT = new URL("../../", import.meta.url);
const namesIn = (path, options) => readdirSync(new URL(path, ROOT), options).sort();

/**
 * The sources of a package. Of the vectors only what is published: their makers import the sources of other packages by
 * path.
 */
const sourcesOf = (path) =>
  path === "test-vectors" ? [`${path}/index.mjs`] : namesIn(`${path}/src/`, { recursive: true }).map((file) => `${path}/src/${file}`);

/** The packages that the sources of one import, in code or for their types. */
function importsOf(path) {
  const found = new Set();
  for (const file of sourcesOf(path)) {
    if (!/\.m?[jt]s$/.test(file)) continue;
    const text = readFileSync(new URL(file, ROOT), "utf8").replace(/^\s*(?:\/\/|\*).*$/gm, "");
    for (const [, specifier] of text.matchAll(/\b(?:from|import|import\()\s*"([@\w][@\w/.-]*)"/g)) {
      const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
      if (!name.startsWith("node:") && !builtinModules.includes(name)) found.add(name);
    }
  }
  return [...found].sort();
}

function packages() {
  const folders = namesIn("packages/", { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...folders.map(({ name }) => `packages/${name}`), "test-vectors"].map((path) => {
    const {
      name,
      description,
      peerDependencies,
      private: isPrivate,
    } = JSON.parse(readFileSync(new URL(`${path}/package.json`, ROOT), "utf8"));
    const folder = path.replace("packages/", "");
    return { path, folder, name, description, isPrivate, optional: Object.keys(peerDependencies ?? {}), imports: importsOf(path) };
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

/** Every package, those that import most first. */
function sortedPackages() {
  const all = packages();
  return all.map((p) => ({ ...p, height: height(p, all) })).sort((a, b) => b.height - a.height || a.folder.localeCompare(b.folder));
}

const link = ({ name, path }, root) => `[\`${name}\`](${root}${path}/README.md)`;
const tableOf = (head, rows) =>
  [head, head.map((cell) => "-".repeat(cell.length)), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

function drawingAndTable() {
  const all = sortedPackages();
  const arrows = all.flatMap((from) =>
    all
      .filter((to) => to.height < from.height && from.imports.includes(to.name) && !reaches(from, to, all))
      .map((to) => `  ${from.folder} --> ${to.folder}`),
  );
  const drawing = ["```mermaid", "flowchart TD", ...all.map((p) => `  ${p.folder}["${p.path}"]`), ...arrows, "```"];
  const quoted = (names) => names.map((name) => `\`${name}\``).join(", ");
  const rows = all.map((p) => {
    const always = quoted(p.imports.filter((name) => name !== p.name && !p.optional.includes(name)));
    const some = quoted(p.optional);
    return [link(p, "../../"), p.description, [always, some && `if installed: ${some}`].filter(Boolean).join("; ") || "nothing"];
  });
  return `${drawing.join("\n")}\n\n${tableOf(["Package", "What it is", "Imports"], rows)}`;
}

/** What people install. */
const table = () =>
  tableOf(
    ["Package", "What it is"],
    sortedPackages()
      .filter((p) => !p.isPrivate)
      .map((p) => [link(p, ""), p.description]),
  );

const START = "<!-- packages: written by `pnpm docs:reference` from the sources -->";
const END = "<!-- /packages -->";

function withPart(text, part) {
  const [before, rest] = text.split(START);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`there is no place for the packages: ${START}`);
  return `${before}${START}\n\n${part}\n\n${END}${after}`;
}

/** The pages that show the packages, from their texts as they are. */
export const architecturePage = (text) => withPart(text, drawingAndTable());
export const readme = (text) => withPart(text, table());
