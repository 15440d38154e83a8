// Findings of lint in words and as SARIF, as `lint` and `release` show them.

import { grouped, plural, STDIO, usage } from "@firmseal/keys/internal";
import type { Finding, LintReport, Product } from "@firmseal/release";
import { type ReleaseLint, SEVERITIES } from "@firmseal/release/internal";
import type { Line } from "../../show/render.js";
import { checkOutput, writeOut } from "../output.js";

/** How much was found. */
export function lintCounts({ findings, skipped }: LintReport): string {
  const open = findings.filter(({ waived }) => !waived);
  const counts = SEVERITIES.flatMap((one) => {
    const n = open.filter(({ severity }) => severity === one).length;
    return n === 0 ? [] : [plural(n, one)];
  });
  const waived = findings.length - open.length;
  const parts = [counts.join(", ") || "no findings", ...(waived > 0 ? [`${grouped(waived)} waived`] : [])];
  const unchecked = new Set(skipped.map(({ rule }) => rule)).size;
  if (unchecked > 0) parts.push(`${plural(unchecked, "rule")} not checked`);
  return parts.join("; ");
}

/** The same, with the number of releases. */
export const lintSummary = (report: ReleaseLint): string =>
  `${plural(report.releases.length, "release")}: ${lintCounts(report)} (signatures not verified)`;

/** A finding in words. */
export function findingLines({ path, severity, rule, name, message, fix, waived }: Finding): Line[] {
  const state = waived ? `waived until ${waived.until} (${waived.reason})` : severity;
  return [
    { text: `${path}: ${state}: ${message} [${rule} ${name}]`, danger: severity === "error" && !waived },
    ...(waived ? [] : [{ text: `  ${fix}` }]),
  ];
}

/** Checks that the file of --sarif-out can be written. */
export function checkSarif(path: string, others: readonly string[]): void {
  if (path === STDIO) throw usage("--sarif-out -: stdout is already used", "name a file");
  checkOutput(path, "--sarif-out", others);
}

/** Writes the file of --sarif-out. */
export async function writeSarif(path: string, report: ReleaseLint, product: Product | undefined): Promise<void> {
  const { sarifOf } = await import("../../show/sarif.js");
  writeOut(path, Buffer.from(sarifOf(report, product)));
}
