// Reads the list of devices of a batch: CSV, or JSON Lines. It may come from a database of somebody else: each row is
// bounded, and has nothing but text, numbers and truth values.

import type { Failure } from "@firmseal/keys";
import { grouped, inputName, tooMuch, visible } from "@firmseal/keys/internal";
import { csvRows } from "../input/csv.js";
import { jsonLines } from "../input/json-lines.js";
import { LIMITS } from "../input/limits.js";
import { batchFault } from "../input/shard.js";
import type { FieldValue } from "./template.js";

/** A row, and its place in the file, for people. */
export interface DeviceRow {
  readonly where: string;
  readonly fields: ReadonlyMap<string, FieldValue>;
}

const BOM = Buffer.from("efbbbf", "hex");

const shown = (name: string) => visible(JSON.stringify(name.slice(0, 64)));

/**
 * The rows of a list of devices. `wanted`: the fields that each must have; others are left out. Throws a Failure: BATCH
 * for a row that is not one, or LIMIT.
 */
export function deviceRows(path: string, bytes: Uint8Array, wanted: ReadonlySet<string>): DeviceRow[] {
  const name = visible(inputName(path));
  const fault = (what: string): Failure => batchFault(`${name}: ${what}`, "docs/guides/batch.md shows a list of devices");
  const how = { longest: LIMITS.batchRow, what: "one device", fault };
  const rows: DeviceRow[] = [];
  const take = (where: string, members: { readonly [name: string]: unknown }) => {
    if (rows.length === LIMITS.batchRows)
      throw tooMuch(`${name}: more than ${grouped(LIMITS.batchRows)} devices`, "split the list, and make a batch of each part");
    const fields = new Map<string, FieldValue>();
    for (const field of wanted) {
      const value = Object.hasOwn(members, field) ? members[field] : undefined;
      if (value === undefined) throw fault(`${where} has no ${shown(field)}`);
      if (!["string", "number", "boolean"].includes(typeof value))
        throw fault(`${where}: ${shown(field)} is not a text, a number, true or false`);
      fields.set(field, value as FieldValue);
    }
    rows.push({ where, fields });
  };
  const text = bytes.subarray(Buffer.from(bytes.buffer, bytes.byteOffset, 3).equals(BOM) ? BOM.length : 0);
  const first = text.find((byte) => byte > 0x20);
  if (first === 0x5b) throw fault("it is a JSON array: JSON Lines has one object on each line");
  if (first === 0x7b) {
    for (const { where, value } of jsonLines(path, text, { ...how, once: true })) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) throw fault(`${where} is not an object`);
      take(where, value as { readonly [name: string]: unknown });
    }
  } else csvRows(path, bytes, how, ({ where, cells }) => take(where, cells));
  if (rows.length === 0) throw fault("it has no device");
  return rows;
}
