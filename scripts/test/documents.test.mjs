// The checks of the documents see what they are for.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, vi } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
let folder;

vi.setConfig({ testTimeout: 300_000 });

// a project with two documents, and our settings
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "firmseal-documents-"));
  symlinkSync(`${ROOT}node_modules`, join(folder, "node_modules"));
  mkdirSync(join(folder, "docs"));
  for (const name of [".markdownlint-cli2.jsonc", "cspell.json", "docs/words.txt"]) cpSync(ROOT + name, join(folder, name));
  writeFileSync(join(folder, "other.md"), "# Other\n\n## There\n\nText.\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a check says where one of the documents has this text. */
function said(bin, args, text) {
  writeFileSync(join(folder, "page.md"), `# Page\n\n${text}\n`);
  const { status, stdout, stderr } = spawnSync(`${ROOT}node_modules/.bin/${bin}`, args, { cwd: folder, encoding: "utf8" });
  return { status, output: stdout + stderr };
}
const form = (text) => said("markdownlint-cli2", [], text);
const spelling = (text) => said("cspell", ["lint", "--no-progress", "--no-summary"], text);

it("a good page passes", () => {
  const text = "It has [a link](other.md#there).";
  expect(form(text)).toMatchObject({ status: 0 });
  expect(spelling(text)).toMatchObject({ status: 0 });
});

it.each([
  ["a link to a file that is not there", "See [it](missing.md).", "should exist"],
  ["a link to a heading that is not there", "See [it](other.md#missing).", "valid fragment"],
  ["a line of more than 120 characters", "word ".repeat(30).trim(), "line-length"],
])("%s is found", (_, text, words) => {
  const { status, output } = form(text);
  expect(status).toBe(1);
  expect(output).toContain(words);
});

it("a word that is misspelt is found", () => {
  const { status, output } = spelling("The manifset is signed.");
  expect(status).toBe(1);
  expect(output).toContain("manifset");
});
