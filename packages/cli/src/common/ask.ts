// Questions on a terminal. Without one, what is missing is a usage error.

import { usage } from "@firmseal/keys";
import { questionOnTerminal } from "../show/ui.js";

/** The answer to a question on stderr. Throws a Failure where there is no terminal, or no answer. */
export async function askFor(option: string, question: string): Promise<string> {
  const answer = await questionOnTerminal(question);
  if (answer === undefined) throw usage(`${option} is missing: ${question}`, `give ${option}; on a terminal this command asks`);
  if (answer === "") throw usage(`${option} is missing: ${question}`, `find it out first, then give ${option}`);
  return answer;
}
