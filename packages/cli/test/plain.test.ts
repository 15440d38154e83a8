// Plain command lines: what plain.ts makes of a line is what commander makes of it, and everything else is left to commander.

import fc from "fast-check";
import { expect, it } from "vitest";
import { LONG } from "../../test-support/src/environment/effort.js";
import { type AnyCommand, optionsOf } from "../src/command.js";
import { COMMANDS } from "../src/commands.generated.js";
import { parserOf } from "../src/parser.js";
import { plainArguments } from "../src/plain.js";

const all: AnyCommand[] = [];
for (const { load } of COMMANDS) all.push((await load()).default);
const commandOf = (name: string) => all.find((one) => one.name === name) as AnyCommand;

/** What commander gives the command. Undefined if it refuses the line, or shows help. */
async function byCommander(definition: AnyCommand, args: readonly string[]): Promise<unknown[] | undefined> {
  let given: unknown[] | undefined;
  const parser = parserOf(definition, async (parsed) => {
    given = parsed;
  }).configureOutput({ writeOut: () => {} });
  try {
    await parser.parseAsync([...args], { from: "user" });
  } catch {
    return undefined;
  }
  return given;
}

/** The words of an example, as a shell splits them. */
const wordsOf = (line: string) =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "").filter((word) => word !== "\\");

it("takes the examples of all commands as commander does", async () => {
  let plain = 0;
  for (const definition of all) {
    for (const example of definition.examples) {
      if (!example) continue;
      const [line] = example;
      const words = wordsOf(line);
      const name = definition.name.split(" ");
      if (words.includes("|") || words.includes(">") || words.some((word, i) => i > 0 && i <= name.length && word !== name[i - 1]))
        continue;
      const args = words.slice(1 + name.length);
      const ours = plainArguments(definition, args);
      if (!ours) continue;
      plain++;
      expect(ours, line).toEqual(await byCommander(definition, args));
    }
  }
  expect(plain).toBeGreaterThan(COMMANDS.length);
});

const WORDS = [
  "x",
  "fw.bin",
  "-",
  "1",
  "007",
  "18446744073709551616",
  "next",
  "a b",
  "",
  "-5",
  "--",
  "-x",
  "--help",
  "-h",
  "--json",
  "--jso",
  "--no-json",
  "é",
];

/** A line for a command: options with values that fit or do not, in any order, with words between them. */
function lines(definition: AnyCommand): fc.Arbitrary<string[]> {
  const options = optionsOf(definition);
  const word = fc.constantFrom(...WORDS);
  const part = fc.constantFrom(...options).chain((one) => {
    const flag = fc.constantFrom(...[one.long, one.short].flatMap((name) => name ?? []));
    if (!one.required) return flag.map((name) => [name]);
    const value = one.argChoices ? fc.oneof(fc.constantFrom(...one.argChoices), word) : word;
    return fc.oneof(
      { weight: 8, arbitrary: fc.tuple(flag, value) },
      { weight: 1, arbitrary: fc.tuple(flag, value).map(([name, text]) => [`${name}=${text}`]) },
      { weight: 1, arbitrary: flag.map((name) => [name]) },
    );
  });
  const some = fc.array(fc.oneof({ weight: 4, arbitrary: part }, { weight: 2, arbitrary: word.map((one) => [one]) }), { maxLength: 7 });
  const needed = options.filter((one) => one.mandatory).flatMap((one) => [one.long as string, one.argChoices?.[0] ?? "1"]);
  return fc.tuple(fc.boolean(), some).map(([isWhole, parts]) => [...(isWhole ? needed : []), ...parts.flat()]);
}

/** The commands of the lines that were taken. */
const taken: string[] = [];

it.each(all.map(({ name }) => name))("%s: takes nothing that commander refuses, and gives what commander gives", async (name) => {
  const definition = commandOf(name);
  await fc.assert(
    fc.asyncProperty(lines(definition), async (args) => {
      const ours = plainArguments(definition, args);
      if (!ours) return;
      taken.push(name);
      expect(ours, args.join(" ")).toEqual(await byCommander(definition, args));
    }),
    { numRuns: LONG ? 2_000 : 150 },
  );
});

it("parses lines of most commands, and those of sign and verify", () => {
  expect(taken.length).toBeGreaterThan(300);
  expect(new Set(taken).size).toBeGreaterThan(25);
  expect(taken).toEqual(expect.arrayContaining(["sign", "verify"]));
});

it("leaves to commander whatever has rules of its own", () => {
  const verify = commandOf("verify");
  const left = [
    ["fw.suit", "--key=a"],
    ["fw.suit", "-ka"],
    ["fw.suit", "--key"],
    ["fw.suit", "--key", "-a"],
    ["fw.suit", "--", "--json"],
    ["fw.suit", "--help"],
    ["fw.suit", "-h"],
    ["fw.suit", "--kee", "a"],
    ["fw.suit", "--floor", "1", "--floor", "2"],
    ["fw.suit", "--floor", "one"],
    ["fw.suit", "other.suit"],
    [],
  ];
  for (const args of left) expect(plainArguments(verify, args), args.join(" ")).toBeUndefined();
  expect(plainArguments(verify, ["-", "--json", "--key", "a", "--floor", "7", "-k", "b"])).toEqual([
    "-",
    { json: true, key: ["a", "b"], floor: 7n },
  ]);
});
