// The documents inside the packages: a message that points to docs/guides/keys/hss.md helps only those who have that
// file. A library gets the pages that its own modules name, the command line every page for users, and the schema that
// it names. The pages of the public API belong to the site alone: an archive has the declarations.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PACKAGES } from "./packages.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A document in a text: its path from the top of a package. */
const DOCUMENT = /\b(?:docs|schema)\/[\w/-]+\.(?:md|schema\.json)\b/g;

/** The documents that a text names. */
export const documentsIn = (text) => text.match(DOCUMENT) ?? [];

/** The paths of all files below a folder. A folder that does not exist has none. */
export function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The documents that belong into a package, as paths from its top. */
function wanted(name) {
  const modules = ["lib", "dist"].flatMap((folder) => filesUnder(join(ROOT, "packages", name, folder)));
  const found = new Set(modules.filter((path) => /\.js$/.test(path)).flatMap((path) => documentsIn(readFileSync(path, "utf8"))));
  if (name === "cli")
    for (const folder of ["start", "guides", "reference"])
      for (const path of filesUnder(join(ROOT, "docs", folder)).map((one) => one.slice(ROOT.length)))
        if (path.endsWith(".md") && !path.startsWith("docs/reference/api")) found.add(path);
  return found;
}

/** Where a document is in the repository. Throws where there is none: a message points to nothing. */
function sourceOf(document, name) {
  const places = document.startsWith("schema/") ? ["packages/signer/", "packages/release/"] : [""];
  const path = places.map((place) => join(ROOT, place, document)).find((one) => existsSync(one));
  if (!path) throw new Error(`packages/${name} names ${document}, which does not exist`);
  return path;
}

/** Copies the documents, and removes those that nothing names any more. Needs built modules. */
export function copyDocuments() {
  for (const name of PACKAGES) {
    const folder = join(ROOT, "packages", name);
    const documents = wanted(name);
    for (const document of documents) {
      const source = sourceOf(document, name);
      const target = join(folder, document);
      if (target === source) continue;
      const bytes = readFileSync(source);
      if (existsSync(target) && readFileSync(target).equals(bytes)) continue;
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, bytes);
    }
    for (const path of filesUnder(join(folder, "docs"))) if (!documents.has(path.slice(folder.length + 1))) rmSync(path);
  }
}
