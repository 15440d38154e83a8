import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { checkFolder, writeFolder } from "../src/internal.js";

const { mkdirSync } = fs;

/** Another process removes the empty folder around a temporary one, just before that is made: so many times. */
function removedBefore(times: number): () => number {
  let removed = 0;
  fs.mkdirSync = ((path: string, options) => {
    if (path.endsWith(".tmp") && removed < times) {
      fs.rmdirSync(dirname(path));
      removed++;
    }
    return mkdirSync(path, options);
  }) as typeof mkdirSync;
  syncBuiltinESMExports();
  return () => removed;
}

afterEach(() => {
  fs.mkdirSync = mkdirSync;
  syncBuiltinESMExports();
});

describe("a folder that another process removes while it is empty", () => {
  it("is made again: by a check, which leaves nothing, and for files", () => {
    const folder = temporaryFolder("firmseal-write-");
    const removed = removedBefore(3);
    checkFolder(join(folder, "a/dist/1.0.0"));
    expect(removed()).toBe(3);
    expect(fs.readdirSync(folder)).toEqual([]);
    removedBefore(3);
    writeFolder(join(folder, "a/dist/1.0.0"), new Map([["x", Uint8Array.of(1)]]));
    expect(fs.readdirSync(join(folder, "a/dist"))).toEqual(["1.0.0"]);
    expect([...fs.readFileSync(join(folder, "a/dist/1.0.0/x"))]).toEqual([1]);
  });

  it("is an error if it vanishes each time", () => {
    const folder = temporaryFolder("firmseal-write-");
    removedBefore(Number.POSITIVE_INFINITY);
    expect(() => writeFolder(join(folder, "dist/1.0.0"), new Map())).toThrow("dist/1.0.0: file not found");
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});
