// Documents name commands and options that exist, even if no test runs them.

import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { optionsOf } from "../packages/cli/src/command.js";
import { COMMANDS, GROUPS } from "../packages/cli/src/commands.generated.js";
import { ROOT, read } from "./pages.js";

const OPTIONS = new Map<string, ReadonlySet<string>>();
for (const { name, load } of COMMANDS)
  OPTIONS.set(
    name,
    new Set([...optionsOf((await load()).default).flatMap(({ short, long }) => [short ?? "", long ?? ""]), "--help", "-h"]),
  );

/** What follows "firmseal" in code that is not a command line: texts that are signed, and an import. */
const NO_COMMANDS = ["proof", "from"];

/** The code of a document: blocks for a shell, a command in each line, and code in lines. */
function codeOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```(\S*)[^\n]*\n([\s\S]*?)^```$/gm)].flatMap(([, language = "", code = ""]) =>
    /^(?:sh|shell|bash)$/.test(language) ? code.replaceAll("\\\n", " ").split("\n") : [],
  );
  expect(text, "a block has nothing to type").not.toMatch(/^```(?:sh|shell|bash)[^\n]*\n\s*^```$/m);
  const lines = text.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/`([^`]+)`/g);
  return [...blocks, ...[...lines].map(([, code = ""]) => code.replaceAll(/\s+/g, " "))];
}

/** What is wrong with the calls of firmseal in a line of shell. */
function faultsOf(line: string): string[] {
  const bare = line.replace(/#.*/, "").replaceAll(/"[^"]*"|'[^']*'/g, (quoted) => (quoted.includes("firmseal ") ? quoted : "TEXT"));
  return [...bare.matchAll(/(?<![\w./@-])firmseal ([^|;&)<>"'`]+)/g)].flatMap(([call, words = ""]) => {
    const [first = "", second = "", ...rest] = words.trim().split(/\s+/);
    // words in capitals stand for names
    if (
      !/^[a-z]/.test(first) ||
      first === "help" ||
      NO_COMMANDS.includes(first) ||
      (first in GROUPS && (second === "" || !/^[a-z]/.test(second)))
    )
      return [];
    const name = [`${first} ${second}`, first].find((one) => OPTIONS.has(one));
    if (name === undefined) return [`${call.trim()}: firmseal has no such command`];
    const given = [second, ...rest].flatMap((word) => /^(-[a-zA-Z]|--[a-z][a-z\d-]*)(?:=.*)?,?$/.exec(word)?.[1] ?? []);
    return given.filter((one) => !OPTIONS.get(name)?.has(one)).map((one) => `${call.trim()}: ${name} has no option ${one}`);
  });
}

const documents = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], { cwd: ROOT, encoding: "utf8" });

it.each(documents.trim().split("\n"))("%s names commands that exist", (path) => {
  expect(codeOf(read(path)).flatMap(faultsOf)).toEqual([]);
});

it.each([
  ["firmseal verfy app.suit --key pub.pem", ["firmseal verfy app.suit --key pub.pem: firmseal has no such command"]],
  ["cd x && firmseal trust sgin a.trust", ["firmseal trust sgin a.trust: firmseal has no such command"]],
  ['firmseal verify "a b" --kye pub.pem | cat --bogus', ["firmseal verify TEXT --kye pub.pem: verify has no option --kye"]],
  ['K="$(firmseal pubkey a.pem --fromat raw)"', ["firmseal pubkey a.pem --fromat raw: pubkey has no option --fromat"]],
  ["firmseal sign app.bin --key release.pem --seq=1 && firmseal COMMAND --help", []],
])("finds what is wrong in a line: %s", (line, faults) => {
  expect(faultsOf(line)).toEqual(faults);
});
