// Validates JSON that people write against its schema. Reports the place of the first fault, what is wrong, and the
// nearest valid name.

import { FirmsealError } from "@firmseal/verifier/tools";
import type { Violation } from "./schema.js";
import { LONGEST_WORD, suggestion } from "./suggestion.js";

/** The description is invalid. `path` is a JSON Pointer to the fault. */
export class DescriptionError extends FirmsealError {
  override readonly name = "DescriptionError";
  constructor(
    readonly path: string,
    message: string,
    /** The unknown member of the object at `path`, if that is the fault. */
    readonly member?: string,
  ) {
    super("ERR_DESCRIPTION", path === "" ? message : `${path}: ${message}`);
  }
}

/** Maximum nesting of a description. The validator is recursive, and no valid description nests this deeply. */
const DEEPEST = 64;

/** Refuses text that has no UTF-8 form. JSON can encode a lone surrogate, but a manifest cannot hold one. */
export function checkText(text: string, path: string): void {
  if (!text.isWellFormed()) throw new DescriptionError(path, "text with half of a surrogate pair, which UTF-8 cannot encode");
}

/** The schemas describe JSON, in which byte strings are text. */
function asJson(value: unknown, path = "", depth = 0): unknown {
  if (depth > DEEPEST) throw new DescriptionError("", "the description is nested too deeply");
  if (typeof value === "string") checkText(value, path);
  if (value instanceof Uint8Array) return "";
  if (Array.isArray(value)) return value.map((v, i) => asJson(v, `${path}/${i}`, depth + 1));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([k, v]) => {
        checkText(k, path);
        return [k, asJson(v, `${path}/${k}`, depth + 1)];
      }),
    );
  return value;
}

/** The most deeply nested error, because it names the fault. Those above it only report that no alternative matches. */
function deepest(errors: readonly Violation[]): Violation | undefined {
  return [...errors].sort((a, b) => b.instancePath.split("/").length - a.instancePath.split("/").length)[0];
}

/**
 * Checks a value that comes from JSON.
 *
 * @param value - The value.
 * @param violations - Lists its faults.
 * @throws DescriptionError if `violations` finds a fault.
 */
export function conform(value: unknown, violations: (json: unknown) => readonly Violation[]): void {
  const first = deepest(violations(asJson(value)));
  const e = first && mistyped(first);
  if (e) throw new DescriptionError(e.instancePath, violationWords(e), memberOf(e));
}

/** A missing member may be present under a mistyped name. Then report that name. */
function mistyped(e: Violation): Violation {
  const { keyword, data, parentSchema } = e;
  if (keyword !== "required" || parentSchema?.additionalProperties !== false || typeof data !== "object" || data === null) return e;
  const unknown = Object.keys(data).find((name) => !Object.hasOwn(parentSchema.properties ?? {}, name));
  return unknown === undefined ? e : { ...e, keyword: "additionalProperties", params: { additionalProperty: unknown } };
}

function memberOf({ keyword, params }: Violation): string | undefined {
  const member = keyword === "propertyNames" ? params["propertyName"] : params["additionalProperty"];
  return typeof member === "string" ? member : undefined;
}

const many = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;

/** Keywords with a limit, in words. */
const COUNTS: { readonly [keyword: string]: (limit: number) => string } = {
  minItems: (n) => `at least ${many(n, "item")} needed`,
  maxItems: (n) => `at most ${many(n, "item")} allowed`,
  minLength: (n) => `at least ${many(n, "character")} needed`,
  maxLength: (n) => `at most ${many(n, "character")} allowed`,
};

function violationWords({ keyword, params, message, data, parentSchema, propertyName }: Violation): string {
  if (keyword === "additionalProperties")
    return `unknown member ${quoted(params["additionalProperty"])}${suggestion(params["additionalProperty"], Object.keys(parentSchema?.properties ?? {}))}`;
  if (keyword === "required") return `${quoted(params["missingProperty"])} is missing`;
  if (keyword === "enum") {
    const allowed = (params["allowedValues"] as readonly unknown[]).map(String);
    return `${quoted(data)} is not one of ${allowed.join(", ")}${suggestion(data, allowed)}`;
  }
  const described = parentSchema?.description;
  const more = described === undefined ? "" : ` (${described})`;
  // what the pattern means, rather than the pattern
  if (keyword === "pattern" && described !== undefined)
    return `${propertyName === undefined ? "the value" : quoted(propertyName)} does not have the right form${more}`;
  if (keyword === "type" && Array.isArray(params["type"])) return `the value must be ${params["type"].join(" or ")}${more}`;
  const words = COUNTS[keyword]?.(Number(params["limit"])) ?? `the value ${message ?? "does not fit the schema"}`;
  return `${words}${more}`;
}

function quoted(value: unknown): string {
  return typeof value === "string" && value.length <= LONGEST_WORD ? JSON.stringify(value) : "this";
}
