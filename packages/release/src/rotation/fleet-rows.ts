// Reads the three formats of a fleet file row by row: JSON with all cohorts in one list, JSON Lines, CSV. The file may
// come from an untrusted inventory: each row is bounded, and the first invalid one ends the reading with its line
// number.

import { extname } from "node:path";
import type { Failure } from "@firmseal/keys";
import { grouped, readAll, refusedInput, tooMuch, visible } from "@firmseal/keys/internal";
import { suggestion, type Violation } from "@firmseal/signer";
import { type CsvRow, csvRows } from "../input/csv.js";
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

const bounded = (path: string) => ({
  longest: LIMITS.fleetRow,
  what: "one cohort",
  fault: (words: string) => fleetFault(path, words),
});

function* lineRows(path: string, bytes: Uint8Array): Generator<FleetRow> {
  for (const { where, value } of jsonLines(path, bytes, bounded(path))) yield checked(path, where, value);
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

function fromCells(cells: CsvRow["cells"]): FleetRow["value"] {
  const members: [string, unknown][] = [];
  const floors: [string, unknown][] = [];
  for (const [name, cell] of Object.entries(cells)) {
    const inside = /^floors\.(.*)$/.exec(name)?.[1];
    if (inside === undefined) members.push([name, memberOf(name, cell)]);
    else floors.push([inside, cell]);
  }
  if (floors.length > 0) members.push(["floors", Object.fromEntries(floors)]);
  return Object.fromEntries(members);
}

function* cellRows(path: string, bytes: Uint8Array): Generator<FleetRow> {
  const rows: FleetRow[] = [];
  csvRows(path, bytes, bounded(path), ({ where, cells }) => {
    // one above the limit is enough for its refusal
    if (rows.length <= LIMITS.fleetRows) rows.push(checked(path, where, fromCells(cells)));
  });
  yield* rows;
}

/**
 * Reads the cohorts of a fleet file. Its extension determines the format: .csv, .jsonl, otherwise JSON. Throws a
 * Failure: FLEET or LIMIT.
 */
export function* fleetRows(path: string): Generator<FleetRow> {
  const bytes = readAll(path, LIMITS.fleet);
  const ending = extname(path).toLowerCase();
  const form = ending === ".csv" ? cellRows : ending === ".jsonl" || ending === ".ndjson" ? lineRows : jsonRows;
  yield* counted(path, form(path, bytes));
}

/** Returns the names of the rows that are one device each. Throws as fleetRows() does. */
export function fleetDevices(path: string): string[] {
  const names: string[] = [];
  for (const { value } of fleetRows(path)) if ((value["devices"] ?? 1) === 1) names.push(String(value["name"]));
  return names;
}
