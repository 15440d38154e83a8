import { expect, it } from "vitest";
import { hex } from "../../test-support/src/bytes.js";
import { looksLikeEnvelope, looksLikeTrustFile } from "../src/tools/file-kind.js";

it("an envelope is a map under tag 107, or one that begins with the key of an element", () => {
  for (const text of ["d86ba0", "d86ba20258", "a2025824", "a1034100", "a2014100"])
    expect([text, looksLikeEnvelope(hex(text))]).toEqual([text, true]);
  for (const text of ["", "d8", "d86b", "d86b80", "d862a0", "a0", "a200", "a204", "820203", "7b2202", "006ba0"])
    expect([text, looksLikeEnvelope(hex(text))]).toEqual([text, false]);
});

it("a trust file begins with tag 98", () => {
  for (const text of ["d862", "d86284"]) expect([text, looksLikeTrustFile(hex(text))]).toEqual([text, true]);
  for (const text of ["d86b", "d8", "", "62", "0062"]) expect([text, looksLikeTrustFile(hex(text))]).toEqual([text, false]);
});
