// Every vector once more in each form that an envelope can come in, honest and hostile: what the verifier says must not
// depend on how bytes are handed over, and a value that is not an octet, or that changes from one time to the next, is
// refused by number or makes no difference.

import { describe, expect, it } from "vitest";
import { LONG } from "../../packages/test-support/src/environment/effort.js";
import { readVectors } from "../index.mjs";
import { fickle, honest, hostile, outcome } from "../play/forms.js";
import { deviceOf } from "../play/play.js";
import { asGiven } from "./as-given.js";

const all = readVectors().filter((v) => v.envelope !== undefined);
/** What comes of a vector as it is given. */
const expectedOf = asGiven();
// by default every form has an eighth of the vectors, each form another one
let forms = 0;
const some = () => {
  const which = forms++ % 8;
  return LONG ? all : all.filter((_, i) => i % 8 === which);
};
describe("every vector in every form", () => {
  it.each(honest)("%s: the same verdict", (_, form) => {
    for (const v of some()) {
      if (v.strange) continue;
      const expected = expectedOf(v);
      expect(outcome(v, form), v.name).toEqual(expected);
    }
  });

  it("a Source that changes its mind: the same verdict, or no installation if a payload or what is kept for a start is read again", () => {
    let refusedLater = 0;
    for (const v of all) {
      if (v.strange) continue;
      const expected = expectedOf(v);
      const found = outcome(v, { input: fickle });
      if (v.action === "install" && "code" in found.result) {
        if ("ok" in expected.result) refusedLater++;
        const before = deviceOf(v.device ?? {});
        expect(found.state, v.name).toEqual([before.parts.map((p) => [p.current, p.slots]), before.sequence, before.invoked]);
      } else if (v.action !== "decode") expect(found, v.name).toEqual(expected);
    }
    expect(refusedLater).toBeGreaterThan(10);
  });

  it.each(hostile)("%s: nothing is accepted that was refused, and no device is changed", (name, form) => {
    let refused = 0;
    const vectors = some();
    for (const v of vectors) {
      if (v.action === "decode" || v.action === "start") continue;
      const expected = expectedOf(v);
      const found = outcome(v, form);
      if ("code" in found.result) {
        refused++;
        const before = deviceOf(v.device ?? {});
        expect(found.state, v.name).toEqual([before.parts.map((p) => [p.current, p.slots]), before.sequence, before.invoked]);
      }
      // accepted input does not use what the host lies about, or the lie is where nothing reads: after the head
      if ("code" in expected.result) expect("code" in found.result, `${v.name}: ${name}`).toBe(true);
    }
    expect(refused).toBeGreaterThan(vectors.length / 3);
  });
});
