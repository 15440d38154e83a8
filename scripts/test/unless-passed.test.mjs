// A check that has passed is left out only if nothing that it may read has changed.

import { execFileSync, spawnSync } from "node:child_process";
import fs, { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AT_LENGTH, LONG } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { trackedFiles } from "../checks/sources.mjs";
import { GATES, readsOf } from "../gates.mjs";
import { findingsOfEach, findingsUnlessPassed, PARTS, readBy, unlessPassed } from "../testing/unless-passed.mjs";

const HOME = process.cwd();
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
const inShell = async (command) => {
  const { status, stdout } = spawnSync(command, { cwd: root, shell: true, encoding: "utf8" });
  return { ok: status === 0, output: stdout };
};
const run = (command) => unlessPassed(command, inShell, root, join(root, "cache/"));
const runs = () => readFileSync(join(root, "ran"), "utf8").length;

it("a check that has passed reports the same again, without a run", async () => {
  expect(await run(check())).toEqual({ ok: true, output: "ok    it\n", isNew: true });
  expect(await run(check())).toEqual({ ok: true, output: "ok    it\n", isNew: false });
  expect(runs()).toBe(1);
});

it.each([
  ["a file", () => put("a.ts", "2")],
  ["a new file", () => put("b.ts", "")],
  ["a file under another name", () => execFileSync("mv", ["a.ts", "b.ts"], { cwd: root })],
  ["what the build gives", () => put("packages/x/lib/a.d.ts", "2")],
  ["what is installed", () => put("node_modules/.pnpm/lock.yaml", "two")],
])("it runs again after a change: %s", async (_, change) => {
  await run(check());
  change();
  expect((await run(check())).isNew).toBe(true);
  expect((await run(check())).isNew).toBe(false);
  expect(runs()).toBe(2);
});

it("another command is another check", async () => {
  await run(check());
  expect((await run(check(":"))).isNew).toBe(true);
});

it("a check that fails runs each time", async () => {
  for (let i = 1; i <= 2; i++) {
    expect(await run(check("exit 3"))).toEqual({ ok: false, output: "ok    it\n", isNew: true });
    expect(runs()).toBe(i);
  }
});

it("what changes while a check runs is checked by the next run", async () => {
  await run(check("echo other > a.ts"));
  put("a.ts", "1");
  expect((await run(check("echo other > a.ts"))).isNew).toBe(true);
});

it("with CI set, every check runs", async () => {
  await run(check());
  vi.stubEnv("CI", "true");
  expect((await run(check())).isNew).toBe(true);
});

it("a check of code does not depend on documents, nor a check of documents on code", () => {
  const found = (program) => JSON.stringify(readBy(`${program} . --option`, root).map(String));
  const programs = ["biome", "depcruise", "knip", "cspell", "markdownlint-cli2", "size-limit", "tsc", "node"];
  let before = [];
  const changedBy = (change) => {
    change();
    const now = programs.map(found);
    const changed = programs.filter((_, i) => now[i] !== before[i]);
    before = now;
    return changed;
  };
  const of = (...names) => programs.filter((program) => [...names, "node"].includes(program));
  put("tsconfig.test.json", '{ "references": [{ "path": "packages/x" }] }');
  expect(changedBy(() => {})).toEqual(programs);
  expect(changedBy(() => {})).toEqual([]);
  expect(changedBy(() => put("a.md", "two"))).toEqual(of("cspell", "markdownlint-cli2"));
  expect(changedBy(() => put("a.ts", "2"))).toEqual(of("biome", "depcruise", "knip", "tsc"));
  expect(changedBy(() => put("docs/words.txt", "word"))).toEqual(programs);
  expect(changedBy(() => put("docs/words.txt", "words"))).toEqual(of("biome", "depcruise", "knip", "cspell", "markdownlint-cli2"));
  // a link may lead there
  expect(changedBy(() => put("b.ts", ""))).toEqual(programs);
  expect(changedBy(() => put("packages/x/lib/a.d.ts", "2"))).toEqual(of("tsc"));
  expect(changedBy(() => put("packages/x/dist/a.js", "2"))).toEqual(of("size-limit"));
  put("packages/x/src/a.ts", "1");
  put("packages/x/test/a.ts", "1");
  put("package.json", "{}");
  changedBy(() => {});
  expect(changedBy(() => put("packages/x/src/a.ts", "2"))).toEqual(of("biome", "knip"));
  expect(changedBy(() => put("packages/x/test/a.ts", "2"))).toEqual(of("biome", "knip", "tsc"));
  expect(changedBy(() => put("package.json", "{ }"))).toEqual(programs);
});

