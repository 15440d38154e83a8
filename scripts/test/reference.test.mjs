// Pages made from the sources: they hold what there is, and a page that is not up to date is found.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../packages/test-support/src/environment/folders.ts";
import { apiPages } from "../reference/api.mjs";
import { commandPages } from "../reference/commands.mjs";
import { architecturePage } from "../reference/packages.mjs";
import { wrapped } from "../reference/text.mjs";

const MARKERS = "<!-- packages: written by `pnpm docs:reference` from the sources -->\nSTALE\n<!-- /packages -->\n";

describe("the drawing of the packages", () => {
  const text = architecturePage(`before\n${MARKERS}after\n`);
  it("replaces the old one, and nothing else", () => {
    expect(text).toMatch(/^before\n<!-- packages/);
    expect(text).toMatch(/<!-- \/packages -->\nafter\n$/);
    expect(text).not.toContain("STALE");
    expect(architecturePage(text)).toBe(text);
  });
  it("has an arrow for what sources import, and none upwards", () => {
    expect(text).toContain("  signer --> verifier\n");
    expect(text).not.toMatch(/^ {2}verifier -->/m);
  });
  it("needs its place", () => {
    expect(() => architecturePage("no markers")).toThrow("no place");
  });
});

describe("the lines of a generated page", () => {
  it("have at most 120 characters, and none begins with what would make it a list", () => {
    for (let n = 80; n < 125; n++) {
      const lines = wrapped(`${"x".repeat(n - 40)} ${"y".repeat(39)} - for stdin, or with a --board, and 3. of three`, "  ").split("\n");
      expect(lines.filter((line) => line.length > 120 || /^ *(?:[-+#|]|\d+[.)])/.test(line))).toEqual([]);
    }
  });
});

describe("docs/reference/commands.md", () => {
  it("has commands, commands of commands, and whole descriptions of options", async () => {
    const pages = await commandPages();
    const text = pages.map((page) => page.text).join("");
    for (const name of ["sign", "verify", "trust sign", "rotate plan", "token keygen"])
      expect(text).toMatch(new RegExp(`^#+ firmseal ${name}$`, "m"));
    expect(text.replaceAll("\n", " ")).toMatch(/- `-k, --key <key>`: private key[^:]*: a file, - for stdin, +env:NAME/);
    expect(text).not.toContain("--help`:");
    for (const line of text.split("\n")) if (!line.startsWith("|")) expect(line.length, line).toBeLessThanOrEqual(120);
    for (const page of pages) expect(page.text.split("\n").length, page.path).toBeLessThanOrEqual(600);
  });
});

describe("the pages of the public API", () => {
  it("have every export with its declaration and its words", () => {
    const { pages } = apiPages();
    const page = (path) => pages.find((one) => one.path === `docs/reference/${path}`).text;
    const verifier = page("api/verifier.md");
    expect(verifier).toMatch(/^### open\n\n```ts\nfunction open\([^`]*\): Manifest;\n```\n\n\w/m);
    expect(verifier).toContain("\n## @firmseal/verifier/device/memory\n");
    expect(page("api.md")).toContain("[`@firmseal/signer`](api/signer.md)");
  });

  it("name an export without a docstring, and what tags lack, and need the declarations", () => {
    const packages = `${temporaryFolder("firmseal-api-")}/`;
    mkdirSync(join(packages, "pear/lib"), { recursive: true });
    const manifest = { name: "@firmseal/pear", description: "Pears", exports: { ".": { types: "./lib/index.d.ts" } } };
    writeFileSync(join(packages, "pear/package.json"), JSON.stringify(manifest));
    expect(() => apiPages(packages)).toThrow("build first");
    const text = `/** Eats a pear. */
export declare function eat(): void;
export declare function peel(): void;
/**
 * Cuts a pear. Throws Error.
 *
 * @param knife - Sharp.
 */
export declare function cut(pear: string): string;
/**
 * Dices, like cut() of @firmseal/pear.
 *
 * @example dice()
 */
export declare function dice(): Promise<void>;
/**
 * Buys a pear.
 *
 * @param shop - Open.
 * @param of - What else.
 * @returns The pear.
 * @throws Error if there is none.
 */
export declare const buy: (shop: string, { price }: { price: number }) => string;
`;
    writeFileSync(join(packages, "pear/lib/index.d.ts"), text);
    const { pages, undocumented } = apiPages(packages);
    expect(undocumented.map((message) => message.replace("@firmseal/pear: ", ""))).toEqual([
      "cut takes (pear), and its @param are (knife)",
      "cut has no @returns",
      "cut says in its text what it throws, and not in @throws",
      "dice has the tag @firmseal: write names of packages in backticks",
      "dice has an @example that is not one block of ts",
      "peel has no docstring",
    ]);
    expect(pages[1].text).toContain(
      "Buys a pear.\n\n- `shop`: Open.\n- `of`: What else.\n- Returns: The pear.\n- Throws: Error if there is none.\n",
    );
    expect(pages[1].text).toContain("### eat\n\n```ts\nfunction eat(): void;\n```\n\nEats a pear.\n");
  });
});
