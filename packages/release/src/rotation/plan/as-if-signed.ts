// Offers an unsigned envelope to devices as if some keys had signed it, so that a refusal comes before any number, log
// entry or leaf is used.

import { randomBytes } from "node:crypto";
import { type EnvelopeDraft, type PublicKey, signedWith } from "@firmseal/signer";
import { equalBytes, toHex } from "@firmseal/verifier/tools";
import type { TrustOnFile } from "../../trust/read.js";
import { isRefusal } from "../../verify/refusals.js";
import { assumable, assuming, deviceCode, rememberedStore } from "../device-code.js";
import { keySet } from "../keys.js";
import type { Cohort, DeviceModel } from "../model.js";
import { type CohortResult, planSteps } from "./plan.js";
import type { KeyFates } from "./reach.js";
import type { PlannedStep } from "./steps.js";

/** The fleet, with embedded keys under the same assumption as those of trust files. */
function assumed(fleet: readonly Cohort[], others: readonly TrustOnFile[]): Cohort[] {
  const known = new Map<DeviceModel, DeviceModel>();
  return fleet.map((cohort) => {
    const { model } = cohort;
    let own = known.get(model);
    if (!own) {
      // from now on, the algorithms of these lists check the assumption, in the code of this device
      const { embeddedTrust } = deviceCode(model.algorithms, model.features);
      for (const { bytes, store } of embeddedTrust ? others : [])
        try {
          rememberedStore((embeddedTrust as NonNullable<typeof embeddedTrust>)(store.file ?? bytes));
        } catch (e) {
          // the device does not read this list: the plan says so
          if (!isRefusal(e)) throw e;
        }
      const { policy } = model;
      own = policy ? { ...model, policy: { ...policy, anchors: policy.anchors.map((a) => ({ ...a, alg: assumable(a.alg) })) } } : model;
      known.set(model, own);
    }
    return { ...cohort, model: own };
  });
}

/**
 * Finds the outcome for a fleet that is offered `steps`, on devices that accept the signatures for which `isGood`
 * returns true. `others`: trust files besides those of the fleet. Throws as planSteps() does.
 */
export function offerAsIfSigned(
  fleet: readonly Cohort[],
  steps: readonly PlannedStep[],
  gone: KeyFates,
  others: readonly TrustOnFile[],
  isGood: (key: ArrayLike<number>, signature: ArrayLike<number>) => boolean,
): CohortResult[] {
  const stores = others.map(({ store }) => store);
  return assuming(isGood, () => planSteps(assumed(fleet, others), steps, gone, stores));
}

/**
 * Finds the outcome for a fleet that is offered `draft` under the name `name`, once `keys` have signed it. Throws as
 * planSteps() does, and SIGNATURE_COUNT for more than 8 keys.
 */
export async function planAsIfSigned(
  fleet: readonly Cohort[],
  name: string,
  draft: EnvelopeDraft,
  keys: readonly PublicKey[],
  others: readonly TrustOnFile[],
): Promise<CohortResult[]> {
  // the mark is known only within this call
  const mark = new Uint8Array(randomBytes(32));
  const known = keySet(keys);
  let marked = draft;
  for (const key of keys) marked = await marked.withSignature(signedWith(key), mark);
  const release = { name, envelope: marked.bytes, sequence: draft.sequence };
  return offerAsIfSigned(fleet, [release], { lost: new Set(), stolen: new Set() }, others, (key, signature) => {
    return equalBytes(Uint8Array.from(signature), mark) && known.has(toHex(Uint8Array.from(key)));
  });
}
