// open() of envelopes that are changed anywhere. What it accepts is what was signed, octet for octet: the manifest by
// its bytes, severed elements by the digests in it. Payloads are not signed themselves; install() compares them.

import { open } from "@firmseal/verifier";
import { holdsSigned, host, seedEnvelopes, signersOf, told, trust, wasSigned } from "../common/vectors.js";
import { alike, Finding, refusal, type Target } from "../common/verdict.js";

export const seeds = () => seedEnvelopes();

export const fuzz: Target = (bytes) => {
  const said = new Set<string>();
  alike(bytes, (input) => {
    const m = open(input, trust, host);
    if (!wasSigned(m) || !holdsSigned(bytes)) throw new Finding("a manifest was accepted that nobody has signed");
    said.add(told(m));
  });
  if (said.size === 0) return;
  refusal(() => {
    const m = open(bytes, { ...trust, threshold: 2 }, host);
    if (signersOf(m) < 2) throw new Finding("two keys must have signed, and only one ever has");
  });
  if (said.size > 1) throw new Finding("one envelope says different things in RAM, in an array and through a Source");
};
