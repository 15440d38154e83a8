// Errors that the command line reports in words, each with a hint.

import { failureOf } from "../../packages/cli/src/show/failure-of.js";
import { Failure } from "../../packages/keys/src/errors/failure.js";
import { KeyError } from "../../packages/signer/src/key-error.js";
import { Finding } from "./verdict.js";

/** A line that is shown has a sensible length, and no character that a terminal cannot show. */
const LONGEST = 4000;

/** Runs `work`, and returns whether it succeeded. An error must be one in words, and not a fault of the program. */
export async function told(work: () => unknown): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (e) {
    const failure = failureOf(e);
    if (failure.code === "ERR_INTERNAL" || !(failure instanceof Failure)) throw e;
    if (failure.message.length > LONGEST) throw new Finding(`a message of ${failure.message.length} characters`);
    if (failure.hint === "") throw new Finding("an error without a hint");
    if (e instanceof KeyError && e.fault === "signature") throw new Finding("a fault where a key is read");
    return false;
  }
}
