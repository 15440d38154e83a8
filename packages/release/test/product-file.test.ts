// The product file: where a message says that a member is, and what a schema repeats of the tables. And the clock.

import { ROLES } from "@firmseal/signer";
import fc from "fast-check";
import { stringify } from "smol-toml";
import { describe, expect, it } from "vitest";
import { anyCharacter } from "../../test-support/src/characters.js";
import schema from "../schema/product.schema.json" with { type: "json" };
import { sourceDate } from "../src/input/clock.js";
import { newProduct } from "../src/product/file/new.js";
import { positionOf } from "../src/product/file/position.js";
import { plainName } from "../src/product/file/projects.js";
import { productIn } from "../src/product/file/read.js";

const at = (text: string, pointer: string) => {
  const { line, column } = positionOf(text, pointer);
  return `${line}:${column}`;
};

describe("the position of a member", () => {
  const text = `# a comment: name = 1
name = "x" # name
a.b = 1
  "quoted key" = 2
text = """
name2 = 3
[no.table]
"""
list = [
  { k = 1 },
  "[not.a.table]",
]

[one."two.three"]
four = { five = 5, six = { seven = 7 } }
[[many]]
k = 1
[[many]]
k = 2
`;

  it.each([
    ["/name", "2:1"],
    ["/a", "3:1"],
    ["/a/b", "3:1"],
    ["/quoted key", "4:3"],
    ["/name2", "1:1"],
    ["/no/table", "1:1"],
    ["/list", "9:1"],
    ["/one", "14:1"],
    ["/one/two.three/four", "15:1"],
    ["/one/two.three/four/five", "15:10"],
    ["/many/0/k", "17:1"],
    ["/many/1/k", "19:1"],
    ["/many/1/other", "18:1"],
    ["/gone", "1:1"],
  ])("%s: %s", (pointer, place) => expect(at(text, pointer)).toBe(place));

  it("is that of a line with its name, for whatever the writer of a library writes", () => {
    const key = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
    const table = fc.dictionary(key, fc.oneof(fc.integer(), fc.boolean(), fc.string(), fc.array(fc.integer())), { minKeys: 1, maxKeys: 4 });
    fc.assert(
      fc.property(fc.dictionary(key, table, { minKeys: 1, maxKeys: 4 }), (value) => {
        const lines = stringify(value).split("\n");
        for (const [name, own] of Object.entries(value))
          for (const member of Object.keys(own)) {
            const { line } = positionOf(lines.join("\n"), `/${name}/${member}`);
            expect(lines[line - 1]?.startsWith(`${member} =`)).toBe(true);
          }
      }),
    );
  });
});

describe("a product file", () => {
  it("has the roles of trust files, except that of the root, and that of boot loaders", () => {
    expect(Object.keys(schema.properties.keys.properties).toSorted()).toEqual(
      [...Object.keys(ROLES).filter((name) => name !== "root"), "boot"].toSorted(),
    );
  });

  it("takes relative paths from its folder, and references as they are", () => {
    const text = `name = "x"\nvendor = "a.b"\n[keys]\nrelease = ["k.pem", "env:KEY", "/abs.pem"]\n[boards.one]\nimage = "fw.bin"\n`;
    const product = productIn("sub/firmseal.toml", text);
    expect(product.keys.release).toEqual(["sub/k.pem", "env:KEY", "/abs.pem"]);
    expect([product.boards[0]?.images[0]?.files, product.out, product.boards[0]?.classes]).toEqual([["sub/fw.bin"], "sub/dist", ["x-one"]]);
  });

  it("from init is one, whatever the names in a project are", () => {
    const image = fc.oneof(fc.constantFrom("constructor", "__proto__"), fc.string({ unit: anyCharacter, minLength: 1, maxLength: 200 }));
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), image, (name, image) => {
        const { product } = newProduct("firmseal.toml", {
          name: plainName(name),
          vendor: "a.b",
          boards: [{ name: plainName(image), image }],
          keys: ["k.pem"],
          trust: { keys: ["k.pub"] },
        });
        expect(product.boards[0]?.images[0]?.files).toEqual([image]);
      }),
    );
  });

  it.each([
    ["Ärger mit Leer", "Arger-mit-Leer"],
    ["caf\u00e9 2", "cafe-2"],
    ["日本", "product"],
  ])("from init keeps the letters of %s", (text, name) => expect(plainName(text)).toBe(name));

  it.each(["constructor", "__proto__"])("has no board %s", (name) => {
    const text = `name = "x"\nvendor = "a.b"\n[keys]\nrelease = "k.pem"\n[boards.${name}]\nimage = "fw.bin"\n`;
    expect(() => productIn("firmseal.toml", text)).toThrow("firmseal.toml:5:2: __proto__ and constructor are not names");
  });
});

describe("the time of a release", () => {
  const now = Date.UTC(2026, 10, 26);
  it("is that of SOURCE_DATE_EPOCH, if that is a time", () => {
    expect([undefined, ""].map((text) => sourceDate({ SOURCE_DATE_EPOCH: text }, now))).toEqual([undefined, undefined]);
    expect(sourceDate({ SOURCE_DATE_EPOCH: "1700000000" }, now)).toBe(1_700_000_000);
    for (const text of ["x", "1.5", "-1", " 1", "99999999999"])
      expect(() => sourceDate({ SOURCE_DATE_EPOCH: text }, now)).toThrow("not a time in the past");
  });
});
