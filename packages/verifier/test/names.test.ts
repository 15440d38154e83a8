// The names that people read, compared with the registry: each number has the name that the specification gives it.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import {
  ALG_NAMES,
  COMMAND_NAMES,
  COMMON_NAMES,
  COMPONENT_TEXT_NAMES,
  ELEMENT_NAMES,
  HASH_NAMES,
  MANIFEST_NAMES,
  type Names,
  PARAMETER_NAMES,
  TEXT_NAMES,
} from "../src/tools/names.js";

const registry: { table: string; code: number; name: string }[] = JSON.parse(
  readFileSync(new URL("../../../test-vectors/registry.json", import.meta.url), "utf8"),
);

/** The names of one table of the registry without `lead`: lower-case words with hyphens between them. */
const registered = (table: string, lead: string): [string, string][] =>
  registry
    .filter((r) => r.table === table)
    .map(({ code, name }) => [
      String(code),
      name
        .toLowerCase()
        .replace(lead, "")
        .replace(/[^a-z0-9]+/g, "-"),
    ]);

it.each<[string, Names, [table: string, lead: string][], other?: Names]>([
  ["elements of an envelope", ELEMENT_NAMES, [["envelope", "suit-"]]],
  [
    "elements of a manifest, of which some are shorter or older",
    MANIFEST_NAMES,
    [["manifest", "suit-"]],
    { 1: "version", 2: "sequence-number", 5: "component-id", 17: "install-old", 25: "mud" },
  ],
  ["elements of the common part", COMMON_NAMES, [["common", "suit-"]]],
  [
    "commands",
    COMMAND_NAMES,
    [
      ["condition", "suit-"],
      ["directive", "suit-"],
    ],
  ],
  ["parameters, of which one is shorter", PARAMETER_NAMES, [["parameter", "suit-parameter-"]], { 25: "fetch-args" }],
  ["texts", TEXT_NAMES, [["text", "suit-text-"]]],
  ["texts about components", COMPONENT_TEXT_NAMES, [["text-component", "suit-text-"]]],
  ["algorithms", ALG_NAMES, [["algorithm", ""]]],
  ["hash algorithms", HASH_NAMES, [["hash", ""]]],
])("the registry has the same names: %s", (_, names, tables, other = {}) => {
  const wanted = Object.fromEntries(tables.flatMap(([table, lead]) => registered(table, lead)));
  expect(Object.keys(wanted).length).toBeGreaterThan(2);
  expect(names).toStrictEqual({ ...wanted, ...other });
});
