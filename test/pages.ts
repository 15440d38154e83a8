// Documents as tests run them: as a reader would, in the order of the text, in one shell, over the built command line and the built packages.
// Blocks marked `sh` are run. `js NAME` and `json NAME` are files that the reader writes. All others are there to be read.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { ALL } from "../packages/test-support/src/environment/effort.js";
import { callsFromShell } from "./pages-calls.js";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

export interface Block {
  language: string;
  name: string;
  text: string;
}

export function blocksOf(path: string): Block[] {
  return [...read(path).matchAll(/^```(\S*) ?([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, language = "", name = "", text = ""]) => ({
    language,
    name,
    text,
  }));
}

/** The text of the only block of a kind. */
export function only(blocks: readonly Block[], kind: string): string {
  const found = blocks.filter(({ language, name }) => `${language} ${name}`.trim() === kind);
  expect(found, kind).toHaveLength(1);
  return (found[0] as Block).text;
}

export const bin = join(ROOT, "packages/cli/bin/firmseal.js");
const ALIAS = `alias firmseal="${process.execPath} ${bin}"\n`;

/** `npm install` puts links to the packages of the workspace in place: what the registry has is not what is tested. */
const INSTALL = `npm() {
  mkdir -p node_modules/.bin node_modules/@firmseal
  ln -sfn "${ROOT}packages"/*/ node_modules/@firmseal/
  ln -sf "${bin}" node_modules/.bin/firmseal
}\n`;

/** What a reader types and writes on a page. What builds and packs has run, or is running, when this is run. */
export function scriptOf(blocks: readonly Block[]): string {
  return blocks
    .map(({ language, name, text }) => {
      if (language === "sh") return text.replaceAll(/^npx -y pnpm@.*$/gm, "");
      return (language === "js" || language === "json") && name && !name.includes(" ") ? `cat > ${name} <<'END'\n${text}END\n` : "";
    })
    .join("");
}

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A shell that ends at the first command that fails. Nothing of it touches the state of the user. */
export function shell(script: string, cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-O", "expand_aliases", "-eu", "-o", "pipefail"], {
      cwd,
      env: { ...process.env, NO_COLOR: "1", FIRMSEAL_STATE: join(cwd, ".state"), ...env },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
    child.stdin.on("error", () => {}); // it ended before it had read all
    child.stdin.end(script);
  });
}

/**
 * Calls `work` with what makes `firmseal` a command of a shell. `starts`: each command is a process of its own; otherwise only where that is
 * asked for.
 */
export async function withFirmseal<T>(work: (define: string) => Promise<T>, { starts = ALL } = {}): Promise<T> {
  const calls = starts ? undefined : await callsFromShell();
  try {
    return await work(calls?.define ?? ALIAS);
  } finally {
    calls?.close();
  }
}

/** Runs a page from top to bottom in a folder where firmseal is installed. */
export async function runPage(path: string, cwd: string, { first = "", ...o }: { starts?: boolean; first?: string } = {}): Promise<Ran> {
  const ran = await withFirmseal(
    (define) => shell(`${define}${first}${INSTALL}npm install\n${scriptOf(blocksOf(path))}`, cwd, { FIRMSEAL: ROOT }),
    o,
  );
  expect({ status: ran.status, stderr: ran.status === 0 ? "" : ran.stderr }).toEqual({ status: 0, stderr: "" });
  return ran;
}
