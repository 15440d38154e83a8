// docs/guides/espruino.md as it is typed, on a Linux build of Espruino, and its figures. A build with the memory of a Puck.js measures them: 2,630
// variables of 13 bytes, and 40 kB of Storage in pages of 4,096.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { minifiedBundle } from "../packages/bundler/src/index.js";
import { Place } from "../packages/test-support/src/command-line/run.js";
import { starterOf } from "../scripts/conformance/engines.mjs";
import { blocksOf, ROOT, read, shell, withFirmseal } from "./pages.js";

const PAGE = "docs/guides/espruino.md";
/** A build for this processor, or for ARM: it runs under qemu. */
const VARIABLE = process.env["ESPRUINO"] ? "ESPRUINO" : "ESPRUINO_ARM";
const PROGRAM = process.env[VARIABLE];
const ESPRUINO = PROGRAM ? starterOf({ variable: VARIABLE }, resolve(PROGRAM)) : [];
const why = PROGRAM ? "" : " (skipped: set ESPRUINO=/path/to/espruino, or ESPRUINO_ARM=/path/to/espruino)";
const EXAMPLES = join(ROOT, "examples/espruino/");
const FACTS = "--for micro --vendor example.com --class board-v2 --uri https://example.com/app".split(" ");

/** The numbers of a row of the page's tables. */
function row(name: string): number[] {
  const line = read(PAGE).match(new RegExp(`^\\| ${name} \\|(.*)\\|$`, "m"))?.[1];
  expect(line, name).toBeDefined();
  return (line as string).split("|").map((cell) => Number(cell.replaceAll(",", "")));
}

/** A figure of the page may be off by a tenth: it is not written again for each byte of the module. */
const near = (found: number, written: number | undefined, what: string) =>
  expect(Math.abs(found - (written as number)), `${what}: the page has ${written}, measured ${found}`).toBeLessThanOrEqual(0.1 * found);

const HEADER = 32;
const PAGE_SIZE = 4096;
const STORAGE = 40 * 1024;
const inFlash = (bytes: number) => HEADER + Math.ceil(bytes / 4) * 4;
/** A record with two parts and three tries, of which there are two. */
const RECORD = 16 + 2 * 80 + 2 + 25 + 3 * 8;

/** What is left for each of two generations of the app: without the last page, which takes no header. */
function left(fixed: readonly number[], kept: number): number {
  const used = [...fixed, RECORD, RECORD, ...(kept ? [kept, kept] : [])].reduce((n, bytes) => n + inFlash(bytes), 0);
  return Math.floor((STORAGE - PAGE_SIZE - used) / 2) - HEADER;
}

describe("room on a board with 40 kB", () => {
  it("is what the page says", async () => {
    const board = { algs: ["hsslms"], features: ["storage"], format: "espruino", micro: ["sha256"] } as const;
    const [bootless, micro, general, boot] = await Promise.all([
      minifiedBundle({ ...board, without: ["boot"] }),
      minifiedBundle(board),
      minifiedBundle({ algs: ["hsslms"], features: ["install", "storage"], format: "espruino" }),
      minifiedBundle({ algs: [], features: [], format: "boot" }),
    ]);
    const script = readFileSync(join(EXAMPLES, "update-micro.js"), "utf8").replaceAll(/^ *(\/\/.*\n)?/gm, "");
    const key = Buffer.alloc(60).toString("base64");
    const update = `var factory=[["hsslms",atob("${key}")]]\n${script}`.length;
    // wrapper and manifest, with one level of H5/W4
    const kept = 2563 - 6;
    const rows: [string, number[]][] = [
      ["module", [bootless, micro, general].map((text) => text.length)],
      ["boot file", [boot.length, boot.length, boot.length]],
      ["update script with one key", [update, update, update]],
      ["two envelopes that are kept", [0, 2 * kept, 2 * kept]],
    ];
    for (const [name, found] of rows) for (const [i, n] of found.entries()) near(n, row(name)[i], `${name}, column ${i + 1}`);
    const [most, some] = row("left for each of two generations");
    near(left([bootless.length, boot.length, update], 0), most, "left without boot()");
    near(left([micro.length, boot.length, update], kept), some, "left with boot()");
    // the page says "none"
    expect(left([general.length, boot.length, update], kept)).toBeLessThan(0);
    expect(left([bootless.length, boot.length, update], 0)).toBeGreaterThanOrEqual(11 * 1024);
  }, 300_000);
});

