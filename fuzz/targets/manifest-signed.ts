// What follows the signature: manifests of any content, signed, with severed elements and payloads of any content. An
// input is CBOR, read leniently (loose.ts): the manifest, then pairs for the envelope. Nothing but numbered refusals
// comes out of open(), install() and boot(); RAM and Source agree; and what is installed is what the manifest names by
// digest.

import { boot, type Identity, install, open } from "@firmseal/verifier";
import { type MemoryDevice, memoryDevice } from "@firmseal/verifier/device/memory";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { sealedLoose } from "../common/seal.js";
import { host, identity, looseOf, seedEnvelopes, trust } from "../common/vectors.js";
import { alike, asSource, Finding, refusal, type Target } from "../common/verdict.js";

export const seeds = () => seedEnvelopes(1500).map(looseOf);

const OLD = [111, 108, 100];

function device(): MemoryDevice {
  const d = memoryDevice(identity as Identity, [[[0]], [[1]]], 256);
  for (const part of d.parts) part.slots[0] = [...OLD];
  d.payloads = { "coap://a/b": [1, 2, 3], "#fw": [] };
  return d;
}

/** The content of everything that is current. */
const current = (d: MemoryDevice) => JSON.stringify([d.parts.map((p) => p.slots[p.current]), d.sequence]);

export const fuzz: Target = (input) => {
  const envelope = sealedLoose(input);
  if (!envelope) return;
  let hasText = false;
  const refused = alike(envelope, (e) => {
    hasText = open(e, trust, host).text !== undefined;
  });
  // a look takes what open() takes, and more; only it reads texts
  const seen = refusal(() => decodeEnvelope(envelope));
  if (refused === 0 && seen !== 0 && !hasText) throw new Finding(`open() accepts what decodeEnvelope() refuses with ${seen}`);
  for (const e of [envelope, asSource(envelope)]) {
    const d = device();
    const before = current(d);
    const code = refusal(() => {
      const progress = install(e, trust, d, host);
      if (progress.next()) progress.next(false);
    });
    if (code !== 0 && current(d) !== before) throw new Finding(`refused with ${code}, and something has changed`);
    if (refused !== 0 && code === 0) throw new Finding("install() accepts what open() refuses");
    if (code !== 0) continue;
    const kept = d.envelope;
    if (!kept) throw new Finding("an envelope was installed and not kept");
    if (refusal(() => open(kept, trust, host)) !== 0) throw new Finding("what was kept does not open");
    refusal(() => {
      const progress = boot(kept, trust, d, host);
      if (progress.next()) progress.next(false);
    });
  }
};
