// Pages in Debian's Chromium.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, chromium, type Page } from "playwright-core";
import { chromiumPath } from "../../../scripts/testing/chromium.mjs";
import { some } from "./environment/effort.js";
import { forProcess } from "./environment/folders.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export { chromiumPath };

/** Ends the name of a suite that needs a browser. */
export const NO_BROWSER = chromiumPath ? "" : " (skipped: no chromium)";

let browser: Promise<Browser> | undefined;

/** The browser of all test files of this process, with which it ends. A file closes the pages that it opens. */
export function launch(): Promise<Browser> {
  if (browser === undefined) {
    browser = forProcess(() => chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"], handleSIGTERM: false }));
    // with this signal vitest ends the process. At its exit, Playwright ends the browser, and removes its folder
    process.once("SIGTERM", () => process.exit(143));
  }
  return browser;
}

/** Widths and color schemes in which tests view a page. */
export const VIEWS = some(
  [
    [1200, "light"],
    [390, "light"],
    [1200, "dark"],
    [390, "dark"],
  ] as const,
  3,
);

/** Shows a page on a screen. */
export async function setView(page: Page, width: number, scheme: "dark" | "light"): Promise<void> {
  await page.setViewportSize({ width, height: 900 });
  await page.emulateMedia({ media: null, colorScheme: scheme });
}

/** Whether nothing is wider than the screen. */
export const fits = (page: Page): Promise<unknown> =>
  page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth");

/** Describes what is wrong only: with the nodes that pass, it takes twice as long. */
const RUN = `axe.run({ resultTypes: ["violations"] }).then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ": " + nodes[0]?.html))`;

/** What axe finds. The test puts it in, because no page of ours would load it. */
export async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(AXE);
  return (await page.evaluate(RUN)) as string[];
}
