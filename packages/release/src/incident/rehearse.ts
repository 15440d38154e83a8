// The rehearsal of an incident, on copies: the next list and its bridges as if everybody who can sign had signed, run
// on the code of the devices.

import { randomBytes } from "node:crypto";
import { AlreadySigned, draftOf, type EnvelopeDraft, type PublicKey, bridge as recipe, signedWith, TrustDraft } from "@firmseal/signer";
import type { Identity } from "@firmseal/verifier";
import { equalBytes, MAX_SIGNATURES, ROLE_ROOT, toHex } from "@firmseal/verifier/tools";
import { keySet } from "../rotation/keys.js";
import { offerAsIfSigned } from "../rotation/plan/as-if-signed.js";
import type { CohortResult } from "../rotation/plan/plan.js";
import type { PlannedStep } from "../rotation/plan/steps.js";
import { makeDraft, readDraft, readInput } from "../signing/draft.js";
import type { TrustOnFile } from "../trust/read.js";
import type { NeededBridge } from "./bridges.js";
import { firstUuid, keysLeft, releaseSigners, type Way } from "./situation.js";

/** The name of a bridge in a rehearsal, by its place. */
export const rehearsedName = (place: number) => `bridge ${place + 1}`;

/** The draft as if these keys had signed it too, as far as it has room. */
async function marked(draft: EnvelopeDraft, keys: readonly PublicKey[], mark: Uint8Array): Promise<EnvelopeDraft> {
  let out = draft;
  let room = MAX_SIGNATURES - draft.outline.signatures.length;
  for (const key of keys)
    try {
      if (room > 0) out = await out.withSignature(signedWith(key), mark);
      room--;
    } catch (e) {
      if (!(e instanceof AlreadySigned)) throw e;
    }
  return out;
}

/**
 * What happens to the fleet if every key that is left signs. Nothing is written, and no key is used. `chain`: what a
 * bridge brings before the next list.
 */
export async function rehearse(r: Way, chain: readonly TrustOnFile[], bridges: readonly NeededBridge[]): Promise<CohortResult[]> {
  const mark = new Uint8Array(randomBytes(32));
  const roots = keysLeft([r.current.store, r.next], ROLE_ROOT, r.gone, {} as Identity);
  let list = TrustDraft.read(r.bytes, r.current.store);
  for (const root of roots) list = await list.withSignature(signedWith(root), mark);
  const store = { ...r.next, file: list.bytes };
  const brought = Buffer.concat([...chain.map((file) => file.bytes), list.bytes]);
  const known = new Set([...keySet(roots), ...bridges.flatMap(({ group }) => [...keySet(releaseSigners(r, group.identity))])]);
  const offered = (steps: readonly PlannedStep[]) =>
    offerAsIfSigned(
      r.fleet,
      steps,
      r.gone,
      [r.current, { path: "next", bytes: list.bytes, store }],
      (key, signature) => equalBytes(Uint8Array.from(signature), mark) && known.has(toHex(Uint8Array.from(key))),
    );
  if (r.alone) return offered([{ name: "the next trust file", trust: brought, store }]);
  const steps = [];
  for (const [i, { group, sequence, found }] of bridges.entries()) {
    const { identity, image, bridged } = group;
    const facts = { sequence: String(sequence), vendor: firstUuid(identity.vendor), class: firstUuid(identity.class), trust: brought };
    const options = { vendor: facts.vendor, class: facts.class, seq: sequence };
    const draft = found
      ? readDraft(found.envelope)
      : bridged
        ? (await bridged.prepare(brought))(sequence)
        : image === undefined
          ? draftOf(recipe(facts))
          : (
              await makeDraft(await readInput(image, options), options, ({ sequence: _s, vendor: _v, class: _c, ...rest }) =>
                recipe({ ...facts, image: rest }),
              )
            ).draft(() => sequence);
    const signed = await marked(draft, releaseSigners(r, identity), mark);
    steps.push({ name: rehearsedName(i), envelope: signed.bytes, sequence });
  }
  return offered(steps);
}
