// Pages in Debian's Chromium.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, chromium, type Page } from "playwright-core";
import { some } from "./effort.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const chromiumPath = spawnSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).stdout.trim();

/** Ends the name of a suite that needs a browser. */
export const NO_BROWSER = chromiumPath ? "" : " (skipped: no chromium)";

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });

/** Widths and color schemes in which a page is looked at. */
export const VIEWS = some(
  [
    [1200, "light"],
    [390, "light"],
    [1200, "dark"],
    [390, "dark"],
  ] as const,
  3,
);

/** Whether nothing is wider than the screen. */
export const fits = (page: Page): Promise<unknown> =>
  page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth");

/** What axe finds. It is put in from outside: no page of ours would load it. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = (await page.evaluate("axe.run()")) as { violations: { id: string; nodes: { html: string }[] }[] };
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}
