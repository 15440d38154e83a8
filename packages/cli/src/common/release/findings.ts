// Findings of lint in words and as SARIF, as `lint` and the commands that make a release show them.

import { Failure } from "@firmseal/keys";
import { notice, plural, STDIO, shellWord, usage, visible } from "@firmseal/keys/internal";
import type { Finding, Product } from "@firmseal/release";
import { isSimulated, lintCounts, productOption, type ReleaseLint } from "@firmseal/release/internal";
import type { Line } from "../../show/render.js";
import { checkOutput, writeOut } from "../output.js";
import { LINT, type Shape } from "../shapes.js";
import { progressLines, type SignatureFacts, signLine } from "./signatures.js";

/** What lint finds in a release: LINT, with its envelopes. */
export const RELEASE_LINT: Shape = { releases: ["string[]", "envelopes that were checked"], ...LINT };

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

/** The findings that people must see before a release is published: neither notes nor waived. */
export const openFindings = ({ findings }: Pick<ReleaseLint, "findings">): Finding[] =>
  findings.filter(({ severity, waived }) => severity !== "note" && !waived);

/** How much was found in the folder of a release, and how to see it. `product`: the product file, if one was named. */
export function lintLine(report: Omit<ReleaseLint, "releases">, folder: string, product: string | undefined): string {
  const command = `firmseal lint ${shellWord(folder)}${productOption(product)}`;
  if (!isSimulated(report)) return `lint: ${command} checks it again`;
  const isHidden = report.skipped.length > 0 || openFindings(report).length < report.findings.length;
  return `lint: ${lintCounts(report)}${isHidden ? `; ${command} shows them` : ""}`;
}

/** The lines about a release that has just been signed. `product`: the product file, if one was named. */
export function folderLines(folder: string, all: SignatureFacts, lint: ReleaseLint, product: string | undefined): Line[] {
  const isOpen = all.some(({ complete }) => !complete);
  return [
    ...openFindings(lint).flatMap(findingLines),
    lintLine(lint, folder, product),
    ...progressLines(folder, all),
    isOpen ? signLine(folder, product) : `check it before you publish it: firmseal verify ${shellWord(folder)}${productOption(product)}`,
  ];
}

/** Runs `work`, which includes linting. Shows what was found if that is why the release is refused. */
export async function withFindings<T>(
  work: (linted: (report: ReleaseLint) => void) => Promise<T>,
  linted?: (report: ReleaseLint) => void,
): Promise<T> {
  let report: ReleaseLint | undefined;
  try {
    return await work((one) => {
      report = one;
      linted?.(one);
    });
  } catch (e) {
    if (!(e instanceof Failure && e.code === "ERR_LINT" && report)) throw e;
    for (const { path, severity, message, rule, name } of openFindings(report))
      notice(visible(`${path}: ${severity}: ${message} [${rule} ${name}]`), severity === "error" ? "danger" : undefined);
    e.facts = { lint: report };
    throw e;
  }
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
