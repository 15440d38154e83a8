// Questions on a terminal. Without one, what is missing is a usage error.

import { usage } from "@firmseal/keys/internal";
import { questionOnTerminal } from "../show/ui.js";

/** The answer to a question on stderr. Throws a Failure where there is no terminal, or no answer. */
export async function askFor(option: string, question: string): Promise<string> {
  const answer = await questionOnTerminal(question);
  // only before an answer
  const missing = `${option} is missing: ${question.replace(/:$/, "")}`;
  if (answer === undefined) throw usage(missing, `give ${option}; on a terminal this command asks`);
  if (answer === "") throw usage(missing, `find it out first, then give ${option}`);
  return answer;
}
