// Images that were cut or changed at random: each is refused with a number, or what was signed is unchanged.
// FIRMSEAL_CASES: changes of each image.

import { describe, expect, it } from "vitest";
import { LONG, some } from "../../../test-support/src/environment/effort.js";
import { draws } from "../../../test-support/src/randoms.js";
import { haveVectors } from "../../../test-support/src/vectors.js";
import type { FormatKey } from "../../src/key/key.js";
import { MCUBOOT, type McubootFile } from "../../src/mcuboot/mcuboot.js";
import { field, mutated, publicOf, reasonOf } from "../common.js";
import { craft, key } from "./craft.js";

const CASES = Number(process.env["FIRMSEAL_CASES"] ?? (LONG ? 5_000 : 500));

const FILES: readonly (readonly [name: string, by: string])[] = [
  ["ed25519-full", "ed25519"],
  ["ed25519-pure", "ed25519"],
  ["ecdsa-p256-pad-confirm", "p256"],
  ["ecdsa-p384", "p384"],
  ["rsa2048", "rsa2048"],
  ["ed25519-enc-clear", "ed25519"],
  ["p256-enc-ec256", "p256"],
];

/** Refuses it with a number, or has the same signed bytes as before. */
function isSafe(bytes: Uint8Array, before: Uint8Array, by: FormatKey): boolean {
  let read: McubootFile | undefined;
  const reason = reasonOf(() => {
    read = MCUBOOT.read(bytes) as McubootFile;
    // facts and the bytes to be signed are there for every image that can be read
    expect(read.facts.bytes).toBe(bytes.length);
    read.verify([by]);
  });
  return reason !== "" || Buffer.from(read?.parts.region ?? []).equals(before.subarray(0, read?.parts.region.length));
}

describe("an image", () => {
  const image = craft({ facts: [[0x50, [7, 0, 0, 0]]] });

  it("is refused wherever it is cut", () => {
    for (let length = 0; length < image.length; length++)
      expect(
        reasonOf(() => MCUBOOT.read(image.slice(0, length))),
        String(length),
      ).toMatch(/^MCUBOOT_/);
  });

  it("is refused with any one bit changed", () => {
    for (let bit = 0; bit < 8 * image.length; bit++) {
      const changed = Uint8Array.from(image);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(
        reasonOf(() => MCUBOOT.read(changed).verify([key])),
        String(bit),
      ).not.toBe("");
    }
  });
});

describe.skipIf(!haveVectors)("an image of imgtool", () => {
  it.each(FILES)("%s is refused wherever it is cut", (name) => {
    const bytes = field(`mcuboot/${name}.bin`);
    const { end } = (MCUBOOT.read(bytes) as McubootFile).parts;
    for (const length of some([...bytes.keys()], 7)) {
      // without its trailer, it is the image itself
      const reason = length === end ? /^$/ : /^MCUBOOT_/;
      expect(
        reasonOf(() => MCUBOOT.read(bytes.subarray(0, length))),
        String(length),
      ).toMatch(reason);
    }
  });

  it.each(FILES)(`%s is refused or unchanged after each of ${CASES} changes`, (name, by) => {
    const bytes = field(`mcuboot/${name}.bin`);
    const publicKey = publicOf(by);
    const random = draws(name.length);
    // more often in the header and behind the payload, where something is to be misread
    const ranges = [
      [0, bytes.length],
      [0, 32],
      [4128, bytes.length],
    ] as const;
    for (let i = 0; i < CASES; i++) {
      const [from, to] = ranges[i % 3] as (typeof ranges)[number];
      const part = mutated(bytes.subarray(from, to), random);
      const changed = Uint8Array.from([...bytes.subarray(0, from), ...part, ...bytes.subarray(to)]);
      expect(isSafe(changed, bytes, publicKey), String(i)).toBe(true);
    }
  });
});
