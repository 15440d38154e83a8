import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { image, Place } from "../../test-support/src/run.js";

// The way of docs/guides/jerryscript.md.
const path = process.env["JERRY"];
const snapshotTool = `${path}-snapshot`;
const example = (name: string) => join(fileURLToPath(new URL("../../../examples/jerryscript/", import.meta.url)), name);
const why = path ? "" : " (skipped: set JERRY=/path/to/jerry)";

describe.skipIf(!path)(`a host with JerryScript${why}`, () => {
  it("takes an update to its flash, starts it, and refuses a changed one by number", async () => {
    const p = new Place();
    p.put("app.bin", image(3000));
    await p.ok(["keygen", "--out", "k.pem", "--no-passphrase"]);
    p.put("key.js", (await p.ok(["pubkey", "k.pem", "--format", "js"])).stdout);
    await p.ok(["bundle", "--alg", "ed25519", "--features", "install,flash", "--form", "script", "--out", "firmseal.js"]);
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
