// Refusals in words, from the verifier's table. docs/reference/errors.md is made from the same.

import { Failure, systemFault } from "@firmseal/keys";
import { errors, type Refusal } from "@firmseal/verifier";
import { refusalOf } from "@firmseal/verifier/tools";

/** Its name, the `reason` of the command line's JSON. */
export function refusalName(code: number): string {
  return refusalOf(code)?.name ?? "UNKNOWN";
}

/** What a refusal means, in a few words. */
export function refusalMeaning(code: number): string {
  return refusalOf(code)?.meaning ?? `number ${code}`;
}

/** What to do about it. */
export function refusalHint(code: number): string {
  return refusalOf(code)?.advice ?? "see docs/reference/errors.md";
}

export function isRefusal(e: unknown): e is Refusal {
  return e instanceof Error && typeof (e as Partial<Refusal>).code === "number" && typeof (e as Partial<Refusal>).at === "number";
}

/** A refusal of the verifier as it is shown. */
export function refusalFailure(e: Refusal): Failure {
  const cause = e.cause === undefined ? undefined : systemFault(e.cause, "the device");
  if (cause) return cause;
  const where = e.at >= 0 ? ` (at byte ${e.at})` : "";
  // a policy comes from the options, not from what was read
  const exit = e.code === errors.TRUST_POLICY ? 2 : 1;
  return new Failure(exit, refusalName(e.code), e.code, `refused: ${refusalMeaning(e.code)}${where}`, refusalHint(e.code), { cause: e });
}
