// Mutation testing of the verifier: Stryker changes one thing at a time in packages/verifier/src, and a test must fail.
//
//     pnpm mutation                 every file; hours
//     pnpm mutation cbor device     these files and folders
//
// Stryker prints what survived. Scores go to docs/explanation/mutation.md, by file. Exit code 1 if a file is below its
// threshold.

import { readFileSync, writeFileSync } from "node:fs";
import { Stryker } from "@stryker-mutator/core";
import { GROUPS, ROOT } from "./mutation/groups.mjs";
import { belowThreshold, PAGE, rowsOf, SOURCES, tableOf } from "./mutation/scores.mjs";

process.chdir(ROOT);
const asked = process.argv.slice(2).filter((a) => a !== "--");
const isAsked = (file) =>
  asked.length === 0 || asked.some((a) => file === a || file === `${a}.ts` || file.startsWith(`${a.replace(/\/$/, "")}/`));
const groups = GROUPS.map(({ files, tests }) => ({ files: files.filter(isAsked), tests })).filter(({ files }) => files.length > 0);
if (groups.length === 0) throw new Error(`no file of ${SOURCES}: ${asked.join(" ")}`);

const day = new Date().toISOString().slice(0, 10);
for (const { files, tests } of groups) {
  const results = await new Stryker({ mutate: files.map((file) => `${SOURCES}/${file}`), testFiles: tests }).runMutationTest();
  const rows = new Map();
  for (const file of files) {
    const mutants = results.filter(({ fileName }) => fileName.endsWith(`${SOURCES}/${file}`));
    const count = (...status) => mutants.filter((mutant) => status.includes(mutant.status)).length;
    const [killed, survived, missed] = [count("Killed", "Timeout"), count("Survived"), count("NoCoverage")];
    rows.set(file, { tried: killed + survived + missed, killed, survived, missed, day });
  }
  const page = readFileSync(PAGE, "utf8");
  writeFileSync(PAGE, page.replace(/^\| File \|.*\n(\|.*\n)*/m, `${tableOf(new Map([...rowsOf(page), ...rows]))}\n`));
  for (const finding of [...rows].flatMap(([file, row]) => belowThreshold(file, row))) {
    console.log(finding);
    process.exitCode = 1;
  }
}
