// What people see of a release before they approve or sign it: the words of `explain`, and of `diff` with the last
// release. The same for both.

import { explainedLines } from "@firmseal/behaviour";
import { notice, visible } from "@firmseal/keys/internal";
import type { ReleasePlan } from "@firmseal/release";
import { productNames, releaseReview } from "@firmseal/release/internal";
import { boardLines } from "./folder-words.js";
import { namedLines } from "./product-names.js";
import { changeFacts, changeLines } from "./release-facts.js";

/** Shows a release whose number is known. */
export async function showReview(plan: ReleasePlan): Promise<void> {
  const { product } = plan;
  const { boards, previous, changes, why } = await releaseReview(plan);
  const names = Object.fromEntries(productNames(product));
  const compared = changes
    ? changes.flatMap((one) => changeLines(changeFacts(one, product)))
    : [previous ? `not compared with ${previous.version}: ${why}` : "no earlier release is known here, so nothing is compared"];
  for (const line of [...namedLines(boardLines(boards, explainedLines), names), ...compared]) notice(visible(line));
}
