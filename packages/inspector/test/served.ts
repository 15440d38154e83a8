// The built page in Chromium, served from a folder as any static host does.

import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Locator, Page } from "playwright-core";
import { launch, violations } from "../../test-support/src/browser.js";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const TYPES: { [ext: string]: string } = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

/** A file in memory, for the page to open. */
export interface File {
  name: string;
  buffer: Buffer;
}

export const file = (name: string, content: Uint8Array | string): File => ({ name, buffer: Buffer.from(content as Uint8Array) });

function serve(): Promise<Server> {
  const server = createServer(({ url = "" }, answer) => {
    const path = url === "/" ? "index.html" : url.slice(1);
    try {
      const content = readFileSync(DIST + path);
      answer.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" }).end(content);
    } catch {
      answer.writeHead(404).end();
    }
  });
  return new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(server)));
}

/** One page, used by test after test. */
export class Inspector {
  /** What the page asked for after it was loaded, and what it wrote to the console. */
  readonly noise: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async open(): Promise<Inspector> {
    const server = await serve();
    const page = await (await launch()).newPage({ viewport: { width: 1200, height: 900 } });
    const made = new Inspector(page, server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    page.on("console", (message) => made.noise.push(message.text()));
    page.on("pageerror", (error) => made.noise.push(String(error)));
    page.context().on("request", (request) => {
      if (!request.url().startsWith(made.url)) made.noise.push(request.url());
    });
    await page.goto(made.url);
    await page.waitForSelector("html[data-ready]");
    return made;
  }

  async close(): Promise<void> {
    await this.page.close();
    this.server.close();
  }

  async settled(): Promise<void> {
    await this.page.waitForSelector("#inspector[aria-busy=false]", { state: "attached" });
  }

  get closeAll(): Locator {
    return this.page.getByRole("button", { name: "Close all" });
  }

  /** Opens files in place of those that are open. */
  async show(...files: File[]): Promise<void> {
    // a click with the mouse would wait until the page has been drawn twice
    if (await this.closeAll.isVisible()) await this.closeAll.dispatchEvent("click");
    await this.add(...files);
  }

  async add(...files: (File | string)[]): Promise<void> {
    const named = files.map((one) => (typeof one === "string" ? one : { mimeType: "", ...one }));
    await this.page.setInputFiles("#files", named as Parameters<Page["setInputFiles"]>[1]);
    await this.settled();
  }

  /** What the page says first. Empty: nothing is open. */
  async verdict(): Promise<string> {
    return (await this.page.locator(".verdict").allTextContents()).join();
  }

  async isGood(): Promise<boolean> {
    return (await this.page.locator(".verdict.good").count()) === 1;
  }

  /** The sentence that says what went wrong. */
  async problem(): Promise<string> {
    return (await this.page.locator("#problem").textContent()) ?? "";
  }

  async text(selector = "main"): Promise<string> {
    return (await this.page.locator(selector).textContent()) ?? "";
  }

  /** What axe finds. */
  violations(): Promise<string[]> {
    return violations(this.page);
  }
}
