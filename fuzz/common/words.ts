// Errors that the command line tells in words, each with a hint.

import { failureOf } from "../../packages/cli/src/show/failure-of.js";
import { CODES, Failure } from "../../packages/keys/src/errors/failure.js";
import { KeyError } from "../../packages/signer/src/key/error.js";
import { Finding } from "./verdict.js";

/** A line that is shown is one line of a sensible length, and none of what cannot be shown. */
const LONGEST = 4000;

/** Runs `work`; what it throws must be told in words, and must not be a fault of the program. Whether it went well. */
export async function told(work: () => unknown): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (e) {
    const failure = failureOf(e);
    if (failure.code === CODES.INTERNAL || !(failure instanceof Failure) || (failure.reason as string) === "UNKNOWN") throw e;
    if (failure.message.length > LONGEST) throw new Finding(`a message of ${failure.message.length} characters`);
    if (failure.hint === "") throw new Finding("an error without a hint");
    if (e instanceof KeyError && e.code === "fault") throw new Finding("a fault where a key is read");
    return false;
  }
}
