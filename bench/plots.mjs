// Draws the plots of docs/explanation/benchmarks.md from bench/results/*.json, which the benchmarks write. Run it alone
// after a change here.
//
//   node bench/plots.mjs [--check]
//
// The SVG is written by hand: the plots are bars with labels, and the libraries that draw on a server bring a browser's
// document with them. Each drawing has its own colors for light and dark, with a background, because a page cannot
// reach into an image.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

const RESULTS = new URL("results/", import.meta.url);
const PLOTS = new URL("../docs/explanation/plots/", import.meta.url);

const results = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, RESULTS), "utf8"));

const WIDTH = 720;
const LABELS = 256;
/** Room for the number after the longest bar. */
const NUMBERS = 70;
const BAR = 14;
const GAP = 10;

const STYLE = `
svg { color-scheme: light dark; }
.bg { fill: #ffffff; }
text { fill: #1b1f24; font: 12px system-ui, sans-serif; }
.title { font-size: 15px; font-weight: 600; }
.dim { fill: #57606a; }
.right { text-anchor: end; }
.middle { text-anchor: middle; }
.over { paint-order: stroke; stroke: #ffffff; stroke-width: 3px; }
.rule { stroke: #d0d7de; }
.limit { stroke: #a40e26; stroke-dasharray: 4 3; }
.c0 { fill: #0550ae; } .c1 { fill: #2da44e; } .c2 { fill: #bf8700; } .c3 { fill: #8250df; } .c4 { fill: #6e7781; }
@media (prefers-color-scheme: dark) {
.bg { fill: #0d1117; }
text { fill: #e6edf3; }
.dim { fill: #9198a1; }
.over { stroke: #0d1117; }
.rule { stroke: #3d444d; }
.limit { stroke: #ff938a; }
.c0 { fill: #58a6ff; } .c1 { fill: #56d364; } .c2 { fill: #e3b341; } .c3 { fill: #bc8cff; } .c4 { fill: #9198a1; }
}
`;

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const round = (n) => Math.round(n * 10) / 10;
const text = (x, y, content, kind = "") => `<text x="${round(x)}" y="${round(y)}"${kind && ` class="${kind}"`}>${escaped(content)}</text>`;
const rect = (x, y, width, height, kind) =>
  `<rect class="${kind}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"/>`;
const line = (x, y, to, kind) => `<line class="${kind}" x1="${round(x)}" x2="${round(x)}" y1="${round(y)}" y2="${round(to)}"/>`;

/** Powers of ten for a logarithmic scale, or four steps of a linear one. */
function ticksOf(most, least, log) {
  if (log) {
    const [from, to] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
    return Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
  }
  const step = 10 ** Math.floor(Math.log10(most / 2));
  const wide = [1, 2, 5, 10].map((n) => n * step).find((n) => most / n <= 5);
  return Array.from({ length: Math.floor(most / wide) + 1 }, (_, i) => i * wide);
}

const number = (n) => n.toLocaleString("en", { maximumSignificantDigits: n < 100 ? 3 : 21 });

/** A colored square and a name for each series, in a row. */
function legendOf(series) {
  const out = [];
  let at = 16;
  for (const [i, name] of series.entries()) {
    out.push(rect(at, 36, 12, 12, `c${i}`), text(at + 18, 46, name));
    at += 40 + 6.6 * name.length;
  }
  return out;
}

/**
 * Groups of bars. `groups`: label and a value for each of `series` (undefined: not measured). `log`: a logarithmic
 * scale. `limit`: a line with a label.
 */
