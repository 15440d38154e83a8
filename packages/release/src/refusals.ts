// Refusals in words, from the table of the verifier, which is also the source of docs/reference/errors.md.

import { Failure, systemFault } from "@firmseal/keys";
import { errors, type Refusal } from "@firmseal/verifier";
import { refusalOf } from "@firmseal/verifier/tools";

/** The name of a refusal, which is the `reason` in the JSON of the command line. */
export function refusalName(code: number): string {
  return refusalOf(code)?.name ?? "UNKNOWN";
}

/** The meaning of a refusal, in a few words. */
export function refusalMeaning(code: number): string {
  return refusalOf(code)?.meaning ?? `number ${code}`;
}

/** Advice for a refusal. */
export function refusalHint(code: number): string {
  return refusalOf(code)?.advice ?? "see docs/reference/errors.md";
}

export function isRefusal(e: unknown): e is Refusal {
  return e instanceof Error && typeof (e as Partial<Refusal>).code === "number" && typeof (e as Partial<Refusal>).at === "number";
}

/** A refusal of the verifier as a Failure. */
export function refusalFailure(e: Refusal): Failure {
  const cause = e.cause === undefined ? undefined : systemFault(e.cause, "the device");
  if (cause) return cause;
  const where = e.at >= 0 ? ` (at byte ${e.at})` : "";
  // the policy comes from the options, not from the input
  const exit = e.code === errors.TRUST_POLICY ? 2 : 1;
  return new Failure(exit, refusalName(e.code), e.code, `refused: ${refusalMeaning(e.code)}${where}`, refusalHint(e.code), { cause: e });
}
