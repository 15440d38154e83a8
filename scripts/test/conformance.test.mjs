// The player finds what it should: the verifier is replaced by one with a single fault.

import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { LONG } from "../../packages/test-support/src/environment/effort.ts";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { digestOf, espruinoModule, shippedSets } from "../conformance/bundles.mjs";
import { ENGINES, processorOf, starterOf } from "../conformance/engines.mjs";
import { checkPlayer, conform, probe } from "../conformance/play.mjs";
import { table, unrecorded, withTable } from "../conformance/records.mjs";
import { ask } from "../conformance/run.mjs";
import { everyNth, vectorFiles } from "../conformance/vectors.mjs";

const folder = temporaryFolder("firmseal-conformance-");
const node = ENGINES.find(({ name }) => name === "node");
const defaults = { trust: { anchors: [] }, device: { components: [["00"]], current: [[0, "aa"]] } };
const refused = (action) => ({ name: action, action, envelope: "0000", expect: { code: 7 } });

/** Plays one vector that expects refusal 7, on a verifier whose open() or install() is `body`. */
const play = (body, action = "open", chunk = undefined) =>
  conform(node, {
    chunk,
    files: [{ defaults, vectors: [refused(action), refused("decode")] }],
    bundle: `function refuse(code, at) { var e = new Error("refusal"); e.code = code; e.at = at; throw e; }
var firmseal = { errors: { SEVEN: 7, EIGHT: 8 }, ${action}: function (envelope, trust, device) { ${body} } };`,
  });

it("the player is written in the language that every engine runs", () => {
  expect(checkPlayer()).toEqual([]);
});

it("passes a refusal that is expected, in one run or in several", async () => {
  expect(await play("refuse(7, 2)")).toMatchObject({ ok: true, line: "node: 1 passed, 0 failed, 1 skipped", output: "" });
  expect(await play("refuse(7, 2)", "open", 1)).toMatchObject({ ok: true, line: "node: 1 passed, 0 failed, 1 skipped" });
});

it.each([
  ["another refusal", "refuse(8, 0)", '"code":8'],
  ["a number that is not a refusal", "refuse(9, 0)", '"unknown":9'],
  ["an offset behind the envelope", "refuse(7, 3)", '"at":"3"'],
  ["an error of the engine", "null.x", '"escaped"'],
  ["no refusal", "return { sequence: [0, 1], signers: [0], absent: [] }", '"ok":true'],
  ["a refusal for plain arrays only", "refuse(envelope.set ? 8 : 7, 0)", "open, typed arrays"],
])("a run of an engine fails with %s", async (_, body, says) => {
  const result = await play(body);
  expect(result).toMatchObject({ ok: false, line: "node: 0 passed, 1 failed, 1 skipped" });
  expect(result.output).toContain(says);
});

it.each([
  ["the current slot", "device.parts[0].current = 1"],
  ["a slot", "device.parts[0].slots[1].push(1)"],
  ["the sequence", "device.sequence = [0, 1]"],
  ["what was invoked", "device.invoke([[0]])"],
])("fails a refusal that changes %s", async (_, body) => {
  const result = await play(`${body}; refuse(7, 0)`, "install");
  expect(result.ok).toBe(false);
  expect(result.output).toContain("the refusal has changed the device");
});

it("counts as failed what an engine did not reach", async () => {
  const result = await conform(node, { files: [{ defaults, vectors: [refused("open"), refused("decode")] }], bundle: "syntax error" });
  expect(result).toMatchObject({ ok: false, line: "node: 0 passed, 2 failed" });
  expect(result.output).toContain("SyntaxError");
});

it("says that a run was out of time, and counts nothing of it and of those after it as failed", async () => {
  const program = (file) => [
    "-e",
    'const { readFileSync } = require("node:fs"); if (readFileSync(process.argv[1], "utf8").includes("slow")) setInterval(() => {}, 1000); else console.log("1 passed, 0 failed");',
    file,
  ];
  const slow = { name: "slow", command: process.execPath, args: program, chunk: 1 };
  const files = [{ defaults, vectors: [refused("open"), { ...refused("open"), name: "slow" }, refused("open"), refused("open")] }];
  const result = await conform(slow, { files, bundle: "", seconds: 2 });
  expect(result).toMatchObject({
    ok: false,
    line: "slow: 1 passed, 0 failed, 3 not played: out of time, ended after 2 s (--seconds N gives a run more)",
    output: "",
  });
});

it("ends the program that a shell starts", async () => {
  const shell = { name: "shell", command: "sh", args: () => ["-c", "exec sleep 60 3<<END\nx\nEND\n"] };
  expect(await ask(shell, "sh", "", 1)).toMatchObject({ timeUp: true, stopped: "ended after 1 s" });
}, 20_000);

