// What is loaded when: the modules of the built command line, followed by their static imports.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import "../../test-support/src/run.js";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const chunks = readdirSync(join(dist, "chunks"));

/** Every module that is loaded with `file`, whatever a command does. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(join(dist, file), "utf8");
  for (const [, name = ""] of text.matchAll(/(?:from|import)\s*"\.\/(?:chunks\/)?([\w-]+\.js)"/g)) loadedWith(join("chunks", name), seen);
  return seen;
}

const chunk = (name: string) => {
  const found = chunks.filter((file) => new RegExp(`^${name}-[0-9A-Z]{8}\\.js$`).test(file));
  expect(found, name).toHaveLength(1);
  return join("chunks", found[0] as string);
};

/** Names in the mathematics of ML-DSA. */
const isMlDsa = (file: string) => readFileSync(join(dist, file), "utf8").includes("RejNTTPoly");

it("ML-DSA is in a module of its own, which no command loads before a key of ML-DSA comes up", () => {
  expect(chunks.map((file) => join("chunks", file)).filter(isMlDsa)).toEqual([chunk("ml-dsa")]);
  for (const command of ["sign", "verify", "install", "inspect", "whosigned", "keygen", "pubkey", "simulate", "file"]) {
    const files = [...loadedWith(chunk(command))];
    expect(files.length, command).toBeGreaterThan(2);
    expect(files.filter(isMlDsa), command).toEqual([]);
  }
  expect([...loadedWith("main.js")].filter(isMlDsa)).toEqual([]);
});
