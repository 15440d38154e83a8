// A check that has passed is left out only if nothing that it may read has changed.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { readBy, unlessPassed } from "../testing/unless-passed.mjs";

let root;

const put = (path, text) => {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), text);
};

beforeEach(() => {
  vi.stubEnv("CI", "");
  root = `${temporaryFolder("firmseal-passed-")}/`;
  execFileSync("git", ["init", "-q"], { cwd: root });
  put(".gitignore", "dist\nlib\nnode_modules\ncache\nran\n");
  put("a.ts", "1");
  put("a.md", "one");
  put("node_modules/.pnpm/lock.yaml", "one");
  put("packages/x/lib/a.d.ts", "1");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

/** A check that counts its runs in a file that git ignores, and then does `more`. */
const check = (more = "") => `printf x >> ran; echo "ok    it"; ${more}`;
const run = (command) => unlessPassed(command, root, join(root, "cache/"));
const runs = () => readFileSync(join(root, "ran"), "utf8").length;

it("a check that has passed reports the same again, without a run", () => {
  expect(run(check())).toEqual({ status: 0, output: "ok    it\n", isNew: true });
  expect(run(check())).toEqual({ status: 0, output: "ok    it\n", isNew: false });
  expect(runs()).toBe(1);
});

it.each([
  ["a file", () => put("a.ts", "2")],
  ["a new file", () => put("b.ts", "")],
  ["a file under another name", () => execFileSync("mv", ["a.ts", "b.ts"], { cwd: root })],
  ["what the build gives", () => put("packages/x/lib/a.d.ts", "2")],
  ["what is installed", () => put("node_modules/.pnpm/lock.yaml", "two")],
])("it runs again after a change: %s", (_, change) => {
  run(check());
  change();
  expect(run(check()).isNew).toBe(true);
  expect(run(check()).isNew).toBe(false);
  expect(runs()).toBe(2);
});

it("another command is another check", () => {
  run(check());
  expect(run(check(":")).isNew).toBe(true);
});

it("a check that fails runs each time", () => {
  for (let i = 1; i <= 2; i++) {
    expect(run(check("exit 3"))).toEqual({ status: 3, output: "ok    it\n", isNew: true });
    expect(runs()).toBe(i);
  }
});

it("what changes while a check runs is checked by the next run", () => {
  run(check("echo other > a.ts"));
  put("a.ts", "1");
  expect(run(check("echo other > a.ts")).isNew).toBe(true);
});

it("with CI set, every check runs", () => {
  run(check());
  vi.stubEnv("CI", "true");
  expect(run(check()).isNew).toBe(true);
});

it("a check of code does not depend on documents, nor a check of documents on code", () => {
  const found = (program) => JSON.stringify(readBy(`${program} . --option`, root).map(String));
  const programs = ["biome", "depcruise", "knip", "cspell", "markdownlint-cli2", "tsc"];
  const changedBy = (change) => {
    const before = programs.map(found);
    change();
    return programs.filter((program, i) => found(program) !== before[i]);
  };
  expect(changedBy(() => {})).toEqual([]);
  expect(changedBy(() => put("a.md", "two"))).toEqual(["cspell", "markdownlint-cli2", "tsc"]);
  expect(changedBy(() => put("a.ts", "2"))).toEqual(["biome", "depcruise", "knip", "tsc"]);
  expect(changedBy(() => put("docs/words.txt", "word"))).toEqual(programs);
  expect(changedBy(() => put("docs/words.txt", "words"))).toEqual(programs);
  // a link may lead there
  expect(changedBy(() => put("b.ts", ""))).toEqual(programs);
  expect(changedBy(() => put("packages/x/lib/a.d.ts", "2"))).toEqual(["tsc"]);
});
