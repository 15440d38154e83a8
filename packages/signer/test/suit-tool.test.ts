// The import of descriptions for suit-tool.

import type { Refusal } from "@firmseal/verifier";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LONG } from "../../test-support/src/environment/effort.js";
import { DescriptionError, encode, importSuitTool } from "../src/index.js";
import { wrongAt } from "./encode-common.js";

describe("the import of old descriptions", () => {
  it("refuses what it cannot carry over, and changes only its own object", () => {
    const anything = fc.object({
      key: fc.constantFrom(
        "components",
        "manifest-version",
        "manifest-sequence-number",
        "install-id",
        "description",
        "en",
        "slot",
        "uri",
        "install-digest",
        "__proto__",
        "constructor",
      ),
      maxDepth: 4,
    });
    const source = fc.record(
      {
        "manifest-version": fc.constant(1),
        "manifest-sequence-number": fc.nat(),
        components: fc.array(
          fc.oneof(
            anything,
            fc.record(
              {
                "install-id": fc.array(fc.constantFrom("00", "0", "zz")),
                description: anything,
                uri: fc.string(),
                slot: fc.nat(3),
                bootable: fc.boolean(),
              },
              { requiredKeys: ["install-id"] },
            ),
          ),
          { maxLength: 3 },
        ),
        description: anything,
      },
      { requiredKeys: ["manifest-version", "manifest-sequence-number", "components"] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), source), (value) => {
        const parsed: unknown = JSON.parse(JSON.stringify(value));
        try {
          encode(importSuitTool(parsed).description);
        } catch (e) {
          if (!(e instanceof DescriptionError) && typeof (e as Refusal).code !== "number") throw e;
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
        expect(Object.keys(Object)).toEqual([]);
      }),
      { numRuns: LONG ? 500 : 100 },
    );
  });

  it("refuses a language that is a name of objects", () => {
    const text =
      '{"manifest-version":1,"manifest-sequence-number":1,"components":[{"install-id":["00"]}],"description":{"__proto__":{"update-description":"x"}}}';
    expect(wrongAt(JSON.parse(text), (v) => encode(importSuitTool(v).description))).toBe("/text");
    expect(({} as { [name: string]: unknown })["update-description"]).toBeUndefined();
  });
});
