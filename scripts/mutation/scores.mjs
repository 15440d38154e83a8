// Which files of the verifier are tried with mutants, how many of these must be killed, and the rows of
// docs/explanation/mutation.md: for the script that measures (scripts/mutation.mjs), and for the gate that reads its
// table (scripts/checks/mutants.mjs).

import { createHash } from "node:crypto";
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

export const isArithmetic = (path) => ARITHMETIC.test(path);

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

/** Whether a sample may choose a file: it decides, and has more than types, so that it has mutants. */
export const isSampled = ({ path, text }) =>
  threshold(path) > 0 && !isArithmetic(path) && transformSync(text, { loader: "ts" }).code !== "";

const SAMPLED_FILES = 4;

/**
 * The files from which `mutants` mutants are chosen. They are few, because the tests first run without a mutant to find
 * which of them reach each place. `count(file)`: its mutants.
 */
export function sampleOf(files, seed, mutants, count) {
  const rank = ({ path }) => createHash("sha256").update(`${seed} ${path}`).digest("hex");
  const chosen = [];
  let total = 0;
  for (const file of files.filter(isSampled).sort((a, b) => (rank(a) < rank(b) ? -1 : 1))) {
    if (chosen.length >= SAMPLED_FILES && total >= mutants) break;
    chosen.push(file.path);
    total += count(file);
  }
  return { chosen, total };
}

/**
 * The rows of the table by their files. `all`: the mutants of the file; `tried`: fewer, where they were chosen by
 * chance.
 */
export function rowsOf(text) {
  return new Map(
    text
      .split("\n")
      .map((line) => /^\| `([\w/.-]+\.ts)` \| (\d+)(?: of (\d+))? \| (\d+) \| (\d+) \| (\d+) \| \d/.exec(line))
      .filter(Boolean)
      .map(([, file, tried, all, killed, survived, missed]) => [
        file,
        { tried: Number(tried), all: Number(all ?? tried), killed: Number(killed), survived: Number(survived), missed: Number(missed) },
      ]),
  );
}

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

/** The score of all is in this range for 95 of 100 such samples (Wilson's interval). */
export function range(killed, tried) {
  const [z, p] = [1.96, killed / tried];
  const middle = p + z ** 2 / (2 * tried);
  const reach = z * Math.sqrt((p * (1 - p)) / tried + (z / (2 * tried)) ** 2);
  const [lower, upper] = [middle - reach, middle + reach].map((x) => (100 * x) / (1 + z ** 2 / tried));
  return { lower, upper };
}

/** Of 100 mutants of a sample, so many are killed. */
const WANTED = 80;
/** Fewer mutants say nothing. */
const FEWEST = 10;

/**
 * Whether a sample passes. Of a few, too many may survive by chance: it fails where chance does not explain it, and
 * where it tried too few to say anything. `late`: its mutants that had no turn.
 */
export function verdict(rows, late) {
  const [killed, survived, missed] = ["killed", "survived", "missed"].map((x) => rows.reduce((sum, row) => sum + row[x], 0));
  const ran = killed + survived;
  // those that no test reaches are known without a turn: where the time ended, they count as the others do
  const tried = ran + (late > 0 ? Math.round((missed * ran) / (ran + late)) : missed);
  if (tried < FEWEST) return { passes: false, says: `${tried} mutants tried: fewer than ${FEWEST} say nothing` };
  const { upper } = range(killed, tried);
  return { passes: upper >= WANTED, says: `${killed} of ${tried} killed: at most ${upper.toFixed(1)} of 100; no time for ${late}` };
}
