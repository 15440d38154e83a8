// Turns the facts of a command into one JSON object, or into its words. Whatever is shown passes here, so control
// characters end here.

import { Failure } from "@firmseal/keys";
import { visible } from "@firmseal/keys/internal";
import type { AnyCommand } from "../command.js";
import type { Picture } from "./bars.js";
import type { MapLine } from "./map.js";
import { danger, writeFailure, writeJson, writeObjects, writeParts, writeStdout, writeWords } from "./ui.js";

/** A table: each row has a cell for every column. Numbers are on the right. The rows are asked for more than once. */
export interface TableLine {
  columns: readonly { title: string; right?: boolean }[];
  rows: Iterable<readonly (string | Picture)[]>;
  /** Only for terminals with room for pictures. */
  isPicture?: boolean;
  /** What pictures mean: a line below the table. */
  below?: string;
}

/**
 * A line of words for stderr; for stdout, one line of text, several, or bytes; objects, each in a line; a table, or a
 * map on a wide terminal. A line break inside of a line would begin a line that only looks like one of ours.
 */
export type Line =
  | string
  | { text: string; danger?: boolean }
  | { lines: readonly string[] }
  | { bytes: Uint8Array }
  | { objects: Iterable<object> }
  | { table: TableLine }
  | { map: MapLine };

/** A refusal after everything is known: people read the facts first, and JSON has them beside the refusal. */
export class RefusedWithFacts extends Failure {
  constructor({ exit, code, message, hint }: Failure, facts: object) {
    super(exit, code, message, hint);
    this.facts = facts;
  }
}

async function writeLines(lines: readonly Line[]): Promise<void> {
  for (const line of lines) {
    if (typeof line === "string") writeWords(visible(line));
    else if ("text" in line) writeStdout(`${line.danger ? danger(visible(line.text)) : visible(line.text)}\n`);
    else if ("lines" in line) writeStdout(`${line.lines.map(visible).join("\n")}\n`);
    else if ("bytes" in line) writeStdout(line.bytes);
    else if ("objects" in line) writeObjects(line.objects);
    else if ("map" in line) {
      const [{ mapText }, { tableWidth }] = await Promise.all([import("./map.js"), import("./table.js")]);
      writeStdout(mapText(line.map, tableWidth()));
    } else {
      const { tableLines, tableWidth } = await import("./table.js");
      writeParts(tableLines(line.table, tableWidth()));
    }
  }
}

/** Shows what a command found out. `given`: its arguments and options. */
export async function render(command: AnyCommand, facts: object, given: unknown[]): Promise<void> {
  if ((given.at(-1) as { json?: boolean }).json) writeJson({ ok: true, code: 0, reason: "OK", ...facts });
  else await writeLines(command.words(facts, ...given));
}

/** Whether an object is asked for. This is known before the options are read, so usage errors are in JSON too. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).includes("--json");
}

/** A command line that may be wrong. `place`: see failureOf(). */
interface CommandLine {
  argv: readonly string[];
  place: string;
}

/** Shows a failure, and gives the exit code. The command is missing if none was found. */
export async function renderFailure(
  e: unknown,
  command: AnyCommand | undefined,
  given: unknown[],
  { argv, place }: CommandLine,
): Promise<number> {
  const asJson = wantsJson(argv);
  const { failureOf, withOption } = await import("./failure-of.js");
  let failure: Failure;
  try {
    if (e instanceof RefusedWithFacts && !asJson) await writeLines((command as AnyCommand).words(e.facts, ...given));
    failure = withOption(failureOf(e, place, command), command, given);
    if (asJson) {
      const { number, reason, exit, message, hint, facts } = failure;
      writeJson({ ok: false, code: number, reason, exit, message, hint, ...command?.failure, ...facts });
    }
  } catch (x) {
    failure = failureOf(x);
  }
  writeFailure(failure);
  return failure.exit;
}
