// The packages as they will be published: packed, installed into an empty folder with an empty home, and used.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { CERTIFICATES } from "../../packages/test-support/src/environment/certificates.ts";
import { AT_LENGTH, LONG } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { blocksOf, scriptOf, shell } from "../../test/pages.ts";
import { documentsIn } from "../build/package-documents.mjs";
import { PUBLISHED } from "../build/packages.mjs";
import { nodeBinary } from "../on-node.mjs";
import { packAll } from "../pack.mjs";
import { CI_PRODUCT, ciSystems, dockerfile, example, gitlabJobs, INSTALL, jenkinsLines, runMatrix } from "./ci-examples.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const names = PUBLISHED.map((path) => manifestOf(join(ROOT, path)).name);

// npm speaks to the registry
if (CERTIFICATES) vi.stubEnv("NODE_EXTRA_CA_CERTS", CERTIFICATES);

const call = (command, args, options = {}) => spawnSync(command, args, { encoding: "utf8", timeout: 120_000, ...options });
const npmSetting = (name) => call("npm", ["config", "get", name], { cwd: ROOT }).stdout.trim();

/** Whether npm can install something that firmseal needs, and old versions of Node are available. */
const isReachable =
  LONG && (Boolean(process.env.CI) || call("npm", ["view", "--fetch-retries=0", "uf2@2.0.0", "version"], { cwd: ROOT }).status === 0);
const why = !LONG ? AT_LENGTH : isReachable ? "" : " (skipped: npm does not reach its registry)";

let top;
/** An empty folder with the packages installed, and an empty home. */
let folder;
let env;
const packageFolder = (name) => join(folder, "node_modules", name);

function ok(command, args, options) {
  const result = call(command, args, { cwd: folder, env, ...options });
  expect(result.status, `${command} ${args.join(" ")}\n${result.error?.message ?? ""}${result.stdout}${result.stderr}`).toBe(0);
  return result;
}

/** The files in a folder, as paths from it. */
const filesIn = (path) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1));

