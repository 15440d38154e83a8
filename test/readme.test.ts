// The examples of the README and of docs/reference/description.md, run as a reader would: from the root of a clone, in the order of the text, in
// one shell. Blocks marked `sh` are run, `js NAME` are files beside them, `json NAME` are output, `json description NAME` input.
// They use the built command line and the built modules.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

interface Block {
  /** What stands behind the backquotes. */
  kind: string;
  text: string;
}

function blocksOf(path: string): Block[] {
  return [...read(path).matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, kind = "", text = ""]) => ({ kind, text }));
}

const readme = blocksOf("README.md");
const description = blocksOf("docs/reference/description.md");
const only = (blocks: Block[], kind: string) => {
  const found = blocks.filter((b) => b.kind === kind);
  expect(found, kind).toHaveLength(1);
  return (found[0] as Block).text;
};

let folder: string;
/** A clone as far as the examples need one, and the folder beside it that the README makes. */
let clone: string;

beforeAll(() => {
  if (!existsSync(join(ROOT, "packages/cli/dist/main.js"))) throw new Error("build first: npx -y pnpm@12.4.2 build");
  folder = mkdtempSync(join(tmpdir(), "firmseal-readme-"));
  clone = join(folder, "firmseal");
  mkdirSync(clone);
  for (const name of ["packages", "examples"]) symlinkSync(join(ROOT, name), join(clone, name));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bash(script: string, cwd: string) {
  const env = {
    ...process.env,
    NO_COLOR: "1",
    FIRMSEAL_STATE: join(folder, "state"),
    npm_config_offline: "true",
    npm_config_audit: "false",
    npm_config_fund: "false",
  };
  return spawnSync("bash", ["-O", "expand_aliases", "-eu", "-o", "pipefail"], { cwd, env, input: script, encoding: "utf8" });
}

/** A shell that is in the try-out folder of the README, with its alias. */
const INSIDE = `FIRMSEAL=$PWD\nalias firmseal="node $FIRMSEAL/packages/cli/bin/firmseal.js"\ncd ../firmseal-try\n`;

describe("README.md", () => {
  it("names scripts of pnpm that there are", () => {
    const { scripts } = JSON.parse(read("package.json"));
    const named = [...read("README.md").matchAll(/npx -y pnpm@(\S+) (\w+)/g)];
    expect(named.length).toBeGreaterThan(3);
    for (const [, version, name] of named) {
      expect(scripts).toHaveProperty(name as string);
      expect(`pnpm@${version}`).toBe(JSON.parse(read("package.json")).packageManager);
    }
  });

  it("links to files that there are", () => {
    for (const path of [
      "README.md",
      "CONTRIBUTING.md",
      "SECURITY.md",
      "CHANGELOG.md",
      ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
        .filter((f) => f.endsWith(".md"))
        .map((f) => `docs/${f}`),
    ])
      for (const [, target = ""] of read(path).matchAll(/\]\((?!\w+:)([^)#\s]+)/g))
        expect(existsSync(join(ROOT, dirname(path), target)), `${path}: ${target}`).toBe(true);
  });

  it("shows examples/verify.mjs as it is", () => {
    expect(only(readme, "js verify.mjs")).toBe(read("examples/verify.mjs"));
  });

  it("works from top to bottom", () => {
    let script = "";
    for (const { kind, text } of readme) {
      // what builds and tests has run, or is running, when this is run
      if (kind === "sh") script += text.replaceAll(/^npx -y pnpm@.*$/gm, "");
      const [language, name] = kind.split(" ");
      if (language === "js" && name) script += `cat > ${name} <<'END'\n${text}END\n`;
    }
    const { status, stdout, stderr } = bash(script, clone);
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/^app\.suit: good, sequence number 7, signed by ed25519 [0-9a-f]{16}…$/m);
    expect(stderr).toMatch(/^app\.suit: installed, sequence number 7$/m);
    const once = ["sequence number [ 0, 7 ]", "started 1 image", /refused true at byte \d+/];
    const lines = stdout.split("\n").filter((line) => /^(sequence number \[|fetch |started |refused |0$)/.test(line));
    const expected = [...once, "sequence number [ 0, 8 ]", "fetch https://example.com/app.bin 100000 bytes", ...once.slice(1), "0"];
    expect(lines).toHaveLength(expected.length);
    for (const [i, line] of lines.entries()) expect(line).toMatch(expected[i] as string | RegExp);
  });

  it("shows the JSON of verify as it is", () => {
    const run = (options: string) =>
      JSON.parse(bash(`${INSIDE}firmseal verify app.suit --key pub.pem --json ${options} || true`, clone).stdout);
    const [good, shown] = [run(""), JSON.parse(only(readme, "json verify"))];
    shown.signers[0].thumbprint = good.signers[0].thumbprint;
    expect(good).toEqual(shown);
    expect(run("--floor 8")).toEqual(JSON.parse(only(readme, "json refused")));
  });
});

describe("the packages' own READMEs", () => {
  it("signer: makes an envelope", () => {
    const here = join(folder, "signer");
    mkdirSync(join(here, "node_modules/@firmseal"), { recursive: true });
    for (const name of ["signer", "verifier"]) symlinkSync(join(ROOT, "packages", name), join(here, "node_modules/@firmseal", name));
    writeFileSync(join(here, "app.bin"), "firmware");
    const code = only(blocksOf("packages/signer/README.md"), "js");
    writeFileSync(join(here, "sign.mjs"), code.replace("seed);", "new Uint8Array(32).fill(7));"));
    const { status, stderr } = bash("node sign.mjs", here);
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
    expect(bash("node seed.mjs && node install.mjs", here).stdout).toBe("75\n");
  });

  it("cli: the commands work", () => {
    const here = join(folder, "cli");
    mkdirSync(here);
    writeFileSync(join(here, "app.hex"), ":0400000001020304F2\n:00000001FF\n");
    const commands = only(blocksOf("packages/cli/README.md"), "sh");
    // there is no terminal to ask at
    const script = `alias firmseal="node ${clone}/packages/cli/bin/firmseal.js"\n${commands.replace("keygen", "keygen --no-passphrase")}`;
    const { status, stderr } = bash(script, here);
    expect(status, stderr).toBe(0);
  });
});

describe("docs/explanation/threat-model.md", () => {
  it("cites vectors and files that there are", () => {
    const names = ["negative", "positive", "effects"].flatMap((file) =>
      (JSON.parse(read(`test-vectors/${file}.json`)) as { vectors: { name: string }[] }).vectors.map((v) => v.name),
    );
    const [, tables = ""] = read("docs/explanation/threat-model.md").split("## Attack by attack");
    const rows = [...tables.matchAll(/^\|[^|\n]*\|[^|\n]*\|([^|\n]*)\|$/gm)].map((m) => m[1] as string);
    const cited = rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((m) => m[1] as string));
    expect(cited.length).toBeGreaterThan(80);
    const exists = (cite: string) =>
      cite.includes("/") ? existsSync(join(ROOT, cite)) : names.some((name) => new RegExp(`^${cite.replaceAll("*", ".*")}$`).test(name));
    expect(cited.filter((cite) => !exists(cite))).toEqual([]);
  });
});

describe("docs/reference/description.md", () => {
  const files = description.filter((b) => b.kind.startsWith("json description "));

  it("has examples, and valid JSON in all", () => {
    expect(files.length).toBeGreaterThanOrEqual(4);
    for (const { text } of description.filter((b) => b.kind.startsWith("json"))) JSON.parse(text);
  });

  it("has descriptions that create takes, without a warning unless it is shown, and commands that work", () => {
    const here = join(folder, "descriptions");
    mkdirSync(here);
    let script = `alias firmseal="node ${clone}/packages/cli/bin/firmseal.js"\nhead -c 100000 /dev/urandom > app.bin\n`;
    script += `cp app.bin app-a.bin\nhead -c 50000 /dev/urandom > app-b.bin\necho '{"volume":7}' > settings.json\n`;
    script += `firmseal keygen --out release.pem --no-passphrase\nfirmseal pubkey release.pem > pub.pem\n`;
    for (const { kind, text } of description) {
      const name = kind.split(" ")[2];
      if (kind.startsWith("json description "))
        script += `cat > ${name} <<'END'\n${text}END\nfirmseal create --from ${name} --out - > unsigned.suit\n`;
      if (kind === "sh") script += text;
    }
    const { status, stderr } = bash(script, here);
    expect(status, stderr).toBe(0);
    const warnings = stderr.split("\n").filter((line) => line.startsWith("warning:") && !line.includes("release.pem"));
    expect(warnings.map((w) => `${w}\n`).join("")).toBe(only(description, "text warnings"));
  });

  it("tells every key of the schema", () => {
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
