// Writes a fleet file, in JSON or JSON Lines. The ending of its name decides, as in reading.

import { dirname, extname, isAbsolute, join, relative } from "node:path";
import { usage } from "@firmseal/keys/internal";

/** A row of a fleet file, by the names of its members. */
export type FleetMembers = { readonly [member: string]: unknown };

/** Throws a usage Failure for a name that ends in .csv. */
export function checkFleetName(path: string, option: string): void {
  if (extname(path).toLowerCase() === ".csv")
    throw usage(
      `${option} ${path}: a fleet file in CSV is read, not written`,
      "choose a name that ends in .jsonl: all commands read it as well",
    );
}

/** The text of a fleet file with these rows. */
export function fleetText(path: string, rows: Iterable<FleetMembers>): string {
  const lines = [...rows].map((row) => JSON.stringify(row));
  if (/\.(jsonl|ndjson)$/i.test(path)) return lines.map((line) => `${line}\n`).join("");
  return `{ "$schema": "urn:firmseal:fleet:1", "cohorts": [\n${lines.join(",\n")}\n] }\n`;
}

/** The same file, as a fleet file at `to` names it. A relative name is relative to the fleet file `from`. */
export function movedName(file: string, from: string, to: string): string {
  if (isAbsolute(file)) return file;
  const own = relative(dirname(to), join(dirname(from), file));
  return own.replaceAll("\\", "/");
}

/** A row of the fleet file `from`, as the one at `to` has it. */
export function movedRow(row: FleetMembers, from: string, to: string): FleetMembers {
  const out: { [member: string]: unknown } = { ...row };
  for (const member of ["trust", "release"]) if (typeof row[member] === "string") out[member] = movedName(row[member], from, to);
  if (Array.isArray(row["keys"])) out["keys"] = row["keys"].map((file) => movedName(String(file), from, to));
  return out;
}
