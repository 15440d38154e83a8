// Questions on a terminal. Without one, what is missing is a usage error.

import { usage } from "@firmseal/keys/internal";
import { questionOnTerminal } from "../show/ui.js";

/**
 * Asks a question on stderr, and returns the answer. Throws a Failure without a terminal or an answer. `missing`: what
 * the Failure says is wrong, and what to give. Default: the option.
 */
export async function askFor(option: string, question: string, missing: { what?: string; give?: string } = {}): Promise<string> {
  const answer = await questionOnTerminal(question);
  if (answer) return answer;
  const { what = `${option} is missing`, give = option } = missing;
  throw usage(what, `give ${give}${answer === undefined ? "; on a terminal this command asks" : ""}`);
}