beforeAll(() => {
  if (!isReachable) return;
  top = temporaryFolder("firmseal-packed-");
  folder = join(top, "project");
  for (const name of ["project", "home", "tarballs"]) mkdirSync(join(top, name));
  const files = packAll(join(top, "tarballs")).map(({ path }) => path);
  // the home is empty: the registry and the cache come from outside
  env = {
    PATH: process.env.PATH,
    HOME: join(top, "home"),
    USERPROFILE: join(top, "home"),
    npm_config_cache: npmSetting("cache"),
    npm_config_registry: npmSetting("registry"),
    NO_COLOR: "1",
  };
  writeFileSync(join(folder, "package.json"), "{}\n");
  ok("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...files]);
}, 300_000);

afterAll(() => top && rmSync(top, { recursive: true, force: true }), 60_000);

describe.skipIf(!isReachable)(`the packed packages${why}`, { timeout: 180_000 }, () => {
  it.each(names)("%s: names no workspace, and has its licence, its README and the documents that it names", (name) => {
    const path = packageFolder(name);
    expect(readFileSync(join(path, "package.json"), "utf8")).not.toContain("workspace:");
    const files = filesIn(path);
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "package.json"]));
    // the kernel is for programs in C too
    expect(files.filter((file) => /tsbuildinfo|^(src|test)\//.test(file) && !/^src\/(?:p256\/)?\w+\.(?:c|h|ld)$/.test(file))).toEqual([]);
    const named = files.filter((file) => /\.js$/.test(file)).flatMap((file) => documentsIn(readFileSync(join(path, file), "utf8")));
    expect([...new Set(named)].filter((document) => !files.includes(document))).toEqual([]);
  });

  it("the documents that messages name are found where they are named", () => {
    expect(documentsIn('"docs/guides/keys/hss.md says", "compare schema/manifest.schema.json"; see docs/guides/trust.md.')).toEqual([
      "docs/guides/keys/hss.md",
      "schema/manifest.schema.json",
      "docs/guides/trust.md",
    ]);
    for (const page of ["docs/reference/errors.md", "docs/guides/keys/hss.md", "schema/manifest.schema.json"])
      expect(existsSync(join(packageFolder("firmseal"), page)), page).toBe(true);
  });

  it("no package of the closure runs anything when it is installed", () => {
    const { packages } = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
    const installed = Object.entries(packages).filter(([path]) => path !== "");
    expect(installed.length).toBeGreaterThan(names.length + 5);
    for (const [path, { hasInstallScript, os, cpu }] of installed)
      expect({ path, hasInstallScript, os, cpu }).toEqual({ path, hasInstallScript: undefined, os: undefined, cpu: undefined });
    for (const [path] of installed) {
      if (!existsSync(join(folder, path))) continue;
      const { scripts = {} } = manifestOf(join(folder, path));
      // npm compiles by itself where there is a binding.gyp
      expect(existsSync(join(folder, path, "binding.gyp")), path).toBe(false);
      for (const script of ["preinstall", "install", "postinstall"]) expect(scripts, path).not.toHaveProperty(script);
    }
    expect(packages["node_modules/@firmseal/signer"]).toBeDefined();
  });

  it("each is imported, by every name that it exports", () => {
    const specifiers = names.flatMap((name) =>
      Object.entries(manifestOf(packageFolder(name)).exports)
        // firmseal exports nothing; a helper for vitest needs vitest
        .filter(([key, value]) => value.default && key !== "./vitest")
        .map(([key]) => name + key.slice(1)),
    );
    expect(specifiers.length).toBeGreaterThan(names.length);
    const code = specifiers.map((specifier) => `if (Object.keys(await import(${JSON.stringify(specifier)})).length === 0) throw "empty";`);
    writeFileSync(join(folder, "all.mjs"), code.join("\n"));
    ok(process.execPath, ["all.mjs"]);
    for (const bundle of ["ed25519", "es256", "hsslms", "full"])
      ok(process.execPath, [
        "-e",
        `if (typeof require("@firmseal/verifier/dist/firmseal-${bundle}.js").open !== "function") throw "empty"`,
      ]);
  });

  it("firmseal makes a key, signs and verifies; what is changed is refused", () => {
    const program = "node_modules/firmseal/bin/firmseal.js";
    const run = (...args) => ok(process.execPath, [program, ...args], { env: { ...env, PASSPHRASE: "correct horse" } });
    const secret = ["--passphrase-env", "PASSPHRASE"];
    const { stdout } = ok("npx", ["--no-install", "firmseal", "--version"]);
    expect(stdout.trim()).toBe(manifestOf(packageFolder("firmseal")).version);
    writeFileSync(join(folder, "app.bin"), "firmware");
    run("keygen", "--out", "release.pem", ...secret);
    writeFileSync(join(folder, "pub.pem"), run("pubkey", "release.pem", ...secret).stdout);
    run("sign", "app.bin", "--vendor", "example.com", "--class", "board-v2", "--seq", "7", "--key", "release.pem", ...secret);
    expect(run("verify", "app.suit", "--key", "pub.pem").stderr).toMatch(/^app\.suit: good, sequence number 7, signed by ed25519 /);
    const bytes = readFileSync(join(folder, "app.suit"));
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(join(folder, "bad.suit"), bytes);
    const { status, stderr } = call(process.execPath, [program, "verify", "bad.suit", "--key", "pub.pem"], { cwd: folder, env });
    expect({ status, isStack: /\n\s+at /.test(stderr) }).toEqual({ status: 1, isStack: false });
    // the files that bundle reads are beside it
    run("bundle", "--alg", "ed25519", "--out", "device.js");
    expect(existsSync(join(folder, "device.js"))).toBe(true);
  });

  it("a product goes from its file to two releases and a device, and a third is refused, in twelve lines", () => {
    const here = join(folder, "acme");
    cpSync(join(ROOT, "examples/product"), here, { recursive: true });
    const lines = /```sh\n([\s\S]*?)```/
      .exec(readFileSync(join(here, "README.md"), "utf8"))[1]
      .trimEnd()
      .split("\n");
    expect(lines.length).toBeLessThanOrEqual(12);
    const ran = lines.map((line) => ({ line, ...call("bash", ["-c", line], { cwd: here, env }) }));
    const told = ({ line, status, stderr }) => `${line}\n${status}\n${stderr}`;
    for (const one of ran) expect(one.status, told(one)).toBe(/# refused$/.test(one.line) ? 1 : 0);
    const refused = ran.filter(({ line }) => /# refused$/.test(line)).map(({ stderr }) => stderr);
    expect(refused).toEqual([
      expect.stringMatching(/^firmseal: \S+: refused: sequence number \d+ is lower than \d+, the lowest that is accepted\nhint: .*\n$/),
      expect.stringMatching(/^firmseal: version 1\.0\.5 is lower than 1\.1\.0 \(dist\/1\.1\.0\): devices refuse it\nhint: .*\n$/),
    ]);
    expect(readdirSync(join(here, "dist")).sort()).toEqual(["1.0.0", "1.1.0"]);
    expect(readdirSync(join(here, "dist/1.1.0")).sort()).toEqual([
      "SHA256SUMS",
      "acme-gateway-1.1.0.suit",
      "acme-sensor-1.1.0.suit",
      "release.json",
    ]);
    // the first goes into slot b, the second into slot a: each with the image that was linked for it
    const slots = readdirSync(join(here, "device/slots"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const contents = slots.map((entry) => readFileSync(join(entry.parentPath, entry.name)).toString("latin1").split("\0")[0]);
    expect(contents.sort()).toEqual(["firmware 1.0.0 at 0x90000", "firmware 1.1.0 at 0x10000"]);
  });

  it("examples/ci: the shell of each CI system releases a product", async () => {
    const prefix = join(top, "global");
    const archive = join(top, "tarballs", `firmseal-${manifestOf(packageFolder("firmseal")).version}.tgz`);
    const own = { ...env, npm_config_prefix: prefix, npm_config_prefer_offline: "true", PATH: `${prefix}/bin:${env.PATH}` };
    // the package is not on npm before it is published: the archive takes the place of the name
    const run = (script, cwd, more) =>
      call("bash", ["-e", "-c", script.replace(/^npm install --global firmseal$/gm, `npm install --global ${archive}`)], {
        cwd,
        env: { ...own, ...more },
      });
    const { RUN, ENTRYPOINT, USER } = dockerfile(example("Dockerfile"));
    const [install, clean] = RUN[0].split(" && ");
    expect([RUN.length, clean, USER]).toEqual([1, "npm cache clean --force", ["node"]]);
    expect(run(install, folder).status).toBe(0);
    expect(run(`${JSON.parse(ENTRYPOINT[0]).join(" ")} --version`, folder).stdout.trim()).toBe(
      manifestOf(packageFolder("firmseal")).version,
    );
    // installed once is enough
    const jobs = gitlabJobs(example("gitlab/templates/firmseal.yml"));
    for (const lines of [...Object.values(jobs).map((job) => job.script), jenkinsLines(example("Jenkinsfile"))])
      expect(lines).toContain(install);
    expect(install).toBe(INSTALL);
    const check = jobs["firmseal-check"].script.filter((line) => line !== install).join("\n");
    const product = join(top, "product");
    mkdirSync(product);
    const first = run(CI_PRODUCT, product);
    expect(first.status, first.stderr).toBe(0);
    const tmp = join(top, "tmp");
    mkdirSync(tmp);
    for (const name of ["plain", "gitlab", "jenkins"]) {
      const here = join(top, name);
      cpSync(product, here, { recursive: true });
      const { at, env: own, clean, candidate, release, secrets } = ciSystems(here, tmp, join(top, "release.pem"))[name];
      expect(run(clean, here, own).status, name).toBe(0);
      cpSync(join(top, "images"), join(here, "images"), { recursive: true });
      const checked = run(check, here);
      expect(checked.status, `${name}\n${checked.stderr}`).toBe(0);
      for (const [script, more] of [
        [candidate, {}],
        [release, secrets],
      ]) {
        const ran = run(script, here, { ...own, ...more });
        expect(ran.status, `${name}\n${ran.stderr}`).toBe(0);
      }
      expect(readdirSync(join(here, at, "dist/1.4.2"))).toContain("acme-gateway-1.4.2.suit");
    }
    // what the guide has typed, and its workflow with a board in each job
    mkdirSync(join(top, "guide"));
    const guide = await shell(scriptOf(blocksOf("docs/guides/ci.md")), join(top, "guide"), own);
    expect(guide.status, guide.stderr).toBe(0);
    const { status, stderr } = await runMatrix(join(top, "matrix"), own, `npm install --global ${archive}`);
    expect(status, stderr).toBe(0);
    for (const board of ["one", "two"]) expect(stderr).toContain(`: good, board ${board}, version 1.4.2, `);
  });

  it("the README, from its first line to its last", async () => {
    for (const name of ["readme", "readme/clone"]) mkdirSync(join(top, name));
    symlinkSync(join(top, "tarballs"), join(top, "readme/firmseal-packages"));
    const { status, stderr } = await shell(scriptOf(blocksOf("README.md")), join(top, "readme/clone"), {
      ...env,
      npm_config_prefer_offline: "true",
    });
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/^dist\/1\.0\.0\/sensor-sensor-1\.0\.0\.suit: good, board sensor, version 1\.0\.0, /m);
    expect(stderr).toMatch(/^dist\/1\.0\.0: installed, board sensor, version 1\.0\.0, /m);
  });

  it.each(["20", "22", "24"])("keygen, release and verify on Node %s", (version) => {
    const binary = nodeBinary(version);
    expect(ok(binary, ["--version"]).stdout).toMatch(`v${version}.`);
    ok(binary, ["all.mjs"]);
    const here = join(top, `node-${version}`);
    mkdirSync(here);
    const own = { cwd: here, env: { ...env, PASSPHRASE: "correct horse" } };
    const program = join(packageFolder("firmseal"), "bin/firmseal.js");
    const secret = ["--passphrase-env", "PASSPHRASE"];
    ok(binary, [program, "keygen", "--out", "release.pem", ...secret], own);
    writeFileSync(join(here, "app.bin"), Buffer.alloc(2000, 1));
    const product = ['name = "acme"', 'vendor = "example.com"', "[keys]", 'release = "release.pem"', "[trust]", 'keys = "release.pub"'];
    writeFileSync(join(here, "firmseal.toml"), [...product, "[boards.sensor]", 'image = "app.bin"', ""].join("\n"));
    ok(binary, [program, "release", "--version", "1.0.0", "--first", ...secret], own);
    const envelope = "dist/1.0.0/acme-sensor-1.0.0.suit";
    expect(ok(binary, [program, "verify", "dist/1.0.0"], own).stderr).toContain(`${envelope}: good, board sensor, version 1.0.0, `);
    const bytes = readFileSync(join(here, envelope));
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(join(here, "bad.suit"), bytes);
    const { status, stderr } = call(binary, [program, "verify", "bad.suit"], own);
    expect({ status, isStack: /\n\s+at /.test(stderr) }).toEqual({ status: 1, isStack: false });
  });

  it.each(process.env.CI ? ["18", "16"] : ["18"])("Node %s is refused in one line", (version) => {
    const binary = nodeBinary(version);
    const result = call(binary, ["node_modules/firmseal/bin/firmseal.js", "--version"], { cwd: folder, env });
    expect(result.stderr).toMatch(new RegExp(`^firmseal: needs Node [\\d.]+ or later; this is Node ${version}\\.\\d+\\.\\d+\\n$`));
    expect({ status: result.status, stdout: result.stdout }).toEqual({ status: 3, stdout: "" });
  });
});

it("packs what is published, with the vectors and without the helpers of tests, and only into an empty folder", () => {
  expect(names).toContain("@firmseal/test-vectors");
  expect(names).not.toContain("@firmseal/test-support");
  const full = temporaryFolder("firmseal-full-");
  try {
    writeFileSync(join(full, "old.tgz"), "");
    for (const [path, words] of [
      [full, "is not empty"],
      [join(full, "old.tgz"), "EEXIST"],
    ]) {
      const { status, stdout, stderr } = call(process.execPath, ["scripts/pack.mjs", path], { cwd: ROOT });
      expect({ status, stdout, lines: stderr.trimEnd().split("\n").length }).toEqual({ status: 1, stdout: "", lines: 1 });
      expect(stderr).toContain(words);
    }
    expect(readdirSync(full)).toEqual(["old.tgz"]);
  } finally {
    rmSync(full, { recursive: true, force: true });
  }
});

it("the least version of Node is the same in bin/firmseal.js and in each package.json", () => {
  const [, least] = /needs Node (\d+\.\d+) or later/.exec(readFileSync(join(ROOT, "packages/cli/bin/firmseal.js"), "utf8"));
  const [major, minor] = least.split(".");
  expect(readFileSync(join(ROOT, "packages/cli/bin/firmseal.js"), "utf8")).toContain(
    `major < ${major} || (major === ${major} && minor < ${minor})`,
  );
  for (const path of [ROOT, ...PUBLISHED.map((path) => join(ROOT, path))])
    expect(manifestOf(path).engines).toEqual({ node: `>=${least}.0` });
});
