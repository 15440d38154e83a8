// The examples of docs/keys-pkcs11.md and docs/keys-exec.md, run as a reader would: the blocks marked `sh`, in one shell.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { bin, Place } from "../../cli/test/run.js";
import { why } from "./softhsm.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const has = (tool: string, ...args: string[]) => spawnSync(tool, args).error === undefined;
const whyNot = has("bash", "-c", ":") && has("openssl", "version") ? "" : " (skipped: no bash, or no openssl)";

function run(name: string): string {
  const p = new Place();
  const blocks = [...readFileSync(`${ROOT}docs/${name}`, "utf8").matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text]) => text);
  expect(blocks.length).toBeGreaterThan(0);
  const script = `FIRMSEAL=${ROOT}\nalias firmseal="${process.execPath} ${bin}"\n${blocks.join("\n")}`;
  const r = spawnSync("bash", ["-O", "expand_aliases", "-eu", "-o", "pipefail"], {
    cwd: p.path,
    input: script,
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", NO_COLOR: "1" },
  });
  expect({ status: r.status, stderr: r.status === 0 ? "" : r.stderr }).toEqual({ status: 0, stderr: "" });
  return r.stdout + r.stderr;
}

describe("the examples of the documentation", () => {
  it.skipIf(why !== "")(`keys-pkcs11.md${why}`, () => {
    const out = run("keys-pkcs11.md");
    expect(out).toContain("app.suit: good, sequence number 1");
    expect(out).toContain("object=es256-2026");
    expect(out).not.toContain("12345678");
  });

  it.skipIf(whyNot !== "")(`keys-exec.md${whyNot}`, () => {
    expect(run("keys-exec.md")).toContain("app.suit: good, sequence number 1");
  });
});
