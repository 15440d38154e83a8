// One name for one thing: an option has the same letter and the same kind of value in every command, and one meaning,
// which the table in docs/reference/cli.md gives.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { GLOBAL_OPTIONS } from "../../src/command.js";
import { COMMANDS } from "../../src/commands.generated.js";

/** Options whose value is of another kind in some commands, with the reason. */
const EXCEPTIONS: { readonly [option: string]: string } = {
  "--alg": "a key has one algorithm, a bundle several",
  "--fail-on": "it names what the command finds: severities or verdicts",
  "--out": "release and tbs write several files, into a folder",
};

/** For each option: as commands declare it, `-k, --key <key>`, and how many have it. */
const declared = new Map<string, { flags: Set<string>; commands: number }>();
beforeAll(async () => {
  for (const { load } of COMMANDS)
    for (const { long, flags } of (await load()).default.options?.() ?? []) {
      const there = declared.get(long as string) ?? { flags: new Set(), commands: 0 };
      declared.set(long as string, { flags: there.flags.add(flags), commands: there.commands + 1 });
    }
}, 120_000);

/** The rows of the table, by option. */
function documented(): Map<string, string> {
  const page = readFileSync(fileURLToPath(new URL("../../../../docs/reference/cli.md", import.meta.url)), "utf8");
  const [, section = ""] = page.split("\n## Names of options\n");
  const rows = [...(section.split("\n## ")[0] as string).matchAll(/^\| (`.*?`) \| (.+) \|$/gm)];
  return new Map(
    rows.flatMap(([, names = "", meaning = ""]) =>
      [...names.matchAll(/`([^`]+)`/g)].map(([, flags = ""]) => [flags, meaning] as [string, string]),
    ),
  );
}

it("every option takes one kind of value, in every command", () => {
  const several = [...declared].filter(([, { flags }]) => flags.size > 1);
  expect(several.filter(([name]) => !Object.hasOwn(EXCEPTIONS, name)).map(([, { flags }]) => [...flags])).toEqual([]);
  expect(several.map(([name]) => name).sort()).toEqual(Object.keys(EXCEPTIONS).sort());
  expect(Object.keys(EXCEPTIONS).length).toBeLessThanOrEqual(3);
});

it("an option that several commands have is in the table of the command line, and nothing else is", () => {
  // one row is for all that begin with --allow-
  const shared = [...declared].filter(([name, { commands }]) => commands > 1 && !name.startsWith("--allow-"));
  // the table has one form of an exception, and the values in capitals
  const shown = (flags: string) => flags.replace(/<(.*)>/, (_, value: string) => value.toUpperCase());
  const rows = documented();
  expect(rows.delete("--allow-…")).toBe(true);
  for (const [name, { flags }] of shared) {
    const found = [...flags].filter((one) => rows.has(shown(one)));
    expect(found, `${name} in docs/reference/cli.md`).toHaveLength(1);
  }
  expect(rows.size).toBe(shared.length);
});

it("a further output is named after what it has, with -out", () => {
  for (const [name, { flags }] of declared) if (/\w-out$/.test(name)) expect([...flags]).toEqual([`${name} <file>`]);
  for (const global of GLOBAL_OPTIONS) expect(declared.has(global)).toBe(false);
});
