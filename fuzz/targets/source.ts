// open() through a Source that lies: about its length, with values that are no octets, with other bytes the second time, with too few or too
// many, or by throwing. What is believed is still what was signed. The algorithms are our own here, for they get what the Source gave.

import { type Bytes, open, type Source } from "@firmseal/verifier";
import { Choices, NO_OCTETS } from "../lib/bits.js";
import { Finding, refusal, type Target } from "../lib/verdict.js";
import { host, seedEnvelopes, slowTrust, told, wasSigned } from "../lib/vectors.js";

const genuine = seedEnvelopes(600);

/** Behind the seeds comes what the Source does. */
export const seeds = () => genuine.slice(0, 60).flatMap((e, i) => [Uint8Array.of(i * 3, 3, 4, i), Uint8Array.of(e.length % 200, i % 8, 40 + i, i)]);

class Thrown extends Error {}

interface Lie {
  kind: number;
  /** The read that it is about, and where in what is read. */
  turn: number;
  at: number;
  value: unknown;
}

function lying(bytes: Uint8Array, lies: readonly Lie[], chunk: number): Source {
  let turn = 0;
  return {
    length: bytes.length,
    chunk,
    read(offset, n) {
      const now = turn++;
      let out: unknown[] = Array.from(bytes.subarray(offset, offset + n));
      for (const { kind, turn: when, at, value } of lies) {
        const there = at - offset;
        // consistently, at one place; or in one read only, which a second one does not confirm
        if (kind === 0 && there >= 0 && there < n) out[there] = value;
        else if (kind === 1 && there >= 0 && there < n) out[there] = (out[there] as number) ^ (when | 1);
        else if (kind === 2 && there >= 0 && there < n) out[there] = (out[there] as number) + 256 * (when + 1);
        else if (when === now) {
          if (kind === 3) out[at % Math.max(1, n)] = value;
          else if (kind === 4) out[at % Math.max(1, n)] = (out[at % Math.max(1, n)] as number) ^ 1;
          else if (kind === 5) out = out.slice(0, at % (n + 1));
          else if (kind === 6) out.push(value);
          else throw new Thrown();
        }
      }
      return out as unknown as Bytes;
    },
  };
}

export const fuzz: Target = (input) => {
  const c = new Choices(input);
  const bytes = c.one(genuine);
  const chunk = c.one([0, 1, 7, 64, 1024]);
  const lies: Lie[] = [];
  while (c.more && lies.length < 6) lies.push({ kind: c.below(8), turn: c.below(24), at: c.byte() + 256 * c.below(3), value: c.one(NO_OCTETS) });
  try {
    refusal(() => {
      const m = open(lying(bytes, lies, chunk), slowTrust, host);
      // what is read from it again is what was signed
      if (!wasSigned(m)) throw new Finding("a manifest was accepted that nobody has signed");
      const honest = open(bytes, slowTrust, host);
      if (told(m) !== told(honest)) throw new Finding("what was believed is not what was signed");
    });
  } catch (e) {
    if (!(e instanceof Thrown)) throw e;
  }
};
