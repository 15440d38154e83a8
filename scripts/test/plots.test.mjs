// The plots: they show the results, and the results are those of the tables in the documents.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { figure } from "../../bench/lib.mjs";
import { bars, drawings, rowsOf, stalePlots } from "../../bench/plots.mjs";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const results = (name) => JSON.parse(read(`bench/results/${name}.json`));

/** The first table after a text. */
function tableAfter(document, text) {
  const lines = document.slice(document.indexOf(text)).split("\n");
  const from = lines.findIndex((line) => line.startsWith("|"));
  const to = lines.findIndex((line, i) => i > from && !line.startsWith("|"));
  return lines.slice(from, to).join("\n");
}

const CHOOSING = "docs/guides/keys/choosing-an-algorithm.md";

it.each([
  ["engines", "One verification of each algorithm, milliseconds"],
  ["memory", "<!-- bench/memory espruino -->"],
])("results of %s are those of the table", (name, text) => {
  const { rows } = results(name);
  expect(rows.length).toBeGreaterThan(5);
  expect(rowsOf(tableAfter(read(CHOOSING), text))).toEqual(rows);
});

it("sizes of what ships are those of the table", () => {
  const { shipped } = results("sizes");
  const rows = tableAfter(read("docs/guides/bundles.md"), "<!-- bench/size -->").split("\n").slice(2);
  const cells = rows.map((row) => row.split("|").map((cell) => cell.trim().replaceAll(",", "")));
  expect(
    Object.fromEntries(cells.map(([, name, minified, , , gzip]) => [name, { minified: Number(minified), "gzip -9": Number(gzip) }])),
  ).toEqual(shipped);
});

it("instructions of whole calls are those of the table", () => {
  const { rows } = results("open");
  const table = rowsOf(tableAfter(read("docs/explanation/benchmarks.md"), "<!-- bench/open -->"));
  expect(table.map(({ engine, algorithm, work }) => ({ engine, algorithm, work }))).toEqual(
    rows.map(({ engine, algorithm, work }) => ({ engine, algorithm, work })),
  );
  for (const [i, { million, before }] of rows.entries()) {
    expect(table[i]["million instructions"]).toBe(Number(figure(million).replaceAll(",", "")));
    expect(table[i].before).toBe(before && Number(figure(before).replaceAll(",", "")));
  }
});

it("other figures of whole calls are those of the same results", () => {
  const { rows } = results("open");
  const of = (engine, algorithm, work) => {
    const { million } = rows.find((row) => row.engine === engine && row.algorithm === algorithm && row.work === work);
    return [million, figure(million)];
  };
  const choosing = read(CHOOSING);
  for (const [label, work] of [
    ["`open()`", "open()"],
    ["`install()`, with 100,000 bytes in pieces of 1,000", "100,000 bytes installed"],
    ["`open()` of a micro verifier", "open(), micro verifier"],
    ["`install()` of a micro verifier, with 10,000 bytes", "10,000 bytes installed, micro verifier"],
  ]) {
    const [million, text] = of("espruino", "HSS/LMS", work);
    expect(choosing).toContain(`| ${label} | ${text} | ${(million / 50).toFixed(1)} |`);
  }
  const [[ed25519, edText], [, esText]] = ["Ed25519", "ES256"].map((algorithm) => of("espruino", algorithm, "open()"));
  expect(choosing.replace(/\s+/g, " ")).toContain(`on Espruino ${edText} million instructions for Ed25519 and ${esText} million for ES256`);
  const aims = read("docs/explanation/benchmarks.md").split("The aims for these calls")[1].split("\n## ")[0];
  const reader = ["Ed25519", "HSS/LMS"].map((algorithm) => of("espruino", algorithm, "open() without the signature")[1]);
  const [hss, micro] = ["open()", "open(), micro verifier"].map((work) => of("espruino", "HSS/LMS", work)[1]);
  for (const text of [
    `| ${hss}: met |`,
    `| ${micro}: met |`,
    `| ${reader[0]}, with HSS/LMS ${reader[1]}: missed |`,
    `or ${hss} if the engine`,
  ])
    expect(aims).toContain(text);
  const { engines } = results("counted");
  const [jerry, jerryText] = of("jerry", "Ed25519", "open()");
  for (const [name, open, text] of [
    ["espruino", ed25519, edText],
    ["jerry", jerry, jerryText],
  ]) {
    const nacl = engines[name].counts["nacl.js"] / 1e6;
    expect(aims).toContain(`${(nacl / open).toFixed(1)} (${figure(nacl)} and ${text})`);
  }
});

it("plots are made from the results, and a different number gives a different plot", () => {
  expect(stalePlots()).toEqual([]);
  const of = (value) => bars({ title: "a", unit: "ms", series: ["x"], groups: [{ label: "b", values: [value] }] });
  expect(of(3)).not.toBe(of(4));
  for (const { svg } of drawings()) {
    expect(svg).toContain("prefers-color-scheme: dark");
    expect(svg).toMatch(/<desc>.{100,}<\/desc>/s);
    expect(svg).not.toMatch(/NaN|undefined|<script|href/);
  }
});

it("texts of a plot are never markup, and what was not measured is left out", () => {
  const svg = bars({ title: "<b>", unit: "", series: ["x", "y"], groups: [{ label: "&", values: [undefined, 10] }], log: true });
  expect(svg).not.toContain("<b>");
  expect(svg.match(/<rect class="c1"/g)).toHaveLength(2);
  expect(rowsOf("| a | b |\n|---|---|\n| x | – |\n| y | 1,234 |\n")).toEqual([{ a: "x" }, { a: "y", b: 1234 }]);
});
