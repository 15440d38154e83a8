// Writes the pages that are made from the sources: the public API, which git ignores, and with `--api` alone; commands
// and options, the rules of lint, and the drawing of the packages, which a gate compares with the sources. Needs a
// build.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { apiPages } from "./reference/api.mjs";
import { commandPages } from "./reference/commands.mjs";
import { lintPage } from "./reference/lint.mjs";
import { architecturePage, readme } from "./reference/packages.mjs";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const textOf = (path) => (existsSync(ROOT + path) ? readFileSync(ROOT + path, "utf8") : "");

/** { path, text } of every tracked page as it should be. */
async function trackedPages() {
  return [
    ...(await commandPages()),
    { path: "docs/reference/lint.md", text: lintPage() },
    { path: "docs/explanation/architecture.md", text: architecturePage(textOf("docs/explanation/architecture.md")) },
    { path: "README.md", text: readme(textOf("README.md")) },
  ];
}

/** Pages that are not what the sources give: the findings of a gate. */
export async function stalePages() {
  const stale = (await trackedPages()).filter(({ path, text }) => textOf(path) !== text);
  return stale.map(({ path }) => `${path} is not what the sources give: pnpm docs:reference`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { pages, undocumented } = apiPages();
  for (const message of undocumented) console.error(message);
  if (undocumented.length > 0) process.exitCode = 1;
  // also pages of packages that no longer exist
  rmSync(`${ROOT}docs/reference/api`, { recursive: true, force: true });
  if (!process.argv.includes("--api")) pages.push(...(await trackedPages()));
  for (const { path, text } of pages) {
    if (textOf(path) === text) continue;
    mkdirSync(dirname(ROOT + path), { recursive: true });
    writeFileSync(ROOT + path, text);
    console.log(path);
  }
}
