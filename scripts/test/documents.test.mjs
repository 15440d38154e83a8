// The checks of the documents find what they should.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript-es5";
import { beforeAll, expect, it, vi } from "vitest";
import { AT_LENGTH, LONG } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { documentsIn } from "../build/package-documents.mjs";
import { apiPages } from "../reference/api.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
let folder;

vi.setConfig({ testTimeout: 300_000 });

// a project with two documents, and our settings
beforeAll(() => {
  folder = temporaryFolder("firmseal-documents-");
  symlinkSync(`${ROOT}node_modules`, join(folder, "node_modules"));
  for (const name of [".markdownlint-cli2.jsonc", "cspell.json", "docs/words.txt", "scripts/checks/first-sentence.mjs"])
    cpSync(ROOT + name, join(folder, name));
  writeFileSync(join(folder, "other.md"), "# Other\n\nText.\n\n## There\n\nText.\n");
});

/** What a check says if one of the documents has this text. */
function said(bin, args, text) {
  writeFileSync(join(folder, "page.md"), `# Page\n\n${text}\n`);
  const { status, stdout, stderr } = spawnSync(`${ROOT}node_modules/.bin/${bin}`, args, { cwd: folder, encoding: "utf8" });
  return { status, output: stdout + stderr };
}
const form = (text) => said("markdownlint-cli2", [], text);
const spelling = (text) => said("cspell", ["lint", "--no-progress", "--no-summary"], text);

it.skipIf(!LONG)(`a good page passes${AT_LENGTH}`, () => {
  const text = "It has [a link](other.md#there).";
  expect(form(text)).toMatchObject({ status: 0 });
  expect(spelling(text)).toMatchObject({ status: 0 });
});

it.skipIf(!LONG).each([
  ["a link to a file that is not there", "See [it](missing.md).", "should exist"],
  ["a link to a heading that is not there", "See [it](other.md#missing).", "valid fragment"],
  ["a page that begins with a list", "- One\n\nThen text.", "first-sentence"],
  ["a line of more than 120 characters", "word ".repeat(30).trim(), "line-length"],
])(`%s is found${AT_LENGTH}`, (_, text, words) => {
  const { status, output } = form(text);
  expect(status).toBe(1);
  expect(output).toContain(words);
});

it.skipIf(!LONG)(`a misspelt word is found${AT_LENGTH}`, () => {
  const { status, output } = spelling("The manifset is signed.");
  expect(status).toBe(1);
  expect(output).toContain("manifset");
});

/** Sources that have the functions which documents name. */
const sources = spawnSync("git", ["ls-files", "packages", "test-vectors", "fuzz", "scripts", "test"], {
  cwd: ROOT,
  encoding: "utf8",
  maxBuffer: 1 << 26,
})
  .stdout.split("\n")
  .filter((path) => /\.(ts|mjs)$/.test(path));

const ABOUT_SOURCES = ["CONTRIBUTING.md", ...["adding", "releasing", "testing"].map((name) => `docs/explanation/${name}.md`)];

