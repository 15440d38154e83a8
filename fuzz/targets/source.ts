// open() and trustFileUnchecked() through a Source that lies: about its length, with values that are not octets, with
// other bytes the second time, with too few or too many, or by throwing. Only what was signed is accepted. The
// algorithms are our own here, because they get what the Source gave.

import { type Bytes, open, type Source, type TrustStore, trustFileUnchecked } from "@firmseal/verifier";
import { Choices, NO_OCTETS } from "../common/bits.js";
import { host, seedEnvelopes, seedTrustFiles, slowTrust, told, wasSigned } from "../common/vectors.js";
import { Finding, refusal, type Target } from "../common/verdict.js";

const opens = (work: () => unknown) => refusal(work) === 0;
const genuine = seedEnvelopes(600).filter((e) => opens(() => open(e, slowTrust, host)));
const lists = seedTrustFiles().filter((f) => opens(() => trustFileUnchecked(f, slowTrust, host)));

/**
 * From its end an input says: an envelope or a list, which, the size of a chunk, then lies: kind, turn, place (2),
 * value.
 */
export const seeds = () =>
  [0, 3].flatMap((what) => Array.from({ length: 60 }, (_, i) => Uint8Array.of(i % 15, i % 2, 37 * i, i % 24, i % 9, i % 5, i, what)));

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
        else if (kind === 8) for (let i = Math.max(0, there); i < Math.min(n, there + 32); i++) out[i] = value;
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

/** Lies that are the same at each read. */
const STEADY = [0, 1, 2, 8];

/** Throws a Finding if open() accepts, through a Source that lies, anything other than what an honest Source gives. */
function believed(bytes: Uint8Array, source: Source): void {
  const m = open(source, slowTrust, host);
  // also what is read from it again
  if (!wasSigned(m)) throw new Finding("a manifest was accepted that nobody has signed");
  if (told(m) !== told(open(bytes, slowTrust, host))) throw new Finding("the accepted manifest is not the signed one");
}

function believedList(bytes: Uint8Array, source: Source): void {
  // which of its signatures were good is not what a list says
  const list = ({ name, sequence, thresholds, payload, anchors }: TrustStore) => {
    const parts = anchors.map((a) => [a.cose, a.key, a.roles, a.kid, a.vendor, a.class, a.since, a.until]);
    return JSON.stringify([name, sequence, thresholds, payload, parts], (_, v) => (v instanceof Uint8Array ? Array.from(v) : v));
  };
  if (list(trustFileUnchecked(source, slowTrust, host)) !== list(trustFileUnchecked(bytes, slowTrust, host)))
    throw new Finding("an unsigned trust list was accepted");
}

export const fuzz: Target = (input) => {
  const c = new Choices(input);
  const isList = c.below(4) === 3;
  const bytes = c.one(isList ? lists : genuine);
  const chunk = c.one([0, 1, 7, 64, 1024]);
  const lies: Lie[] = [];
  while (c.more && lies.length < 6)
    lies.push({ kind: c.below(9), turn: c.below(48), at: c.byte() + 256 * c.below(3), value: c.one(NO_OCTETS) });
  try {
    const code = refusal(() => (isList ? believedList : believed)(bytes, lying(bytes, lies, chunk)));
    if (code !== 0 || !lies.every(({ kind }) => STEADY.includes(kind))) return;
    // a value that is not an octet counts as the octet that a typed array makes of it, or is refused: nothing else
    const octets = Uint8Array.from(lying(bytes, lies, chunk).read(0, bytes.length));
    const other = refusal(() => (isList ? trustFileUnchecked : open)(octets, slowTrust, host));
    if (other !== 0) throw new Finding(`accepted, and refused with ${other} where it is octets`);
  } catch (e) {
    if (!(e instanceof Thrown)) throw e;
  }
};