/** What the console says to lines, in a folder with its Storage. */
function say(place: Place, lines: string): string {
  const [program = "", ...first] = ESPRUINO;
  const { stdout } = spawnSync(program, first, {
    cwd: place.path,
    input: `${lines}\n\x10quit()\n`,
    encoding: "latin1",
    timeout: 120_000,
  });
  expect(stdout).not.toMatch(/Uncaught|ERROR|MEMORY/);
  return stdout;
}

const numbersIn = (text: string) => [...new Set([...text.matchAll(/\bfirmseal: (\d+)$/gm)].map(([, n]) => Number(n)))];

describe.skipIf(!PROGRAM)(`the page about Espruino${why}`, () => {
  it("is true line by line: three updates, refusals, room, and a key change", async () => {
    const place = new Place();
    const blocks = blocksOf(PAGE).filter(({ language }) => language === "sh");
    const script = blocks
      .map(({ text }) => `${text.replaceAll(/^(send |\$ESPRUINO -e|\{ printf).*$/gm, "$&\necho '=== step'")}`)
      .join("\n");
    // Espruino would read the rest of a script that comes through stdin
    place.put("page.sh", script);
    const ran = await withFirmseal((define) =>
      shell(`${define}source ./page.sh < /dev/null`, place.path, { FIRMSEAL: ROOT, ESPRUINO: ESPRUINO.join(" ") }),
    );
    expect({ status: ran.status, stderr: ran.status === 0 ? "" : ran.stderr }).toEqual({ status: 0, stderr: "" });
    expect(ran.stdout).not.toMatch(/Uncaught|ERROR|MEMORY/);
    const steps = ran.stdout.split("=== step").slice(0, -1);
    const told = steps.map((text) => [...new Set(text.match(/app \d runs|firmseal: there is nothing|^firmseal: \d+/gm) ?? [])].join(", "));
    // after a refusal, each further packet gets the answer that no update is under way: 86
    expect(told).toEqual([
      "firmseal: there is nothing, firmseal: 0",
      "app 1 runs",
      "app 1 runs, firmseal: 0",
      "app 2 runs",
      "app 2 runs, firmseal: 0",
      "app 3 runs",
      "app 3 runs, firmseal: 0, firmseal: 38, firmseal: 86",
      "app 3 runs, firmseal: 0, firmseal: 78",
      "app 3 runs",
      "app 3 runs, firmseal: 0",
      "app 3 runs, firmseal: 0",
      "app 4 runs",
      "app 4 runs, firmseal: 0, firmseal: 65, firmseal: 86",
      "app 4 runs, firmseal: 0",
      "app 5 runs",
    ]);
  }, 600_000);
});

