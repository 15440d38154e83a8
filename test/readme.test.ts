// The README, the READMEs of the packages, and docs/reference/description.md: their examples work, and what they show is what is.

import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../packages/test-support/src/environment/folders.js";
import { readIndex } from "../test-vectors/index.mjs";
import { blocksOf, only, ROOT, read, runPage, shell, withFirmseal } from "./pages.js";

const description = blocksOf("docs/reference/description.md");

vi.setConfig({ testTimeout: 300_000 });

let folder: string;
/** A clone as far as the examples need one, and the folder beside it that the README makes. */
let clone: string;

beforeAll(() => {
  if (!existsSync(join(ROOT, "packages/cli/dist/main.js"))) throw new Error("build first: npx -y pnpm@12.4.2 build");
  folder = temporaryFolder("firmseal-readme-");
  clone = join(folder, "firmseal");
  mkdirSync(clone);
  for (const name of ["packages", "examples"]) symlinkSync(join(ROOT, name), join(clone, name));
});

const bash = (script: string, cwd: string) => shell(script, cwd, { FIRMSEAL_STATE: join(folder, "state") });

describe("README.md", () => {
  it("names only pnpm scripts that exist", () => {
    const { scripts } = JSON.parse(read("package.json"));
    const named = [...read("README.md").matchAll(/npx -y pnpm@(\S+) (?:run )?([\w:]+)/g)];
    expect(named.length).toBeGreaterThan(3);
    for (const [, version, name] of named) {
      expect(scripts).toHaveProperty(name as string);
      expect(`pnpm@${version}`).toBe(JSON.parse(read("package.json")).packageManager);
    }
  });

  it("has at most 150 lines", () => {
    expect(read("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(150);
  });

  /** The typed commands of a page: those of `sh` blocks, without the lines that continue them. */
  const typed = (page: string) =>
    blocksOf(page)
      .filter(({ language }) => language === "sh")
      .flatMap(({ text }) => text.split("\n").filter((line) => line.startsWith("firmseal ")));

  it("takes 6 commands to the first verified release, and 12 until two people have signed one", () => {
    const first = typed("README.md");
    expect(first.findIndex((line) => line.startsWith("firmseal verify ")) + 1).toBe(6);
    const two = typed("docs/guides/together.md");
    const signed = two.flatMap((line, i) => (line.startsWith("firmseal sign ") ? [i] : []));
    const verified = two.findIndex((line, i) => i > (signed[1] as number) && line.startsWith("firmseal verify "));
    expect(verified + 1).toBeGreaterThan(6);
    expect(verified + 1).toBeLessThanOrEqual(12);
  });

  it("works from top to bottom", async () => {
    const { stderr } = await runPage("README.md", clone);
    expect(stderr).toMatch(
      /^dist\/1\.0\.0\/sensor-sensor-1\.0\.0\.suit: good, board sensor, version 1\.0\.0, .*signed by ed25519 [0-9a-f]{16}… \(release\)$/m,
    );
    expect(stderr).toMatch(/^dist\/1\.0\.0: installed, board sensor, version 1\.0\.0, /m);
  });
});

describe("docs/reference/cli.md", () => {
  it("shows the JSON of verify as it is", async () => {
    const here = join(folder, "json");
    mkdirSync(here);
    const run = async (options: string) => {
      const { stdout } = await withFirmseal((define) =>
        bash(`${define}firmseal verify app.suit --key pub.pem --json ${options} || true`, here),
      );
      return JSON.parse(stdout);
    };
    const made = await withFirmseal((define) =>
      bash(
        `${define}seq 20000 > app.bin
firmseal keygen --out release.pem --no-passphrase
firmseal pubkey release.pem > pub.pem
firmseal sign app.bin --vendor example.com --class board-v2 --seq 7 --key release.pem
`,
        here,
      ),
    );
    expect(made.status, made.stderr).toBe(0);
    const page = blocksOf("docs/reference/cli.md");
    const [good, shown] = [await run(""), JSON.parse(only(page, "json verify"))];
    shown.signers[0].thumbprint = good.signers[0].thumbprint;
    expect(good).toEqual(shown);
    expect(await run("--floor 8")).toEqual(JSON.parse(only(page, "json refused")));
  });
});

describe("the packages' own READMEs", () => {
  it("signer: makes an envelope", async () => {
    const here = join(folder, "signer");
    mkdirSync(join(here, "node_modules/@firmseal"), { recursive: true });
    for (const name of ["signer", "verifier"]) symlinkSync(join(ROOT, "packages", name), join(here, "node_modules/@firmseal", name));
    writeFileSync(join(here, "app.bin"), "firmware");
    const code = only(blocksOf("packages/signer/README.md"), "js");
    writeFileSync(join(here, "sign.mjs"), code.replace("seed);", "new Uint8Array(32).fill(7));"));
    const { status, stderr } = await bash("node sign.mjs", here);
    expect(status, stderr).toBe(0);

    // and the verifier's opens it: without a device the installation ends at its first question
    const head = `import { readFileSync } from "node:fs";\nimport { memoryDevice } from "@firmseal/verifier/device/memory";\n`;
    const given = `const envelope = readFileSync("app.suit");\nconst publicKey = readFileSync("pub.raw");\nconst device = memoryDevice({ vendor: [], class: [] }, [[[0]]], 64);\n`;
    const text = only(blocksOf("packages/verifier/README.md"), "js");
    const last = text.lastIndexOf("import ");
    const end = text.indexOf("\n", last) + 1;
    writeFileSync(
      join(here, "install.mjs"),
      `${head}${text.slice(0, end)}${given}try {${text.slice(end)}} catch (e) { console.log(e.code); }\n`,
    );
    writeFileSync(
      join(here, "seed.mjs"),
      `import { writeFileSync } from "node:fs";\nimport { privateKey } from "@firmseal/signer";\nwriteFileSync("pub.raw", privateKey("ed25519", new Uint8Array(32).fill(7)).key);\n`,
    );
    // VENDOR_MISMATCH: it was opened, and the device is nobody's
    expect((await bash("node seed.mjs && node install.mjs", here)).stdout).toBe("75\n");
  });

  it("cli: the commands work", async () => {
    const here = join(folder, "cli");
    mkdirSync(here);
    writeFileSync(join(here, "app.hex"), ":0400000001020304F2\n:00000001FF\n");
    const commands = only(blocksOf("packages/cli/README.md"), "sh");
    // there is no terminal to ask at
    const script = commands.replace("keygen", "keygen --no-passphrase");
    const { status, stderr } = await withFirmseal((define) => bash(define + script, here));
    expect(status, stderr).toBe(0);
  });
});

describe("docs/explanation/threat-model.md", () => {
  it("cites only vectors and files that exist", () => {
    const names = readIndex().vectors.map((v) => v.name);
    const [, tables = ""] = read("docs/explanation/threat-model.md").split("## Attacks and defences");
    const rows = [...tables.matchAll(/^\|[^|\n]*\|[^|\n]*\|([^|\n]*)\|$/gm)].map((m) => m[1] as string);
    const cited = rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((m) => m[1] as string));
    expect(cited.length).toBeGreaterThan(80);
    const exists = (cite: string) =>
      cite.includes("/") ? existsSync(join(ROOT, cite)) : names.some((name) => new RegExp(`^${cite.replaceAll("*", ".*")}$`).test(name));
    expect(cited.filter((cite) => !exists(cite))).toEqual([]);
  });
});

describe("docs/reference/description.md", () => {
  const files = description.filter((b) => b.language === "json" && b.name.startsWith("description "));

  it("has examples, and valid JSON in all", () => {
    expect(files.length).toBeGreaterThanOrEqual(4);
    for (const { text } of description.filter((b) => b.language === "json")) JSON.parse(text);
  });

  it("has descriptions that create takes, without a warning unless it is shown, and commands that work", async () => {
    const here = join(folder, "descriptions");
    mkdirSync(here);
    let script = `head -c 100000 /dev/urandom > app.bin\n`;
    script += `cp app.bin app-a.bin\nhead -c 50000 /dev/urandom > app-b.bin\necho '{"volume":7}' > settings.json\n`;
    script += `firmseal keygen --out release.pem --no-passphrase\nfirmseal pubkey release.pem > pub.pem\n`;
    for (const { language, name, text } of description) {
      const file = name.split(" ")[1];
      if (language === "json" && file)
        script += `cat > ${file} <<'END'\n${text}END\nfirmseal create --from ${file} --out - > unsigned.suit\n`;
      if (language === "sh") script += text;
    }
    const { status, stderr } = await withFirmseal((define) => bash(define + script, here));
    expect(status, stderr).toBe(0);
    const warnings = stderr.split("\n").filter((line) => line.startsWith("warning:") && !line.includes("release.pem"));
    expect(warnings.map((w) => `${w}\n`).join("")).toBe(only(description, "text warnings"));
  });

  it("describes every key of the schema", () => {
    const text = read("docs/reference/description.md");
    const schema = JSON.parse(read("packages/signer/schema/manifest.schema.json"));
    const names = new Set<string>();
    const visit = (node: unknown): void => {
      if (Array.isArray(node)) node.forEach(visit);
      else if (typeof node === "object" && node !== null) {
        const { properties, enum: list } = node as { properties?: object; enum?: unknown[] };
        for (const name of [...Object.keys(properties ?? {}), ...(list ?? [])]) names.add(String(name));
        Object.values(node).forEach(visit);
      }
    };
    visit(schema);
    expect([...names].filter((name) => !text.includes(`\`${name}\``) && !text.includes(`"${name}"`))).toEqual([]);
  });
});
