import { expect, it } from "vitest";
import { repositoryText } from "../../test-support/src/repository.js";
import { KEY_SOURCES } from "../src/sources/key-sources.js";

it("docs/guides/keys.md names each key source", () => {
  const page = repositoryText("docs/guides/keys.md");
  expect(KEY_SOURCES.map(({ scheme }) => `\`${scheme}:`).filter((reference) => !page.includes(reference))).toEqual([]);
});
