// Sizes of the device bundles: those that ship, with their budgets, and their parts, with the most that each should
// take. Needs a build.
//
//   node bench/size.mjs [--before FOLDER] [--write]
//
// `--before`: another checkout of this project with its build, as for bench/open.mjs: the table says how many bytes
// each bundle has gained since. `--write` draws the plot.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { parse } from "acorn";
import { MICRO_BUNDLES } from "../scripts/build/bundle.mjs";
import { within } from "../scripts/checks/syntax.mjs";
import { alone, BUNDLES, bundlePath, deviceBundle, ROOT, read, readParts, table } from "./lib.mjs";
import { keepResults } from "./plots.mjs";

const size = (n) => n.toLocaleString("en");
const sizes = (code) => [code.length, gzipSync(code, { level: 9 }).length];

const { values: options } = parseArgs({ options: { before: { type: "string" }, write: { type: "boolean" } } });

const { "size-limit": limits } = JSON.parse(read(`${ROOT}package.json`));
/** The budgets of a bundle, [minified, gzip -9], in bytes; the second is undefined for micro verifiers. */
function budgets(name) {
  const own = limits.filter(({ path }) => path === bundlePath(name).slice(ROOT.length));
  const bytes = (row) => row && Number.parseInt(row.limit, 10);
  return [bytes(own.find(({ gzip }) => !gzip)), bytes(own.find(({ gzip }) => gzip))];
}

const signed = (n) => `${n < 0 ? "−" : "+"}${size(Math.abs(n))}`;

console.log("## Sizes of the device bundles, bytes\n");
const change = options.before === undefined ? [] : ["change"];
table(
  ["bundle", "minified", ...change, "budget", "gzip -9", ...change, "budget"],
  [...BUNDLES, ...MICRO_BUNDLES.map(({ name }) => name)].map((name) => {
    const now = sizes(read(bundlePath(name)));
    const then = change.length ? sizes(readFileSync(join(options.before, bundlePath(name).slice(ROOT.length)), "utf8")) : [];
    const columns = now.flatMap((n, i) => [
      size(n),
      ...then.slice(i, i + 1).map((was) => signed(n - was)),
      budgets(name)[i] ? size(budgets(name)[i]) : "",
    ]);
    return [`firmseal-${name}.js`, ...columns];
  }),
);

/**
 * What would be left of a bundle if it refused nothing: every call of refuse() becomes a 0, and the minifier drops what
 * only led to it.
 */
async function refusingNothing(features) {
  const { minifiedBundle: minified } = await import(`${ROOT}packages/bundler/lib/index.js`);
  const all = readParts();
  const statements = all.statements.map((s) => {
    const calls = [...within(parse(s.text, { ecmaVersion: 5 }))]
      .map(([node]) => node)
      .filter((node) => node.type === "CallExpression" && node.callee.name === "refuse")
      .sort((a, b) => b.start - a.start);
    return { ...s, text: calls.reduce((text, { start, end }) => `${text.slice(0, start)}0${text.slice(end)}`, s.text) };
  });
  return minified({ algs: ["ed25519"], features, format: "umd" }, { ...all, statements });
}

const bundleOf = async (algs, features) => sizes(await deviceBundle(algs, features, "umd"));
const installer = await bundleOf(["ed25519"], ["install"]);
const parts = [
  ["Ed25519 with both hashes, alone", sizes(await alone("ed25519", true)), [9000]],
  ["reader, COSE and interpreter with Ed25519", await bundleOf(["ed25519"], []), [14_000, 6000]],
  ["with the installer as well", installer, [18_000, 7500]],
  ["firmseal-ed25519.js: with copy", sizes(read(bundlePath("ed25519"))), budgets("ed25519")],
  ["with the installer, if nothing were refused", sizes(await refusingNothing(["install"])), [18_000, 7500]],
  ["firmseal-ed25519.js with the names of the refusals", await bundleOf(["ed25519"], ["install", "copy", "errors"]), []],
];
for (const [alg, label] of [
  ["es256", "ES256"],
  ["hsslms", "HSS/LMS"],
  ["hmac256", "HMAC 256"],
]) {
  const both = await bundleOf(["ed25519", alg], ["install"]);
  parts.push([`${label} in addition`, both.map((n, i) => n - installer[i]), [5000]]);
}

console.log("## Parts, bytes\n");
table(
  ["part", "minified", "aim", "gzip -9", "aim"],
  parts.map(([label, [min, gzip], [most, mostGzip]]) => [
    label,
    size(min),
    most ? size(most) : "",
    size(gzip),
    mostGzip ? size(mostGzip) : "",
  ]),
);

/** What the plot shows of the parts: short labels, without the aims. */
const SHOWN = {
  "Ed25519 with both hashes": 0,
  "reader and interpreter": 1,
  "with the installer": 2,
  "firmseal-ed25519.js": 3,
  "ES256 in addition": 6,
  "HSS/LMS in addition": 7,
  "HMAC 256 in addition": 8,
};
if (options.write) {
  const row = ([label, i]) => ({ label, minified: parts[i][1][0], "gzip -9": parts[i][1][1] });
  keepResults("sizes", { rows: Object.entries(SHOWN).map(row) });
}