export function bars({ title, unit, series, groups, log = false, limit }) {
  const values = groups.flatMap((group) => group.values).filter((n) => n !== undefined);
  const most = Math.max(...values, limit?.value ?? 0);
  const ticks = ticksOf(most, Math.min(...values), log);
  const width = WIDTH - LABELS - NUMBERS;
  const [from, to] = log ? [ticks[0], ticks.at(-1)] : [0, most];
  const x = (n) => LABELS + (log ? (Math.log(n / from) / Math.log(to / from)) * width : (n / to) * width);
  const out = [];
  const top = 66;
  let y = top;
  for (const { label, values: own } of groups) {
    const shown = own.filter((n) => n !== undefined).length;
    out.push(text(LABELS - 10, y + (BAR * shown) / 2 + 4, label, "right"));
    for (const [i, n] of own.entries()) {
      if (n === undefined) continue;
      out.push(rect(LABELS, y + 1, Math.max(1, x(n) - LABELS), BAR - 2, `c${series.length > 1 ? i : 0}`));
      out.push(text(x(n) + 5, y + BAR - 3, number(n), "dim over"));
      y += BAR;
    }
    y += GAP;
  }
  const rules = ticks.map((n) => line(x(n), top - 6, y, "rule") + text(x(n), y + 16, number(n), "dim middle"));
  if (limit) rules.push(line(x(limit.value), top - 6, y, "limit") + text(x(limit.value) - 4, y + 32, limit.label, "dim right"));
  const height = y + 42;
  const words = groups
    .map(
      ({ label, values: own }) =>
        `${label}: ${own
          .map((n, i) => (n === undefined ? "" : `${series[i]} ${number(n)}`))
          .filter(Boolean)
          .join(", ")}`,
    )
    .join(". ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${escaped(title)}</title>
<desc>${escaped(`${unit}. ${words}`)}</desc>
<style>${STYLE}</style>
${[rect(0, 0, WIDTH, height, "bg"), text(16, 22, title, "title"), text(WIDTH - 16, 22, unit, "dim right"), ...(series.length > 1 ? legendOf(series) : []), ...rules, ...out].join("\n")}
</svg>
`;
}

/** Each plot, from its results. */
const DRAWINGS = {
  engines: ({ rows }) =>
    bars({
      title: "One signature verified, by engine",
      unit: "milliseconds, logarithmic",
      series: ["Ed25519", "ES256", "HSS/LMS W4", "HSS/LMS W4, native SHA-256"],
      log: true,
      groups: rows.map((row) => ({ label: row.engine, values: [row["Ed25519"], row["ES256"], row["HSS/LMS W4"], row["W4 native"]] })),
    }),
  open: ({ rows }) =>
    bars({
      title: "What a device waits for, on Espruino with native SHA-256",
      unit: "million instructions, logarithmic",
      series: ["now", "before"],
      log: true,
      groups: rows
        .filter((row) => row.engine === "espruino")
        .map((row) => ({
          label: `${row.algorithm}: ${row.work.replace(", micro verifier", ", micro")}`,
          values: [row.million, row.before],
        })),
    }),
  sizes: ({ rows }) =>
    bars({
      title: "Bytes of device bundles, by part",
      unit: "bytes",
      series: ["minified", "gzip -9"],
      groups: rows.map((row) => ({ label: row.label, values: [row.minified, row["gzip -9"]] })),
    }),
  memory: ({ rows, limit }) =>
    bars({
      title: "Memory of an installation on Espruino, by step",
      unit: "JsVars of 13 bytes in use",
      series: ["module loaded", "with the anchor", "with the device", "peak in open()", "peak in install()"],
      // the tables differ little
      groups: rows
        .filter((row) => !/ [124]k$/.test(row.algorithm))
        .map((row) => ({
          label: row.algorithm.replaceAll("`", ""),
          values: [row.module, row.anchor, row.device, row["open()"], row["install()"]],
        })),
      limit,
    }),
};

/** Each plot: its file, and what it must be. */
export const drawings = () =>
  Object.entries(DRAWINGS).map(([name, draw]) => ({ file: new URL(`${name}.svg`, PLOTS), svg: draw(results(name)) }));

/** The plots that are not what the results give. */
export function stalePlots() {
  const now = (file) => {
    try {
      return readFileSync(file, "utf8");
    } catch {
      return "";
    }
  };
  return drawings()
    .filter(({ file, svg }) => now(file) !== svg)
    .map(({ file }) => `${file.pathname.split("/").at(-1)} is not what bench/results gives: run node bench/plots.mjs`);
}

export function writePlots() {
  for (const { file, svg } of drawings()) writeFileSync(file, svg);
}

/** The rows of a table, as tableText() of lib.mjs makes it: numbers as numbers, what was not measured left out. */
export function rowsOf(table) {
  const [head, , ...lines] = table.split("\n").filter((one) => one.startsWith("|"));
  const cells = (one) =>
    one
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const value = (cell) => (/^[\d,]+(\.\d+)?$/.test(cell) ? Number(cell.replaceAll(",", "")) : cell);
  const isKept = (cell) => !/^(–|not measured|does not (run|fit)|)$/.test(cell);
  return lines.map((one) => Object.fromEntries(cells(one).flatMap((cell, i) => (isKept(cell) ? [[cells(head)[i], value(cell)]] : []))));
}

/** Keeps results for a plot, and draws it. */
export function keepResults(name, content) {
  writeFileSync(new URL(`${name}.json`, RESULTS), `${JSON.stringify(content, null, 2)}\n`);
  writePlots();
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { values } = parseArgs({ options: { check: { type: "boolean" } } });
  if (!values.check) writePlots();
  const stale = stalePlots();
  for (const one of stale) console.error(one);
  if (stale.length > 0) process.exitCode = 1;
}
