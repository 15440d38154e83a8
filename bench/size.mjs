// Sizes of the device bundles: those that ship, with their budgets, and their parts, with the most that each should
// take. Needs a build.
//
//   node bench/size.mjs [--before FOLDER] [--write]
//   node bench/size.mjs --change
//
// `--before`: another checkout of this project with its build, as for bench/open.mjs: the table says how many bytes
// each bundle has gained since. `--write` keeps the sizes in bench/results/sizes.json, draws the plot, and puts the
// table of what ships into docs/guides/bundles.md. `--change`: one line with what the bundles that ship have gained
// against that file as the last commit has it, for `pnpm check:sizes`, which fails only for a budget. Without git or
// without an earlier file, it prints nothing.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { parse } from "acorn";
import { MICRO_BUNDLES } from "../scripts/build/bundle.mjs";
import { within } from "../scripts/checks/syntax.mjs";
import { alone, BUNDLES, bundlePath, deviceBundle, inMarkers, ROOT, read, readParts, table, tableText } from "./lib.mjs";
import { keepResults } from "./plots.mjs";

const DOC = `${ROOT}docs/guides/bundles.md`;
const size = (n) => n.toLocaleString("en");
const sizes = (code) => [code.length, gzipSync(code, { level: 9 }).length];

const { values: options } = parseArgs({ options: { before: { type: "string" }, change: { type: "boolean" }, write: { type: "boolean" } } });

const { "size-limit": limits } = JSON.parse(read(`${ROOT}package.json`));
/** The budgets of a bundle, [minified, gzip -9], in bytes; the second is undefined for micro verifiers. */
function budgets(name) {
  const own = limits.filter(({ path }) => path === bundlePath(name).slice(ROOT.length));
  const bytes = (row) => row && Number.parseInt(row.limit, 10);
  return [bytes(own.find(({ gzip }) => !gzip)), bytes(own.find(({ gzip }) => gzip))];
}

const signed = (n) => `${n < 0 ? "−" : "+"}${size(Math.abs(n))}`;

const SHIPPED = [...BUNDLES, ...MICRO_BUNDLES.map(({ name }) => name)];
/** The sizes of what ships in a checkout: by the name of the file, { minified, "gzip -9" }. */
const shipped = (folder = ROOT) =>
  Object.fromEntries(
    SHIPPED.map((name) => {
      const [minified, gzip] = sizes(read(join(folder, bundlePath(name).slice(ROOT.length))));
      return [`firmseal-${name}.js`, { minified, "gzip -9": gzip }];
    }),
  );

/** What each bundle has gained, minified and after gzip -9, against earlier sizes; a new one, all that it has. */
function changes(earlier) {
  const lines = Object.entries(shipped()).flatMap(([name, now]) => {
    const gained = Object.entries(now).map(([kind, n]) => n - (earlier[name]?.[kind] ?? 0));
    return gained.some((n) => n !== 0) ? [`${name} ${gained.map(signed).join(" / ")}`] : [];
  });
  return lines.join(", ") || "none";
}

/** Sizes, budgets, and the room that is left. A board stores a micro verifier as it is. */
const shippedTable = () =>
  tableText(
    ["bundle", "minified", "budget", "room", "gzip -9", "budget", "room"],
    SHIPPED.map((name) => {
      const most = budgets(name);
      const cells = sizes(read(bundlePath(name))).flatMap((n, i) => [
        size(n),
        ...(most[i] ? [size(most[i]), size(most[i] - n)] : ["", ""]),
      ]);
      return [`firmseal-${name}.js`, ...cells];
    }),
  );

if (options.change) {
  const { status, stdout } = spawnSync("git", ["show", "HEAD:bench/results/sizes.json"], { cwd: ROOT, encoding: "utf8" });
  const earlier = status === 0 && JSON.parse(stdout).shipped;
  if (earlier) console.log(`bytes against bench/results/sizes.json of the last commit, minified / gzip -9: ${changes(earlier)}`);
  process.exit();
}

console.log("## Sizes of the device bundles, bytes\n");
console.log(shippedTable());
if (options.before !== undefined) console.log(`Against ${options.before}: ${changes(shipped(options.before))}\n`);

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
  keepResults("sizes", { shipped: shipped(), rows: Object.entries(SHOWN).map(row) });
  writeFileSync(DOC, inMarkers(readFileSync(DOC, "utf8"), "bench/size", shippedTable()));
}
