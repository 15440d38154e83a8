// examples/company, typed by its people: each has a home of their own, and firmseal comes from its packed archive.

import { spawnSync } from "node:child_process";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { standard } from "../packages/test-support/src/command-line/run.js";
import { AT_LENGTH, LONG } from "../packages/test-support/src/environment/effort.js";
import { temporaryFolder } from "../packages/test-support/src/environment/folders.js";
import { why as noSoftHsm, SoftHsm } from "../packages/test-support/src/keys/softhsm.js";
import { type Block, blocksOf, ROOT, shell } from "./pages.js";

const PAGE = "examples/company/README.md";
const PEOPLE = ["alice", "bob", "carol", "dora", "erin", "ci"];
const blocks = blocksOf(PAGE);

vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

/** The package in a folder of its own, as npm installs it. Returns the folder of the program. */
async function installed(folder: string): Promise<string> {
  const { packAll } = (await import(`${ROOT}scripts/pack.mjs`)) as { packAll(to: string): { name: string; path: string }[] };
  const archive = packAll(join(folder, "packed")).find(({ name }) => name === "firmseal")?.path as string;
  const into = join(folder, "installed");
  mkdirSync(into);
  const { status, stdout, stderr } = spawnSync("npm", ["install", "--offline", "--no-audit", archive], { cwd: into, encoding: "utf8" });
  expect({ status, said: status === 0 ? "" : stdout + stderr }).toEqual({ status: 0, said: "" });
  // for tokens: npm would compile it
  symlinkSync(realpathSync(dirname(createRequire(import.meta.url).resolve("pkcs11js/package.json"))), join(into, "node_modules/pkcs11js"));
  return join(into, "node_modules/.bin");
}

describe(PAGE, () => {
  it("has at most 60 typed lines, each of a person in a folder", () => {
    const typed = blocks.filter(({ language }) => language === "sh");
    expect(typed.flatMap(({ text }) => text.trimEnd().split("\n")).length).toBeLessThanOrEqual(60);
    for (const { name } of typed) expect(name).toMatch(new RegExp(`^(${PEOPLE.join("|")}) share(/\\w+)?$`));
  });

  describe.skipIf(!LONG || noSoftHsm !== "")(`the first year${AT_LENGTH || noSoftHsm}`, () => {
    let company: string;
    let path: string;
    let token: { readonly [name: string]: string };
    let said = "";

    beforeAll(async () => {
      company = temporaryFolder("firmseal-company-");
      path = `${await installed(company)}:${process.env["PATH"]}`;
      const hsm = new SoftHsm(standard());
      hsm.init("bob");
      token = hsm.env;
      const folders = ["keys", "lamp", "lock"].map((name) => `share/${name}`);
      for (const name of [...folders, ...PEOPLE.map((person) => `home/${person}`)]) mkdirSync(join(company, name), { recursive: true });
    });

    async function act({ language, name, text }: Block): Promise<void> {
      if (language !== "sh") {
        writeFileSync(join(company, name), text);
        return;
      }
      const [person, folder] = name.split(" ") as [string, string];
      const home = join(company, "home", person);
      const env = { PATH: path, HOME: home, FIRMSEAL_STATE: join(home, "state"), ...(person === "bob" && token) };
      const { status, stdout, stderr } = await shell(text, join(company, folder), env);
      expect({ name, status, stderr: status === 0 ? "" : stderr }).toEqual({ name, status: 0, stderr: "" });
      said += stdout + stderr;
    }

    it("ends as the page says", async () => {
      for (const block of blocks) await act(block);
      // two people have signed each release that is published
      for (const folder of ["1.0.0", "1.1.0", "1.1.1", "1.2.0"]) expect(said).toContain(`dist/${folder}: complete, 2 of 2 signed`);
      expect(said).toMatch(/^desk +desk +5,000 {2}1 -> 2 {2}installed, trust 2 .* moved$/m);
      expect(said).toContain("lamp 1.1.0 withdrawn: loses its settings");
      expect(said).toContain("warning: dist: version 1.1.0 was withdrawn on");
      expect(said).toMatch(/^dist\/1\.1\.1\/release\.json: good, covers 2 boards and 0 payloads$/m);
      // nobody is stranded, and no single key can sign
      expect(said.match(/^becomes: .*: moved$/gm)).toHaveLength(5);
      expect(said).not.toMatch(/stranded|^becomes: (?!.*: moved$)/m);
    });
  });
});
