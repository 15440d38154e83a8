import { expect, it } from "vitest";
import { hex } from "../../test-support/src/bytes.js";
import { FILE_KINDS, looksLikeEnvelope, looksLikeTrustFile, taggedKind } from "../src/tools/file-kinds.js";

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

it.each([
  ["d86ba2", "envelope"],
  ["d86284", "trust file"],
  ["d284", "message"],
  ["d184", "message"],
] as const)("%s is tagged as %s", (text, kind) => {
  expect(taggedKind(hex(text))).toBe(kind);
  // the tag alone, and with something else behind it
  for (const other of ["", "00", "44", "ff"]) expect(taggedKind(hex(text.slice(0, -2) + other))).toBeUndefined();
});

it.each(["", "d8", "a202", "d86b84", "d862a0", "d2a0", "d384", "d81284", "c284", "84", "006ba2"])("'%s' is not tagged as any", (text) => {
  expect(taggedKind(hex(text))).toBeUndefined();
});

it("no tag is of two kinds", () => {
  const tags = Object.values(FILE_KINDS).flatMap((row) => row.tags);
  expect(new Set(tags).size).toBe(tags.length);
});
