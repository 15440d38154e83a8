// The inspector in Chromium with a cold cache: from the request to the first content, and until it takes files. The
// page is served from this machine, so what is measured is what the browser does. The script of the page ends before
// the browser draws anything, so a page takes files when its first frame is drawn: the second number is never below the
// first. Needs a build and Chromium.
//
//   node bench/inspector.mjs [--most MS]    fails above MS milliseconds

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { median, ROOT, table, title } from "./lib.mjs";

const ROUNDS = 7;
const DIST = `${ROOT}packages/inspector/dist/`;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

const { values } = parseArgs({ options: { most: { type: "string" } } });
// with windows, as people have it: scripts/testing/chromium.mjs may find the one without
const executablePath = spawnSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).stdout.trim();

if (executablePath === "") {
  console.log("The inspector: not measured, there is no chromium");
  process.exit();
}

const server = createServer(({ url }, answer) => {
  const path = DIST + (url === "/" ? "index.html" : url.slice(1));
  answer.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream", "content-encoding": "gzip" });
  answer.end(gzipSync(readFileSync(path)));
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const url = `http://127.0.0.1:${server.address().port}/`;

/** Milliseconds from the navigation to the first content, and to the moment when the page takes files. */
async function once() {
  // a browser of its own: nothing is in its caches, not even compiled code
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await page.waitForSelector("html[data-ready]");
    return await page.evaluate(`[
      performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? performance.now(),
      Number(document.documentElement.dataset.ready),
    ]`);
  } finally {
    await browser.close();
  }
}

const seen = [];
for (let round = 0; round < ROUNDS; round++) seen.push(await once());
server.close();
const [paint, ready] = [0, 1].map((i) => median(seen.map((times) => times[i])));
title("The inspector, cold");
table(
  ["until", "ms, median"],
  [
    ["first content", paint],
    ["the page takes files", ready],
  ],
);
if (values.most !== undefined && ready > Number(values.most)) {
  console.error(`${ready} ms, and at most ${values.most} are allowed`);
  process.exitCode = 1;
}
