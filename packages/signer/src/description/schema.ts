// Validates a value against schema/manifest.schema.json. Compiling the schema takes longer than everything else before
// the first signature. So in lib/, the build replaces this module by the output of Ajv (scripts/build/in-signer.mjs),
// and programs do not need Ajv.

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import schema from "../../schema/manifest.schema.json" with { type: "json" };

/** A schema violation, in the terms of JSON Schema. `instancePath` is a JSON Pointer to the fault. */
export interface Violation {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: { readonly [name: string]: unknown };
  readonly message?: string;
  /** The value at that place, and the part of the schema that it violates. */
  readonly data?: unknown;
  /** The name of a member that violates what is said of names. */
  readonly propertyName?: string;
  readonly parentSchema?: { readonly properties?: object; readonly additionalProperties?: unknown; readonly description?: string };
}

let compiled: ValidateFunction | undefined;

/** The violations of a value. Empty if it is a valid description. */
export function violations(value: unknown, _part: "manifest"): readonly Violation[] {
  compiled ??= new Ajv2020({ allowUnionTypes: true, verbose: true }).compile(schema);
  return compiled(value) ? [] : ((compiled.errors ?? []) as readonly Violation[]);
}
