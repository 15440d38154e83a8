// What a root is shown of a list that has members which this tool has no words for.

import { embeddedTrust } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { ALGS, key, trustFileOf } from "../../test-support/src/rotation-world.js";
import { changeWords, trustChanges } from "../src/trust/change.js";

describe("the changes of a list", () => {
  it("name every member, also one without its own words", async () => {
    const store = embeddedTrust(ALGS, await trustFileOf(1, { releases: [key("A"), key("B")], roots: [key("R1"), key("R2")] }));
    const [first, ...rest] = store.anchors;
    const next = { ...store, payload: [1], sequence: [0, 2] as [number, number], later: 3, anchors: [{ ...first, single: true }, ...rest] };
    expect(trustChanges(store, next as never).map(changeWords)).toEqual([
      expect.stringMatching(/^ed25519 [0-9a-f]{16}…: devices single, before none$/),
      "rule later: 3, before none",
      "sequence number 2, before 1",
    ]);
  });
});
