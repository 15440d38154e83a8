// The rehearsal of an incident, on copies: the next list and its bridges as if everybody who can sign had signed, run
// on the code of the devices.

import { randomBytes } from "node:crypto";
import { draftOf, type PublicKey, bridge as recipe, signedWith, TrustDraft } from "@firmseal/signer";
import type { Identity } from "@firmseal/verifier";
import { equalBytes, ROLE_ROOT, toHex } from "@firmseal/verifier/tools";
import { keySet } from "../rotation/keys.js";
import { highestFloor } from "../rotation/move.js";
import { offerAsIfSigned } from "../rotation/plan/as-if-signed.js";
import type { CohortResult } from "../rotation/plan/plan.js";
import type { PlannedStep } from "../rotation/plan/steps.js";
import { makeDraft, readInput } from "../signing/draft.js";
import type { TrustOnFile } from "../trust/read.js";
import { type DeviceGroup, firstUuid, keysLeft, type Way } from "./situation.js";

interface Rehearsed extends Pick<Way, "bytes" | "next" | "current" | "fleet" | "gone" | "alone"> {
  /** What a bridge brings before the next list. */
  readonly chain: readonly TrustOnFile[];
}

/** What happens to the fleet if these keys and every root that is left sign. Nothing is written, and no key is used. */
export async function rehearse(
  r: Rehearsed,
  groups: readonly Pick<DeviceGroup, "identity" | "image">[],
  signersFor: (identity: Identity) => readonly PublicKey[],
): Promise<CohortResult[]> {
  const mark = new Uint8Array(randomBytes(32));
  const roots = keysLeft([r.current.store, r.next], ROLE_ROOT, r.gone, {} as Identity);
  let list = TrustDraft.read(r.bytes, r.current.store);
  for (const root of roots) list = await list.withSignature(signedWith(root), mark);
  const brought = Buffer.concat([...r.chain.map((file) => file.bytes), list.bytes]);
  const known = new Set([...keySet(roots), ...groups.flatMap(({ identity }) => [...keySet(signersFor(identity))])]);
  const offered = (steps: readonly PlannedStep[]) =>
    offerAsIfSigned(
      r.fleet,
      steps,
      r.gone,
      [r.current, { path: "next", bytes: list.bytes, store: r.next }],
      (key, signature) => equalBytes(Uint8Array.from(signature), mark) && known.has(toHex(Uint8Array.from(key))),
    );
  if (r.alone) return offered([{ name: "the next trust file", trust: brought, store: r.next }]);
  const steps = [];
  for (const [i, { identity, image }] of groups.entries()) {
    const above = highestFloor(r.fleet, identity) + 1n;
    const facts = { sequence: String(above), vendor: firstUuid(identity.vendor), class: firstUuid(identity.class), trust: brought };
    const options = { vendor: facts.vendor, class: facts.class, seq: above };
    let draft =
      image === undefined
        ? draftOf(recipe(facts))
        : (
            await makeDraft(await readInput(image, options), options, ({ sequence: _s, vendor: _v, class: _c, ...rest }) =>
              recipe({ ...facts, image: rest }),
            )
          ).draft(() => above);
    for (const key of signersFor(identity)) draft = await draft.withSignature(signedWith(key), mark);
    steps.push({ name: `bridge ${i + 1}`, envelope: draft.bytes, sequence: draft.sequence });
  }
  return offered(steps);
}
