// What went wrong, in one sentence for people.

import type { Refusal } from "@firmseal/verifier";
import { refusalOf } from "@firmseal/verifier/tools";

/** An error whose message the page shows as it is. */
export class Sentence extends Error {
  override readonly name = "Sentence";
}

/** The words and the number of a refusal, as the command line has them. */
export function refusalText({ code }: Pick<Refusal, "code">): string {
  const row = refusalOf(code);
  return row ? `${row.meaning} (${code} ${row.name})` : String(code);
}
