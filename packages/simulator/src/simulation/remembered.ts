// Signature algorithms that keep their answers. A simulated device starts thousands of times, and asks about the same
// few signatures; a verification depends on nothing but the octets that are asked about, which here are the whole
// question.

import type { Alg, Trust } from "@firmseal/verifier";
import { rawKey } from "@firmseal/verifier/tools";

/** Octets as text: to look them up. */
export const latin1 = (bytes: ArrayLike<number>) => (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes as Uint8Array)).toString("latin1");

/** The same algorithm with its answers kept, as long as this object lives. */
export function remembered(alg: Alg): Alg {
  const known = new Map<string, boolean>();
  const once = (question: string, ask: () => boolean) => {
    let answer = known.get(question);
    if (answer === undefined) {
      answer = ask();
      known.set(question, answer);
    }
    return answer;
  };
  return {
    ids: alg.ids,
    valid: (k) => once(latin1(k), () => alg.valid(k)),
    verify: (k, message, signature, host) =>
      once(`${latin1(rawKey(k))}|${message.length}|${latin1(message)}|${latin1(signature)}`, () => alg.verify(k, message, signature, host)),
  };
}

/** The same trust, with algorithms that keep their answers. */
export function rememberedTrust(trust: Trust): Trust {
  return { ...trust, anchors: trust.anchors.map((anchor) => ({ ...anchor, alg: remembered(anchor.alg) })) };
}
