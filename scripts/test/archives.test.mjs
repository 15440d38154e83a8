// What is in the packed packages for people: links lead somewhere, and examples have the types that they use, and run.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript-es5";
import { beforeAll, describe, expect, it } from "vitest";
import { AT_LENGTH, LONG } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { blocksOf, ROOT } from "../../test/pages.ts";
import { packaged } from "../build/package-documents.mjs";
import { PACKAGES } from "../build/packages.mjs";
import { packAll } from "../pack.mjs";

let folder;

/** Paths of the files below a folder that a pattern matches, from there. */
const filesIn = (path, pattern) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();

/** The installed packages, and what each of ours imports from others: no registry is asked. */
function installed() {
  const top = temporaryFolder("firmseal-archives-");
  const tarballs = join(top, "tarballs");
  const modules = join(top, "node_modules");
  mkdirSync(tarballs);
  for (const { name, path } of packAll(tarballs)) {
    mkdirSync(join(modules, name), { recursive: true });
    const { status, stderr } = spawnSync("tar", ["-xzf", path, "-C", join(modules, name), "--strip-components=1"], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  }
  const link = (name, from) => {
    const to = join(modules, name);
    mkdirSync(dirname(to), { recursive: true });
    if (!existsSync(to)) symlinkSync(realpathSync(join(from, "node_modules", name)), to);
  };
  for (const name of PACKAGES) {
    const path = join(ROOT, "packages", name);
    const { dependencies = {} } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
    for (const other of Object.keys(dependencies)) link(other, path);
  }
  for (const name of ["@types/node", "vitest"]) link(name, ROOT);
  writeFileSync(join(top, "package.json"), '{ "type": "module" }\n');
  return top;
}

/** The examples of docstrings: what follows each `@example` in the declarations of the archives. */
function docstringExamples() {
  const modules = join(folder, "node_modules/@firmseal");
  return filesIn(modules, /\.d\.ts$/).flatMap((path) =>
    [...readFileSync(join(modules, path), "utf8").matchAll(/^ *\* @example\n *\* ```ts\n([\s\S]*?)^ *\* ```$/gm)].map(([, lines], i) => ({
      file: `${path.replace(/\.d\.ts$/, "").replaceAll("/", "_")}_${i + 1}`,
      code: lines.replace(/^ *\* ?/gm, ""),
    })),
  );
}

/** The blocks of js and ts in documents for users. What a reader writes to a file is JavaScript. */
function documentExamples() {
  const tracked = spawnSync("git", ["ls-files", "*.md"], { cwd: ROOT, encoding: "utf8" }).stdout.split("\n");
  const pages = tracked.filter((path) =>
    /^(?:README|(?:packages|docs\/(?:start|guides|reference)|test-vectors|action)\/.*)\.md$/.test(path),
  );
  return pages.flatMap((path) =>
    blocksOf(path)
      .filter(({ language }) => /^[jt]s$/.test(language))
      .map(({ language, name, text }, i) => ({
        file: `${path.replace(/\.md$/, "").replace(/[^\w-]+/g, "_")}_${i + 1}`,
        code: text,
        isDevice: language === "js" && (name !== "" || !/^import /m.test(text)),
      })),
  );
}

const STRICT = { strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true };
const RESOLUTIONS = { nodenext: { module: "nodenext" }, bundler: { module: "esnext", moduleResolution: "bundler" } };

/** What the compiler says about examples, written to the folder `into`. */
function compiled(examples, into, given, extension, compilerOptions) {
  const place = join(folder, into);
  mkdirSync(place, { recursive: true });
  for (const { file, code } of examples) writeFileSync(join(place, `${file}.${extension}`), `${code}\nexport {};\n`);
  cpSync(join(ROOT, "scripts/testing/examples", given), join(place, given));
  const options = { target: "es2022", lib: ["es2024"], types: ["node"], noEmit: true, ...compilerOptions };
  writeFileSync(join(place, "tsconfig.json"), JSON.stringify({ compilerOptions: options, include: ["*"] }));
  const { stdout, stderr } = spawnSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", place], { cwd: folder, encoding: "utf8" });
  return stdout + stderr;
}

/** Examples that do not run here, and why. pages.test.ts runs those of pages. */
const NOT_RUN = {
  simulator_lib_vitest_1: "is a test",
  packages_simulator_README_2: "is a test",
  release_lib_rotation_bridge_1: "needs a fleet: docs/guides/rotation.md runs the same",
  release_lib_rotation_plan_plan_1: "needs a fleet: docs/guides/planning.md runs the same",
};

beforeAll(() => {
  if (LONG) folder = installed();
}, 120_000);

describe.skipIf(!LONG)(`the packed packages${AT_LENGTH}`, () => {
  it.each(Object.entries(RESOLUTIONS))("examples of docstrings and documents have the types that they use: %s", (name, resolution) => {
    const documents = documentExamples().filter(({ isDevice }) => !isDevice);
    const examples = [...docstringExamples(), ...documents];
    expect([docstringExamples().length > 60, documents.length > 10]).toEqual([true, true]);
    expect(compiled(examples, name, "given.d.ts", "ts", { ...STRICT, ...resolution })).toBe("");
    const wrong = [{ file: "wrong", code: 'import { anchor } from "@firmseal/verifier";\nanchor(publicKey);' }];
    expect(compiled(wrong, `${name}-wrong`, "given.d.ts", "ts", { ...STRICT, ...resolution })).toContain("error TS");
  });

  it("code for devices and programs in JavaScript use what there is", () => {
    const examples = documentExamples().filter(({ isDevice }) => isDevice);
    expect(examples.length).toBeGreaterThan(10);
    const options = { allowJs: true, checkJs: true, strict: false, moduleDetection: "force", ...RESOLUTIONS.bundler };
    expect(compiled(examples, "device", "device.d.ts", "js", options)).toBe("");
  });

  it("examples of docstrings and READMEs run", () => {
    const examples = [...docstringExamples(), ...documentExamples().filter(({ file }) => file.includes("README"))];
    const files = examples.map(({ file }) => file);
    expect(Object.keys(NOT_RUN).filter((file) => !files.includes(file))).toEqual([]);
    const place = join(folder, "running");
    mkdirSync(place);
    const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    const run = examples.flatMap(({ file, code }) => {
      if (Object.hasOwn(NOT_RUN, file)) return [];
      writeFileSync(join(place, `${file}.js`), ts.transpileModule(code, { compilerOptions: options }).outputText);
      return [`running/${file}.js`];
    });
    const runner = join(ROOT, "scripts/testing/examples/run.mjs");
    const { status, stdout, stderr } = spawnSync(process.execPath, [runner, ...run], { cwd: folder, encoding: "utf8" });
    expect({ status, wrong: JSON.parse(stdout || "null") }, stderr).toEqual({ status: 0, wrong: {} });
  });

  it("links between documents of an archive lead to files in it", () => {
    const modules = join(folder, "node_modules");
    const own = readdirSync(join(modules, "@firmseal")).map((name) => join("@firmseal", name));
    const dead = ["firmseal", ...own].flatMap((name) => deadLinks(join(modules, name)).map((link) => `${name}/${link}`));
    expect(dead).toEqual([]);
    const text = "[`x\ny`](#z) [a](b.md#c), [`d.mjs`](../../d.mjs), [e](../e.md), `[f](f.md)`, ![g](g.png)";
    const has = (path) => path === "docs/guides/b.md";
    expect(packaged(text, "docs/guides/a.md", has, undefined)).toBe(
      "[`x\ny`](#z) [a](b.md#c), `d.mjs`, e (`docs/e.md` of the project), `[f](f.md)`, g (`docs/guides/g.png` of the project)",
    );
    expect(packaged(text, "docs/guides/a.md", has, "https://host/")).toBe(
      "[`x\ny`](#z) [a](b.md#c), [`d.mjs`](https://host/d.mjs), [e](https://host/docs/e.md), `[f](f.md)`, [g](https://host/docs/guides/g.png)",
    );
  });
});

/** "FILE: TARGET" of each relative link in the documents of a package that leads to no file of it. */
function deadLinks(top) {
  return filesIn(top, /\.md$/).flatMap((path) => {
    const text = readFileSync(join(top, path), "utf8").replace(/^```[\s\S]*?^```$/gm, "");
    const targets = [...text.matchAll(/\]\((?!\w+:|#)([^)\s]+?)(?:#[^)]*)?\)/g)].map(([, target]) => target);
    return targets.filter((target) => !existsSync(join(top, dirname(path), target))).map((target) => `${path}: ${target}`);
  });
}
