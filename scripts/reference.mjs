// Writes the pages that are made from the sources: the public API, commands and options, and the drawing of the
// packages. Needs a build. A gate of the tests sees that they are what the sources give.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { apiPages } from "./reference/api.mjs";
import { commandsPage } from "./reference/commands.mjs";
import { lintPage } from "./reference/lint.mjs";
import { architecturePage, readme } from "./reference/packages.mjs";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const textOf = (path) => (existsSync(ROOT + path) ? readFileSync(ROOT + path, "utf8") : "");

/** { path, text } of every page as it should be. */
async function referencePages() {
  return [
    ...apiPages(),
    { path: "docs/reference/commands.md", text: await commandsPage() },
    { path: "docs/reference/lint.md", text: lintPage() },
    { path: "docs/explanation/architecture.md", text: architecturePage(textOf("docs/explanation/architecture.md")) },
    { path: "README.md", text: readme(textOf("README.md")) },
  ];
}

/** Pages of packages that are no more. */
const left = (pages) =>
  (existsSync(`${ROOT}docs/reference/api`) ? readdirSync(`${ROOT}docs/reference/api`) : [])
    .map((name) => `docs/reference/api/${name}`)
    .filter((path) => !pages.some((page) => page.path === path));

/** Pages that are not what the sources give: the findings of a gate. */
export async function stalePages() {
  const pages = await referencePages();
  const stale = pages.filter(({ path, text }) => textOf(path) !== text).map(({ path }) => path);
  return [...stale, ...left(pages)].map((path) => `${path} is not what the sources give: pnpm docs:reference`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const pages = await referencePages();
  for (const path of left(pages)) rmSync(ROOT + path);
  for (const { path, text } of pages) {
    if (textOf(path) === text) continue;
    mkdirSync(dirname(ROOT + path), { recursive: true });
    writeFileSync(ROOT + path, text);
    console.log(path);
  }
}
