// Files that belong to a release and are not signed with it: bills of materials, provenance. A report names them with
// their digests.

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { readAll, sha256Hex, tooMuch } from "@firmseal/keys/internal";
import type { ReportDocument } from "@firmseal/report";
import { isTooDeep } from "../input/json.js";
import { LIMITS } from "../input/limits.js";

type Json = { readonly [name: string]: unknown };

function jsonOf(text: string): Json | undefined {
  try {
    const value: unknown = isTooDeep(text) ? undefined : JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

const listOf = (value: unknown): Json[] => (Array.isArray(value) ? value : []);

/** The JSON-LD context of SPDX 3, with its version. */
const SPDX_3 = /^https:\/\/spdx\.org\/rdf\/(3[\d.]*)\//;

/** What names a bill of materials that is not in JSON, with its version: XML, tag-value, YAML, RDF. */
const OTHER_FORMS = [
  { name: "CycloneDX", form: /\bxmlns(?::\w+)?="http:\/\/cyclonedx\.org\/schema\/bom\/([\d.]+)"/ },
  { name: "SPDX", form: /^SPDXVersion:[ \t]*(SPDX-[\d.]+)/m },
  { name: "SPDX", form: /^[ \t]*"?spdxVersion"?[ \t]*:[ \t]*["']?(SPDX-[\d.]+)/m },
  { name: "SPDX", form: /<(?:\w+:)?specVersion>(SPDX-[\d.]+)</ },
] as const;

/** Text of a third-party file, which is short if it is what it should be. */
const short = (value: unknown): string => String(value ?? "").slice(0, 100);

/** in-toto, alone or in a DSSE envelope. */
function statementOf(value: Json): Json | undefined {
  if (typeof value["payload"] === "string" && "signatures" in value)
    return jsonOf(Buffer.from(value["payload"], "base64").toString("utf8"));
  return value;
}

/** What a file is, by its content: in JSON by its members, in other forms by what names the form. */
export function documentKind(bytes: Uint8Array): ReportDocument["kind"] {
  const text = Buffer.from(bytes).toString("utf8");
  // JSON Lines: the first statement
  const value = jsonOf(text) ?? jsonOf(text.slice(0, text.indexOf("\n") + 1));
  if (!value) {
    for (const { name, form } of OTHER_FORMS) {
      const [, of] = form.exec(text) ?? [];
      if (of !== undefined) return { name, of: short(of) };
    }
    return { name: "file" };
  }
  if (value["bomFormat"] === "CycloneDX")
    return { name: "CycloneDX", of: short(value["specVersion"]), count: listOf(value["components"]).length };
  if (typeof value["spdxVersion"] === "string")
    return { name: "SPDX", of: short(value["spdxVersion"]), count: listOf(value["packages"]).length };
  const [, version] =
    [value["@context"]]
      .flat()
      .map((one) => SPDX_3.exec(String(one)))
      .find(Boolean) ?? [];
  if (version !== undefined) {
    const packages = listOf(value["@graph"]).filter((one) => one?.["type"] === "software_Package");
    return { name: "SPDX", of: `SPDX-${short(version)}`, count: packages.length };
  }
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
 * Whether a file is a bill of materials in SPDX or CycloneDX. A file that cannot be read, or is too large, does not
 * count.
 */
export function isBillOfMaterials(path: string): boolean {
  try {
    return ["CycloneDX", "SPDX"].includes(documentKind(readAll(path, LIMITS.reportDocument)).name);
  } catch {
    return false;
  }
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
    return { file: basename(path), kind: documentKind(bytes), bytes: bytes.length, sha256: sha256Hex(bytes) };
  });
}
