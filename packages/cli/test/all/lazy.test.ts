// What is loaded when: the modules of the built command line, with all that they import at once.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
const chunks = readdirSync(join(dist, "chunks")).map((file) => join("chunks", file));

const textOf = (file: string) => readFileSync(join(dist, file), "utf8");

/** The files that are loaded with `file`, before something is imported on demand. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, path = ""] of textOf(file).matchAll(/(?:^|[;\n])import(?:[\w$*{][^"();]*?from)?"(\.[^"]+)"/g))
    loadedWith(join(file, "..", path), seen);
  return seen;
}

/** The modules of a source: several sources may have one name. */
const chunksOf = (name: string) => {
  const found = chunks.filter((file) => new RegExp(`^chunks/${name}-[0-9A-Z]{8}\\.js$`).test(file));
  expect(found, name).not.toEqual([]);
  return found;
};

/** Names in the mathematics of ML-DSA. */
const isMlDsa = (file: string) => textOf(file).includes("RejNTTPoly");

it("functions keep their names, which stack traces show", () => {
  for (const name of ["signPrepared", "signRecord"])
    expect(
      chunks.filter((file) => textOf(file).includes(`function ${name}(`)),
      name,
    ).toHaveLength(1);
});

it("ML-DSA is in a module of its own, which no command loads before a key of ML-DSA comes up", () => {
  expect(chunks.filter(isMlDsa)).toEqual(chunksOf("ml-dsa"));
  for (const name of ["sign", "verify", "install", "inspect", "whosigned", "keygen", "pubkey", "simulate"])
    for (const command of chunksOf(name)) {
      const files = [...loadedWith(command)];
      expect(files.length, command).toBeGreaterThan(2);
      expect(files.filter(isMlDsa), command).toEqual([]);
    }
});

/** A name in the reader of TOML, which only product files need. */
const isToml = (file: string) => textOf(file).includes("Invalid TOML document");

it("product files are read by a module of its own, which lint loads only for a product", () => {
  expect(chunks.filter(isToml)).not.toEqual([]);
  for (const name of ["lint", "sign", "verify", "inspect", "install"])
    for (const command of chunksOf(name)) expect([...loadedWith(command)].filter(isToml), command).toEqual([]);
});

/** Words of the reader of MCUboot images, which only such a file needs. */
const isMcuboot = (file: string) => textOf(file).includes("there is no TLV area");

it("files of other boot loaders are read by a module of its own, which is loaded for such a file", () => {
  expect(chunks.filter(isMcuboot)).not.toEqual([]);
  for (const name of ["verify", "inspect"])
    for (const command of chunksOf(name)) expect([...loadedWith(command)].filter(isMcuboot), command).toEqual([]);
});

it("the program loads no command before it is named, and no cryptography", () => {
  const files = [...loadedWith("main.js")];
  // commander, the table of commands, and what is said of failures
  expect(files.reduce((sum, file) => sum + textOf(file).length, 0)).toBeLessThan(100_000);
  for (const file of files) expect(textOf(file), file).not.toMatch(/node:crypto|noble|FIRMSEAL_STATE/);
});

it.each([
  ["sign", 860_000],
  ["verify", 630_000],
] as const)("%s loads nothing large that few runs need", (command, most) => {
  // trust verify has a file of this name too
  const found = chunksOf(command).filter((chunk) => textOf(chunk).includes(`name:"${command}"`));
  expect(found).toHaveLength(1);
  for (const chunk of found) {
    const files = [...loadedWith(chunk, loadedWith("main.js"))];
    expect(
      files.reduce((sum, file) => sum + textOf(file).length, 0),
      chunk,
    ).toBeLessThan(most);
    // words in the readers of TOML, JSON with places and CSV, in the simulated devices, and in tokens
    for (const word of ["TomlError", "Unexpected token", "CsvError", "FlashMisuse", "CKR_"]) {
      expect(
        chunks.some((file) => textOf(file).includes(word)),
        word,
      ).toBe(true);
      for (const file of files) expect(textOf(file).includes(word), `${word} in ${file}`).toBe(false);
    }
  }
});
