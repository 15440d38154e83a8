// Reads the three formats of a fleet file row by row: JSON with all cohorts in one list, JSON Lines, CSV. The file may
// come from an untrusted inventory: each row is bounded, and the first invalid one ends the reading with its line
// number.

import { extname } from "node:path";
import type { Failure } from "@firmseal/keys";
import { byteWords, grouped, readAll, refusedInput, tooMuch, visible } from "@firmseal/keys/internal";
import { decodeUtf8, suggestion, type Violation } from "@firmseal/signer";
import { CsvError, type Info } from "csv-parse";
import { parse } from "csv-parse/sync";
import { parseJson } from "../input/json.js";
import { jsonLines } from "../input/json-lines.js";
import { LIMITS } from "../input/limits.js";
import { violations } from "../input/schema.js";

/** A validated cohort. `where`: its place in the file, for people. */
export interface FleetRow {
  readonly where: string;
  readonly value: { readonly [member: string]: unknown };
}

const HINT = "see docs/reference/fleet.md for the fleet file format";

export function fleetFault(path: string, what: string): Failure {
  return refusedInput("ERR_FLEET", `${path}: ${what}`, HINT);
}

/** Names of members are untrusted. */
const shown = (name: unknown) => visible(JSON.stringify(String(name).slice(0, 64)));

/** Describes a violation in the terms of fleet files. */
function wordsOf({ instancePath, keyword, params, message, data, parentSchema }: Violation): string {
  const at = instancePath.slice(1).replaceAll("/", ".");
  const member = at === "" ? "" : `${shown(at)} `;
  const inside = at === "" ? "" : ` in ${shown(at)}`;
  switch (keyword) {
    case "type":
      return `${member}is not ${wordOfType(String(params["type"]))}`;
    case "required":
      return `lacks ${shown(params["missingProperty"])}${inside}`;
    case "additionalProperties":
      return `has the unknown member ${shown(params["additionalProperty"])}${inside}${suggestion(params["additionalProperty"], Object.keys(parentSchema?.properties ?? {}))}`;
    case "oneOf":
      return 'needs either "trust" or "keys"';
    case "dependentRequired":
      return `has ${shown(params["property"])} without ${shown(params["missingProperty"])}`;
    case "enum":
      return `${member}is not one of ${(params["allowedValues"] as string[]).join(", ")}${suggestion(data, params["allowedValues"] as string[])}`;
    case "minimum":
    case "maximum":
      return `${member}is not a number ${keyword === "minimum" ? "from" : "up to"} ${grouped(Number(params["limit"]))}`;
    default:
      return OF_MEMBER[at.replace(/\..*/, "")] ? `${member}${OF_MEMBER[at.replace(/\..*/, "")]}` : `${member}${message ?? "is wrong"}`;
  }
}

const wordOfType = (type: string) =>
  ({ integer: "a whole number", string: "text", array: "a list", object: "an object", boolean: "true or false" })[type] ?? type;

/** The descriptions of members that must match a pattern. */
const OF_MEMBER: { readonly [member: string]: string } = {
  name: "is not a name of up to 64 letters and digits",
  floor: "is not a sequence number",
  floors: "is not a sequence number",
  engine: "is not the name of an engine",
  seen: "is not a date, as 2026-11-26 or 2026-11-26T08:00:00Z",
  since: "is not a date, as 2026-11-26 or 2026-11-26T08:00:00Z",
};

/** Each alternative fails separately: reports the failure of a sequence number, or the last one. */
function first(all: readonly Violation[]): Violation {
  const last = all.findLast(({ keyword }) => keyword !== "if") as Violation;
  // an invalid sequence number fails both as a number and as text
  return last.keyword === "anyOf" ? { ...last, keyword: "pattern" } : last;
}

function checked(path: string, where: string, value: unknown): FleetRow {
  // a rule about members does not describe a value without members
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw fleetFault(path, `${where} is not an object`);
  const wrong = violations(value, "cohort");
  if (wrong.length > 0) {
    const words = wordsOf(first(wrong));
    // "line 2 lacks …", but: line 2: "floor" is not …
    throw fleetFault(path, `${where}${words.startsWith('"') ? ":" : ""} ${words}`);
  }
  return { where, value: value as FleetRow["value"] };
}

function* counted(path: string, rows: Iterable<FleetRow>): Generator<FleetRow> {
  let n = 0;
  for (const row of rows) {
    if (++n > LIMITS.fleetRows)
      throw tooMuch(
        `${path}: more than ${grouped(LIMITS.fleetRows)} cohorts`,
        "give cohorts of devices that are alike, or a part of the fleet",
      );
    yield row;
  }
}

function parsed(path: string, bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes);
  } catch (e) {
    throw fleetFault(path, (e as Error).message);
  }
}

const VERSION = /^urn:firmseal:fleet:(.*)$/;

