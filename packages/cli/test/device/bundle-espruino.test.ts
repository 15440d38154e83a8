import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { errors } from "@firmseal/verifier";
import { describe, expect, it } from "vitest";
import { Place } from "../../../test-support/src/command-line/run.js";

// The general verifier on a Linux build of Espruino: docs/guides/espruino.md, boards with more memory. It keeps its Storage in a file of its working directory; each run of it is a start.
const path = process.env["ESPRUINO"];
const examples = fileURLToPath(new URL("../../../../examples/espruino/", import.meta.url));
const FACTS = ["--vendor", "example.com", "--class", "board-v2", "--key", "release.pem"];

class Board extends Place {
  /** What a start prints, and what `script` prints after it. */
  start(script = ""): string {
    this.put("run.js", script);
    const r = spawnSync(resolve(path as string), ["run.js"], { cwd: this.path, encoding: "latin1", timeout: 120_000 });
    expect(r.stdout).not.toMatch(/Uncaught|ERROR|MEMORY/);
    return r.stdout;
  }
  /** The script that puts files into Storage. */
  upload(...files: string[]): string {
    const r = spawnSync(process.execPath, [join(examples, "upload.mjs"), ...files], { cwd: this.path, encoding: "utf8" });
    expect(r.stderr).toBe("");
    return r.stdout;
  }
  /** The number that an update ends with. */
  update(file: string, payload?: string): number {
    const send = this.upload(`in=${file}`, ...(payload ? [`in.bin=${payload}`] : []));
    const said = this.start(`${send}print("update: " + require("update").install("in"${payload ? ', "in.bin"' : ""}));`);
    return Number(/update: (\d+)/.exec(said)?.[1] ?? Number.NaN);
  }
  async release(seq: number, text: string, ...more: string[]): Promise<string> {
    this.put(`app-${seq}.js`, text);
    await this.ok(["sign", `app-${seq}.js`, "--seq", String(seq), ...FACTS, ...more]);
    return `app-${seq}.suit`;
  }
}

async function provisioned(): Promise<Board> {
  const board = new Board();
  await board.ok(["keygen", "--out", "release.pem", "--no-passphrase"]);
  const key = await board.ok(["pubkey", "release.pem", "--format", "js"]);
  await board.ok(["bundle", "--alg", "ed25519", "--features", "install,storage", "--format", "espruino", "--out", "firmseal.js"]);
  await board.ok(["bundle", "--format", "boot", "--out", "boot0.js"]);
  board.put("update.js", key.stdout + readFileSync(join(examples, "update.js"), "utf8"));
  expect(board.start(board.upload("firmseal=firmseal.js", ".boot0=boot0.js", "update=update.js"))).not.toContain("firmseal:");
  expect(board.start()).toContain("firmseal: there is nothing to start");
  return board;
}

const why = path ? "" : " (skipped: set ESPRUINO=/path/to/espruino)";

describe.skipIf(!path)(`an app on Espruino${why}`, () => {
  it("is sent, installed and started; what was changed, or is older, is refused by number", async () => {
    const board = await provisioned();
    const app = readFileSync(join(examples, "app.js"), "utf8");
    expect(board.update(await board.release(1, app))).toBe(0);
    expect(board.start()).toContain("app 1 runs");

    const two = await board.release(2, app.replaceAll("app 1", "app 2"));
    const bytes = board.get(two);
    const at = bytes.indexOf("app 2 runs");
    bytes[at] = 0x41;
    board.put("bad.suit", bytes);
    expect(board.update("bad.suit")).toBe(errors.IMAGE_MISMATCH);
    expect(board.start()).toContain("app 1 runs");

    expect(board.update(two)).toBe(0);
    for (let i = 0; i < 5; i++) expect(board.start()).toContain("app 2 runs");
    expect(board.update("app-1.suit")).toBe(errors.ROLLBACK);

    // the payload apart from the envelope
    const large = `${app.replaceAll("app 1", "app 3")}//${"x".repeat(5000)}\n`;
    const three = await board.release(3, large, "--uri", "https://example.com/app");
    expect(board.update(three, "app-2.js")).toBe(errors.PAYLOAD_SIZE);
    expect(board.update(three, "app-3.js")).toBe(0);
    expect(board.start()).toContain("app 3 runs");
  }, 300_000);

  it("that never confirms gives way to the previous one, and is not started if it was changed", async () => {
    const board = await provisioned();
    const app = (n: number, more: string) => `print("app ${n} runs");${more}`;
    expect(board.update(await board.release(1, app(1, "firmsealApp.confirm()")))).toBe(0);
    expect(board.update(await board.release(2, app(2, "")))).toBe(0);
    expect(board.update(await board.release(3, app(3, "")))).toBe(errors.UNCONFIRMED);
    // that was the first start of it
    for (let i = 0; i < 2; i++) expect(board.start()).toContain("app 2 runs");
    for (let i = 0; i < 2; i++) expect(board.start()).toContain("app 1 runs");

    const flash = readFileSync(board.at("espruino.flash"));
    for (let at = flash.indexOf("app 1 runs"); at >= 0; at = flash.indexOf("app 1 runs", at + 1)) flash[at] = 0x41;
    writeFileSync(board.at("espruino.flash"), flash);
    const said = board.start();
    expect(said).toContain("firmseal: there is nothing to start");
    expect(said).not.toContain("app 1");
    expect(said).not.toContain("Apa 1");
    expect(board.update("app-3.suit")).toBe(0);
    expect(board.start()).toContain("app 3 runs");
  }, 300_000);
});
