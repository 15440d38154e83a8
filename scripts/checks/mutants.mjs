// The table of docs/explanation/mutation.md: each file of the verifier that has mutants has been measured, with its
// tests of scripts/mutation/groups.mjs, and reaches its threshold.

import { belowOnBoards, belowThreshold, boardRowsOf, hasMutants, hasPieces, rowsOf } from "../mutation/scores.mjs";

/** Like checkMutants(), for the table of code that runs only on boards. */
export function checkBoardMutants(files, page) {
  const rows = boardRowsOf(page);
  const wanted = files.filter(hasPieces).map(({ path }) => path);
  return [
    ...wanted
      .filter((path) => !rows.has(path))
      .map((path) => `${path} has code that runs only on boards, and no row: pnpm mutation:boards`),
    ...[...rows.keys()].filter((path) => !wanted.includes(path)).map((path) => `${path} has a row, and no code that runs only on boards`),
    ...belowOnBoards(rows),
  ];
}

/** `files`: those of the verifier, { path, text }. `page`: the text of the page with the table. */
export function checkMutants(files, page) {
  const rows = rowsOf(page);
  const paths = new Set(files.map(({ path }) => path));
  return [
    ...files.filter((file) => hasMutants(file) && !rows.has(file.path)).map(({ path }) => `${path} has no row: pnpm mutation ${path}`),
    ...[...rows.keys()].filter((path) => !paths.has(path)).map((path) => `${path} has a row, and does not exist`),
    ...[...rows].flatMap(([path, row]) => belowThreshold(path, row)),
  ];
}