function* jsonRows(path: string, bytes: Uint8Array): Generator<FleetRow> {
  const file = parsed(path, bytes);
  if (typeof file !== "object" || file === null || Array.isArray(file)) throw fleetFault(path, "the file is not an object");
  const { $schema: schema, cohorts, ...others } = file as { [name: string]: unknown };
  if (schema !== undefined && !(typeof schema === "string" && (schema.endsWith("fleet.schema.json") || VERSION.exec(schema)?.[1] === "1")))
    throw fleetFault(path, '"$schema" is not "urn:firmseal:fleet:1", which is the version that this program reads');
  const [other] = Object.keys(others);
  if (other !== undefined) throw fleetFault(path, `the file has the unknown member ${shown(other)}`);
  if (cohorts === undefined) throw fleetFault(path, 'the file lacks "cohorts"');
  if (!Array.isArray(cohorts) || cohorts.length === 0) throw fleetFault(path, '"cohorts" is not a list of cohorts, at least one');
  for (let i = 0; i < cohorts.length; i++) yield checked(path, `cohort ${i + 1}`, cohorts[i]);
}

const ONE_COHORT = "one cohort";

function tooLong(path: string, line: number): Failure {
  return tooMuch(`${path}: line ${line} is too long`, `the limit is ${byteWords(LIMITS.fleetRow)} for ${ONE_COHORT}`);
}

function* lineRows(path: string, bytes: Uint8Array): Generator<FleetRow> {
  const how = { longest: LIMITS.fleetRow, what: ONE_COHORT, fault: (words: string) => fleetFault(path, words) };
  for (const { where, value } of jsonLines(path, bytes, how)) yield checked(path, where, value);
}

/** Members that can have several values in one CSV cell. */
const LISTS = ["keys", "vendor", "class", "algorithms", "features"];
const BETWEEN = "|";
const NUMBER = /^[0-9]{1,16}$/;

/** Converts a CSV cell to its JSON value. An empty cell means an absent member. */
function memberOf(name: string, cell: string): unknown {
  if (LISTS.includes(name)) {
    const list = cell.split(BETWEEN);
    return list.length === 1 && (name === "vendor" || name === "class") ? cell : list;
  }
  if ((name === "devices" || name === "threshold") && NUMBER.test(cell)) return Number(cell);
  return cell;
}

function fromCells(names: readonly string[], cells: readonly string[]): { [member: string]: unknown } {
  const out: { [member: string]: unknown } = {};
  for (const [i, name] of names.entries()) {
    const cell = cells[i] as string;
    if (cell === "") continue;
    const value = memberOf(name, cell);
    const inside = /^floors\.(.*)$/.exec(name)?.[1];
    if (inside === undefined) out[name] = value;
    else out["floors"] = { ...(out["floors"] as object | undefined), [inside]: value };
  }
  return out;
}

/** The faults that csv-parse reports. Its own messages quote the file. */
const FAULTS: { readonly [code: string]: string } = {
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: "does not have as many cells as the first line",
  CSV_RECORD_INCONSISTENT_COLUMNS: "does not have as many cells as the first line",
  CSV_QUOTE_NOT_CLOSED: "begins a quotation that does not end",
  CSV_INVALID_CLOSING_QUOTE: "has text after a quotation",
  INVALID_OPENING_QUOTE: "has a quotation mark inside a cell",
};

function* csvRows(path: string, bytes: Uint8Array): Generator<FleetRow> {
  if (decodeUtf8(bytes) === undefined) throw fleetFault(path, "the file is not text in UTF-8");
  let names: string[] | undefined;
  const rows: FleetRow[] = [];
  const take = (cells: string[], { lines }: Info) => {
    if (names) {
      if (rows.length > LIMITS.fleetRows) return null;
      rows.push(checked(path, `line ${lines}`, fromCells(names, cells)));
    } else {
      names = cells;
      const twice = cells.find((name, i) => cells.indexOf(name) !== i);
      if (twice !== undefined) throw fleetFault(path, `line ${lines}: two columns have the name ${shown(twice)}`);
    }
    return null;
  };
  try {
    parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), {
      bom: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: LIMITS.fleetRow,
      on_record: take as never,
    });
  } catch (e) {
    if (!(e instanceof CsvError)) throw e;
    const line = Number(e["lines"]);
    if (e.code === "CSV_MAX_RECORD_SIZE") throw tooLong(path, line);
    throw fleetFault(path, `line ${line} ${FAULTS[e.code] ?? "is not CSV"}`);
  }
  yield* rows;
}

/**
 * Reads the cohorts of a fleet file. Its extension determines the format: .csv, .jsonl, otherwise JSON. Throws a
 * Failure: FLEET or LIMIT.
 */
export function* fleetRows(path: string): Generator<FleetRow> {
  const bytes = readAll(path, LIMITS.fleet);
  const ending = extname(path).toLowerCase();
  const form = ending === ".csv" ? csvRows : ending === ".jsonl" || ending === ".ndjson" ? lineRows : jsonRows;
  yield* counted(path, form(path, bytes));
}

/** Returns the names of the rows that are one device each. Throws as fleetRows() does. */
export function fleetDevices(path: string): string[] {
  const names: string[] = [];
  for (const { value } of fleetRows(path)) if ((value["devices"] ?? 1) === 1) names.push(String(value["name"]));
  return names;
}
