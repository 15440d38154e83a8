// Every member of the product file says what it names: people who approve a release see what is marked.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MARKED_MEMBERS, markedMembers } from "../src/product/file/marked.js";
import { writtenIn } from "../src/product/file/written.js";

interface Schema {
  $ref?: string;
  refersTo?: string;
  type?: string | string[];
  properties?: { [name: string]: Schema };
  additionalProperties?: boolean | Schema;
  items?: Schema;
  $defs?: { [name: string]: Schema };
  [keyword: string]: unknown;
}

const schema = JSON.parse(readFileSync(new URL("../schema/product.schema.json", import.meta.url), "utf8")) as Schema;
/** Keywords that hold no member, or whose members marksIn() visits. Any other may hide one. */
const VISITED = /^(?:\$schema|\$id|\$ref|\$defs|title|description|type|enum|pattern|refersTo|required|items|properties|propertyNames)$/;
const LIMIT = /^(?:additionalProperties|uniqueItems|minimum|maximum|(?:min|max)(?:Items|Length|Properties))$/;
const MARKS = ["key", "recipient", "path", "program", "target", "ledger", "device", "waiver", "nothing"];

const resolved = (one: Schema, root: Schema): Schema =>
  one.$ref === undefined ? one : { ...root.$defs?.[one.$ref.slice("#/$defs/".length)], ...one };

/** The marks of the members of a schema, and those that have none. */
function marksIn(root: Schema, given: Schema = root, at = ""): { marks: [string, string][]; without: string[] } {
  const one = resolved(given, root);
  const below: [string, Schema][] = [
    ...Object.entries(one.properties ?? {}),
    ...(typeof one.additionalProperties === "object" ? [["*", one.additionalProperties] as [string, Schema]] : []),
    // a list of texts is one member, and so has the mark of its own
    ...(one.items && [one.items, resolved(one.items, root)].some(({ properties }) => properties)
      ? [["*", one.items] as [string, Schema]]
      : []),
  ];
  const inside = below.map(([name, of]) => marksIn(root, of, `${at}/${name}`));
  const isMarked = one.refersTo !== undefined && MARKS.includes(one.refersTo);
  const isLeaf = below.length === 0;
  const hidden = Object.keys(one).filter((keyword) => !VISITED.test(keyword) && !LIMIT.test(keyword));
  // named members, and any others
  if (one.properties && one.additionalProperties !== false) hidden.push("additionalProperties");
  return {
    marks: [...(isMarked ? [[at, one.refersTo as string] as [string, string]] : []), ...inside.flatMap(({ marks }) => marks)],
    without: [
      ...(isLeaf && !isMarked ? [at] : []),
      ...hidden.map((keyword) => `${at}?${keyword}`),
      ...inside.flatMap(({ without }) => without),
    ],
  };
}

describe("the members of a product file", () => {
  it("are all marked in the schema, and what names something is in the table", () => {
    const { marks, without } = marksIn(schema);
    expect(without).toEqual([]);
    expect(Object.fromEntries(marks.filter(([, mark]) => mark !== "nothing"))).toEqual(MARKED_MEMBERS);
  });

  it.each<[string, (s: { properties: { [name: string]: Schema }; $defs: { [name: string]: Schema } }) => void, string]>([
    ["of the product", (s) => Object.assign(s.properties, { recipients: { $ref: "#/$defs/references" } }), "/recipients"],
    ["of a board", (s) => Object.assign(s.$defs["board"]?.properties ?? {}, { program: { type: "string" } }), "/boards/*/program"],
    ["in a list", (s) => Object.assign(s.$defs["waiver"]?.properties ?? {}, { by: { type: "string" } }), "/policy/waivers/*/by"],
    [
      "beside a pattern",
      (s) => Object.assign(s.properties, { a: { patternProperties: { x: {} }, refersTo: "path" } }),
      "/a?patternProperties",
    ],
    ["in one of two forms", (s) => Object.assign(s.$defs["waiver"] ?? {}, { oneOf: [{}] }), "/policy/waivers/*?oneOf"],
    [
      "of any name",
      (s) => Object.assign(s.$defs["waiver"] ?? {}, { additionalProperties: true }),
      "/policy/waivers/*?additionalProperties",
    ],
    ["with a mark of no kind", (s) => Object.assign(s.properties, { out: { type: "string", refersTo: "Path" } }), "/out"],
  ])("are noticed without a mark: a new one %s", (_, change, member) => {
    const other = structuredClone(schema) as Parameters<typeof change>[0];
    change(other);
    expect(marksIn(other).without).toEqual([member]);
  });

  it("are found in a file, with every text of a list, of a table and of what is not known in detail", () => {
    const text = `name = "gw"
vendor = "example.com"
out = "releases"
[boards.a]
image = { a = "a.bin", b = "b.bin" }
revisions = ["1", "2"]
[[boards.a.components]]
name = "radio"
image = "r.bin"
[keys]
release = ["exec:make", "B.pem"]
[trust]
keys = "B.pub"
[[policy.waivers]]
rule = "L40"
reason = "later"
until = 2099-01-01
[publication]
kind = "s3"
more = { bucket = "b" }
`;
    expect(markedMembers(writtenIn("firmseal.toml", text)).map(({ member, refersTo, value }) => `${member} ${refersTo} ${value}`)).toEqual([
      ...["/vendor device example.com", "/out path releases", "/boards/a/revisions/0 device 1", "/boards/a/revisions/1 device 2"],
      ...["/boards/a/image/a path a.bin", "/boards/a/image/b path b.bin", "/boards/a/components/0/name device radio"],
      ...["/boards/a/components/0/image path r.bin", "/keys/release/0 key exec:make", "/keys/release/1 key B.pem", "/trust/keys key B.pub"],
      ...["/policy/waivers/0/rule waiver L40", "/policy/waivers/0/reason waiver later", "/policy/waivers/0/until waiver 2099-01-01"],
      ...["/publication/kind target s3", "/publication/more/bucket target b"],
    ]);
  });
});
