// Patterns for images: what they match, and that no pattern takes longer than the names that it is compared with.

import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { alternatives, filesMatching, isPattern, matchesName } from "../src/release/board/pattern.js";

function folderWith(...files: string[]): string {
  const folder = temporaryFolder("firmseal-pattern-");
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), "");
  }
  return folder;
}

it.each([
  ["*", "x.bin", true],
  ["a*b*c", "a-b-b-c", true],
  ["a*b*c", "a-b-b-d", false],
  ["a?c", "abc", true],
  ["a?c", "ac", false],
  ["*.bin", ".bin", true],
  ["**", "x", true],
  ["", "", true],
  ["?", "\u{1f600}", true],
  ["[ab]", "a", false],
  ["[ab]", "[ab]", true],
])("the pattern %s, matched with %s: %s", (pattern, name, expected) => {
  expect(matchesName(pattern, name)).toBe(expected);
});

it("agrees with a model that tries everything", () => {
  const model = (p: string, n: string): boolean => {
    if (p === "") return n === "";
    if (p[0] === "*") return model(p.slice(1), n) || (n !== "" && model(p, n.slice(1)));
    return n !== "" && (p[0] === "?" || p[0] === n[0]) && model(p.slice(1), n.slice(1));
  };
  const text = (letters: string[]) => fc.string({ unit: fc.constantFrom(...letters), maxLength: 8 });
  fc.assert(
    fc.property(text(["a", "b", "*", "?"]), text(["a", "b"]), (p, n) => {
      expect(matchesName(p, n)).toBe(model(p, n));
    }),
    { numRuns: 2000 },
  );
});

it("a pattern of many stars ends after as many comparisons as it has pairs of characters", () => {
  const name = "a".repeat(255);
  let reads = 0;
  // the characters of the name, as they are compared
  const counted = { [Symbol.iterator]: () => counting(name)[Symbol.iterator]() } as unknown as string;
  function counting(text: string): string[] {
    return new Proxy([...text], {
      get: (list, key, self) => {
        if (typeof key === "string" && /^\d+$/.test(key)) reads++;
        return key === Symbol.iterator ? Array.prototype[Symbol.iterator].bind(self) : Reflect.get(list, key, list);
      },
    });
  }
  const pattern = `${"*a".repeat(100)}*b`;
  expect(matchesName(pattern, counted)).toBe(false);
  expect(reads).toBeLessThan(2 * pattern.length * name.length);
});

it("finds files in folders, and follows no link to a folder", () => {
  const folder = folderWith("build/a-1.bin", "build/.hidden/b.bin", "build/x/y/c.bin", "build/[1]/d.bin", "z/e.bin");
  symlinkSync("build", join(folder, "link"));
  symlinkSync("..", join(folder, "build/x/up"));
  const found = (pattern: string) => filesMatching(folder, pattern);
  expect(found("build/a-*.bin")).toEqual(["build/a-1.bin"]);
  expect(found("**/c.bin")).toEqual(["build/x/y/c.bin"]);
  expect(found("build/**/*.bin")).toEqual(["build/.hidden/b.bin", "build/[1]/d.bin", "build/a-1.bin", "build/x/y/c.bin"]);
  expect(found("**/**/**/*.bin")?.length).toBe(5);
  expect(found("build/[1]/*.bin")).toEqual(["build/[1]/d.bin"]);
  expect(found("{build,z}/{a-?,e}.bin")).toEqual(["build/a-1.bin", "z/e.bin"]);
  expect(found("link/*.bin")).toEqual(["link/a-1.bin"]);
  expect(found("l*k/*.bin")).toEqual([]);
  expect(found("./build/../z/*.bin")).toEqual(["z/e.bin"]);
  expect(filesMatching("", join(folder, "z/*.bin"))).toEqual([join(folder, "z/e.bin")]);
  expect(found("gone/*.bin")).toEqual([]);
});

it("braces have a limit", () => {
  expect([...(alternatives("{a,{b,c}}{1,2}") ?? [])].sort()).toEqual(["a1", "a2", "b1", "b2", "c1", "c2"]);
  expect(alternatives("{a,b}".repeat(9))).toBeUndefined();
  expect(filesMatching(".", "{a,b}".repeat(100))).toBeUndefined();
  expect(isPattern("a{b}c")).toBe(false);
  expect(isPattern("a{b,c}")).toBe(true);
});
