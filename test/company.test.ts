// examples/company, typed by its people: each has a home of their own, and firmseal comes from its packed archive.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { COMMANDS } from "../packages/cli/src/commands.generated.js";
import { standard } from "../packages/test-support/src/command-line/run.js";
import { AT_LENGTH, LONG } from "../packages/test-support/src/environment/effort.js";
import { temporaryFolder } from "../packages/test-support/src/environment/folders.js";
import { why as noSoftHsm, SoftHsm } from "../packages/test-support/src/keys/softhsm.js";
import { type Block, blocksOf, ROOT, read, shell } from "./pages.js";

const PAGE = "examples/company/README.md";
/** What a person may have to read, besides --help. */
const GUIDES = ["docs/guides/product.md", "docs/guides/together.md"];
const PEOPLE = ["alice", "bob", "carol", "dora", "erin", "ci", "job-1", "job-2"];
const blocks = blocksOf(PAGE);
const typed = blocks.filter(({ language }) => language === "sh");

vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

/** The commands of the page, each as its words. */
const commandsTyped = typed.flatMap(({ text }) =>
  text
    .replaceAll("\\\n", " ")
    .trimEnd()
    .split(/\n| \|\| /)
    .map((line) => [...line.matchAll(/'[^']*'|"[^"]*"|\S+/g)].map(([word]) => word)),
);

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

/** Writes a file; a member of a product file, as a person does in an editor. */
function write(path: string, { language, text }: Block): void {
  if (language !== "toml") {
    writeFileSync(path, text);
    return;
  }
  const [member] = text.split(" =");
  const before = readFileSync(path, "utf8");
  const [section = ""] = /^\[trust\]\n(?:[^[\n].*\n)*/m.exec(before) ?? [];
  const has = new RegExp(`^${member} = .*\n`, "m");
  writeFileSync(path, before.replace(section, has.test(section) ? section.replace(has, text) : section + text));
}

describe(PAGE, () => {
  it("has at most 60 typed lines, each of a person in a folder", () => {
    expect(typed.flatMap(({ text }) => text.trimEnd().split("\n")).length).toBeLessThanOrEqual(60);
    for (const { name } of typed) expect(name).toMatch(new RegExp(`^(${PEOPLE.join("|")}) (share(/\\w+)?|~/lamp)$`));
  });

  it("types commands and options of --help only", async () => {
    const p = standard();
    for (const words of commandsTyped) {
      const [program, ...args] = words;
      if (program !== "firmseal") {
        expect(["cp", "echo"]).toContain(program);
        continue;
      }
      const name = COMMANDS.map((one) => one.name).findLast((one) => `${args.join(" ")} `.startsWith(`${one} `));
      const { stdout } = await p.ok([...(name ?? "?").split(" "), "--help"]);
      for (const option of args.filter((arg) => arg.startsWith("-")))
        expect(stdout, words.join(" ")).toMatch(new RegExp(`^ +(-\\w, )?${option}[ \n]`, "m"));
      if (name === "incident") expect(stdout).toMatch(new RegExp(`\\(choices: [^)]*\\b${args[1]}\\b`));
    }
  });

  it("writes by hand only what is on two pages", () => {
    const guides = GUIDES.map(read).join("\n");
    expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(["sh", "js", "toml", "csv"]));
    for (const { language, name, text } of blocks) {
      if (language === "csv") expect(guides).toContain(`\n${text.split("\n")[0]}\n`);
      if (language !== "toml") continue;
      expect(name).toMatch(/^share\/(lamp|lock)\/firmseal\.toml$/);
      for (const line of text.trimEnd().split("\n")) expect(guides).toMatch(new RegExp(`^${line.split(" = ")[0]} = "`, "m"));
    }
    const references = commandsTyped.flat().filter((word) => /^'?\w+:/.test(word));
    for (const word of new Set(references)) expect(guides).toMatch(new RegExp(word.replaceAll("'", "").replace(/=[^;]+/g, "=[^;]+")));
  });

  describe.skipIf(!LONG || noSoftHsm !== "")(`the first year${AT_LENGTH || noSoftHsm}`, () => {
    let company: string;
    let path: string;
    let token: { readonly [name: string]: string };

    beforeAll(async () => {
      company = temporaryFolder("firmseal-company-");
      path = `${await installed(company)}:${process.env["PATH"]}`;
      const hsm = new SoftHsm(standard());
      hsm.init("bob");
      token = hsm.env;
      const folders = ["share/lamp", "share/lock", ...PEOPLE.map((person) => `home/${person}`)];
      for (const name of folders) mkdirSync(join(company, name), { recursive: true });
    });

    /** What a person types in a folder, which is below their home if it begins with `~`. */
    async function types(person: string, folder: string, text: string): Promise<string> {
      const home = join(company, "home", person);
      const env = { PATH: path, HOME: home, FIRMSEAL_STATE: join(home, "state"), ...(person === "bob" && token) };
      const { status, stdout, stderr } = await shell(
        text,
        folder.startsWith("~") ? join(home, folder.slice(1)) : join(company, folder),
        env,
      );
      expect({ text, status, stderr: status === 0 ? "" : stderr }).toEqual({ text, status: 0, stderr: "" });
      return stdout + stderr;
    }

    it("ends as the page says", async () => {
      let said = "";
      for (const block of blocks) {
        const [person, folder] = block.name.split(" ") as [string, string];
        if (block.language === "sh") said += await types(person, folder, block.text);
        else write(join(company, block.name), block);
      }
      // two people have signed each release that is published: three of the lamp, three of the lock
      for (const folder of ["1.0.0", "1.1.0", "1.2.0"])
        expect(said.match(new RegExp(`^dist/${folder}: complete, 2 of 2 signed$`, "gm")), folder).toHaveLength(2);
      expect(said).toMatch(/^desk +desk +5,000 {2}1 -> 2 {2}installed, trust 2 .* moved$/m);
      expect(said).toContain("lamp 1.0.0 withdrawn: loses its settings");
      expect(said).toContain("dist/1.1.0: lamp 1.1.0 made, and others still have to sign it, 2 boards");
      expect(said).toContain("dist/1.1.0/release.json: names 1.0.0 as withdrawn");
      // nobody is stranded, and no single key can sign
      expect(said.match(/^becomes: .*: moved$/gm)).toHaveLength(6);
      expect(said).not.toMatch(/stranded|^becomes: (?!.*: moved$)/m);
      // what roots type is what incident has said
      const asked = [...said.matchAll(/^2\. each root, where it is: (firmseal trust sign .*) --key ROOT$/gm)].map(([, line]) => line);
      expect(asked).toHaveLength(3);
      for (const line of asked) expect(typed.filter(({ text }) => text.includes(`${line} --key ~/root-`))).toHaveLength(2);
      for (const list of ["stolen/next.trust", "../lamp/stolen/next.trust"])
        expect(said).toMatch(new RegExp(`/alice\\.pem is not a key of ${list}\n`));

      // a thief of Alice's key, and of Dora's too: devices with the second list install what these sign, and those with the third do not
      await types("ci", "~", "cp -r ../../share/* .");
      for (const [product, board] of [
        ["lamp", "floor"],
        ["lock", "door"],
      ] as const) {
        const folder = `~/${product}`;
        expect(await types("ci", folder, "firmseal verify dist/1.2.0")).toContain("dist/1.2.0");
        const thief = `sed -i 's|stolen/next|lost/next|' firmseal.toml
          printf 'name,board,version\\nfield,${board},1.1.0\\n' > thief.csv
          firmseal release --version 1.3.0 --key ../../alice/alice.pem --key ../../dora/dora.pem
          firmseal rotate plan --fleet thief.csv --release dist/1.3.0
          echo with the third list
          firmseal rotate plan --fleet thief.csv --release dist/1.2.0 --release dist/1.3.0 --fail-on none`;
        const [before, after] = (await types("ci", folder, thief)).split("with the third list");
        expect(before).toMatch(/^field .* installed .* moved$/m);
        expect(after).toMatch(/^field .* installed, trust 3 .*refused: SIGNATURE_THRESHOLD .* stranded$/m);
      }
    });
  });
});
