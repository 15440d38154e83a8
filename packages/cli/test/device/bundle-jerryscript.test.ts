import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { image, Place } from "../../../test-support/src/command-line/run.js";

// The way of docs/guides/jerryscript.md.
const path = process.env["JERRY"];
const snapshotTool = `${path}-snapshot`;
const example = (name: string) => join(fileURLToPath(new URL("../../../../examples/jerryscript/", import.meta.url)), name);
const why = path ? "" : " (skipped: set JERRY=/path/to/jerry)";

describe.skipIf(!path)(`a host with JerryScript${why}`, () => {
  it("takes an update to its flash, starts it, and refuses a changed one by number", async () => {
    const p = new Place();
    p.put("app.bin", image(3000));
    await p.ok(["keygen", "--out", "k.pem", "--no-passphrase"]);
    p.put("key.js", (await p.ok(["pubkey", "k.pem", "--format", "js"])).stdout);
    await p.ok(["bundle", "--alg", "ed25519", "--features", "install,flash", "--format", "script", "--out", "firmseal.js"]);
    await p.ok(["sign", "app.bin", "--vendor", "example.com", "--class", "board-v2", "--seq", "1", "--key", "k.pem"]);
    p.put("envelope.js", `var ENVELOPE = ${JSON.stringify([...p.get("app.suit")])};`);
    const rest = ["key.js", example("shim.js"), example("device.js"), "envelope.js", example("try.js")];
    const run = (...args: string[]) => {
      const r = spawnSync(resolve(path as string), args, { cwd: p.path, encoding: "utf8", timeout: 60_000 });
      return r.stdout + r.stderr;
    };
    const started = "started: 3000 bytes at 8192\nstart: 0\n";
    const said = `update: 0\n${started}changed: ${errors.IMAGE_MISMATCH}\n${started}`;
    expect(run("firmseal.js", ...rest)).toBe(said);
    if (!existsSync(snapshotTool)) return;
    spawnSync(resolve(snapshotTool), ["generate", "-o", "firmseal.snapshot", "firmseal.js"], { cwd: p.path });
    expect(run("--exec-snapshot", "firmseal.snapshot", ...rest)).toBe(said);
  }, 120_000);
});

// examples/jerryscript/host.c: the sources of JerryScript, and a build of them, with -m32 as JERRY_CFLAGS or its compiler as JERRY_CC if it has 32 bits. A build
// with a heap of 32 KB (JERRY_GLOBAL_HEAP_SIZE=32) passes.
const { JERRY_SOURCES: sources, JERRY_BUILD: build, JERRY_CC: compiler = "cc", JERRY_CFLAGS: flags = "" } = process.env;
const whyNot = sources && build ? "" : " (skipped: set JERRY_SOURCES and JERRY_BUILD)";

describe.skipIf(!sources || !build)(`a host in C with a micro verifier${whyNot}`, () => {
  const KEYS: readonly [string, ...string[]][] = [["ed25519"], ["es256"], ["hsslms", "--hss", "5/4"]];
  /** Options of the bundle, and what is compiled beside host.c. */
  const KERNEL = fileURLToPath(new URL("../../../kernel/src/", import.meta.url));
  const cFiles = readdirSync(KERNEL, { recursive: true, encoding: "utf8" }).flatMap((name) => (name.endsWith(".c") ? [KERNEL + name] : []));
  const HOSTS: readonly [string, string[], string[]][] = [
    ["hashes in JavaScript", [], []],
    ["the kernel in C", ["--host", "sha256,sha512"], ["-DFIRMSEAL_KERNEL", `-I${KERNEL}`, ...cFiles]],
  ];

  /** Says that the signature was verified in C, and the result. */
  const TELL = `(function () {
    var verify = host[firmsealKey.alg];
    if (verify) host[firmsealKey.alg] = function (key, message, signature) {
      var result = verify(key, message, signature);
      print("verified in C: " + result);
      return result;
    };
  })();`;

  it.each(KEYS.flatMap((key) => HOSTS.map((kind) => [kind[0], key[0], kind, key] as const)))(
    "installs 100,000 bytes from an uncopied snapshot, and from source, with %s: %s",
    async (_, _alg, [, hosted, beside], [alg, ...more]) => {
      const p = new Place();
      p.put("app.bin", image(100_000));
      await p.ok(["keygen", "--alg", alg, ...more, "--out", "k.pem", "--no-passphrase"]);
      const key = (await p.ok(["pubkey", "k.pem", "--format", "js"])).stdout;
      p.put("app.js", `${key}\n${TELL}\n${readFileSync(example("micro.js"), "utf8")}`);
      await p.ok(["bundle", "--micro", "--alg", alg, ...hosted, "--format", "script", "--out", "firmseal.js"]);
      const facts = ["--vendor", "example.com", "--class", "board-v2", "--seq", "1", "--uri", "https://example.com/app.bin"];
      await p.ok(["sign", "app.bin", ...facts, "--key", "k.pem", "--for", "micro"]);
      const run = (command: string, ...args: string[]) => {
        const r = spawnSync(command, args, { cwd: p.path, encoding: "utf8", timeout: 120_000 });
        return { status: r.status, said: r.stdout + r.stderr };
      };
      const libraries = ["ext", "core", "port"].map((name) => join(build as string, `lib/libjerry-${name}.a`));
      const headers = ["core", "ext"].map((name) => `-I${join(sources as string, `jerry-${name}/include`)}`);
      const cc = run(
        compiler,
        ...flags.split(" ").filter(Boolean),
        ...headers,
        example("host.c"),
        ...beside,
        "-o",
        "host",
        ...libraries,
        "-lm",
      );
      expect(cc).toMatchObject({ status: 0 });
      const host = p.at("host");
      expect(run(host, "generate", "firmseal.js", "firmseal.snapshot").status).toBe(0);
      for (const verifier of ["firmseal.snapshot", "firmseal.js"]) {
        const r = run(host, verifier, "app.js", "app.suit", "app.bin");
        expect(r.said).toContain("installed: 1, 100000 bytes");
        expect(r.said.includes("verified in C: true")).toBe(beside.length > 0 && alg !== "hsslms");
        expect(r.status, r.said).toBe(0);
      }
      p.put("other.bin", image(100_000, 2));
      const changed = run(host, "firmseal.snapshot", "app.js", "app.suit", "other.bin");
      expect(changed).toMatchObject({ status: 1, said: expect.stringContaining(`firmseal refusal ${errors.IMAGE_MISMATCH} `) });
    },
    300_000,
  );
});
