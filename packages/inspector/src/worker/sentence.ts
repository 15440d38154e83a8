// What went wrong, in one sentence for people.

import { refusalOf } from "@firmseal/verifier/tools";

/** An error whose message the page shows as it is. */
export class Sentence extends Error {
  override readonly name = "Sentence";
}

export interface Refused {
  code: number;
  at: number;
}

export const isRefusal = (e: unknown): e is Refused => typeof (e as { code?: unknown } | null)?.code === "number";

/** The words and the number of a refusal, as the command line has them. */
export function refusalText({ code }: Refused): string {
  const row = refusalOf(code);
  return row ? `${row.meaning} (${code} ${row.name})` : String(code);
}