it("the check of imports reads a source up to its last import", () => {
  const found = () => String(readBy("depcruise src", root));
  const path = "packages/x/src/a.ts";
  put(path, 'import { a } from "./b.js";\n\nexport const one = a;\n');
  const before = found();
  put(path, 'import { a } from "./b.js";\n\nexport const one = a + 1;\n\n// where it comes from, and is important\n');
  expect(found()).not.toBe(before);
  const body = ["", "const c = a;", "const d = c;", "const e = d;", "const f = e;", "const g = f;", ""].join("\n");
  put(path, `import { a } from "./b.js";${body}export const one = g;\n`);
  const long = found();
  put(path, `import { a } from "./b.js";${body}// from here on, what is important\nexport const one = g + 1;\n`);
  expect(found()).toBe(long);
  for (const added of [
    'export { b } from "./c.js";',
    "export * from './c.js';",
    'export type {\n  B,\n} from\n  "./c.js";',
    'import "./c.js";',
    'import c from "./c.js";',
    'import * as c from "./c.js";',
    'import type { B } from "./c.js";',
    'import{b}from"./c.js";',
    'const c = await import("./c.js");',
    'const c = import(\n  "./c.js",\n);',
    "const c = import(`./c.js`);",
    'type C = import("./c.js").C;',
    'import c = require("./c.js");',
    'const c = require("./c.js");',
  ]) {
    put(path, `import { a } from "./b.js";${body}${added}\n`);
    const one = found();
    expect(one, added).not.toBe(long);
    put(path, `import { a } from "./b.js";${body}${added.replace("./c.js", "./d.js")}\n`);
    expect(found(), added).not.toBe(one);
  }
  rmSync(join(root, path));
  expect(found()).not.toBe(before);
});

it("a file that changes within a moment is read again", () => {
  const found = () => String(readBy("check", root));
  for (let i = 0; i < 5; i++) {
    put("a.ts", "1");
    const before = found();
    put("a.ts", "2");
    expect(found()).not.toBe(before);
  }
});

describe("a program that checks each file alone", () => {
  /** The command that runs it, or "". */
  async function ranBy(command, passes = true) {
    let ran = "";
    const one = async (line) => {
      ran = line;
      return { ok: passes, output: "" };
    };
    const { ok } = await unlessPassed(command, one, root, join(root, "cache/"));
    expect(ok).toBe(passes);
    return ran;
  }

  const BIOME = "biome check . --option";
  const biome = (...files) => `biome check --option --files-ignore-unknown=true --no-errors-on-unmatched ${files.join(" ")}`;

  it("checks those that have changed", async () => {
    for (let i = 0; i < 10; i++) put(`f${i}.ts`, `${i}`);
    expect(await ranBy(BIOME)).toBe(BIOME);
    expect(await ranBy(BIOME)).toBe("");
    put("a.ts", "2");
    put("a b.ts", "2");
    expect(await ranBy(BIOME)).toBe(BIOME); // a name that a shell would divide
    put("a.ts", "3");
    put("new.ts", "2");
    expect(await ranBy(BIOME, false)).toBe(biome("a.ts", "new.ts"));
    expect(await ranBy(BIOME)).toBe(biome("a.ts", "new.ts"));
    put("a.ts", "2");
    expect(await ranBy(BIOME)).toBe("");
    put("x/biome.json", "{}");
    expect(await ranBy(BIOME)).toBe(BIOME);
    put("node_modules/.pnpm/lock.yaml", "two");
    expect(await ranBy(BIOME)).toBe(BIOME);
    expect(await ranBy(`${BIOME} --more`)).toBe(`${BIOME} --more`);
  });

  it("checks all of them with CI set, and remembers none", async () => {
    vi.stubEnv("CI", "true");
    expect(await ranBy(BIOME)).toBe(BIOME);
    expect(await ranBy(BIOME)).toBe(BIOME);
    vi.stubEnv("CI", "");
    expect(await ranBy(BIOME)).toBe(BIOME);
  });

  it("checks documents again after a change in those that they may link to", async () => {
    put(".markdownlint-cli2.jsonc", '{\n  // all\n  "globs": ["*.md", "docs/**/*.md"], "ignores": ["docs/no/**"]\n}');
    for (let i = 0; i < 10; i++) put(`docs/f${i}.md`, `${i}`);
    put("docs/x/b.md", "[a](../../a.md#one)");
    put("docs/x/c.md", "[a](../../%61.md)");
    put("docs/no/d.md", "[a](../../a.md)");
    put("packages/x/e.md", "[a](../../a.md)");
    const markdownlint = (...files) => `markdownlint-cli2 --no-globs ${files.join(" ")}`;
    expect(await ranBy("markdownlint-cli2")).toBe("markdownlint-cli2");
    put("a.md", "two");
    expect(await ranBy("markdownlint-cli2")).toBe(markdownlint("a.md", "docs/x/b.md", "docs/x/c.md"));
    put("docs/no/d.md", "two");
    expect(await ranBy("markdownlint-cli2")).toBe(markdownlint("docs/x/c.md"));
    put("a.ts", "2");
    expect(await ranBy("markdownlint-cli2")).toBe("");
    rmSync(join(root, "a.ts"));
    expect(await ranBy("markdownlint-cli2")).toBe("markdownlint-cli2");
  });

  it("has no rules on in biome.json that read other files", () => {
    const { linter, plugins, overrides } = JSON.parse(readFileSync("biome.json", "utf8"));
    expect(plugins).toBeUndefined();
    const groups = [linter, ...overrides.map((one) => one.linter ?? {})];
    for (const { domains } of groups) expect(domains).toBeUndefined();
    const rules = groups.flatMap((one) =>
      Object.values(one.rules ?? {}).flatMap((group) => (group === "recommended" ? [] : Object.entries(group))),
    );
    const on = rules.filter(([, level]) => level !== "off").map(([name]) => name);
    expect(on).toContain("useNodejsImportProtocol");
    for (const name of on) {
      const { stdout } = spawnSync("node_modules/.bin/biome", ["explain", name], { encoding: "utf8" });
      expect(stdout).toContain(`- Name: ${name}`);
      expect(stdout).not.toMatch(/- Name: (?:project|types)$/m);
    }
  });
});

