// Every file is as its schema says, and each schema refuses a file that is not.

import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { readIndex } from "../index.mjs";

const read = (path: string) => JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), "utf8"));
const ajv = new Ajv2020({ allowUnionTypes: true });
const [vector, index, keys] = ["vector", "index", "keys"].map((name) => ajv.compile(read(`schema/${name}.schema.json`)));
const faults = (check: typeof vector, value: unknown) => (check?.(value) ? [] : check?.errors);

it("every vector is as the schema says", () => {
  const files = readIndex().vectors.map(({ file }) => file);
  expect(files.flatMap((file) => faults(vector, read(file))?.map((e) => `${file}${e.instancePath} ${e.message}`))).toEqual([]);
});

it.each([
  ["index.json", index],
  ["keys.json", keys],
])("%s is as the schema says", (file, check) => {
  expect(faults(check, read(file))).toEqual([]);
});

describe("the schema of a vector refuses", () => {
  const good = read("vectors/install/accepted/install.json");
  it.each([
    ["a member that it does not know", { comment: "" }],
    ["an odd number of digits", { envelope: "d86" }],
    ["another strictness", { strictness: "own" }],
    ["no expectation", { expect: undefined }],
    ["an expectation of both kinds", { expect: { ok: true, code: 1, at: -1 } }],
    ["a sequence number beyond 64 bits", { device: { ...good.device, sequence: "100000000000000000000" } }],
    ["a key with a name and bytes", { trust: { anchors: [{ ref: "ed25519-a", key: "00" }] } }],
  ])("%s", (_, change) => {
    expect(faults(vector, JSON.parse(JSON.stringify({ ...good, ...change })))).not.toEqual([]);
  });
});
