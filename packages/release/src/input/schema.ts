// Validates JSON that people write against the schemas of this package. In lib/, the build replaces this module by the
// output of Ajv (scripts/build/in-signer.mjs), and programs do not need Ajv.

import type { Violation } from "@firmseal/signer";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import fleet from "../../schema/fleet.schema.json" with { type: "json" };
import product from "../../schema/product.schema.json" with { type: "json" };
import record from "../../schema/release.schema.json" with { type: "json" };
import trust from "../../schema/trust.schema.json" with { type: "json" };
import withdrawn from "../../schema/withdrawn.schema.json" with { type: "json" };

/**
 * A trust description, a cohort (a row of a fleet file in any of its formats), a product file, the record of a
 * release, and the mark of a withdrawn one.
 */
const PARTS = {
  product: "urn:firmseal:product:1",
  record: "urn:firmseal:release:1",
  withdrawn: "urn:firmseal:withdrawn:1",
  trust: "urn:firmseal:trust:1",
  cohort: "urn:firmseal:fleet:1#/$defs/cohort",
};

/** What members of a product file name: product/file/marked.ts. It makes no value invalid. */
const MARKS = ["refersTo"];

let ajv: Ajv2020 | undefined;

/** The violations of a value. Empty if it is valid. */
export function violations(value: unknown, part: keyof typeof PARTS): readonly Violation[] {
  ajv ??= new Ajv2020({ allowUnionTypes: true, verbose: true, keywords: MARKS }).addSchema([fleet, product, record, trust, withdrawn]);
  const check = ajv.getSchema(PARTS[part]) as ValidateFunction;
  return check(value) ? [] : ((check.errors ?? []) as readonly Violation[]);
}
