// Report pages in Chromium.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Place } from "../../test-support/src/run.js";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export const chromiumPath = spawnSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).stdout.trim();

/** Ends the name of a suite that needs a browser. */
export const NO_BROWSER = chromiumPath ? "" : " (skipped: no chromium)";

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });

export interface Judged {
  verdict: string;
  isGood: boolean;
}

export interface Opened extends Judged {
  page: Page;
  /** What the page asked for, and what it wrote to the console. */
  noise: string[];
}

export async function judged(page: Page): Promise<Judged> {
  const verdict = page.locator(".verdict");
  return { verdict: (await verdict.textContent()) ?? "", isGood: (await verdict.getAttribute("class")) === "verdict good" };
}

/** Opens a page, and gives what it says first. Nothing but the file itself may be requested. */
export async function opened(browser: Browser, url: string, o: { width?: number; scheme?: "dark" | "light" } = {}): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width: o.width ?? 1200, height: 900 }, colorScheme: o.scheme ?? "light" });
  const noise: string[] = [];
  page.on("request", (request) => request.url() !== url && noise.push(request.url()));
  page.on("console", (message) => noise.push(message.text()));
  page.on("pageerror", (error) => noise.push(String(error)));
  await page.goto(url);
  return { page, ...(await judged(page)), noise };
}

export const urlOf = (p: Place, name = "fw.html") => pathToFileURL(p.at(name)).href;

/** Whether nothing is wider than the screen. */
export const fits = (page: Page): Promise<unknown> =>
  page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth");

/** What axe finds. It is put in from outside: the page would not load it. */
export async function violations(page: Page): Promise<string[]> {
  const client = await page.context().newCDPSession(page);
  await client.send("Page.setBypassCSP", { enabled: true });
  await page.reload();
  await page.locator(".verdict").waitFor();
  await page.addScriptTag({ path: AXE });
  const found = (await page.evaluate("axe.run()")) as { violations: { id: string; nodes: { html: string }[] }[] };
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}
