// examples/hooks: each hook in its build system, or against the interface that the build system documents.

import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { AT_LENGTH, LONG } from "../packages/test-support/src/environment/effort.js";
import { temporaryFolder } from "../packages/test-support/src/environment/folders.js";
import { hasProgram } from "../packages/test-support/src/environment/programs.js";
import { blocksOf, ROOT } from "./pages.js";

const CLI = join(ROOT, "packages/cli/bin/firmseal.js");
const HOOKS = join(ROOT, "examples/hooks");
const lacks = (tool: string) => (hasProgram(tool) ? "" : ` (skipped: no ${tool})`);
const [noCmake, noScons, noWest] = ["cmake", "scons", "west"].map(lacks) as [string, string, string];

vi.setConfig({ testTimeout: 120_000 });

let top: string;
beforeAll(() => {
  if (!existsSync(join(ROOT, "packages/cli/dist/main.js"))) throw new Error("build first: npx -y pnpm@12.4.2 build");
  top = temporaryFolder("firmseal-hooks-");
  mkdirSync(join(top, "home"));
});

/** A folder with a key, a product file whose board "gateway" has an image at `image`, and what its build makes it from. */
function project(name: string, image: string): string {
  const folder = join(top, name);
  mkdirSync(folder);
  run(folder, process.execPath, [CLI, "keygen", "--no-passphrase", "--out", "release.pem"]);
  writeFileSync(
    join(folder, "firmseal.toml"),
    `name = "acme"\nvendor = "example.com"\n[keys]\nrelease = "release.pem"\n[boards.gateway]\nimage = "${image}"\nslots = { a = "2K" }\n`,
  );
  writeFileSync(join(folder, "image.src"), new Uint8Array(1000).fill(1));
  return folder;
}

function run(cwd: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { PATH, NODE_OPTIONS } = process.env;
  const own = { PATH, NODE_OPTIONS, HOME: join(top, "home"), NO_COLOR: "1", FIRMSEAL_STATE: join(top, "home", "state"), ...env };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env: own, encoding: "utf8", timeout: 100_000 });
  return { status, text: `${stdout}${stderr}` };
}

/** The build runs, and fails once the image is larger than its slot; its envelope verifies. */
function expectHook(folder: string, envelope: string, build: () => ReturnType<typeof run>, sign: () => ReturnType<typeof run>) {
  const first = build();
  expect(first.status, first.text).toBe(0);
  expect(existsSync(join(folder, envelope))).toBe(false);
  expect(existsSync(join(folder, "release.pem.log"))).toBe(false);
  const signed = sign();
  expect(signed.status, signed.text).toBe(0);
  const verified = run(folder, process.execPath, [CLI, "verify", envelope, "--product", "firmseal.toml", "--board", "gateway"]);
  expect(verified.text).toContain("good, board gateway, version 1.4.2");
  writeFileSync(join(folder, "image.src"), new Uint8Array(3000));
  const larger = build();
  expect(larger.status, larger.text).not.toBe(0);
  expect(larger.text).toMatch(/has 3,000 bytes, and its slot has 2,048/);
}

