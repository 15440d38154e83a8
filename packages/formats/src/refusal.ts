// What this package throws for a file: a number, words, and the place.

import { FirmsealError } from "@firmseal/verifier/tools";
import type { FormatRefusalName } from "./refusals/numbers.js";
import { formatRefusalOf } from "./refusals/table.js";

/** The file is not valid, or not signed by the given keys. Message and hint are one line each. */
export class FormatRefusal extends FirmsealError {
  override readonly name = "FormatRefusal";
  override readonly number: number;
  /** What to do. */
  readonly hint: string;

  constructor(
    /** Its name in the table, without ERR_. */
    readonly reason: FormatRefusalName,
    /** Offset in the file where the faulty item begins, or -1. */
    readonly at: number,
    /** The finding, for the message: "the length is 5". Default: the message has the meaning alone. */
    detail?: string,
  ) {
    const { number, meaning, advice } = formatRefusalOf(reason);
    super(`ERR_${reason}`, `${meaning}${detail === undefined ? "" : `: ${detail}`}`);
    this.number = number;
    this.hint = advice;
  }
}

/** Refuses a file. For the parameters see FormatRefusal. */
export function refuseFormat(reason: FormatRefusalName, at = -1, detail?: string): never {
  throw new FormatRefusal(reason, at, detail);
}