describe("a part of a check", () => {
  const READS = { text: (path) => path.endsWith(".ts") };
  const findings = (work) => findingsUnlessPassed("part", READS, work, root, join(root, "cache/"));

  it("runs again if a file that it reads has changed, or if it had findings", async () => {
    const work = vi.fn(() => []);
    await findings(work);
    await findings(work);
    put("a.md", "two");
    await findings(work);
    expect(work).toHaveBeenCalledTimes(1);
    put("a.ts", "2");
    work.mockReturnValue(["a finding"]);
    for (let i = 2; i <= 3; i++) {
      expect(await findings(work)).toEqual(["a finding"]);
      expect(work).toHaveBeenCalledTimes(i);
    }
    vi.stubEnv("CI", "true");
    put("a.ts", "1");
    await findings(work);
    expect(work).toHaveBeenCalledTimes(4);
  });

  it.each([
    ["set", "1", ["b"]],
    ["not set", "", ["a", "b", "c"]],
  ])(`leaves out files that have passed if ${PARTS} is %s`, (_, value, again) => {
    vi.stubEnv(PARTS, value);
    const files = (...texts) => ["a", "b", "c"].map((path, i) => ({ path, text: texts[i] }));
    const looked = [];
    const check = (some) => {
      looked.push(some.map(({ path }) => path));
      return some.filter(({ text }) => text === "bad").map(({ path }) => path);
    };
    const each = (...texts) => findingsOfEach("part", ["rules"], files(...texts), check, join(root, "cache/"));
    expect(each("1", "2", "3")).toEqual([]);
    expect(each("1", "bad", "3")).toEqual(["b"]);
    expect(each("1", "bad", "3")).toEqual(["b"]);
    expect(looked).toEqual([["a", "b", "c"], again, again]);
    findingsOfEach("part", ["other rules"], files("1", "2", "3"), check, join(root, "cache/"));
    expect(looked[3]).toEqual(["a", "b", "c"]);
  });
});

it.skipIf(!LONG)(`a gate reads nothing besides what it says${AT_LENGTH}`, async () => {
  const read = new Set();
  const names = ["readFileSync", "readdirSync"];
  const spies = names.map((name) => {
    const original = fs[name];
    return vi.spyOn(fs, name).mockImplementation((path, ...rest) => {
      if (typeof path !== "number") read.add(relative(HOME, path instanceof URL ? path.pathname : String(path)));
      return original(path, ...rest);
    });
  });
  syncBuiltinESMExports();
  try {
    const tracked = new Set(trackedFiles());
    const ours = GATES.filter((gate) => gate.reads);
    expect(ours.length).toBeGreaterThan(5);
    for (const gate of ours) {
      read.clear();
      await gate.run();
      const { text, built } = readsOf(gate);
      const others = [...read].filter((path) => !text(path) && !built(path) && !/^\.\.|node_modules/.test(path));
      expect(others.filter((path) => tracked.has(path) || /^packages\/[^/]+\/(?:lib|dist)\/.*\./.test(path))).toEqual([]);
    }
    expect(read.size).toBeGreaterThan(0);
  } finally {
    for (const spy of spies) spy.mockRestore();
    syncBuiltinESMExports();
  }
});
