// What the tests of the kernel's algorithms share: how many cases they try, and how an answer of the player is compared
// with the verifier.

import { expect } from "vitest";
import { LONG } from "../../packages/test-support/src/environment/effort.ts";

/** FIRMSEAL_VALID of kernel.h. */
export const VALID = 0x5ea1ed25;
/** Random cases for the program with sanitizers, and for each image. `pnpm kernel:random` has a million. */
export const CASES = Number(process.env["FIRMSEAL_CASES"] ?? (LONG ? 10_000 : 300));
export const EMULATED = LONG ? 1000 : 40;
/** Cases that one run of the player gets. */
export const BATCH = 5000;

/** The words that the player has written. */
export const words = (out) => Array.from({ length: out.length / 4 }, (_, i) => out.readInt32LE(4 * i));

/**
 * `contest`: makes cases. `recordOf`: a case as the player reads it. `ours`: what the verifier decides. Returns
 * functions: `random(n)`: n cases; `good()`: an honest one; `differences(play, cases, other)`: the cases that the
 * player decides otherwise than the verifier, or than `other`, and how many it accepts.
 */
export function casesOf(contest, recordOf, ours) {
  return {
    random: (n) => Array.from({ length: n }, () => contest.next()),
    good() {
      for (;;) {
        const c = contest.next();
        if (c.kind === "honest") return c;
      }
    },
    differences(play, cases, other = ours) {
      const said = words(play(Buffer.concat(cases.map(recordOf))));
      expect(said).toHaveLength(cases.length);
      const agrees = (c, word) => word === (ours(c) ? VALID : 0) && (word === VALID) === other(c);
      return { different: cases.filter((c, i) => !agrees(c, said[i])), accepted: said.filter((word) => word === VALID).length };
    },
  };
}
