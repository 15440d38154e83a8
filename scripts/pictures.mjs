// Makes the pictures of docs/pictures/ from a real release: `pnpm pictures`. The report and the inspector in Chromium,
// and what the commands of a terminal print, as an SVG of text.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { chromiumPath } from "./testing/chromium.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CLI = join(ROOT, "packages/cli/bin/firmseal.js");
const INSPECTOR = join(ROOT, "packages/inspector/dist");
const OUT = join(ROOT, "docs/pictures");
const MOST_BYTES = 60_000;
/** Small enough for a file of at most MOST_BYTES: Chromium compresses text poorly. */
const VIEW = { width: 760, height: 520 };

/** What a reader types, and whether it is refused. Each picture is made from what these commands leave. */
const SESSION = [
  ["firmseal keygen --no-passphrase --out release.pem"],
  ["firmseal pubkey release.pem --out pub.pem"],
  ["firmseal sign app.bin --vendor example.com --class board-v2 --seq 7 --key release.pem"],
  ["firmseal verify app.suit --key pub.pem"],
  ["firmseal install app.suit --dir hub --key pub.pem --vendor example.com --class board-v2"],
  ["printf x | dd of=app.suit bs=1 seek=200 conv=notrunc status=none"],
  ["firmseal verify app.suit --key pub.pem", "refused"],
];

/** Runs a command line in a folder. Returns what it printed. Throws if it ends otherwise than expected. */
function run(folder, line, isRefused) {
  const env = { PATH: process.env.PATH, HOME: folder, FIRMSEAL_STATE: join(folder, "state"), NO_COLOR: "1" };
  const script = `firmseal() { "${process.execPath}" "${CLI}" "$@"; }\n${line} 2>&1`;
  const { status, stdout } = spawnSync("bash", ["-c", script], { cwd: folder, env, encoding: "utf8" });
  if ((status !== 0) !== Boolean(isRefused)) throw new Error(`${line}\n${stdout}`);
  return stdout.replaceAll(`${folder}/`, "").trimEnd();
}

const COLUMNS = 100;
const ROW = 19;

/** Text in lines of at most COLUMNS characters. */
const folded = (text) => text.split("\n").flatMap((line) => line.match(new RegExp(`.{1,${COLUMNS}}`, "g")) ?? [""]);
const escaped = (text) => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A terminal with these { text, kind } lines. */
function terminal(lines) {
  const height = lines.length * ROW + 32;
  const rows = lines.map(
    ({ text, kind }, i) => `<text x="16" y="${28 + i * ROW}"${kind ? ` class="${kind}"` : ""} xml:space="preserve">${escaped(text)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${COLUMNS * 8.4 + 32} ${height}" role="img">
<title>firmseal signs a release, verifies and installs it, and refuses a changed copy</title>
<style>rect { fill: #0d1117; } text { fill: #e6edf3; font: 14px ui-monospace, monospace; } .typed { fill: #58a6ff; } .bad { fill: #ff938a; }</style>
<rect width="100%" height="100%" rx="8"/>
${rows.join("\n")}
</svg>
`;
}

/** The inspector on a web server, until the process ends it. */
function serve() {
  const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
  const server = createServer(({ url }, answer) => {
    const path = url === "/" ? "index.html" : url.slice(1);
    answer.setHeader("content-type", types[extname(path)] ?? "application/octet-stream");
    try {
      answer.end(readFileSync(join(INSPECTOR, path)));
    } catch {
      answer.writeHead(404).end();
    }
  });
  return new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(server)));
}

/** The report and the inspector as they show the release in a folder. */
async function photograph(folder) {
  const server = await serve();
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage({ viewport: VIEW, colorScheme: "light" });
    await page.goto(pathToFileURL(join(folder, "app.html")).href);
    await page.waitForSelector(".verdict.good, .good");
    await page.screenshot({ path: join(OUT, "report.png"), clip: { ...VIEW, x: 0, y: 20, height: 440 } });
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page.waitForSelector("html[data-ready]");
    await page.setInputFiles("#files", [join(folder, "good.suit"), join(folder, "pub.pem")]);
    await page.waitForSelector(".verdict.good");
    await page.waitForSelector("#inspector[aria-busy=false]", { state: "attached" });
    await page.screenshot({ path: join(OUT, "inspector.png") });
  } finally {
    await browser.close();
    server.close();
  }
}

if (!chromiumPath) throw new Error("the pictures need chromium or chromium-headless-shell");
const folder = mkdtempSync(join(tmpdir(), "firmseal-pictures-"));
try {
  mkdirSync(OUT, { recursive: true });
  writeFileSync(join(folder, "app.bin"), Buffer.alloc(100_000, "firmware "));
  const lines = [];
  for (const [line, isRefused] of SESSION) {
    if (line.startsWith("printf")) {
      run(folder, "cp app.suit good.suit");
      run(folder, "firmseal report app.suit --key pub.pem --out app.html");
    }
    const said = run(folder, line, isRefused);
    lines.push(...folded(`$ ${line}`).map((text) => ({ text, kind: "typed" })));
    if (said) lines.push(...folded(said).map((text) => ({ text, kind: isRefused ? "bad" : "" })));
  }
  writeFileSync(join(OUT, "terminal.svg"), terminal(lines));
  await photograph(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const name of ["terminal.svg", "report.png", "inspector.png"]) {
  const { size } = statSync(join(OUT, name));
  console.log(`docs/pictures/${name}: ${size} bytes`);
  if (size > MOST_BYTES) throw new Error(`docs/pictures/${name} has more than ${MOST_BYTES} bytes`);
}
