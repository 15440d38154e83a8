// The package as it is published, in an empty folder, played by those who have only its README: the program there with
// the packed verifier, and the one in Python, which has nothing of firmseal.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.js";
import { type Listed, type Published, readIndex } from "../index.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const PROGRAMS = ["python3", "openssl"];
const missing = PROGRAMS.filter((name) => spawnSync(name, ["version"]).error);
const why = missing.length > 0 ? ` (skipped: no ${missing})` : "";
let folder: string;
let installed: string;

const call = (command: string, args: string[], cwd = folder) => spawnSync(command, args, { cwd, encoding: "utf8", timeout: 120_000 });

function ok(command: string, args: string[], cwd = folder): string {
  const { status, stdout, stderr } = call(command, args, cwd);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

/** Unpacks a packed package where npm would install it. Neither depends on another. */
function install(name: string): string {
  const place = join(folder, "node_modules/@firmseal", name);
  mkdirSync(place, { recursive: true });
  const [archive] = readdirSync(folder).filter((file) => file.startsWith(`firmseal-${name}-`));
  ok("tar", ["-xzf", archive as string, "--strip-components=1", "-C", place]);
  return place;
}

beforeAll(() => {
  folder = temporaryFolder("firmseal-vectors-");
  const paths = ["packages/verifier", "test-vectors"].map((path) => join(ROOT, path));
  ok("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder, ...paths]);
  install("verifier");
  installed = install("test-vectors");
}, 60_000);

it("holds every vector, a licence and a README, depends on nothing, and holds no maker", () => {
  const files = readdirSync(installed, { recursive: true, encoding: "utf8" });
  expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", ...readIndex().vectors.map((v) => v.file)]));
  expect(files.filter((file) => /^(src|test)\b|\.ts$|generate/.test(file))).toEqual([]);
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  expect({ dependencies, peerDependencies }).toEqual({});
  expect(readFileSync(join(installed, "LICENSE"), "utf8")).toBe(readFileSync(join(ROOT, "LICENSE"), "utf8"));
});

it("the program in the README plays every open() with the packed verifier", () => {
  const [, program = ""] = /^```js\n([\s\S]*?)^```$/m.exec(README) ?? [];
  writeFileSync(join(folder, "play.mjs"), program);
  const isPlayed = ({ action, features }: Listed) =>
    action === "open" && !features.some((f) => ["trust-file", "memory-limit", "javascript"].includes(f));
  const played = readIndex().vectors.filter(isPlayed).length;
  expect(played).toBeGreaterThan(350);
  expect(ok(process.execPath, ["play.mjs"])).toBe(`${played} passed, 0 failed\n`);
}, 120_000);

it.skipIf(missing.length > 0)(
  `the one in Python agrees with the digests and the signatures${why}`,
  () => {
    const said = ok("python3", [join(installed, "play/check.py")]);
    expect(said).toMatch(/^\d+ passed, 0 failed, \d+ skipped\n$/);
    expect(Number.parseInt(said, 10)).toBeGreaterThanOrEqual(60);
  },
  120_000,
);

it.skipIf(missing.length > 0)(
  `the one in Python sees a changed manifest, and a changed signature${why}`,
  () => {
    const copy = join(folder, "changed");
    for (const path of ["index.json", "keys.json", "play", "vectors/signature/accepted"])
      cpSync(join(installed, path), join(copy, path), { recursive: true });
    const change = (name: string, from: number) => {
      const path = join(copy, `vectors/signature/accepted/${name}.json`);
      const vector = JSON.parse(readFileSync(path, "utf8")) as Published;
      const bytes = Buffer.from(vector.envelope ?? "", "hex");
      bytes[from < 0 ? bytes.length + from : from]! ^= 1;
      writeFileSync(path, JSON.stringify({ ...vector, envelope: bytes.toString("hex") }));
    };
    change("ed25519", -1);
    change("esp256", 70);
    const { status, stdout } = call("python3", [join(copy, "play/check.py"), "ed25519", "esp256", "eddsa"]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/ed25519\.json: .*the digest is not that of the manifest/);
    expect(stdout).toMatch(/esp256\.json: .*signed by \[\]/);
    expect(stdout).toMatch(/^1 passed, 2 failed, 0 skipped$/m);
  },
  120_000,
);
