// Holds a value against schema/manifest.schema.json. To compile it takes longer than all else that a program does before its first
// signature: in lib/, the build puts what Ajv makes of it in this module's place (scripts/in-signer.mjs), and no program needs Ajv.

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import schema from "../../schema/manifest.schema.json" with { type: "json" };

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

let compiled: ValidateFunction | undefined;

/** What is wrong with a value; nothing where it is a description. */
export function violations(value: unknown, _part: "manifest"): readonly Violation[] {
  compiled ??= new Ajv2020({ allowUnionTypes: true, verbose: true }).compile(schema);
  return compiled(value) ? [] : ((compiled.errors ?? []) as readonly Violation[]);
}
