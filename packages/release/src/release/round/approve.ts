// A person approves a release: what its signers see, and what would be refused of a signature.

import type { SigningKey } from "@firmseal/keys";
import { refusedInput, shellWord, visible } from "@firmseal/keys/internal";
import { type Approvable, isSamePerson, type PublicKey } from "@firmseal/signer";
import { productOption } from "../../product/file/file-name.js";
import { selfApproved } from "../../signing/approval.js";
import { type Approval, type ApprovingOptions, approveWith } from "../../signing/approve.js";
import type { NamedKey } from "../../signing/coverage.js";
import { openWithTrialKey } from "../../signing/draft.js";
import { approvalsOf, wholeOf } from "../approvals.js";
import { knownSigners } from "../board/known-signers.js";
import type { ReleasePlan } from "../plan.js";
import { Round } from "./round.js";

/** A release that a person may approve. */
export interface ReleaseToApprove {
  readonly what: Approvable;
  /** Refuses a key that the product file does not name, or that has signed the release. Throws a Failure: APPROVAL. */
  refuseKey(key: NamedKey): void;
  /** Like refuseKey(), for the key that a reference names, if it is known without a passphrase. */
  refuseEarly(ref: string): Promise<void>;
  /** Approves it, and enters that in the log of the key. */
  approve(key: SigningKey, o: ApprovingOptions): Promise<Approval>;
}

/**
 * Returns what a person approves of a release, after everything has been refused that would be refused of a signature.
 * `plan`: from planSigning().
 */
export async function releaseToApprove(plan: ReleasePlan): Promise<ReleaseToApprove> {
  const { required } = await approvalsOf(plan);
  const round = await Round.begin(plan, []);
  for (const [i, draft] of round.before.entries()) {
    await openWithTrialKey(draft);
    await round.judge(draft, i, []);
  }
  const what = wholeOf(plan) as Approvable;
  const isOf = ({ public: key }: NamedKey, keys: readonly PublicKey[]) => keys.some((one) => isSamePerson(one, key));
  const refuseKey = (key: NamedKey) => {
    if (required && !isOf(key, required.keys))
      throw refusedInput(
        "ERR_APPROVAL",
        `${visible(key.name)} is not a key that ${plan.product.path} names for approvals`,
        "approve with a key whose public half is in [approval] keys",
      );
    const seen = `firmseal verify ${shellWord(visible(plan.folder))}${productOption(plan.product.path)} --missing`;
    if (isOf(key, round.signers)) throw selfApproved(`another person must approve it: ${seen} names them`);
  };
  return {
    what,
    refuseKey,
    async refuseEarly(ref) {
      for (const key of await knownSigners([ref], [...round.signers, ...round.counted])) refuseKey(key);
    },
    approve: (key, o) => approveWith(what, key, [], o),
  };
}
