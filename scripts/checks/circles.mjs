// Entries of a folder of sources are in no circle: of two folders, one is below the other, and a reader begins there.
// Imports of types count too. .dependency-cruiser.mjs has the rules for modules. Its rules for folders compare an
// import with the innermost folder of its target, and so miss a circle through a folder inside another one.

import { dirname, join } from "node:path/posix";

const IMPORTED = /(?:\bfrom\s*|\bimport\s*\(?\s*)"(\.[^"\n]+)"/g;

/** Modules whose imports do not count, with the reason. */
export const OUTSIDE_CIRCLES = {
  "packages/cli/src/command.ts": "the declaration of a command has the types of its JSON and its words; what shows commands has its type",
};

/** The folder that two paths share, and the entry of each in it. */
function apart(from, to) {
  const [a, b] = [from.split("/"), to.split("/")];
  const n = a.findIndex((part, i) => part !== b[i]);
  return { folder: a.slice(0, n).join("/"), entry: a[n], other: b[n] };
}

/** For each folder, its entries with those that each imports, and one import as an example. */
function importsOf(files) {
  const folders = new Map();
  for (const { path, text } of files)
    for (const [, name] of text.matchAll(IMPORTED)) {
      const target = join(dirname(path), name).replace(/\.js$/, ".ts");
      if (target === path) continue;
      const { folder, entry, other } = apart(path, target);
      if (!folders.has(folder)) folders.set(folder, new Map());
      const entries = folders.get(folder);
      if (!entries.has(entry)) entries.set(entry, new Map());
      if (!entries.get(entry).has(other)) entries.get(entry).set(other, `${path} imports ${target}`);
    }
  return folders;
}

/** All entries that one imports, also through others. */
function reached(entries, from) {
  const found = new Set();
  const left = [from];
  for (let one = left.pop(); one !== undefined; one = left.pop())
    for (const next of entries.get(one)?.keys() ?? [])
      if (!found.has(next)) {
        found.add(next);
        left.push(next);
      }
  return found;
}

/** The circles in which a folder is: circles of files alone are for the rules for modules. */
function circlesOf(files) {
  const out = [];
  for (const [folder, entries] of importsOf(files)) {
    const all = new Map([...entries.keys()].map((entry) => [entry, reached(entries, entry)]));
    const seen = new Set();
    for (const [entry, own] of all) {
      if (seen.has(entry) || !own.has(entry)) continue;
      const circle = [...own].filter((other) => all.get(other)?.has(entry)).sort();
      for (const one of circle) seen.add(one);
      if (circle.every((one) => one.endsWith(".ts"))) continue;
      const examples = circle.flatMap((a) => circle.flatMap((b) => entries.get(a).get(b) ?? []));
      out.push({ folder, circle, examples });
    }
  }
  return out;
}

/** Circles of the folders of `files`, and modules in `outside` that are in no circle any more. */
export function checkCircles(files, outside = OUTSIDE_CIRCLES) {
  const counted = files.filter(({ path }) => !Object.hasOwn(outside, path));
  const all = circlesOf(files);
  return [
    ...circlesOf(counted).map(({ folder, circle, examples }) => `${folder}: ${circle.join(", ")} are in a circle: ${examples.join("; ")}`),
    ...Object.keys(outside)
      .filter((path) => !all.some(({ folder, circle }) => circle.some((one) => `${folder}/${one}` === path)))
      .map((path) => `${path} is in no circle: remove it from OUTSIDE_CIRCLES`),
  ];
}
