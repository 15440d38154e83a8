// Report pages in Chromium.

import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { launch, setView } from "../../test-support/src/browser.js";
import type { Place } from "../../test-support/src/command-line/run.js";

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

/** Opens report after report in one page: each says nothing of the one before. */
export class Reader {
  private url = "";
  private noise: string[] = [];

  private constructor(private readonly page: Page) {
    page.on("request", (request) => request.url() !== this.url && this.noise.push(request.url()));
    page.on("console", (message) => this.noise.push(message.text()));
    page.on("pageerror", (error) => this.noise.push(String(error)));
  }

  static async start(): Promise<Reader> {
    return new Reader(await (await launch()).newPage());
  }

  /** Opens a page, and gives what it says first. Nothing but the file itself may be requested. */
  async opened(url: string): Promise<Opened> {
    const { page } = this;
    this.noise = [];
    this.url = url;
    await setView(page, 1200, "light");
    await page.goto(url);
    return { page, ...(await judged(page)), noise: this.noise };
  }

  close(): Promise<void> {
    return this.page.close();
  }
}

export const urlOf = (p: Place, name = "fw.html") => pathToFileURL(p.at(name)).href;
