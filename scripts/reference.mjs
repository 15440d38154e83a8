// Writes the pages that are made from the sources: commands and options, and the drawing of the packages. Needs a build.
// A gate of the tests sees that they are what the sources give.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { commandsPage } from "./reference/commands.mjs";
import { architecturePage } from "./reference/packages.mjs";

const DOCS = fileURLToPath(new URL("../docs/", import.meta.url));
const textOf = (path) => (existsSync(DOCS + path) ? readFileSync(DOCS + path, "utf8") : "");

/** { path, text } of every page as it should be. */
export async function referencePages() {
  return [
    { path: "reference/commands.md", text: await commandsPage() },
    { path: "explanation/architecture.md", text: architecturePage(textOf("explanation/architecture.md")) },
  ];
}

/** Pages that are not what the sources give: the findings of a gate. */
export async function stalePages() {
  const stale = (await referencePages()).filter(({ path, text }) => textOf(path) !== text);
  return stale.map(({ path }) => `docs/${path} is not what the sources give: pnpm docs:reference`);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const { path, text } of await referencePages())
    if (textOf(path) !== text) {
      writeFileSync(DOCS + path, text);
      console.log(`docs/${path}`);
    }
