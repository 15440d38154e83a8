// Runs the command line on a terminal, which the program `script` (util-linux) makes, and types what it asks for.

import { spawn } from "node:child_process";
import { hasProgram } from "../environment/programs.js";
import { bin, type Place, stateOf } from "./run.js";

export const hasTerminal = hasProgram("script");
/** For the name of a test that needs one. */
export const terminalReason = hasTerminal ? "" : " (skipped: no program script)";

export interface Typed {
  status: unknown;
  /** Everything that the terminal showed. */
  shown: string;
  /** How many of the answers were asked for. */
  asked: number;
}

/** `prompt` matches a question, with the flags g and m. Each answer is typed when its question is there. */
export function typeAt(p: Place, args: readonly string[], prompt = /^$/gm, answers: readonly string[] = []): Promise<Typed> {
  const line = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qec", line, "/dev/null"], { cwd: p.path, env: { ...process.env, FIRMSEAL_STATE: stateOf(p.path) } });
  let shown = "";
  let asked = 0;
  return new Promise((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      shown += text;
      const questions = answers.length > 0 ? (shown.match(prompt)?.length ?? 0) : 0;
      while (asked < questions && asked < answers.length) child.stdin.write(`${answers[asked++]}\n`);
    });
    child.on("close", (status) => resolve({ status, shown, asked }));
  });
}
