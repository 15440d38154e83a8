// Reads CSV from untrusted files: each row is bounded, and the first invalid one ends the reading with its line number.

import type { Failure } from "@firmseal/keys";
import { byteWords, tooMuch, visible } from "@firmseal/keys/internal";
import { decodeUtf8 } from "@firmseal/signer";
import { CsvError, type Info } from "csv-parse";
import { parse } from "csv-parse/sync";

/** A row below the line of names, and its place in the file, for people. An empty cell means an absent member. */
export interface CsvRow {
  readonly where: string;
  readonly cells: { readonly [name: string]: string };
}

/** The faults that csv-parse reports. Its own messages quote the file. */
const FAULTS: { readonly [code: string]: string } = {
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: "does not have as many cells as the first line",
  CSV_RECORD_INCONSISTENT_COLUMNS: "does not have as many cells as the first line",
  CSV_QUOTE_NOT_CLOSED: "begins a quotation that does not end",
  CSV_INVALID_CLOSING_QUOTE: "has text after a quotation",
  INVALID_OPENING_QUOTE: "has a quotation mark inside a cell",
};

const tooLong = (path: string, line: number, longest: number, what: string) =>
  tooMuch(`${path}: line ${line} is too long`, `the limit is ${byteWords(longest)} for ${what}`);

/** csv-parse counts no separators, and a line of nothing else would have more cells than an engine can hold. */
function refuseLongLine(path: string, bytes: Uint8Array, longest: number, what: string): void {
  let [line, begin] = [1, 0];
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 0x0a || bytes[i] === 0x0d) {
      // CR LF ends one line
      if (bytes[i] === 0x0a && bytes[i - 1] === 0x0d) begin = i + 1;
      else [line, begin] = [line + 1, i + 1];
    } else if (i - begin >= longest) throw tooLong(path, line, longest, what);
  }
}

/**
 * Calls `take` for each row of a file in UTF-8 whose first line names the columns. `what`: one row of it, in the
 * message for a row longer than `longest` bytes. Throws a Failure: LIMIT, or that of `fault` for what is not a row.
 */
export function csvRows(
  path: string,
  bytes: Uint8Array,
  { longest, what, fault }: { longest: number; what: string; fault: (words: string) => Failure },
  take: (row: CsvRow) => void,
): void {
  if (decodeUtf8(bytes) === undefined) throw fault("the file is not text in UTF-8");
  refuseLongLine(path, bytes, longest, what);
  let names: string[] | undefined;
  const onRecord = (cells: string[], { lines }: Info) => {
    if (names) take({ where: `line ${lines}`, cells: namedCells(names, cells) });
    else {
      names = cells;
      const twice = cells.find((name, i) => cells.indexOf(name) !== i);
      if (twice !== undefined) throw fault(`line ${lines}: two columns have the name ${visible(JSON.stringify(twice.slice(0, 64)))}`);
    }
    return null;
  };
  try {
    parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), {
      bom: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: longest,
      on_record: onRecord as never,
    });
  } catch (e) {
    if (!(e instanceof CsvError)) throw e;
    const line = Number(e["lines"]);
    if (e.code === "CSV_MAX_RECORD_SIZE") throw tooLong(path, line, longest, what);
    throw fault(`line ${line} ${FAULTS[e.code] ?? "is not CSV"}`);
  }
}

/** Own properties only: a column can have the name __proto__. */
function namedCells(names: readonly string[], cells: readonly string[]): CsvRow["cells"] {
  return Object.fromEntries(names.map((name, i) => [name, cells[i] as string] as const).filter(([, cell]) => cell !== ""));
}
