// Holds what a fleet file says against schema/fleet.schema.json. In lib/, the build puts what Ajv makes of the schema in this module's place
// (scripts/in-signer.mjs), and no program needs Ajv.

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import schema from "../../schema/fleet.schema.json" with { type: "json" };

/** What is wrong, in JSON Schema's words. `instancePath` is a JSON Pointer to the place. */
export interface Violation {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: { readonly [name: string]: unknown };
  readonly message?: string;
}

let compiled: ValidateFunction | undefined;

/** What is wrong with a cohort: a row of a fleet file in any of its forms. */
export function violations(value: unknown): readonly Violation[] {
  compiled ??= new Ajv2020({ allowUnionTypes: true }).addSchema(schema).getSchema("urn:firmseal:fleet:1#/$defs/cohort") as ValidateFunction;
  return compiled(value) ? [] : (compiled.errors ?? []);
}