describe("hooks of build systems", () => {
  it.skipIf(!LONG || noCmake !== "").each([
    ["CMake", "app"],
    // the target of ESP-IDF that writes the image for the flash
    ["ESP-IDF", "gen_project_binary"],
  ])(`cmake/firmseal.cmake: %s${AT_LENGTH || noCmake}`, (name, target) => {
    const folder = project(name, "build/app.bin");
    cpSync(join(HOOKS, "cmake/firmseal.cmake"), join(folder, "firmseal.cmake"));
    writeFileSync(
      join(folder, "CMakeLists.txt"),
      `cmake_minimum_required(VERSION 3.16)
project(app VERSION 1.4.2 LANGUAGES NONE)
add_custom_command(OUTPUT app.bin DEPENDS \${CMAKE_SOURCE_DIR}/image.src
  COMMAND \${CMAKE_COMMAND} -E copy \${CMAKE_SOURCE_DIR}/image.src app.bin)
add_custom_target(${target} ALL DEPENDS app.bin)
include(firmseal.cmake)
firmseal(BOARD gateway VERSION \${PROJECT_VERSION} DEPENDS ${target})
`,
    );
    const configured = run(folder, "cmake", ["-B", "build", `-DFIRMSEAL_PROGRAM=${process.execPath};${CLI}`]);
    expect(configured.status, configured.text).toBe(0);
    expectHook(
      folder,
      "build/gateway.suit",
      () => run(folder, "cmake", ["--build", "build"]),
      () => run(folder, "cmake", ["--build", "build", "--target", "firmseal-gateway-sign"]),
    );
    writeFileSync(
      join(folder, "CMakeLists.txt"),
      "cmake_minimum_required(VERSION 3.16)\nproject(app NONE)\ninclude(firmseal.cmake)\nfirmseal(BOARD gateway)\n",
    );
    expect(run(folder, "cmake", ["-B", "other"]).text).toContain("firmseal: VERSION is missing");
  });

  it.skipIf(!LONG || noScons !== "")(`platformio/firmseal.py: in SCons, as PlatformIO loads it${AT_LENGTH || noScons}`, () => {
    const folder = project("platformio", ".pio/build/gateway/firmware.bin");
    cpSync(join(HOOKS, "platformio/firmseal.py"), join(folder, "firmseal.py"));
    // what PlatformIO documents of its build environment, over SCons itself
    writeFileSync(
      join(folder, "SConstruct"),
      `import os
options = {"custom_firmseal_version": "1.4.2", "custom_firmseal_program": "${process.execPath} ${CLI}"}
env = DefaultEnvironment(ENV=os.environ, PIOENV="gateway", PROGNAME="firmware", PROJECT_DIR=os.getcwd(), BUILD_DIR=".pio/build/gateway")

def AddCustomTarget(env, name, dependencies, actions, title=None, description=None, always_build=True):
    target = env.Alias(name, dependencies, actions)
    if always_build:
        AlwaysBuild(target)
    return target

env.AddMethod(AddCustomTarget)
env.AddMethod(lambda env, name, default=None: options.get(name, default), "GetProjectOption")
env.AddMethod(lambda env, act, actstr: Action(act, actstr), "VerboseAction")
env.Default(env.Command("$BUILD_DIR/\${PROGNAME}.bin", "image.src", Copy("$TARGET", "$SOURCE")))
env.SConscript(["firmseal.py"], exports="env")
`,
    );
    expectHook(
      folder,
      ".pio/build/gateway/gateway.suit",
      () => run(folder, "scons", ["-s"]),
      () => run(folder, "scons", ["-s", "firmseal"]),
    );
  });

  it.skipIf(!LONG || noWest !== "")(`west/firmseal_west.py: in a workspace of west${AT_LENGTH || noWest}`, () => {
    const workspace = join(top, "workspace");
    mkdirSync(workspace);
    const folder = project("workspace/app", "build/zephyr/zephyr.bin");
    for (const name of ["west-commands.yml", "firmseal_west.py"]) cpSync(join(HOOKS, "west", name), join(folder, name));
    writeFileSync(join(folder, "west.yml"), "manifest:\n  self:\n    west-commands: west-commands.yml\n");
    const west = (...args: string[]) => run(folder, "west", args, { FIRMSEAL_PROGRAM: `${process.execPath} ${CLI}` });
    const made = run(workspace, "west", ["init", "-l", "app"]);
    expect(made.status, made.text).toBe(0);
    const build = () => {
      mkdirSync(join(folder, "build/zephyr"), { recursive: true });
      cpSync(join(folder, "image.src"), join(folder, "build/zephyr/zephyr.bin"));
      return west("firmseal", "check", "--board", "gateway", "--version", "1.4.2");
    };
    expectHook(folder, "build/gateway.suit", build, () => west("firmseal", "sign", "--board", "gateway", "--version", "1.4.2"));
    expect(west("help", "firmseal").text).toContain("--build-dir");
    expect(west("firmseal", "check", "--board", "gateway", "--version", "one").status).toBe(2);
    const own = { FIRMSEAL_PROGRAM: "/nowhere/firmseal" };
    const gone = run(folder, "west", ["firmseal", "check", "--board", "gateway", "--version", "1.4.2"], own);
    expect([gone.status, gone.text]).toEqual([
      1,
      "FATAL ERROR: /nowhere/firmseal: not found; put firmseal into PATH, or set FIRMSEAL_PROGRAM\n",
    ]);
  });

  it("buildroot/post-image.sh: as Buildroot calls it", () => {
    const folder = project("buildroot", "output/images/rootfs.img");
    mkdirSync(join(folder, "board"));
    mkdirSync(join(folder, "output/images"), { recursive: true });
    cpSync(join(HOOKS, "buildroot/post-image.sh"), join(folder, "board/post-image.sh"));
    chmodSync(join(folder, "board/post-image.sh"), 0o755);
    const make = (env: NodeJS.ProcessEnv = {}) => {
      cpSync(join(folder, "image.src"), join(folder, "output/images/rootfs.img"));
      const own = {
        // the clone, in the documents
        FIRMSEAL: ROOT,
        FIRMSEAL_PROGRAM: `${process.execPath} ${CLI}`,
        FIRMSEAL_PRODUCT: "firmseal.toml",
        BINARIES_DIR: join(folder, "output/images"),
        ...env,
      };
      return run(folder, "board/post-image.sh", [join(folder, "output/images"), "gateway", "1.4.2"], own);
    };
    expectHook(folder, "output/images/gateway.suit", make, () => make({ FIRMSEAL_SIGN: "1" }));
    const few = run(folder, "board/post-image.sh", ["output/images"]);
    expect(few.status).not.toBe(0);
    expect(few.text).toContain('set BR2_ROOTFS_POST_SCRIPT_ARGS="BOARD VERSION"');
  });

  it("yocto/firmseal.bbclass: its tasks, with their variables expanded", () => {
    const folder = project("yocto", "deploy/image.wic");
    mkdirSync(join(folder, "deploy"));
    const text = readFileSync(join(HOOKS, "yocto/firmseal.bbclass"), "utf8");
    const variables = new Map([...text.matchAll(/^(\w+) \?= "(.*)"$/gm)].map(([, name, value]) => [name as string, value as string]));
    for (const [name, value] of Object.entries({
      FIRMSEAL_PROGRAM: `${process.execPath} ${CLI}`,
      MACHINE: "gateway",
      DISTRO_VERSION: "1.4.2",
      TOPDIR: folder,
      DEPLOY_DIR_IMAGE: join(folder, "deploy"),
    }))
      variables.set(name, value);
    const expand = (value: string): string => value.replace(/\$\{(\w+)\}/g, (_, name) => expand(variables.get(name) ?? `\${${name}}`));
    const task = (name: string) => {
      const [, body] = new RegExp(`^do_${name}\\(\\) \\{\\n([\\s\\S]*?)\\n\\}$`, "m").exec(text) ?? [];
      expect(body, name).toBeDefined();
      expect(text).toMatch(new RegExp(`^addtask ${name} after do_image_complete`, "m"));
      cpSync(join(folder, "image.src"), join(folder, "deploy/image.wic"));
      return run(folder, "sh", ["-e", "-c", expand(body as string)]);
    };
    expectHook(
      folder,
      "deploy/gateway.suit",
      () => task("firmseal_check"),
      () => task("firmseal_sign"),
    );
  });

  it("the guide of CI shows the files of examples/ci as they are", () => {
    const shown = blocksOf("docs/guides/ci.md").map(({ text }) => text);
    const files = readdirSync(join(ROOT, "examples/ci"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(8);
    for (const { parentPath, name } of files) expect(shown, name).toContain(readFileSync(join(parentPath, name), "utf8"));
  });

  it("the guide shows each of them as it is", () => {
    const shown = blocksOf("docs/guides/build-systems.md").map(({ text }) => text);
    for (const path of [
      "cmake/firmseal.cmake",
      "platformio/firmseal.py",
      "west/west-commands.yml",
      "west/firmseal_west.py",
      "yocto/firmseal.bbclass",
      "buildroot/post-image.sh",
    ])
      expect(shown, path).toContain(readFileSync(join(HOOKS, path), "utf8"));
  });
});
