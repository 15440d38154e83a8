// Questions on a terminal. Without one, what is missing is a usage error.

import { usage } from "@firmseal/keys/internal";
import { questionOnTerminal } from "../show/ui.js";

/**
 * The answer to a question on stderr. Throws a Failure where there is no terminal, or no answer. `missing`: what is
 * wrong then, and what to give. Default: the option.
 */
export async function askFor(option: string, question: string, missing: { what?: string; give?: string } = {}): Promise<string> {
  const answer = await questionOnTerminal(question);
  if (answer) return answer;
  const { what = `${option} is missing`, give = option } = missing;
  throw usage(what, `give ${give}${answer === undefined ? "; on a terminal this command asks" : ""}`);
}
