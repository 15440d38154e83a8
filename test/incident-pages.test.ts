// The pages about incidents: each is typed from top to bottom, in the folder of the product that docs/guides/incidents.md makes.

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { AT_LENGTH, LONG } from "../packages/test-support/src/environment/effort.js";
import { temporaryFolder } from "../packages/test-support/src/environment/folders.js";
import { ROOT, runPage } from "./pages.js";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const PAGES = "docs/guides/incidents";
let folder: string;
beforeAll(async () => {
  folder = temporaryFolder("firmseal-incidents-");
  mkdirSync(join(folder, "begin"));
  await runPage(`${PAGES}.md`, join(folder, "begin"));
});

/** What each page must have reached. */
const ENDS: { readonly [page: string]: { stdout: RegExp; file?: string } } = {
  "stolen.md": { stdout: /^stage: safe: /m, file: "stolen/auditor.md" },
  "lost.md": { stdout: /^stage: safe: /m, file: "lost/auditor.md" },
  "debug-leaked.md": { stdout: /^stage: safe: /m, file: "debug/auditor.md" },
  "expired.md": { stdout: /^stage: safe: /m, file: "expired/auditor.md" },
  "frozen.md": {
    stdout: /^serial-2 +1 +1 +published\/lamp-puck-1\.0\.1\.suit +\d{4}-[\s\S]*^longer, or never +1 +serial-3$/m,
    file: "devices.jsonl",
  },
  "roots-lost.md": { stdout: /roots-lost/, file: "dist/1.1.0/lamp-puck-1.1.0.suit" },
  "planned.md": { stdout: /shelf .* moved$/m, file: "bridge.suit" },
  "vendor.md": { stdout: /ours .* moved$/m, file: "theirs.suit" },
  "post-quantum.md": { stdout: /10,000 .* moved$/m, file: "bridge.suit" },
};

describe("docs/guides/incidents", () => {
  it("has a page for each case, and an entry for each page", () => {
    const pages = readdirSync(join(ROOT, PAGES));
    expect(pages.sort()).toEqual(Object.keys(ENDS).sort());
    const index = readFileSync(join(ROOT, `${PAGES}.md`), "utf8");
    for (const page of pages) expect(index).toContain(`(incidents/${page})`);
  });

  // a page is a dozen starts of the program: two of them tell whether the commands are right, and
  // packages/cli/test/incident/incident.test.ts plays the others
  const always = ["planned.md", "frozen.md"];
  it.each(Object.entries(ENDS).filter(([page]) => always.includes(page)))("%s", run);
  it.skipIf(!LONG).each(Object.entries(ENDS).filter(([page]) => !always.includes(page)))(`%s${AT_LENGTH}`, run);

  async function run(page: string, { stdout, file }: (typeof ENDS)[string]): Promise<void> {
    const here = join(folder, page.replace(".md", ""));
    cpSync(join(folder, "begin"), here, { recursive: true, verbatimSymlinks: true });
    // the marks name the logs by their folder: those of the first folder say nothing about the copy
    rmSync(join(here, ".state"), { recursive: true, force: true });
    const ran = await runPage(`${PAGES}/${page}`, here);
    expect(ran.stdout).toMatch(stdout);
    if (file !== undefined) expect(readFileSync(join(here, file)).length).toBeGreaterThan(100);
  }
});