it.each(ABOUT_SOURCES)("%s names only functions and paths that exist", (page) => {
  const text = readFileSync(ROOT + page, "utf8");
  const code = [...text.matchAll(/`([^`\n]+)`/g)].map(([, one]) => one);
  const names = new Set(code.flatMap((one) => /^(?:[a-z]+\.)?(\w+)\([^)]*\)$/.exec(one)?.[1] ?? []));
  const all = sources.map((path) => readFileSync(ROOT + path, "utf8")).join("\n");
  expect([...names].filter((name) => !new RegExp(`\\b${name}(\\(|: (async )?\\(|<| = |: function)`).test(all))).toEqual([]);
  // words in capitals stand for names
  const paths = code.filter((one) => /^(packages|scripts|docs|fuzz|test|test-vectors)\/[\w./-]+$/.test(one) && !/[A-Z]{3}/.test(one));
  expect(paths.length).toBeGreaterThan(0);
  expect(paths.filter((path) => !existsSync(ROOT + path))).toEqual([]);
});

const { pages } = apiPages();

it.each(["bundler", "formats", "images", "kernel", "keys", "release", "report", "signer", "simulator", "verifier"])(
  "the README of %s names only functions of the package",
  (name) => {
    const called = (text) => [...text.matchAll(/`(\w+)\([^`]*`(?:\sof\s`@firmseal\/(\w+)`)?/g)];
    const api = (of) => pages.find(({ path }) => path === `docs/reference/api/${of}.md`).text;
    const unknown = (text) => called(text).flatMap(([, one, of = name]) => (new RegExp(`\\b${one}\\b`).test(api(of)) ? [] : [one]));
    expect(unknown(readFileSync(`${ROOT}packages/${name}/README.md`, "utf8"))).toEqual([]);
    expect(unknown("`isGone()`, `wasNever(x)` and `isElsewhere()` of `@firmseal/verifier`")).toEqual(["isGone", "wasNever", "isElsewhere"]);
  },
);

it("mutation.md names only functions and features of the verifier that exist", () => {
  const text = readFileSync(`${ROOT}docs/explanation/mutation.md`, "utf8");
  const names = new Set([...text.matchAll(/`(\w+)\(\)`|\b(HAS_[A-Z0-9]+)\b/g)].map(([, one, flag]) => one ?? flag));
  const verifier = sources.filter((path) => path.startsWith("packages/verifier/src/"));
  const all = verifier.map((path) => readFileSync(ROOT + path, "utf8")).join("\n");
  expect(names.size).toBeGreaterThan(20);
  expect([...names].filter((name) => !new RegExp(`\\b${name}(\\(|: function|: \\(| = )`).test(all))).toEqual([]);
});

/** The texts of a source: strings and templates, without comments. */
function textsOf(path, text) {
  const found = [];
  const visit = (node) => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true));
  return found;
}

/** What a text for people names that a package does not have: another document, or a file of the repository. */
const notPacked = (text) =>
  /\s/.test(text)
    ? [
        ...text.matchAll(
          /(?<![\w./-])(?:[\w.-]+\/)*[\w-]+\.md\b|(?<![\w./@-])(?:packages|examples|scripts|test|conformance|fuzz)\/[\w./-]+/g,
        ),
      ]
        .map(([name]) => name)
        .filter((name) => !(documentsIn(name)[0] === name && existsSync(ROOT + name)))
    : [];

/** Texts that are not messages, by what they name. */
const NOT_MESSAGES = {
  "packages/release/src/consumer/consumers.ts": "the table of docs/reference/consumers.md",
};

it("messages name no document that is not in the package", () => {
  const own = sources.filter((path) => /^packages\/(?!test-support|inspector)[\w-]+\/src\//.test(path) && !(path in NOT_MESSAGES));
  expect(own.length).toBeGreaterThan(300);
  const texts = own.map((path) => [path, readFileSync(ROOT + path, "utf8")]).filter(([, text]) => notPacked(text).length > 0);
  const wrong = texts.flatMap(([path, text]) =>
    textsOf(path, text)
      .flatMap(notPacked)
      .map((name) => `${path}: ${name}`),
  );
  expect(wrong).toEqual([]);
  expect(["see errors.md", "run scripts/x.mjs", "see docs/guides/none.md", "see docs/guides/trust.md", "a.md"].flatMap(notPacked)).toEqual([
    ...["errors.md", "scripts/x.mjs", "docs/guides/none.md"],
  ]);
});

it("every generated source says what it is made from, and by which command", () => {
  const { scripts: commands } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
  const generated = sources.filter((path) => readFileSync(ROOT + path, "utf8").startsWith("// GENERATED"));
  expect(generated.sort()).toEqual(sources.filter((path) => path.endsWith(".generated.ts")).sort());
  for (const path of generated) {
    const [head] = /^(?:\/\/ .*\n)+/.exec(readFileSync(ROOT + path, "utf8"));
    const [, name, script] = /run `(?:pnpm ([\w-]+)|node ([\w./-]+))`/.exec(head) ?? [];
    expect(name in commands || existsSync(ROOT + script), `${path}: ${head}`).toBe(true);
  }
});

it("the template string and its page are what the table gives", () => {
  const { status, stderr } = spawnSync(process.execPath, [`${ROOT}scripts/tables/template.mjs`, "--check"], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
