// Holds a value against a schema of schema/. To compile a schema takes longer than all else that a program does before its first
// signature: in lib/, the build puts what Ajv makes of it in this module's place (scripts/in-signer.mjs), and no program needs Ajv.

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import manifest from "../../schema/manifest.schema.json" with { type: "json" };
import trust from "../../schema/trust.schema.json" with { type: "json" };

const SCHEMAS = { manifest, trust };

export type SchemaName = keyof typeof SCHEMAS;

/** What is wrong, in JSON Schema's words. `instancePath` is a JSON Pointer to the place. */
export interface Violation {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: { readonly [name: string]: unknown };
  readonly message?: string;
  /** What is at the place, and the part of the schema that it does not fit. */
  readonly data?: unknown;
  readonly parentSchema?: { readonly properties?: object; readonly description?: string };
}

const compiled: { [name in SchemaName]?: ValidateFunction } = {};

/** What is wrong with a value; nothing where it fits the schema. */
export function violations(value: unknown, name: SchemaName): readonly Violation[] {
  compiled[name] ??= new Ajv2020({ allowUnionTypes: true, verbose: true }).compile(SCHEMAS[name]);
  const check = compiled[name];
  return check(value) ? [] : ((check.errors ?? []) as readonly Violation[]);
}
