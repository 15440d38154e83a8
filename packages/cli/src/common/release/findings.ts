// Findings of lint in words, as `lint` and `release` show them.

import { grouped } from "@firmseal/keys/internal";
import type { Finding, LintReport } from "@firmseal/release";
import { SEVERITIES } from "@firmseal/release/internal";
import type { Line } from "../../show/render.js";
import { plural } from "../words.js";

/** How much was found. */
export function lintCounts({ findings, skipped }: LintReport): string {
  const open = findings.filter(({ waived }) => !waived);
  const counts = SEVERITIES.flatMap((one) => {
    const n = open.filter(({ severity }) => severity === one).length;
    return n === 0 ? [] : [`${grouped(n)} ${one}${n === 1 ? "" : "s"}`];
  });
  const waived = findings.length - open.length;
  const parts = [counts.join(", ") || "no findings", ...(waived > 0 ? [`${grouped(waived)} waived`] : [])];
  const unchecked = new Set(skipped.map(({ rule }) => rule)).size;
  if (unchecked > 0) parts.push(`${grouped(unchecked)} rules not checked`);
  return parts.join("; ");
}

/** The same, with the number of releases. */
export const lintSummary = (report: LintReport & { readonly releases: readonly string[] }): string =>
  `${plural(report.releases.length, "release")}: ${lintCounts(report)} (signatures not verified)`;

/** A finding in words. */
export function findingLines({ path, severity, rule, name, message, fix, waived }: Finding): Line[] {
  const state = waived ? `waived until ${waived.until} (${waived.reason})` : severity;
  return [
    { text: `${path}: ${state}: ${message} [${rule} ${name}]`, danger: severity === "error" && !waived },
    ...(waived ? [] : [{ text: `  ${fix}` }]),
  ];
}
