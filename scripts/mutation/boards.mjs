// Mutants of what runs only on boards: where a constant of packages/verifier/src/base/features.ts is false, so that
// scripts/mutation.mjs makes none of it. The tests run with the constants of each board.
//
//     pnpm mutation:boards              every board
//     pnpm mutation:boards "micro"      these boards; writes nothing
//
// A mutant counts as killed if a test of one board fails, and is not tried on the boards after that. Rows go to
// docs/explanation/mutation.md; what survived is listed. Exit code 1 where too few of all are killed. Tests that do not
// hold with the constants of a board say nothing about it.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BOARDS, piecesOf } from "./features.mjs";
import { belowOnBoards, boardTable, hasPieces, PAGE, SOURCES, verifierFiles } from "./scores.mjs";
import { lineOf, mutantsOf } from "./stryker.mjs";

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));
process.env.FIRMSEAL_MUTANTS_QUICK = "1";
const chosen = process.argv.slice(2).filter((a) => a !== "--");
const boards = chosen.length ? chosen : Object.keys(BOARDS);

const own = (names) => names.split(" ").map((name) => `packages/verifier/test/${name}.test.ts`);
/** Tests of what has such code. */
const EACH = own("device-espruino device-flash device-storage digest ed25519-scalars hash hash-small number octets refuse");
const GENERAL = ["test-vectors/test/play.test.ts", ...own("cose counters hsslms install keep policy run session trust trust-families")];
const MICRO = ["test-vectors/test/micro.test.ts", ...own("device-storage-session hsslms hsslms-joined micro micro-session micro-storage")];
const given = process.env.FIRMSEAL_MUTANTS_FILES;
const filesOf = (board) => given ?? JSON.stringify([...EACH, ...(board.startsWith("micro") ? MICRO : GENERAL)]);

/** A piece of a file as Stryker takes it, { path, from, to }: lines from 1, columns from 0. */
function placeOf(path, text, { start, end }) {
  const at = (offset) => {
    const before = text.slice(0, offset).split("\n");
    return { line: before.length, column: before.at(-1).length };
  };
  return { path: `${SOURCES}/${path}`, from: at(start), to: at(end) };
}
const rangeOf = ({ path, from, to }) => `${path}:${from.line}:${from.column}-${to.line}:${to.column}`;
const isBefore = (a, b) => a.line < b.line || (a.line === b.line && a.column <= b.column);

/** Pieces of which every mutant was killed on an earlier board: they are not tried again. */
const done = new Set();

/** By file and place of a mutant: what came of it on the boards on which it runs. */
const all = new Map();
for (const board of boards) {
  const off = BOARDS[board];
  if (!off) throw new Error(`no board ${board}: ${Object.keys(BOARDS).join("; ")}`);
  process.env.FIRMSEAL_MUTANTS_BOARD = board;
  process.env.FIRMSEAL_MUTANTS_FILES = filesOf(board);
  const pieces = verifierFiles()
    .flatMap(({ path, text }) => piecesOf(text, off).map((piece) => placeOf(path, text, piece)))
    .filter((piece) => !done.has(rangeOf(piece)));
  const begin = performance.now();
  const result = await mutantsOf(pieces.map(rangeOf));
  for (const piece of pieces) {
    const inside = (result.files[piece.path]?.mutants ?? []).filter(
      // Stryker counts columns from 1 where it reports
      ({ location: { start, end } }) =>
        isBefore(piece.from, { ...start, column: start.column - 1 }) && isBefore({ ...end, column: end.column - 1 }, piece.to),
    );
    if (inside.every(({ status }) => status === "Killed" || status === "Timeout")) done.add(rangeOf(piece));
  }
  let killed = 0;
  let tried = 0;
  for (const [path, { source, mutants }] of Object.entries(result.files))
    for (const mutant of mutants) {
      if (!["Killed", "Timeout", "Survived", "NoCoverage"].includes(mutant.status)) continue;
      const file = path.slice(SOURCES.length + 1);
      const { start, end } = mutant.location;
      const key = [file, start.line, start.column, end.line, end.column, mutant.mutatorName, mutant.replacement].join();
      tried++;
      if (/^[KT]/.test(mutant.status)) killed++;
      all.set(key, [...(all.get(key) ?? []), { board, file, source, mutant }]);
    }
  const seconds = Math.round((performance.now() - begin) / 1000);
  console.log(`${board}: ${killed} of ${tried} killed; ${result.left.length} tests do not hold there; ${seconds} s`);
  if (process.env.FIRMSEAL_MUTANTS_TESTS) for (const test of result.left) console.log(`  ${test}`);
}

const rows = new Map(
  verifierFiles()
    .filter(hasPieces)
    .map(({ path }) => [path, { tried: 0, killed: 0, survived: 0, missed: 0 }]),
);
for (const ways of all.values()) {
  const has = (...status) => ways.find(({ mutant }) => status.includes(mutant.status));
  const best = has("Killed", "Timeout") ?? has("Survived") ?? ways[0];
  const { file, source, mutant } = best;
  const row = rows.get(file);
  row.tried++;
  if (/^[KT]/.test(mutant.status)) row.killed++;
  else {
    if (mutant.status === "Survived") row.survived++;
    else row.missed++;
    console.log(`${lineOf(file, source, mutant)} (${ways.map(({ board }) => board).join("; ")})`);
  }
}
console.log(boardTable(rows));
if (chosen.length === 0) {
  writeFileSync(PAGE, readFileSync(PAGE, "utf8").replace(/^\| Only on boards \|.*\n(\|.*\n)*/m, `${boardTable(rows)}\n`));
  for (const finding of belowOnBoards(rows)) {
    console.log(finding);
    process.exitCode = 1;
  }
}
