// What is loaded when: the modules of the built command line, followed by their static imports, of which each is loaded when it is first used.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { Place } from "../../test-support/src/command-line/run.js";
import { COMMANDS } from "../src/commands.generated.js";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const chunks = readdirSync(join(dist, "chunks"));

const textOf = (file: string) => readFileSync(join(dist, file), "utf8");

/** The modules that a program holds. */
const insideOf = (text: string) =>
  [...text.matchAll(/"([\w-]+)"(?:\(\)|:\(function\(\))\{return ?(?:__with\()*\{/g)].map(([, name]) => name as string);
const inMain = insideOf(textOf("main.js"));

/** Every module that may be loaded with `file` before something is imported on demand. main.js has those that each command needs. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name = ""] of textOf(file).matchAll(/\b__later\("([\w-]+)"\)/g))
    loadedWith(inMain.includes(name) ? "main.js" : join("chunks", `${name}.js`), seen);
  return seen;
}

/** The modules of a source: several sources may have one name. */
const chunksOf = (name: string) => {
  const found = chunks.filter((file) => new RegExp(`^${name}-[0-9A-Z]{8}\\.js$`).test(file));
  expect(found, name).not.toEqual([]);
  return found.map((file) => join("chunks", file));
};

/** Names in the mathematics of ML-DSA. */
const isMlDsa = (file: string) => textOf(file).includes("RejNTTPoly");

it("ML-DSA is in a module of its own, which no command loads before a key of ML-DSA comes up", () => {
  expect(chunks.map((file) => join("chunks", file)).filter(isMlDsa)).toEqual(chunksOf("ml-dsa"));
  for (const name of ["sign", "verify", "install", "inspect", "whosigned", "keygen", "pubkey", "simulate", "file"])
    for (const command of chunksOf(name)) {
      const files = [...loadedWith(command)];
      expect(files.length, command).toBeGreaterThan(2);
      expect(files.filter(isMlDsa), command).toEqual([]);
    }
  expect([...loadedWith("main.js")].filter(isMlDsa)).toEqual([]);
});

/** A name in the reader of TOML, which only product files need. */
const isToml = (file: string) => textOf(file).includes("Invalid TOML document");

it("product files are read by a module of its own, which lint loads only for a product", () => {
  expect(chunks.map((file) => join("chunks", file)).filter(isToml)).not.toEqual([]);
  for (const name of ["lint", "sign", "verify", "inspect", "install"])
    for (const command of chunksOf(name)) expect([...loadedWith(command)].filter(isToml), command).toEqual([]);
});

it("--help of a command loads its declaration, and nothing that it needs to run", () => {
  const declared = chunks.filter((file) => file.startsWith("declare-"));
  expect(declared).toHaveLength(COMMANDS.length);
  for (const file of declared) {
    const files = [...loadedWith(join("chunks", file))];
    const bytes = files.reduce((sum, one) => sum + textOf(one).length, 0);
    // commander with all of main.js, the options and shapes that commands share, and tables of names
    expect(bytes, file).toBeLessThan(150_000);
    for (const one of files) expect(textOf(one), `${file}: ${one}`).not.toMatch(/node:crypto|noble|FIRMSEAL_STATE/);
  }
});

/** The modules that a program or a module may load. */
const loadedBy = (text: string) => [...text.matchAll(/\b__(?:load|later)\("([\w-]+)"\)/g)].map(([, name]) => name as string);

it.each([
  ["sign", 200_000],
  ["verify", 140_000],
] as const)("%s reads one file, and in it nothing that few runs need", (command, most) => {
  const text = textOf(`${command}.js`);
  // a millisecond for each 30 kB
  expect(text.length).toBeLessThan(most);
  // V8 reads a text with other characters as one of twice the size
  expect(text).toMatch(/^[\t\n -~]*$/);
  expect(insideOf(text).filter((name) => name.startsWith(`${command}-`))).toHaveLength(1);
  // words in the readers of TOML, JSON with places, CSV, in globs, in tokens, in the mathematics of P-256 and of Ed25519 for keys
  for (const word of ["TomlError", "Unexpected token", "CsvError", "CKR_", "weierstrass", "wNAF"])
    expect(text.includes(word), word).toBe(false);
});

it("functions that a plain run does not call are in a file of their own, which it does not read", async () => {
  const place = new Place();
  place.keepsLogs = true;
  place.put("fw.bin", "firmware".repeat(600));
  const list = place.at("files.json");
  place.put(
    "list.cjs",
    `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(list)}, JSON.stringify(Object.keys(require.cache))));`,
  );
  const filesOf = async (...args: string[]) => {
    const { exit, stderr } = await place.run(args, { env: { NODE_OPTIONS: `--require ${place.at("list.cjs")}` } });
    expect(exit, stderr).toBe(0);
    const read = JSON.parse(place.get("files.json").toString()) as string[];
    return read.filter((path) => path.startsWith(dist)).map((path) => path.slice(dist.length));
  };
  await filesOf("keygen", "--out", "key.pem", "--no-passphrase");
  place.put("key.jwk", (await place.run(["pubkey", "key.pem"])).stdout);
  const image = ["sign", "fw.bin", "--key", "key.pem", "--vendor", "example.com", "--class", "a"];
  expect(await filesOf(...image, "--seq", "next", "--first", "--out", "fw.suit")).toEqual(["sign.js"]);
  expect(await filesOf(...image, "--seq", "next", "--out", "fw.suit")).toEqual(["sign.js"]);
  expect(await filesOf("verify", "fw.suit", "--key", "key.jwk")).toEqual(["verify.js"]);
  // what is not plain finds the rest
  expect(await filesOf("verify", "fw.suit", "--key", "key.jwk", "--json")).toContain("verify.js");
  const wrong = await place.run(["sign", "fw.bin", "--key", "key.pem", "--vendor", "example com", "--class", "a", "--seq", "9"], {
    program: true,
  });
  expect(wrong.stderr).toContain("is neither a UUID nor a name");
  for (const program of ["sign", "verify"]) {
    expect(textOf(`chunks/rest-of-${program}.js`).length).toBeGreaterThan(50_000);
    // compiled at once, and with its name in stack traces
    expect(textOf(`${program}.js`)).toMatch(/^"use strict";var \w+=\((?:async )?function\*?\(/);
  }
});

it.each(["main", "sign", "verify"])("%s.js holds a module, or finds it in a file", (program) => {
  const text = textOf(`${program}.js`);
  const inside = insideOf(text);
  const missing = (of: string) => loadedBy(of).filter((name) => !inside.includes(name) && !chunks.includes(`${name}.js`));
  expect(missing(text)).toEqual([]);
  const reached = new Set<string>();
  const reach = (of: string) => {
    for (const name of loadedBy(of)) {
      if (inside.includes(name) || reached.has(name)) continue;
      reached.add(name);
      const chunk = textOf(join("chunks", `${name}.js`));
      expect(missing(chunk), name).toEqual([]);
      reach(chunk);
    }
  };
  reach(text);
  expect(reached.size).toBeGreaterThan(100);
});
