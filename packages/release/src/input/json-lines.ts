// Reads JSON Lines from untrusted files: each line is bounded, and the first invalid one ends the reading with its
// number.

import type { Failure } from "@firmseal/keys";
import { byteWords, tooMuch } from "@firmseal/keys/internal";
import { parseJson } from "./json.js";

const NEWLINE = 10;

/** A line, and its place in the file, for people. */
export interface JsonLine {
  readonly where: string;
  readonly value: unknown;
}

/**
 * The lines of a file that are not blank. `what`: one line of it, in the message for a line longer than `longest`
 * bytes. `once`: refuse a line that has a member twice. Throws a Failure: LIMIT, or that of `fault` for a line that is
 * not JSON.
 */
export function* jsonLines(
  path: string,
  bytes: Uint8Array,
  { longest, what, fault, once = false }: { longest: number; what: string; fault: (words: string) => Failure; once?: boolean },
): Generator<JsonLine> {
  let line = 0;
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline;
    line++;
    if (end - at > longest) throw tooMuch(`${path}: line ${line} is too long`, `the limit is ${byteWords(longest)} for ${what}`);
    const row = bytes.subarray(at, end);
    at = end + 1;
    if (row.every((b) => b === 0x20 || b === 0x0d || b === 0x09)) continue;
    let value: unknown;
    try {
      value = parseJson(row, once);
    } catch (e) {
      throw fault(`line ${line}: ${(e as Error).message}`);
    }
    yield { where: `line ${line}`, value };
  }
}
