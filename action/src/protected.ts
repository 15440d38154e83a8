// What publish trusts: files of a protected ref, as git has them. What another job has written is in the folder of
// images, and nothing that decides about keys, trust or numbers comes from there.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import * as core from "@actions/core";

/** Files of an earlier release. More are not read. */
const MOST_FILES = 10_000;

/** Runs git without what a repository could configure to start, and without the secrets of the job. */
function git(folder: string, ...args: string[]): Buffer | undefined {
  const safe = ["-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];
  const { status, stdout, error } = spawnSync("git", [...safe, "-C", folder, ...args], {
    env: { PATH: process.env["PATH"], GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", GIT_NO_LAZY_FETCH: "1" },
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 512 * 1024 * 1024,
  });
  if (error) throw new Error(`git: ${error.message}`);
  return status === 0 ? stdout : undefined;
}

const textOf = (bytes: Buffer | undefined) => bytes?.toString("utf8").trim();

/** Whether a path is a folder or in it, with links resolved. */
export function isIn(folder: string, path: string): boolean {
  const rest = relative(realpathSync(folder), realpathSync(path));
  return rest !== ".." && !rest.startsWith(`..${sep}`);
}

/** The full name of the ref, and where a checkout has it. A plain name is that of a branch, never that of a tag. */
function refOf(name: string): { full: string; here: string } {
  const full = name.startsWith("refs/") ? name : `refs/heads/${name}`;
  if (!/^refs\/(heads|tags)\/[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(full) || full.includes(".."))
    throw new Error("protected-ref: not a branch, and not refs/tags/NAME; name the ref that only reviewed changes reach");
  return { full, here: full.replace(/^refs\/heads\//, "refs/remotes/origin/") };
}

/** A checkout of the protected ref. */
export interface Checkout {
  readonly ref: string;
  readonly commit: string;
  /** Throws unless the file is as the commit has it. */
  requireFile(path: string): void;
  /** Like requireFile(), for a file or for all files in a folder. */
  requireAll(path: string): void;
}

/** Opens the checkout that the product file is in. Throws unless it is one of the protected ref. */
export function openCheckout(product: string): Checkout {
  const { full, here } = refOf(core.getInput("protected-ref", { required: true }));
  if (!existsSync(product)) throw new Error(`product: the file ${product} does not exist; check out ${full} before this step`);
  const folder = dirname(realpathSync(product));
  const top = textOf(git(folder, "rev-parse", "--show-toplevel"));
  const again = `check out ${full} with actions/checkout, and download artifacts into a folder of their own`;
  if (top === undefined) throw new Error(`${product} is not in a checkout; ${again}`);
  const commit = textOf(git(folder, "rev-parse", "--verify", "HEAD^{commit}"));
  if (commit === undefined || commit !== textOf(git(folder, "rev-parse", "--verify", `${here}^{commit}`)))
    throw new Error(`the checkout of ${product} is not that of ${full}; ${again}`);
  // GitHub takes the workflow from the ref that it runs for: who can push that ref writes what this job does
  const from = process.env["GITHUB_REF"];
  if (from !== full)
    throw new Error(
      `the workflow runs for ${from ?? "no ref"}, so its file is of that, not of ${full}; start it on ${full}: workflow_dispatch`,
    );
  if (process.env["GITHUB_REF_PROTECTED"] !== "true")
    throw new Error(`${full} is not protected; protect it with a rule, or name a protected branch: protected-ref`);
  const requireFile = (path: string) => {
    const name = relative(realpathSync(top), realpathSync(path)).split(sep).join("/");
    const blob = git(folder, "cat-file", "blob", `${commit}:${name}`);
    if (!blob?.equals(readFileSync(path))) throw new Error(`${path} is not as ${full} has it; ${again}`);
  };
  const requireAll = (path: string) => {
    if (!statSync(path).isDirectory()) return requireFile(path);
    const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
    if (files.length > MOST_FILES) throw new Error(`${path} has more than ${MOST_FILES} files; name one release`);
    for (const { parentPath, name } of files) requireFile(join(parentPath, name));
  };
  return { ref: full, commit, requireFile, requireAll };
}
