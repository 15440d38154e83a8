// Which files of the verifier are tried with mutants, how many of these must be killed, and the rows of
// docs/explanation/mutation.md: for the script that measures (scripts/mutation.mjs), and for the gate that reads its
// table (scripts/checks/mutants.mjs).

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { piecesOf } from "./features.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const SOURCES = "packages/verifier/src";
export const PAGE = "docs/explanation/mutation.md";

const ARITHMETIC = /^(alg|hash)\//;
const NAMES = /^spec\/|^manifest\/manifest\.ts$|(^|\/)(features|index|types)\.ts$/;

const isArithmetic = (path) => ARITHMETIC.test(path);

/**
 * What of 100 mutants must be killed: of arithmetic, and of all that decides. Tables of names and numbers have none:
 * other tests hold them.
 */
export const threshold = (path) => (NAMES.test(path) ? 0 : isArithmetic(path) ? 85 : 90);

/** The files of the verifier, { path, text }, with paths as in the table. */
export const verifierFiles = () =>
  readdirSync(join(ROOT, SOURCES), { recursive: true })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => ({ path, text: readFileSync(join(ROOT, SOURCES, path), "utf8") }));

/** Whether a file must have a row: it decides or computes, and has more than types, so that it has mutants. */
export const hasMutants = ({ path, text }) => threshold(path) > 0 && transformSync(text, { loader: "ts" }).code !== "";

/**
 * The rows of the table by their files. `of`: the mutants of the file, if an earlier run tried fewer, chosen by chance.
 * `day`: the date of the run.
 */
export const rowsOf = (text) =>
  new Map(
    [...text.matchAll(/^\| `([\w/.-]+\.ts)` \| (\d+)( of \d+)? \| (\d+) \| (\d+) \| (\d+) \| [\d.]+ % \| ([\d-]+) \|$/gm)].map(
      ([, file, tried, of, killed, survived, missed, day]) => [
        file,
        { tried: Number(tried), of, killed: Number(killed), survived: Number(survived), missed: Number(missed), day },
      ],
    ),
  );

/** The table of these rows. */
export const tableOf = (rows) =>
  ["| File | Mutants | Killed | Survived | Not reached | Score | Measured |", "| --- | --- | --- | --- | --- | --- | --- |"]
    .concat(
      [...rows]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([file, row]) => {
          const { tried, of = "", killed, survived, missed, day } = row;
          return `| \`${file}\` | ${tried}${of} | ${killed} | ${survived} | ${missed} | ${scoreOf(row).toFixed(1)} % | ${day} |`;
        }),
    )
    .join("\n");

/** Whether a file has code that runs only on boards (features.mjs). */
export const hasPieces = ({ text }) => piecesOf(text).length > 0;

/** The table of such code, of which rows begin differently. */
export const boardTable = (rows) =>
  ["| Only on boards | Mutants | Killed | Survived | Not reached |", "| --- | --- | --- | --- | --- |"]
    .concat(
      [...rows]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([file, { tried, killed, survived, missed }]) => `| in \`${file}\` | ${tried} | ${killed} | ${survived} | ${missed} |`),
    )
    .join("\n");

/** Its rows, by their files. */
export const boardRowsOf = (text) =>
  new Map(
    [...text.matchAll(/^\| in `([\w/.-]+\.ts)` \| (\d+) \| (\d+) \|/gm)].map(([, file, tried, killed]) => [
      file,
      { tried: Number(tried), killed: Number(killed) },
    ]),
  );

/** Of 100 mutants of all such code, so many are killed: a file has few. */
const ON_BOARDS = 90;

/** What is to be said of these rows. */
export function belowOnBoards(rows) {
  const [tried, killed] = ["tried", "killed"].map((x) => [...rows.values()].reduce((sum, row) => sum + row[x], 0));
  const score = scoreOf({ tried, killed });
  return score < ON_BOARDS ? [`only on boards: ${score.toFixed(1)} % is below ${ON_BOARDS} %`] : [];
}

export const scoreOf = ({ tried, killed }) => (100 * killed) / tried;

/** What is to be said of a file whose row is below its threshold. */
export const belowThreshold = (path, row) =>
  scoreOf(row) < threshold(path) ? [`${path}: ${scoreOf(row).toFixed(1)} % is below ${threshold(path)} %`] : [];
