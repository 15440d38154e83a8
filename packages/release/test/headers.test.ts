// The types of the COSE headers that no device evaluates.

import { decodeEnvelope } from "@firmseal/verifier/tools";
import { expect, it } from "vitest";
import { withHeaders } from "../../cli/test/verify/lint-place.js";
import { signImage, standard } from "../../test-support/src/command-line/run.js";
import { headerFaults } from "../src/lint/headers.js";

it.each([
  ["content type, a number", "a10300", []],
  ["content type, text", "a1036161", []],
  ["content type, negative", "a10320", ["header 3, content type, is not text, or a number from 0"]],
  ["content type, bytes", "a1034161", ["header 3, content type, is not text, or a number from 0"]],
  ["IV", "a1054161", []],
  ["IV, text", "a1056161", ["header 5, IV, is not bytes"]],
  ["Partial IV", "a1064161", []],
  ["Partial IV, a number", "a10601", ["header 6, Partial IV, is not bytes"]],
  ["both", "a2054161064161", ["headers 5 and 6, IV and Partial IV, exclude each other"]],
  [
    "both, wrong",
    "a205010602",
    ["header 5, IV, is not bytes", "header 6, Partial IV, is not bytes", "headers 5 and 6, IV and Partial IV, exclude each other"],
  ],
  ["others", "a2186401656f7468657202", []],
])("an unprotected header has the faults that other readers see: %s", async (_, header, faults) => {
  const p = standard();
  await signImage(p, 7, "fw.suit");
  expect(headerFaults(decodeEnvelope(withHeaders(p.get("fw.suit"), header)))).toEqual(faults);
  // devices skip them
  p.put("fw.suit", withHeaders(p.get("fw.suit"), header));
  await p.ok(["verify", "fw.suit", "--key", "A.jwk"]);
});

it.each([
  ["content type, negative", "a201320320", "a0", ["header 3, content type, is not text, or a number from 0"]],
  ["IV, text", "a20132056161", "a0", ["header 5, IV, is not bytes"]],
  ["IV, with Partial IV outside", "a20132054161", "a1064161", ["headers 5 and 6, IV and Partial IV, exclude each other"]],
  ["Partial IV, with IV outside", "a20132064161", "a1054161", ["headers 5 and 6, IV and Partial IV, exclude each other"]],
  ["content type and IV", "a301320300054161", "a0", []],
])("a protected header has the faults that other readers see: %s", async (_, inside, outside, faults) => {
  const p = standard();
  await signImage(p, 7, "fw.suit");
  expect(headerFaults(decodeEnvelope(withHeaders(p.get("fw.suit"), outside, inside)))).toEqual(faults);
});
