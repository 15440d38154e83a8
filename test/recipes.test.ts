// The recipes of CONTRIBUTING.md, and an example of each in recipes/, as a patch. The files that an example changes are
// those that its recipe lists. With FIRMSEAL_LONG=1, the examples are applied to one copy of the checkout, where the
// commands of the recipes run and then the checks. Before that, one file of each recipe is left out, and a test must
// miss it.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { AT_LENGTH, LONG } from "../packages/test-support/src/environment/effort.js";
import { CheckoutCopy, failuresIn } from "./checkout-copy.js";
import { ROOT, read } from "./pages.js";

vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 });

/** `name`: what stands for NAME. Without the file `without`, the test `missed` fails and says `what`. */
const RECIPES = [
  {
    title: "A refusal",
    example: "refusal",
    name: "",
    without: "test-vectors/src/makers/negative-trust-file.ts",
    missed: "have a negative vector each",
    what: '"TRUST_NAME_SPACE"',
  },
  {
    title: "A key source",
    example: "key-source",
    name: "systemd",
    without: "docs/guides/keys.md",
    missed: "keys.md names each key source",
    what: "systemd:",
  },
  {
    title: "A lint rule",
    example: "lint-rule",
    name: "",
    without: "packages/cli/test/verify/lint-rules.test.ts",
    missed: "has a case here",
    what: '"text-unfinished"',
  },
  {
    title: "An option of a command",
    example: "option",
    name: "shell/completion",
    without: "packages/cli/test/all/input/file-options.test.ts",
    missed: "every option that names a file or a folder is tried",
    what: '"completion --out"',
  },
  {
    title: "An image format",
    example: "image-format",
    name: "titxt",
    without: "packages/test-support/src/image-writers.ts",
    missed: "each format that is not raw has a sample",
    what: "SAMPLES in packages/test-support/src/image-writers.ts",
  },
].map((one) => ({ ...one, patch: `test/recipes/${one.example}.patch` }));
type Recipe = (typeof RECIPES)[number];

const CHECKS = ["types", "biome", "unused", "imports", "spelling", "documents", "gates", "sizes"];

const text = read("CONTRIBUTING.md");
const { scripts } = JSON.parse(read("package.json")) as { scripts: { readonly [name: string]: string } };

