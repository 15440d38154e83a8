import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { LANGUAGE_TAG } from "../src/description/language.js";

it("the schema of descriptions has the same form of language tags", () => {
  const schema = JSON.parse(readFileSync(new URL("../schema/manifest.schema.json", import.meta.url), "utf8"));
  expect(schema.properties.text.propertyNames.pattern).toBe(LANGUAGE_TAG.source);
});

it.each([
  ["en", true],
  ["en-US", true],
  ["de-CH-1996", true],
  ["en_US", false],
  ["", false],
  ["-en", false],
  ["en-", false],
  ["abcdefghi", false],
  ["en-abcdefghi", false],
  ["en\n", false],
])("whether %j is a language tag: %s", (tag, expected) => {
  expect(LANGUAGE_TAG.test(tag)).toBe(expected);
});
