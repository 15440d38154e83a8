import { expect, it } from "vitest";
import { repositoryText } from "../../test-support/src/repository.js";
import { KEY_SOURCES } from "../src/sources/key-sources.js";

it("each scheme has one row", () => {
  const schemes = KEY_SOURCES.map(({ scheme }) => scheme);
  expect(schemes.filter((scheme, i) => schemes.indexOf(scheme) !== i)).toEqual([]);
});

it("docs/guides/keys.md names each key source", () => {
  const page = repositoryText("docs/guides/keys.md");
  expect(KEY_SOURCES.map(({ scheme }) => `\`${scheme}:`).filter((reference) => !page.includes(reference))).toEqual([]);
});
