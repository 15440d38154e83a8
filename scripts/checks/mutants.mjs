// The table of docs/explanation/mutation.md: each file that a sample of mutants may choose has been measured, and
// reaches its threshold. What is not in the table would otherwise be found when chance chooses it.

import { belowThreshold, isSampled, rowsOf } from "../mutation/scores.mjs";

/** `files`: those of the verifier, { path, text }. `page`: the text of the page with the table. */
export function checkMutants(files, page) {
  const rows = rowsOf(page);
  const paths = new Set(files.map(({ path }) => path));
  return [
    ...files.filter((file) => isSampled(file) && !rows.has(file.path)).map(({ path }) => `${path} has no row: pnpm mutation ${path}`),
    ...[...rows.keys()].filter((path) => !paths.has(path)).map((path) => `${path} has a row, and does not exist`),
    ...[...rows].flatMap(([path, row]) => belowThreshold(path, row)),
  ];
}
