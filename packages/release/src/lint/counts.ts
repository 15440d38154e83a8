// How much lint has found, in the words of every command and of the Action.

import { grouped, plural } from "@firmseal/keys/internal";
import { NEEDS, SEVERITIES, type Severity } from "./rule.js";

/** What is counted of a report: LintReport, or the same from the JSON of a command. */
export interface CountedReport {
  readonly findings: readonly { readonly severity: Severity; readonly waived?: unknown }[];
  readonly skipped: readonly { readonly rule: string; readonly why: string }[];
}

/**
 * Whether the power was cut for a report about a release that was made or signed. If it was not, because an earlier
 * command did, the report has less than what `firmseal lint` finds.
 */
export const isSimulated = ({ skipped }: Pick<CountedReport, "skipped">): boolean => !skipped.some(({ why }) => why === NEEDS.cuts);

/** "2 notes; 1 waived; 1 rule not checked". A rule that was not checked counts once, for however many boards. */
export function lintCounts({ findings, skipped }: CountedReport): string {
  const open = findings.filter(({ waived }) => !waived);
  const counts = SEVERITIES.flatMap((one) => {
    const n = open.filter(({ severity }) => severity === one).length;
    return n === 0 ? [] : [plural(n, one)];
  });
  const waived = findings.length - open.length;
  const unchecked = new Set(skipped.map(({ rule }) => rule)).size;
  return [
    counts.join(", ") || "no findings",
    ...(waived > 0 ? [`${grouped(waived)} waived`] : []),
    ...(unchecked > 0 ? [`${plural(unchecked, "rule")} not checked`] : []),
  ].join("; ");
}
