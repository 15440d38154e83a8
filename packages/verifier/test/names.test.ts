// The names that people read, compared with the registry: each number has the name that the specification gives it.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import * as names from "../src/tools/names.js";

const registry: { table: string; code: number; name: string }[] = JSON.parse(
  readFileSync(new URL("../../../test-vectors/registry.json", import.meta.url), "utf8"),
);

/** The names of one table of the registry without `lead`: lower-case words with hyphens between them. */
const registered = (table: string, lead: string): [string, string][] =>
  registry
    .filter((r) => r.table === table)
    .map(({ code, name }) => [String(code), name.toLowerCase().replace(lead, "").replace(/[^a-z0-9]+/g, "-")]);

/** Where the name is shorter than that of the registry, or older. */
const OTHER = {
  MANIFEST_NAMES: { 1: "version", 2: "sequence-number", 5: "component-id", 17: "install-old", 25: "mud" },
  PARAMETER_NAMES: { 25: "fetch-args" },
};

it.each<[keyof typeof names, [table: string, lead: string][]]>([
  ["ELEMENT_NAMES", [["envelope", "suit-"]]],
  ["MANIFEST_NAMES", [["manifest", "suit-"]]],
  ["COMMON_NAMES", [["common", "suit-"]]],
  [
    "COMMAND_NAMES",
    [
      ["condition", "suit-"],
      ["directive", "suit-"],
    ],
  ],
  ["PARAMETER_NAMES", [["parameter", "suit-parameter-"]]],
  ["TEXT_NAMES", [["text", "suit-text-"]]],
  ["COMPONENT_TEXT_NAMES", [["text-component", "suit-text-"]]],
  ["ALG_NAMES", [["algorithm", ""]]],
  ["HASH_NAMES", [["hash", ""]]],
])("%s are those of the registry", (name, tables) => {
  const wanted = Object.fromEntries(tables.flatMap(([table, lead]) => registered(table, lead)));
  expect(Object.keys(wanted).length).toBeGreaterThan(2);
  expect(names[name]).toEqual({ ...wanted, ...(OTHER as { [name: string]: object })[name] });
});
