// The refusal of a format, as commands and releases report it.

import type { FormatRefusal } from "@firmseal/formats";
import { Failure } from "@firmseal/keys";

/** By its name: what only reports it does not load the formats. */
const isFormatRefusal = (e: unknown): e is FormatRefusal => e instanceof Error && e.name === "FormatRefusal";

/** The refusal of a format as a Failure, which says the file and the place in it; every other error as it is. */
export function refusedFormat(path: string, e: unknown, facts: object = {}): unknown {
  if (!isFormatRefusal(e)) return e;
  const where = e.at < 0 ? "" : `, at byte ${e.at}`;
  const failure = new Failure(1, e.code, `${path}: refused: ${e.message}${where}`, e.hint, { cause: e });
  failure.facts = facts;
  return failure;
}
