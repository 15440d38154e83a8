// schema/trust.schema.json against the tables that it repeats, and what it says about a mistake.

import { conform, DescriptionError, ROLES } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import schema from "../schema/trust.schema.json" with { type: "json" };
import { LIMITS } from "../src/input/limits.js";
import { violations } from "../src/input/schema.js";

const check = (value: unknown) => conform(value, (json) => violations(json, "trust"));

const good = () => ({
  $schema: "urn:firmseal:trust:1",
  name: "board",
  sequence: 1,
  anchors: [{ key: "r.pub", roles: ["root"] }] as Record<string, unknown>[],
  thresholds: { root: 1 } as Record<string, unknown>,
});

describe("the schema of trust descriptions", () => {
  it("has the roles and the limit of the tables", () => {
    expect(schema.$defs.anchor.properties.roles.items.enum.toSorted()).toEqual(Object.keys(ROLES).toSorted());
    expect(Object.keys(schema.properties.thresholds.properties).toSorted()).toEqual(Object.keys(ROLES).toSorted());
    expect(schema.properties.anchors.maxItems).toBe(LIMITS.trustAnchors);
  });

  it("takes a path to itself as $schema, for editors", () => {
    check(good());
    check({ ...good(), $schema: "./node_modules/@firmseal/release/schema/trust.schema.json" });
    expect(() => check({ ...good(), $schema: "urn:firmseal:manifest:1" })).toThrow(
      /^\/\$schema: the value does not have the right form \("urn:firmseal:trust:1", or a path to this file\)$/,
    );
  });

  it.each<[string, object, string]>([
    [
      "a role with a slip",
      { anchors: [{ key: "a", roles: ["relase"] }] },
      '/anchors/0/roles/0: "relase" is not one of release, recovery, debug, root; did you mean "release"?',
    ],
    [
      "a role that is near none",
      { anchors: [{ key: "a", roles: ["x".repeat(80)] }] },
      "/anchors/0/roles/0: this is not one of release, recovery, debug, root",
    ],
    ["a member with a slip", { thresholds: { rot: 1 } }, '/thresholds: unknown member "rot"; did you mean "root"?'],
    ["a member that is near none", { anchors: [{ key: "a", roles: [], colour: 1 }] }, '/anchors/0: unknown member "colour"'],
    ["a key without a file", { anchors: [{ roles: ["root"] }] }, '/anchors/0: "key" is missing'],
    [
      "half a number",
      { sequence: 0.5 },
      "/sequence: the value must be integer or string (a number below 2^64, in quotes where it is 2^53 or more)",
    ],
  ])("reports %s with its place and the nearest correct word", (_, change, message) => {
    let said: unknown;
    try {
      check({ ...good(), ...change });
    } catch (e) {
      said = e;
    }
    expect(said).toBeInstanceOf(DescriptionError);
    expect((said as Error).message).toBe(message);
  });
});
