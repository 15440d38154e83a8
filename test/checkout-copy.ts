// A copy of the checkout, for tests that change sources and run the checks on them.

import { execFile, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { temporaryFolder } from "../packages/test-support/src/environment/folders.js";
import { ROOT } from "./pages.js";

/** How a line of shell has ended, and what it has printed. */
export interface Ended {
  status: number;
  output: string;
}

/** A copy of what git tracks or would track, and of what is built. The dependencies are those of the checkout. */
export class CheckoutCopy {
  readonly folder = temporaryFolder("firmseal-copy-");
  /** vitest runs no hook of a file whose tests are all left out, so what setup.ts makes for it stays. */
  private readonly temporary = temporaryFolder("firmseal-copy-");

  constructor() {
    const list = (...which: string[]) =>
      execFileSync("git", ["ls-files", "-z", "--others", "--exclude-standard", ...which], {
        cwd: ROOT,
        encoding: "utf8",
        maxBuffer: 1 << 26,
      })
        .split("\0")
        .filter((path) => path !== "" && existsSync(join(ROOT, path)));
    const ignored = list("--ignored", "--directory").filter((path) => /^(?:packages|test-vectors)\//.test(path));
    // tsc compares times
    const as = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true };
    for (const path of [...list("--cached"), ...ignored]) cpSync(join(ROOT, path), join(this.folder, path), as);
    mkdirSync(join(this.folder, "node_modules"));
    for (const name of readdirSync(join(ROOT, "node_modules")))
      if (/^(?!\.)|^\.(?:bin|pnpm)$/.test(name)) symlinkSync(join(ROOT, "node_modules", name), join(this.folder, "node_modules", name));
    execFileSync("git", ["init", "--quiet"], { cwd: this.folder });
  }

  /** Runs a line of shell as `pnpm run` does. Tests in the copy have their usual length. */
  run(line: string, variables: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const kept = Object.entries(process.env).filter(([name]) => !/^(?:CI$|NODE_|FIRMSEAL_|VITE)/.test(name));
    const env = {
      ...Object.fromEntries(kept),
      NO_COLOR: "1",
      TMPDIR: this.temporary,
      PATH: `${this.folder}/node_modules/.bin${delimiter}${process.env["PATH"]}`,
      ...variables,
    };
    return new Promise((resolve) =>
      execFile("sh", ["-c", line], { cwd: this.folder, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
        resolve({ status: error ? Number(error.code) || 1 : 0, output: stdout + stderr }),
      ),
    );
  }
}

/** The failures that vitest prints: the names of the tests, then what they say. */
export const failuresIn = (output: string): readonly string[] => output.match(/(?:^ FAIL .*\n)+(?:(?! FAIL ).*\n)*/gm) ?? [];
