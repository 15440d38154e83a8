// SHA-256 (FIPS 180-4 §6.2).

import { HAS_GENERAL, HAS_PLAIN } from "../base/features.js";
import type { Hash, HashState } from "../base/types.js";
import { makeHash } from "./block.js";
import { compress } from "./compress256.js";
import { HIGH } from "./constants.js";
import { startSmall } from "./small.js";

/** For micro verifiers with typed arrays. */
function small(): HashState {
  return startSmall(64);
}

/**
 * Hashes a message that fits one block. The first 16 of `words` are the block, padded (§5.1.1), as signed 32-bit
 * numbers; they are not changed, and 48 more follow them. Writes the digest to the 8 words of `state`. Needs the round
 * constants: some hash must have been started before.
 */
export function hashOneBlock(state: number[], words: number[]): void {
  var i: number;
  for (i = 0; i < 8; i++) {
    state[i] = HIGH[i + 80];
  }
  compress(state, words);
}

/**
 * SHA-256 (FIPS 180-4 §6.2): a digest of 32 bytes. Input in pieces of any length, up to 2^53 bytes in total.
 *
 * @example
 * ```ts
 * import { sha256 } from "@firmseal/verifier";
 *
 * const state = sha256.create();
 * state.update(image.subarray(0, 4));
 * state.update(image.subarray(4));
 * const digest = state.digest(); // 32 bytes
 * ```
 */
export var sha256: Hash = /* @__PURE__ */ HAS_GENERAL || HAS_PLAIN ? makeHash(compress, 80, 64, 32) : { create: small };
