// The files of the vectors are what the makers give: none differs, none is missing, none is left over, and the index
// lists each.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { readIndex, readVectors } from "../index.mjs";
import { make } from "../src/make.js";

const HERE = fileURLToPath(new URL("..", import.meta.url));
const AGAIN = "run npx -y pnpm@12.4.2 vectors";
const textOf = (path: string): string => readFileSync(HERE + path, "utf8");

/** Every file below vectors/, by its path in the index. */
const found = readdirSync(`${HERE}vectors`, { recursive: true, withFileTypes: true })
  .filter((entry) => !entry.isDirectory())
  .map((entry) => `${entry.parentPath}/${entry.name}`.slice(HERE.length))
  .sort();

describe("the files", () => {
  let made: Map<string, string>;
  beforeAll(async () => {
    made = await make();
  }, 120_000);

  it("are what the makers give, byte for byte", () => {
    const stale = [...made].filter(([path, text]) => (!found.includes(path) && path.startsWith("vectors/") ? true : textOf(path) !== text));
    expect(
      stale.map(([path]) => path),
      AGAIN,
    ).toEqual([]);
  });

  it("are no more than the makers give", () => {
    expect(
      found.filter((path) => !made.has(path)),
      AGAIN,
    ).toEqual([]);
  });

  it("are listed in the index, each once", () => {
    expect(
      readIndex()
        .vectors.map((v) => v.file)
        .sort(),
    ).toEqual(found);
  });
});

it("no two vectors of one kind in one group have one name, and the index says what the files say", () => {
  const vectors = readVectors();
  const shown = vectors.map(({ name, group, kind, action, strictness, features, expect: e }) => ({
    file: `vectors/${group}/${kind}/${name}.json`,
    ...{ name, group, kind, action },
    ...("code" in e && { code: e.code }),
    ...{ strictness, features },
  }));
  expect(readIndex().vectors).toEqual(shown);
  expect(new Set(shown.map((v) => v.file)).size).toBe(vectors.length);
});
