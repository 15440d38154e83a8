// Report pages in Chromium.

import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { violations as found } from "../../test-support/src/browser.js";
import type { Place } from "../../test-support/src/run.js";

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

/** What axe finds. The policy of the page is off meanwhile: axe takes styles that it forbids. */
export async function violations(page: Page): Promise<string[]> {
  const client = await page.context().newCDPSession(page);
  await client.send("Page.setBypassCSP", { enabled: true });
  await page.reload();
  await page.locator(".verdict").waitFor();
  return found(page);
}
