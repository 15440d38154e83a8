// All vectors, and the files they are written to. Nothing here depends on the day or on chance: the same sources give the same bytes.

import { outcome } from "../play/judge.js";
import type { Defaults, Vector, VectorFile } from "../play/play.js";
import { effects } from "./makers/effects.js";
import { negatives } from "./makers/negative.js";
import { positives } from "./makers/positive.js";
import { trustFiles } from "./makers/positive-trust-file.js";
import { anchorOf, CLASS, DEVICE, hex, VENDOR } from "./pieces/assemble.js";

const defaults: Defaults = {
  trust: { anchors: [anchorOf("a")] },
  device: { vendor: [hex(VENDOR)], class: [hex(CLASS)], device: [hex(DEVICE)], components: [["00"], ["01"]], capacity: 64 },
};

/** One line for each member, so that a change shows as what it is. */
function print(file: VectorFile): string {
  const members = (o: object, indent: string) =>
    Object.entries(o)
      .map(([k, v]) => `${indent}${JSON.stringify(k)}: ${JSON.stringify(v)}`)
      .join(",\n");
  const vectors = file.vectors.map((v) => `{\n${members(v, " ")}\n}`).join(",\n");
  return `{\n${members({ about: file.about }, "  ")},\n  "defaults": {\n${members(file.defaults, "    ")}\n  },\n  "vectors": [\n${vectors}\n  ]\n}\n`;
}

/** With the offset that each refusal names: where the item lies that was read last, or -1. A change of one shows when the file is compared. */
function withOffsets(vectors: Vector[]): Vector[] {
  return vectors.map((v) => {
    if (!("code" in v.expect)) return v;
    const expect = { ...v.expect, at: -1 };
    const result = outcome({ ...v, expect }, { about: "", defaults, vectors: [] });
    if (!("code" in result) || result.code !== expect.code)
      throw new Error(`${v.name}: expected ${expect.code}, got ${JSON.stringify(result)}`);
    return { ...v, expect: { ...expect, at: result.at as number } };
  });
}

/** The files by their names. */
export async function make(): Promise<{ [name: string]: string }> {
  const file = (about: string, vectors: Vector[]) => print({ about, defaults, vectors });
  return {
    "positive.json": file("Must be accepted, with this result. How each is played: play.ts. Keys are published test keys.", [
      ...(await positives()),
      ...(await trustFiles()),
    ]),
    "negative.json": file(
      "Must be refused with this number of docs/reference/errors.md, at this offset, and nothing may change. One fault each.",
      withOffsets(await negatives()),
    ),
    "effects.json": file(
      "The interpreter: the effects that a run hands out, in order, when they go as `outcomes` says.",
      withOffsets(await effects()),
    ),
  };
}
