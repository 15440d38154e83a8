// What --dry-run tries of a plan: the devices with the keys that would sign, and power cuts. It asks for no secret.

import { coseAlgFor } from "../consumer/cose-alg.js";
import { neededOf, productTrusted, refuseFewKeys } from "./board/devices.js";
import { knownSigners } from "./board/known-signers.js";
import { choiceFor, cutPlan, likelyNumber, lintPlan, type ReleasePlan, refuseLint } from "./plan.js";
import { refuseSigners } from "./release.js";
import { Round } from "./round/round.js";

/**
 * Refuses a plan that devices refuse with the keys that would sign. If one of these needs a secret: a plan that devices
 * refuse with every key that they trust, or for which too few keys sign.
 */
async function refuseOnDevices(plan: ReleasePlan): Promise<void> {
  const { product, boards, options: o, lists, trustKeys } = plan;
  const { role = "release" } = o;
  const refs = o.unsigned ? [] : (o.keys ?? product.keys[role]);
  const found = await knownSigners(refs, trustKeys ?? []);
  const isKnown = found.length === refs.length;
  // then the keys that sign are those that devices trust
  if (!lists && !trustKeys && !isKnown) return;
  if (!isKnown && !o.keys) refuseFewKeys(refs.length, neededOf({ product, trusted: productTrusted(product, plan, []), role }));
  const signers = isKnown ? found : [];
  if (signers.length === 0 && !lists && !trustKeys) return;
  const round = await Round.begin(plan, signers);
  const publics = signers.map((key) => key.public);
  if (isKnown) refuseSigners(plan, publics, o.keys || refs.length === 0 ? round.counted : []);
  const number = likelyNumber(plan.sequence, plan.known);
  for (const [i, { board, draft }] of boards.entries()) {
    const algs = publics.map((key) => coseAlgFor(key, choiceFor(plan, board)));
    await round.judge(draft(number), i, algs);
  }
}

/**
 * Tries a plan that is only shown. makeRelease() does all this itself, with the keys. Throws the refusals of devices,
 * and Failures: POWER_CUT and LINT.
 */
export async function triedPlan(plan: ReleasePlan): Promise<ReleasePlan> {
  if (plan.existing) return plan;
  await refuseOnDevices(plan);
  const tried = { ...plan, cuts: await cutPlan(plan) };
  const lint = await lintPlan(tried);
  refuseLint(lint);
  return { ...tried, lint };
}