it("says how an engine differs from ECMA-262, and whether the probe came to its end", async () => {
  const engine = (program) => ({ name: "some", command: process.execPath, args: () => ["-e", program] });
  const says = (...lines) => engine(lines.map((line) => `console.log(${JSON.stringify(line)});`).join(""));
  expect(await probe(says("probe one ok", "1 probed, 0 differ"))).toMatchObject({ ok: true, line: "some: 1 probed, 0 differ" });
  expect(await probe(says("probe one differs: got 2", ">probe two differs: got x", "2 probed, 2 differ"))).toMatchObject({
    ok: true,
    line: "some: 2 probed, 2 differ: one, two",
    differs: ["one", "two"],
  });
  expect(await probe(says("probe one differs: got 2", "1 probed, 0 differ"))).toMatchObject({ ok: false });
  expect(await probe(engine("console.log('probe one ok'); process.exit(3)"))).toMatchObject({
    ok: false,
    line: "some: the probe did not end (exit code 3)",
  });
  expect(await probe({ name: "gone", command: "firmseal-no-such-engine" })).toBeUndefined();
});

it("passes with the module for Espruino, in which functions are nested in their only users", async () => {
  const bundle = await espruinoModule();
  const files = LONG ? vectorFiles() : everyNth(vectorFiles(), 16);
  expect(await conform(node, { bundle, files })).toMatchObject({ ok: true, output: "" });
  // they are there: open() begins with them
  expect(bundle).toMatch(/function \w+\([\w,]*\)\{(?:var [^;]*;)?function /);
}, 300_000);

it.each([
  [
    "and noise that does not end",
    'console.log("1 passed, 0 failed"); setInterval(() => process.stdout.write("\\xff".repeat(1e6)), 1)',
    true,
  ],
  [
    "and then ends with an error",
    'process.stdout.write("1 passed, 0 fai"); setTimeout(() => { console.log("led"); process.exit(3); }, 300)',
    true,
  ],
  ["of a failure", 'console.log("0 passed, 1 failed"); setInterval(() => {}, 1000)', false],
  ["of too few", 'console.log("0 passed, 0 failed"); setInterval(() => {}, 1000)', false],
  [
    "in no line of its own",
    'process.stdout.write("1 passed, 0 failed"); setInterval(() => process.stdout.write("\\xff".repeat(1e5)), 1)',
    false,
  ],
])("a run on a console counts with its last line: one %s", async (_, program, ok) => {
  const noisy = { name: "noisy", command: process.execPath, console: true, args: () => ["-e", program] };
  const result = await conform(noisy, { files: [{ defaults, vectors: [refused("open")] }], bundle: "" });
  expect(result, JSON.stringify(result)).toMatchObject({ ok, output: ok ? "" : expect.anything() });
  // without a console behind it, noise and a wrong end are failures
  if (ok)
    expect(await conform({ ...noisy, console: false }, { files: [{ defaults, vectors: [refused("open")] }], bundle: "" })).toMatchObject({
      ok: false,
    });
});

async function withCI(value, work) {
  const before = process.env.CI;
  const put = (ci) => {
    if (ci === undefined) delete process.env.CI;
    else process.env.CI = ci;
  };
  put(value);
  try {
    await work();
  } finally {
    put(before);
  }
}

it("fails a missing engine", async () => {
  const gone = { name: "gone", command: "firmseal-no-such-engine", debian: "no-such-package" };
  await withCI(undefined, async () => {
    expect(await conform(gone)).toMatchObject({ ok: true, skipped: "not installed: apt-get install no-such-package" });
  });
  await withCI("true", async () => {
    const result = await conform(gone);
    expect(result).toMatchObject({ ok: false, line: "gone: failed (not installed: apt-get install no-such-package)" });
    expect(result.skipped).toBeUndefined();
  });
});

it("fails an engine that CI should have made", async () => {
  const unmade = { name: "unmade", variable: "NO_ENGINE", example: "engine", made: "scripts/engine.mjs" };
  await withCI(undefined, async () => {
    const skipped = "set NO_ENGINE=/path/to/engine: node scripts/engine.mjs makes one";
    expect(await conform(unmade)).toMatchObject({ ok: true, skipped });
    expect(await conform({ ...unmade, made: undefined })).toMatchObject({ ok: true, skipped: "set NO_ENGINE=/path/to/engine" });
  });
  await withCI("true", async () => {
    const failed = await conform(unmade);
    expect(failed).toMatchObject({ ok: false, line: expect.stringMatching(/^unmade: failed \(set NO_ENGINE=/) });
    expect(failed.skipped).toBeUndefined();
    expect((await conform({ ...unmade, made: undefined })).ok).toBe(true);
  });
});

const xs = ENGINES.find(({ name }) => name === "xs");
const xst = process.env.XST;
it.skipIf(!xst)(`hears from XS what is printed, and that it failed${xst ? "" : " (skipped: set XST=/path/to/xst)"}`, async () => {
  expect(await ask(xs, resolve(xst), 'print("said")')).toMatchObject({ output: "said\n", stopped: "", code: 0 });
  for (const wrong of ["null.x", "(", "throw 1", "function f() { return f() + 1; } f()"]) {
    const { output, code } = await ask(xs, resolve(xst), `print("said"); ${wrong}`);
    expect(code, wrong).not.toBe(0);
    if (wrong !== "(") expect(output).toMatch(/^said\n/);
  }
});

it("passes on names from outside as values, never as keys", () => {
  const uris = vectorFiles().flatMap(({ vectors }) => vectors.flatMap((v) => (v.device?.payloads ?? []).map(([uri]) => uri)));
  expect(uris).toContain("__proto__");
});

describe("records of runs by hand", () => {
  const bundle = (name, text = name) => ({ name, text });
  const run = (text, changes = {}, row = {}) => ({
    engine: "Espruino",
    version: "2v29",
    processor: "ARM",
    date: "2026-11-30",
    command: "",
    bundles: [{ name: "firmseal-full.js", sha256: digestOf(text), passed: 3, failed: 0, skipped: [], ...row }],
    ...changes,
  });

  it("let a release pass whose bundles an Espruino for ARM has played", () => {
    expect(unrecorded([bundle("firmseal-full.js")], [run("firmseal-full.js")])).toEqual([]);
  });
  it.each([
    ["of another bundle", run("other")],
    ["on another processor", run("firmseal-full.js", { processor: "x86-32" })],
    ["on another engine", run("firmseal-full.js", { engine: "JerryScript" })],
    ["in which a vector failed", run("firmseal-full.js", {}, { failed: 1 })],
    ["in which no vector was played", run("firmseal-full.js", {}, { passed: 0 })],
    ["in which one vector in 65 was played", run("firmseal-full.js", {}, { skipped: [{ vectors: 3 * 64, why: "" }] })],
  ])("do not let it pass with a run %s", (_, one) => {
    expect(unrecorded([bundle("firmseal-full.js")], [one])).toEqual(["firmseal-full.js"]);
  });

  it("are the table of the document", () => {
    const text = readFileSync(new URL("../../conformance/README.md", import.meta.url), "utf8");
    expect(withTable(text), "run: node scripts/conformance.mjs --table").toBe(text);
  });
  it("give each engine a row, and say what was not run", () => {
    const everything = (passed, skipped) => ({ name: "everything", sha256: "", passed, failed: 1, skipped });
    const rows = [
      everything(1200, [{ vectors: 7, why: "of a reason" }]),
      everything(30, []),
      { ...everything(5, []), name: "firmseal-full.js" },
    ];
    const lines = table([run("", { engine: "MicroQuickJS", version: "1", bundles: rows })]).split("\n");
    expect(lines.find((line) => line.startsWith("| MicroQuickJS "))).toBe(
      "| MicroQuickJS | not run | not run | 1,230 passed, 2 failed, 7 skipped; by hand 2026-11-30 | not run |",
    );
    expect(lines).toContain("- MicroQuickJS 1, ARM: of a reason.");
    expect(lines.find((line) => line.startsWith("| Moddable XS "))).toMatch(
      /^\| Moddable XS \| [\d,]+ passed, 0 failed, 7 skipped; CI \| not run \| [\d,]+ passed, 0 failed/,
    );
  });
});

it.each([
  [3, "x86-32"],
  [40, "ARM"],
  [62, "x86-64"],
])("reads the processor of a binary: %i is %s", (machine, processor) => {
  const file = join(folder, String(machine));
  const head = Buffer.alloc(64);
  head.write("\x7fELF", "latin1");
  head.writeUInt16LE(machine, 18);
  writeFileSync(file, head);
  const engine = { name: "some", variable: "SOME" };
  expect(processorOf(engine, file)).toBe(processor);
  expect(starterOf(engine, file).at(-1)).toBe(file);
  expect(starterOf(engine, file)[0]).toBe(processor === "ARM" && process.arch !== "arm" ? "qemu-arm" : file);
});

it("plays with a bundle that ships what needs no more than it has", async () => {
  for (const set of await shippedSets()) {
    if (set.native.length > 0) continue;
    const files = LONG ? set.files : everyNth(set.files, 24);
    expect(await conform(node, { ...set, files }), set.name).toMatchObject({ ok: true, output: "" });
  }
}, 120_000);
