// The whole corpus through every target, in a process of its own: time and memory of the processes that run tests say
// nothing about one input.

import { execFile, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { judge } from "./judge.mjs";
import { TARGETS } from "./targets.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
async function replay() {
  const options = { cwd: join(HERE, ".."), maxBuffer: 1 << 26 };
  const { stdout } = await promisify(execFile)(process.execPath, [join(HERE, "replay.mjs")], options).catch((e) => e);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

it("no input of the corpus is a finding", async () => {
  const lines = await replay();
  expect(lines.filter((line) => line.finding)).toEqual([]);
  const played = new Set(lines.map((line) => line.target));
  for (const { name } of TARGETS) expect(played, name).toContain(name);
  // 3 s of a processor, which others may want as well
}, 300_000);

it("every target has its file and its corpus, and there are no others", () => {
  const names = TARGETS.map((t) => t.name).sort();
  expect(
    readdirSync(join(HERE, "targets"))
      .map((file) => file.replace(/\.ts$/, ""))
      .sort(),
  ).toEqual(names);
  expect(readdirSync(join(HERE, "corpus")).sort()).toEqual(names);
});

it("every target has its row in the document, with what an input costs", () => {
  const page = readFileSync(join(HERE, "../docs/explanation/fuzzing.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([\w-]+)` \| (.*) \| [\d.]+ \|$/gm)].map(([, name, about]) => [name, about]);
  expect(rows).toEqual(TARGETS.map(({ name, about }) => [name, about]));
});

describe("judge", () => {
  const limits = { ms: 40, waits: false };
  const spin = (ms) => {
    const start = process.cpuUsage();
    for (;;) {
      const { user, system } = process.cpuUsage(start);
      if (user + system > 1000 * ms) return;
    }
  };

  const held = [];
  const beyond = () => process.resourceUsage().maxRSS * 1024 - process.memoryUsage.rss();
  afterAll(() => held.splice(0));

  it.each([
    ["an error that is not a refusal", () => JSON.parse("{"), "SyntaxError"],
    [
      "a thrown value that is not an error",
      () => {
        throw undefined;
      },
      "undefined",
    ],
    ["too long", () => spin(100), "too slow"],
    ["a process", () => void spawn(process.execPath, ["--version"], { stdio: "ignore" }), "a process was started"],
    // above the peak of this process so far: only what exceeds it is seen
    ["too much memory", () => held.push(Buffer.alloc(beyond() + (128 << 20), 1)), "too much memory"],
  ])("finds %s", (_, fuzz, kind) => {
    const ms = kind === "too much memory" ? 10_000 : limits.ms;
    expect(judge(fuzz, { ...limits, ms })(Buffer.of(1))?.kind).toContain(kind);
  });

  it.each([false, true])("finds nothing in what ends well (asynchronous: %s)", async (waits) => {
    const fuzz = waits ? async () => undefined : () => undefined;
    expect(await judge(fuzz, { ...limits, waits })(Buffer.of(1))).toBe(null);
  });

  it("finds what a promise ends with", async () => {
    const fuzz = () => Promise.reject(new TypeError("no"));
    expect((await judge(fuzz, { ...limits, waits: true })(Buffer.of(1))).kind).toContain("TypeError: no");
  });

  it("leaves out the time of the first call, in which modules are loaded", () => {
    let first = true;
    const fuzz = () => {
      if (first) spin(100);
      first = false;
    };
    expect(judge(fuzz, limits)(Buffer.of(1))).toBe(null);
  });
});
