// The documents inside the packages: a message that points to docs/guides/keys/hss.md helps only those who have that
// file. A library gets the pages that its own modules name, the command line every page for users, and the schema that
// it names. The pages of the public API belong to the site alone: an archive has the declarations. A link leads to a
// file of the same archive, or to the repository.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
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

/** Where a document is in the repository. Throws if it does not exist, because a message would point to nothing. */
function sourceOf(document, name) {
  const places = document.startsWith("schema/") ? ["packages/signer/", "packages/release/"] : [""];
  const path = places.map((place) => join(ROOT, place, document)).find((one) => existsSync(one));
  if (!path) throw new Error(`packages/${name} names ${document}, which does not exist`);
  return path;
}

/** Code, and a relative link or picture of Markdown: its words, its target and what follows "#". */
const LINK = /^```[\s\S]*?^```$|`(?:[^`\n]|\n(?!\n))*`|!?\[([^\]]+)\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)/gm;

/**
 * A document as it is in a package. `has`: whether the package has a file. `repository`: the address of the files of
 * this version, with "/" at its end. Without it, a link to another file is its words, and the name of that file.
 */
export const packaged = (text, document, has, repository) =>
  text.replace(LINK, (all, words, target, anchor = "") => {
    if (target === undefined) return all;
    const path = posix.join(posix.dirname(document), target);
    if (has(path)) return all;
    if (repository) return `[${words}](${repository}${path}${anchor})`;
    return words.includes(posix.basename(path)) ? words : `${words} (\`${path}\` of the project)`;
  });

/** The address of the files of a package's version, if its package.json names the repository: the release sets that. */
function repositoryOf(name) {
  const { repository, version } = JSON.parse(readFileSync(join(ROOT, "packages", name, "package.json"), "utf8"));
  return repository && `${repository.url.replace(/^git\+|\.git$/g, "")}/blob/v${version}/`;
}

/** Copies the documents, and removes those that nothing names any more. Needs built modules. */
export function copyDocuments() {
  for (const name of PACKAGES) {
    const folder = join(ROOT, "packages", name);
    const documents = wanted(name);
    const repository = repositoryOf(name);
    for (const document of documents) {
      const source = sourceOf(document, name);
      const target = join(folder, document);
      if (target === source) continue;
      const original = readFileSync(source, "utf8");
      const text = document.endsWith(".md") ? packaged(original, document, (path) => documents.has(path), repository) : original;
      if (existsSync(target) && readFileSync(target, "utf8") === text) continue;
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, text);
    }
    for (const path of filesUnder(join(folder, "docs"))) if (!documents.has(path.slice(folder.length + 1))) rmSync(path);
  }
}
