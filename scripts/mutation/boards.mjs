// Mutants of what runs only on boards: where a constant of packages/verifier/src/base/features.ts is false, so that
// scripts/mutation.mjs makes none of it. The tests run with the constants of each board.
//
//     pnpm mutation:boards              every board
//     pnpm mutation:boards "micro"      these boards; writes nothing
//
// A mutant counts as killed if a test of one board fails, and is not tried on the boards after that. Rows go to
// docs/explanation/mutation.md; Stryker prints what survived. Exit code 1 if too few of all are killed. Tests that do
// not hold with the constants of a board say nothing about it.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { Stryker } from "@stryker-mutator/core";
import { BOARDS, piecesOf } from "./features.mjs";
import { boardTests, ROOT } from "./groups.mjs";
import { belowOnBoards, boardTable, hasPieces, PAGE, SOURCES, verifierFiles } from "./scores.mjs";

process.chdir(ROOT);
const chosen = process.argv.slice(2).filter((a) => a !== "--");
const boards = chosen.length ? chosen : Object.keys(BOARDS);
const BOARD = resolve(".mutation/board.json");
mkdirSync(".mutation", { recursive: true });
process.env.FIRMSEAL_BOARD = BOARD;

/** Writes the file of a board, and returns the tests to run: those that hold with its constants. */
function prepared(board) {
  writeFileSync(BOARD, JSON.stringify({ off: BOARDS[board], skipped: [] }));
  const args = ["vitest", "run", "--config", "vitest.mutation.config.ts", "--reporter", "json", ...boardTests(board)];
  const { stdout } = spawnSync("npx", args, { encoding: "utf8", maxBuffer: 2 ** 28 });
  const files = JSON.parse(stdout.slice(stdout.indexOf("{"))).testResults;
  const skipped = files.flatMap((file) => file.assertionResults.filter((test) => test.status === "failed").map((test) => test.fullName));
  writeFileSync(BOARD, JSON.stringify({ off: BOARDS[board], skipped }));
  // a file that fails without a test that failed did not load
  const loads = (file) => file.status === "passed" || file.assertionResults.some((test) => test.status === "failed");
  return { tests: files.filter(loads).map(({ name }) => relative(ROOT, name)), skipped: skipped.length };
}

/** A piece of a file as Stryker takes it, { path, from, to }: lines from 1, columns from 0. */
function placeOf(path, text, { start, end }) {
  const at = (offset) => {
    const before = text.slice(0, offset).split("\n");
    return { line: before.length, column: before.at(-1).length };
  };
  return { path: `${SOURCES}/${path}`, from: at(start), to: at(end) };
}
const rangeOf = ({ path, from, to }) => `${path}:${from.line}:${from.column}-${to.line}:${to.column}`;
/** A place that Stryker reports has columns from 1. */
const columnFrom0 = ({ line, column }) => ({ line, column: column - 1 });
const isBefore = (a, b) => a.line < b.line || (a.line === b.line && a.column <= b.column);

const isKilled = ({ status }) => status === "Killed" || status === "Timeout";

/** Pieces of which every mutant was killed on an earlier board: they are not tried again. */
const done = new Set();

/** By file and place of a mutant: what came of it on the boards on which it runs. */
const all = new Map();
for (const board of boards) {
  const off = BOARDS[board];
  if (!off) throw new Error(`no board ${board}: ${Object.keys(BOARDS).join("; ")}`);
  const pieces = verifierFiles()
    .flatMap(({ path, text }) => piecesOf(text, off).map((piece) => placeOf(path, text, piece)))
    .filter((piece) => !done.has(rangeOf(piece)));
  const { tests, skipped } = prepared(board);
  const results = await new Stryker({ mutate: pieces.map(rangeOf), testFiles: tests }).runMutationTest();
  const tried = results.filter(({ status }) => ["Killed", "Timeout", "Survived", "NoCoverage"].includes(status));
  for (const { path, from, to } of pieces) {
    const inside = tried.filter(
      ({ fileName, location: { start, end } }) =>
        fileName.endsWith(path) && isBefore(from, columnFrom0(start)) && isBefore(columnFrom0(end), to),
    );
    if (inside.every(isKilled)) done.add(rangeOf({ path, from, to }));
  }
  for (const mutant of tried) {
    const { fileName, location, mutatorName, replacement } = mutant;
    const file = relative(SOURCES, relative(ROOT, fileName));
    const key = JSON.stringify([file, location, mutatorName, replacement]);
    all.set(key, [...(all.get(key) ?? []), { file, mutant }]);
  }
  console.log(`${board}: ${tried.filter(isKilled).length} of ${tried.length} killed; ${skipped} tests do not hold there`);
}

const rows = new Map(
  verifierFiles()
    .filter(hasPieces)
    .map(({ path }) => [path, { tried: 0, killed: 0, survived: 0, missed: 0 }]),
);
for (const ways of all.values()) {
  const row = rows.get(ways[0].file);
  row.tried++;
  if (ways.some(({ mutant }) => isKilled(mutant))) row.killed++;
  else if (ways.some(({ mutant }) => mutant.status === "Survived")) row.survived++;
  else row.missed++;
}
console.log(boardTable(rows));
if (chosen.length === 0) {
  writeFileSync(PAGE, readFileSync(PAGE, "utf8").replace(/^\| Only on boards \|.*\n(\|.*\n)*/m, `${boardTable(rows)}\n`));
  for (const finding of belowOnBoards(rows)) {
    console.log(finding);
    process.exitCode = 1;
  }
}
