// What this package throws for a file: a number, words, and the place.

import { FirmsealError, type FormatRefusalName } from "@firmseal/verifier/tools";
import { formatRefusalOf } from "./refusals/table.js";

/** The file is not valid, or not signed by the given keys. Message and hint are one line each. */
export class FormatRefusal extends FirmsealError {
  override readonly name = "FormatRefusal";
  /** What to do. */
  readonly hint: string;

  constructor(
    /** Its name in the table, without ERR_. */
    readonly reason: FormatRefusalName,
    /** Offset in the file where the faulty item begins, or -1. */
    readonly at: number,
    /** What was found, for the message: "the length is 5". Default: the meaning alone. */
    detail?: string,
  ) {
    const { meaning, advice } = formatRefusalOf(reason);
    super(`ERR_${reason}`, `${meaning}${detail === undefined ? "" : `: ${detail}`}`);
    this.hint = advice;
  }
}

/** Refuses a file. For the parameters see FormatRefusal. */
export function refuseFormat(reason: FormatRefusalName, at = -1, detail?: string): never {
  throw new FormatRefusal(reason, at, detail);
}
