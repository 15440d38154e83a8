// Who has approved a release, and who still has to: facts and words.

import type { keyFacts } from "@firmseal/keys";
import { keyWords, someOf } from "@firmseal/keys/internal";

type KeyFacts = ReturnType<typeof keyFacts>;

/** Who has approved a release, among those whom the product file names. */
export interface ApprovalProgress {
  /** Enough of them have. */
  readonly complete: boolean;
  /** How many must approve. */
  readonly needed: number;
  readonly approvers: readonly KeyFacts[];
  /** Those who have not approved it. */
  readonly others: readonly KeyFacts[];
}

/** "0 of 2 approved, still to approve: …". */
export const approvalWords = ({ complete, needed, approvers, others }: ApprovalProgress): string =>
  `${approvers.length} of ${needed} approved${complete ? "" : `, still to approve: ${someOf(others.map(keyWords))}`}`;