/** The files and folders that a recipe lists, and its commands. */
function recipeOf({ title, name }: Recipe): { places: string[]; commands: string[] } {
  const section = text.split(/^#{2,3} /m).find((one) => one.startsWith(`${title}\n`)) ?? "";
  const named = section.replaceAll(/(?:GROUP\/)?NAME/g, name);
  return {
    places: [...named.matchAll(/^- `([^`]+)`:/gm)].map(([, place]) => place as string),
    commands: [...named.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, lines]) => (lines as string).trim().split("\n")),
  };
}

/** The files that an example changes. */
const filesOf = ({ patch }: Recipe) => [...read(patch).matchAll(/^\+\+\+ b\/(.+)$/gm)].map(([, path]) => path as string);

/** The files that commands give to vitest. */
const testsIn = (commands: readonly string[]) => commands.flatMap((line) => /^npx vitest run (.+)$/.exec(line)?.[1]?.split(" ") ?? []);

it("CONTRIBUTING.md has at most 1,500 words", () => {
  expect(text.trim().split(/\s+/).length).toBeLessThanOrEqual(1500);
});

it("CHANGELOG.md, the list of phrases and the variables of the tests keep within their limits", () => {
  expect(read("CHANGELOG.md").trimEnd().split("\n").length).toBeLessThanOrEqual(120);
  expect(read("scripts/checks/language.mjs").split("\n").length).toBeLessThanOrEqual(60);
  const counted = execFileSync(process.execPath, ["scripts/count.mjs"], { cwd: ROOT, encoding: "utf8" });
  expect(Number(/^variables of the tests: (\d+)/m.exec(counted)?.[1])).toBeLessThanOrEqual(8);
  expect(counted).toMatch(/^circles of folders: 0$/m);
});

it("each recipe has an example", () => {
  const titles = (text.split(/^## /m).find((part) => part.startsWith("Recipes\n")) ?? "").matchAll(/^### (.+)$/gm);
  expect([...titles].map(([, title]) => title)).toEqual(RECIPES.map(({ title }) => title));
  expect(readdirSync(join(ROOT, "test/recipes")).sort()).toEqual(RECIPES.map(({ example }) => `${example}.patch`).sort());
});

describe.each(RECIPES.map((recipe) => [recipe.title, recipe] as const))("%s", (_, recipe) => {
  const { places, commands } = recipeOf(recipe);
  const files = filesOf(recipe);

  it("lists the files that its example changes, and no others", () => {
    const placeOf = (path: string) =>
      places.filter((place) => place === path || (place.endsWith("/") && path.startsWith(place))).sort((a, b) => b.length - a.length)[0];
    expect(files.filter((path) => placeOf(path) === undefined)).toEqual([]);
    expect([...new Set(files.map(placeOf))].sort()).toEqual([...places].sort());
    expect(files).toContain(recipe.without);
  });

  it("names commands and tests that exist", () => {
    expect(commands.length).toBeGreaterThan(1);
    for (const line of commands) expect(line).toMatch(/^(?:pnpm [a-z:]+|npx vitest run \S.*)$/);
    for (const [, script] of commands.join("\n").matchAll(/^pnpm (\S+)$/gm)) expect(scripts).toHaveProperty([script as string]);
    expect(testsIn(commands).filter((path) => !existsSync(join(ROOT, path)) && !files.includes(path))).toEqual([]);
  });

  it("has an example that fits the sources", () => {
    const check = () => execFileSync("git", ["apply", "--check", recipe.patch], { cwd: ROOT, stdio: "pipe" });
    expect(check, "apply it with `git apply --reject`, mend it, and write it with `git diff -U2`").not.toThrow();
  });
});

// each test continues where the one before it ended
describe.skipIf(!LONG)(`in a copy of the checkout${AT_LENGTH}`, () => {
  const commands = [...new Set(RECIPES.flatMap((recipe) => recipeOf(recipe).commands))];
  const vitest = `vitest run ${[...new Set(testsIn(commands))].join(" ")}`;
  let copy: CheckoutCopy;
  let missing = "";

  async function passes(line: string): Promise<void> {
    const { status, output } = await copy.run(line);
    expect({ line, status, output: status === 0 ? "" : output }).toEqual({ line, status: 0, output: "" });
  }
  async function generate(): Promise<void> {
    for (const line of commands) {
      const [, name] = /^pnpm (.+)$/.exec(line) ?? [];
      if (name !== undefined) await passes(scripts[name] as string);
    }
  }
  const apply = (patch: string, choice: string) => execFileSync("git", ["apply", choice, join(ROOT, patch)], { cwd: copy.folder });

  beforeAll(async () => {
    copy = new CheckoutCopy();
    for (const { patch, without } of RECIPES) apply(patch, `--exclude=${without}`);
    await generate();
    missing = (await copy.run(`${vitest} -t '${RECIPES.map(({ missed }) => missed).join("|")}'`)).output;
  });

  it.each(RECIPES.map((recipe) => [recipe.title, recipe.without, recipe] as const))(
    "%s: without %s, a test fails and says so",
    (_title, _without, { missed, what }) => {
      expect(failuresIn(missing).find((failure) => failure.includes(missed)) ?? missing).toContain(what);
    },
  );

  it("with every file, the commands pass", async () => {
    for (const { patch, without } of RECIPES) apply(patch, `--include=${without}`);
    await generate();
    await passes(vitest);
  });

  it.each(CHECKS)("then check:%s passes", (name) => passes(scripts[`check:${name}`] as string));
});
