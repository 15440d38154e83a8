// What a file beside a release is, by its content.

import { expect, it } from "vitest";
import { isTooDeep, parseJson } from "../src/input/json.js";
import { documentKind } from "../src/report/documents.js";

const CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";

it.each([
  ["CycloneDX in JSON", '{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{}]}', { name: "CycloneDX", of: "1.6", count: 1 }],
  [
    "CycloneDX in XML",
    '<?xml version="1.0"?>\n<bom xmlns="http://cyclonedx.org/schema/bom/1.5" version="1">',
    { name: "CycloneDX", of: "1.5" },
  ],
  ["SPDX in JSON", '{"packages":[{},{}],"spdxVersion":"SPDX-2.3"}', { name: "SPDX", of: "SPDX-2.3", count: 2 }],
  [
    "SPDX 3",
    `{"@context":"${CONTEXT}","@graph":[{"type":"software_Package"},{"type":"Person"},null]}`,
    { name: "SPDX", of: "SPDX-3.0.1", count: 1 },
  ],
  ["SPDX in tags and values", "# made by a tool\nSPDXVersion: SPDX-2.3\n", { name: "SPDX", of: "SPDX-2.3" }],
  ["SPDX in YAML", 'packages: []\nspdxVersion: "SPDX-2.2"\n', { name: "SPDX", of: "SPDX-2.2" }],
  ["SPDX in RDF", "<rdf:RDF><spdx:specVersion>SPDX-2.3</spdx:specVersion>", { name: "SPDX", of: "SPDX-2.3" }],
  [
    "in-toto",
    '{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1"}\n',
    { name: "in-toto", of: "https://slsa.dev/provenance/v1" },
  ],
  ["an object", "{}", { name: "file" }],
  ["a list", "[]", { name: "file" }],
  ["another context", '{"@context":["https://schema.org",{}]}', { name: "file" }],
  ["a text about SPDX", "see SPDXVersion: SPDX-2.3", { name: "file" }],
  ["nothing", "", { name: "file" }],
])("the kind of a document is told: %s", (_, text, kind) => {
  expect(documentKind(Buffer.from(text))).toEqual(kind);
});

it("takes time in proportion to a file that is neither", () => {
  const parts = ["\n \t", "spdxVersion", "<a", ' xmlns="http://cyclonedx.org/schema/bom/', "xmlns:", "SPDXVersion:  "];
  for (const part of parts) expect(documentKind(Buffer.from(part.repeat(200_000)))).toEqual({ name: "file" });
});

it("refuses JSON that is nested deeply before it is parsed: it would take a hundred times its length of memory", () => {
  const nested = (n: number) => "[".repeat(n) + "]".repeat(n);
  expect([1_000, 1_001].map((n) => isTooDeep(nested(n)))).toEqual([false, true]);
  expect(isTooDeep(`["${"[".repeat(5_000)}\\"${"{".repeat(5_000)}", ${"[],".repeat(5_000)}0]`)).toBe(false);
  expect(() => parseJson(Buffer.from(nested(1_001)))).toThrow(/^the JSON is nested too deeply$/);
  expect(() => parseJson(Buffer.from("[".repeat(2_000_000)))).toThrow(/^the JSON is nested too deeply$/);
  expect(documentKind(Buffer.from(`{"bomFormat":"CycloneDX","x":${nested(1_001)}}`))).toEqual({ name: "file" });
});

it("refuses an object that has a member twice: two readers can read two things in it", () => {
  for (const text of ['{"a":1,"a":1}', '{"a":{"b":1,"\\u0062":2}}', '[{"__proto__":1,"__proto__":2}]', '{"a":1,"b":{},"a":{"c":1}}'])
    expect(() => parseJson(Buffer.from(text)), text).toThrow(/^not JSON: an object has a member twice$/);
  for (const text of ['{"a":":","b":"\\":"}', '[{"a":1},{"a":2}]', '{"__proto__":1}', '":"', "null"])
    expect(parseJson(Buffer.from(text)), text).toEqual(JSON.parse(text));
});

it("locates a fault in what a person can have written, not in megabytes", () => {
  const faulty = (n: number) => Buffer.from(`[${"[],".repeat(n)}x]`);
  expect(() => parseJson(faulty(3))).toThrow(/^not JSON \(line 1, column 11\)$/);
  expect(() => parseJson(faulty(700_000))).toThrow(/^not JSON$/);
});
