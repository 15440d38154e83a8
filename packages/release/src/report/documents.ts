// Files that belong to a release and are not signed with it: bills of materials, provenance. A report names them with
// their digests.

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { readAll, sha256Hex, tooMuch } from "@firmseal/keys";
import type { ReportDocument } from "@firmseal/report";
import { LIMITS } from "../limits.js";

type Json = { readonly [name: string]: unknown };

function jsonOf(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

const count = (value: unknown): number => (Array.isArray(value) ? value.length : 0);

/** Text of a file of others, which is short if it is what it should be. */
const short = (value: unknown): string => String(value ?? "").slice(0, 100);

/** in-toto, alone or in a DSSE envelope. */
function statementOf(value: Json): Json | undefined {
  if (typeof value["payload"] === "string" && "signatures" in value)
    return jsonOf(Buffer.from(value["payload"], "base64").toString("utf8"));
  return value;
}

function kindOf(bytes: Uint8Array): ReportDocument["kind"] {
  const text = Buffer.from(bytes).toString("utf8");
  // JSON Lines: the first statement
  const value = jsonOf(text) ?? jsonOf(text.slice(0, text.indexOf("\n") + 1));
  if (!value) return { name: "file" };
  if (value["bomFormat"] === "CycloneDX") return { name: "CycloneDX", of: short(value["specVersion"]), count: count(value["components"]) };
  if (typeof value["spdxVersion"] === "string") return { name: "SPDX", of: short(value["spdxVersion"]), count: count(value["packages"]) };
  const statement = statementOf(value);
  if (String(statement?.["_type"]).startsWith("https://in-toto.io/Statement/"))
    return { name: "in-toto", of: short(statement?.["predicateType"]) };
  return { name: "file" };
}

/**
 * Returns the bills of materials and provenance beside an envelope: NAME.spdx.json, NAME.cdx.json, NAME.intoto.jsonl.
 */
export function documentsBeside(path: string): string[] {
  const stem = path.replace(/\.[^./]*$/, "");
  return [".spdx.json", ".cdx.json", ".intoto.jsonl"].map((end) => `${stem}${end}`).filter((one) => existsSync(one));
}

/**
 * Returns what a report says about files. Throws a Failure if there are too many, or if one cannot be read or is too
 * large.
 */
export function reportDocuments(paths: readonly string[]): ReportDocument[] {
  const all = [...new Set(paths)];
  if (all.length > LIMITS.reportDocuments)
    throw tooMuch(`${all.length} documents, and a report names at most ${LIMITS.reportDocuments}`, "name fewer of them");
  return all.map((path) => {
    const bytes = readAll(path, LIMITS.reportDocument);
    return { file: basename(path), kind: kindOf(bytes), bytes: bytes.length, sha256: sha256Hex(bytes) };
  });
}
