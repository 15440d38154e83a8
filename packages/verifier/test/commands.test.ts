// The tables of commands and parameters for numbers that they do not have.

import { describe, expect, it } from "vitest";
import { isCondition, PARAMETER_KINDS, tableEntry } from "../src/manifest/code-points.js";
import { COND_IMAGE_MATCH, COND_VENDOR_IDENTIFIER, DIR_FETCH, DIR_INVOKE, DIR_SET_COMPONENT_INDEX } from "../src/spec/suit.js";

describe("a number from outside", () => {
  it.each([0, -1, PARAMETER_KINDS.length, PARAMETER_KINDS.length + 1, 255, 2 ** 32 + 3, 2 ** 53 - 1, Number.NaN])(
    "%d has no entry",
    (n) => {
      expect([tableEntry(PARAMETER_KINDS, n), isCondition(n)]).toEqual([0, false]);
    },
  );
  it("has one from 1 to the end of the table", () => {
    expect([0, 1, 2, 3].map((n) => tableEntry("ABC", n))).toEqual([0, 2, 3, 0]);
  });
  it("is a condition where it is SHARED and has a POLICY", () => {
    expect([COND_VENDOR_IDENTIFIER, COND_IMAGE_MATCH].map(isCondition)).toEqual([true, true]);
    expect([DIR_FETCH, DIR_INVOKE, DIR_SET_COMPONENT_INDEX].map(isCondition)).toEqual([false, false, false]);
  });
});