describe.skipIf(!PROGRAM)(`a board with 2,630 variables and 40 kB of Storage${why}`, () => {
  const place = new Place();
  let line: string;
  let isBoard = false;
  const OTHER = `${VARIABLE} has other variables or another Storage than a Puck.js`;
  const app = (n: number, size: number) => {
    const head = `${line}\nprint("app ${n} runs");firmsealApp.confirm();delete firmsealApp;\n//`;
    return `${head}${"x".repeat(size - head.length)}`;
  };
  const send = (name: string, image = `${name}.js`) => {
    const r = spawnSync(process.execPath, [join(EXAMPLES, "send.mjs"), `${name}.suit`, image], { cwd: place.path, encoding: "latin1" });
    expect(r.stderr).toBe("");
    return r.stdout;
  };
  const update = async (n: number, size: number, hooks = "", after = "") => {
    place.put(`app-${n}.js`, app(n, size));
    await place.ok(["sign", `app-${n}.js`, ...FACTS, "--seq", String(n), "--key", "release.pem"]);
    return say(place, `${hooks}${send(`app-${n}`)}${after}`);
  };

  beforeAll(async () => {
    await place.ok("keygen --alg hsslms --hss 5/4 --out release.pem --no-passphrase".split(" "));
    await place.ok("pubkey release.pem --format raw --out key.bin".split(" "));
    line = `//firmseal [["hsslms",atob("${place.get("key.bin").toString("base64")}")]]`;
    const options = "bundle --micro --alg hsslms --host sha256 --device storage --without boot --format espruino --out firmseal.js";
    await place.ok(options.split(" "));
    await place.ok("bundle --format boot --out boot0.js".split(" "));
    const script = readFileSync(join(EXAMPLES, "update-micro.js"), "utf8").replaceAll(/^ *(\/\/.*\n)?/gm, "");
    place.put("update.js", `${line.replace("//firmseal ", "var factory=")}\n${script}`);
    const files = ["firmseal=firmseal.js", ".boot0=boot0.js", "update=update.js"];
    const r = spawnSync(process.execPath, [join(EXAMPLES, "upload.mjs"), ...files], { cwd: place.path, encoding: "latin1" });
    const said = say(place, `${r.stdout.replaceAll(/^/gm, "\x10")}print("board",process.memory().total,require("Storage").getFree())`);
    const [, variables, free] = said.match(/board (\d+) (\d+)/) ?? [];
    isBoard = variables === "2630" && Number(free) < STORAGE;
  }, 120_000);

  it("holds two generations of 11 kB, takes the third after it has made room, and keeps to its figures", async ({ skip }) => {
    skip(!isBoard, OTHER);
    const size = 11 * 1024;
    expect(numbersIn(await update(1, size))).toEqual([0]);
    expect(numbersIn(await update(2, size))).toEqual([0]);
    // it was confirmed at the start before, and the first one still takes its place
    const third = await update(3, size);
    expect(third).toContain("app 2 runs");
    expect(numbersIn(third)).toEqual([0, 99, 86]);
    expect(numbersIn(say(place, '\x10print("firmseal: "+require("update").room())'))).toEqual([0]);
    // bytes: files and headers, as the page counts them
    const free = Number(say(place, '\x10print("free",require("Storage").getFree())').match(/free (\d+)/)?.[1]);
    const files = ["firmseal.js", "boot0.js", "update.js"].map((name) => place.get(name).length);
    expect(Math.abs(STORAGE - free - [...files, size, RECORD, RECORD].reduce((n, bytes) => n + inFlash(bytes), 0))).toBeLessThan(100);
    expect(numbersIn(say(place, send("app-3")))).toEqual([0]);
    expect(say(place, "")).toContain("app 3 runs");

    expect(numbersIn(say(place, '\x10print("firmseal: "+require("update").room())'))).toEqual([0]);
    const hooks = [
      "var PEAK=0,M=function(){var u=process.memory(false).usage;if(u>PEAK)PEAK=u},C=require('crypto'),S=C.SHA256",
      "C.SHA256=function(d){M();return S(d)}",
      "var T=require('Storage'),W=T.write.bind(T);T.write=function(n,d,o,s){M();return W(n,d,o,s)}",
      "var OWN=process.memory().usage",
    ].map((one) => `\x10${one}\n`);
    const before = '\x10print("before",process.memory().usage)\n';
    const said = await update(4, 300, before + hooks.join(""), '\x10print("peak",PEAK,OWN,process.memory().usage)');
    expect(numbersIn(said)).toEqual([0]);
    const start = Number(said.match(/before (\d+)/)?.[1]);
    const [, peak, own, after] = (said.match(/peak (\d+) (\d+) (\d+)/) ?? []).map(Number) as [number, number, number, number];
    // without the code that measures
    const hooked = own - start;
    near(start, row("after the start, with the app")[0], "after the start");
    near(peak - hooked, row("the most during an update, in verification, hashing and writing")[0], "the most");
    near(after - hooked, row("after the update")[0], "after the update");
    expect(peak).toBeLessThan(2630 - 300);
  }, 600_000);

  it("loses nothing to a release that leaves out its keys, is too long, or lacks its beginning", async ({ skip }) => {
    skip(!isBoard, OTHER);
    const put = (n: number, text: string) => `\x10print("firmseal: "+require("update").put(${JSON.stringify(text.slice(0, n))}))\n`;
    expect(numbersIn(say(place, put(5, "hello")))).toEqual([86]);
    expect(numbersIn(say(place, '\x10print("firmseal: "+require("update").end())'))).toEqual([86]);
    for (const n of ["0", "-1", "6000", "0/0", '"x"'])
      expect(numbersIn(say(place, `\x10print("firmseal: "+require("update").begin(${n}))`))).toEqual([48]);
    say(place, "");
    place.put("bare.js", "print(1)");
    await place.ok(["sign", "bare.js", ...FACTS, "--seq", "90", "--key", "release.pem"]);
    expect(numbersIn(say(place, send("bare")))).toEqual([0, 50, 86]);
    expect(say(place, "")).toContain("app 4 runs");
  }, 600_000);
});
