// Questions on a terminal. Without one, what is missing is wrong use.

import { createInterface } from "node:readline/promises";
import { usage } from "@firmseal/keys";

/** The answer to a question on stderr. Throws a Failure where there is no terminal, or no answer. */
export async function askFor(option: string, question: string): Promise<string> {
  const isTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  if (!isTerminal) throw usage(`${option} is missing: ${question}`, `give ${option}; on a terminal this command asks`);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = (await lines.question(`${question} `)).trim();
    if (answer === "") throw usage(`${option} is missing: ${question}`, `find it out first, then give ${option}`);
    return answer;
  } finally {
    lines.close();
  }
}
