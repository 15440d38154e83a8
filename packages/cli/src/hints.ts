// Refusals in words, from the verifier's table. docs/errors.md is made from the same.

import { refusalOf } from "@firmseal/verifier/tools";

/** Its name, the `reason` of the command line's JSON. */
export function nameOf(code: number): string {
  return refusalOf(code)?.name ?? "UNKNOWN";
}

/** What a refusal means, in a few words. */
export function meaningOf(code: number): string {
  return refusalOf(code)?.meaning ?? `number ${code}`;
}

/** What to do about it. */
export function hintOf(code: number): string {
  return refusalOf(code)?.advice ?? "see docs/errors.md";
}
