// Checks a release against the rules, and the findings against the waivers of the product.

import { Failure } from "@firmseal/keys";
import { grouped } from "@firmseal/keys/internal";
import { LIMITS } from "../input/limits.js";
import type { Policy, Waiver } from "../product/file/policy.js";
import { type LintContext, NEEDS, type Need, type Rule, SEVERITIES, type Severity } from "./rule.js";
import { RULES, WAIVER_RULES } from "./rule-table.js";

/** Something that a rule of lint has found in a release. */
export interface Finding {
  /** Id and name of the rule. */
  readonly rule: string;
  readonly name: string;
  readonly severity: Severity;
  /** The envelope, or the product file for a finding about a waiver. */
  readonly path: string;
  /** What was found, in one line. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
  /** The boards of the product that the release is for. */
  readonly boards?: readonly string[];
  /** For a finding about a waiver: its place in the list of the product file. */
  readonly waiver?: number;
  /** The reason and last day of the waiver that accepts it. */
  readonly waived?: { readonly reason: string; readonly until: string };
}

/** A rule that could not look at a release, and what would let it. */
export interface SkippedRule {
  readonly rule: string;
  readonly name: string;
  readonly path: string;
  readonly why: string;
}

/** The findings of lint, and the rules that could not be applied. */
export interface LintReport {
  readonly findings: readonly Finding[];
  readonly skipped: readonly SkippedRule[];
}

/** A release to lint. `whyNoCuts`: why there are no cuts in the context. */
export interface LintTask {
  readonly context: LintContext;
  readonly whyNoCuts?: string;
}

const finding = ({ id, name, severity, fix }: Omit<Rule, "check">, path: string, message: string): Finding => ({
  rule: id,
  name,
  severity,
  path,
  message,
  fix,
});

/** The first messages of a list that may be long. */
function listed(messages: readonly string[]): string[] {
  const more = messages.length - LIMITS.lintFindings;
  return more > 0 ? [...messages.slice(0, LIMITS.lintFindings), `and ${grouped(more)} more`] : [...messages];
}

/** Whether a rule is about what the devices of the release do not have: their product file names no trust file. */
const isBeside = ({ needs = [] }: Rule, { trust, product }: LintContext): boolean =>
  needs.includes("trust") && !trust && product !== undefined && product.trust.file === undefined;

/** What a rule lacks. Undefined if it can look. */
function lacks({ needs = [] }: Rule, { context, whyNoCuts }: LintTask): string | undefined {
  const missing = needs.find((need: Need) => context[need] === undefined);
  if (missing === undefined) return undefined;
  return missing === "cuts" && whyNoCuts !== undefined ? whyNoCuts : NEEDS[missing];
}

/** Checks a release against every rule, and against those of `policies`. Findings are in the order of the rules. */
export function lintRelease(task: LintTask, policies: readonly Policy[]): LintReport {
  const { boards } = task.context;
  const { path } = task.context.release;
  const findings: Finding[] = [];
  const skipped: SkippedRule[] = [];
  for (const rule of RULES) {
    if ((rule.policy !== undefined && !policies.includes(rule.policy)) || isBeside(rule, task.context)) continue;
    const why = lacks(rule, task);
    if (why !== undefined) skipped.push({ rule: rule.id, name: rule.name, path, why });
    else
      for (const message of listed(rule.check(task.context)))
        findings.push({ ...finding(rule, path, message), ...(boards && { boards: boards.map(({ name }) => name) }) });
  }
  return { findings, skipped };
}

/** Returns why a waiver does not count on a day. Undefined if it does. */
export function invalidity({ reason, until }: Waiver, today: string): string | undefined {
  if (reason === undefined || reason.trim() === "") return "has no reason";
  if (until === undefined) return "has no end date (until)";
  if (until < today) return `has expired on ${until}`;
  return undefined;
}

/** The waivers of a product, and the file that they are in. */
export interface Waivers {
  readonly path: string;
  readonly all: readonly Waiver[];
}

/** Marks the findings that a waiver accepts on a day (YYYY-MM-DD), and adds findings about waivers. */
export function withWaivers(findings: readonly Finding[], { path, all }: Waivers, today: string): Finding[] {
  const used = new Set<Waiver>();
  const out = findings.map((one): Finding => {
    const waiver = all.find((w) => (w.rule === one.rule || w.rule === one.name) && invalidity(w, today) === undefined);
    if (!waiver) return one;
    used.add(waiver);
    return { ...one, waived: { reason: waiver.reason as string, until: waiver.until as string } };
  });
  for (const [i, waiver] of all.entries()) {
    const why = invalidity(waiver, today);
    const add = (rule: Omit<Rule, "check">, what: string) =>
      out.push({ ...finding(rule, path, `the waiver of ${waiver.rule} ${what}`), waiver: i });
    if (why !== undefined) add(WAIVER_RULES.invalid, why);
    else if (!used.has(waiver)) add(WAIVER_RULES.unused, "waives nothing");
  }
  return out;
}

/**
 * Returns the Failure (LINT) for findings that are not waived and at least as severe as `failOn`. It names the most
 * severe one, and how many others there are. Returns undefined if there are none.
 */
export function lintFailure(findings: readonly Finding[], failOn: Severity = "error"): Failure | undefined {
  const worse = SEVERITIES.slice(0, SEVERITIES.indexOf(failOn) + 1);
  const failed = findings.filter(({ severity, waived }) => !waived && worse.includes(severity));
  // the order of the rules says nothing about how serious they are
  const [first] = worse.flatMap((one) => failed.filter(({ severity }) => severity === one));
  if (!first) return undefined;
  const more = failed.length > 1 ? `, and ${grouped(failed.length - 1)} more` : "";
  return new Failure(
    1,
    "ERR_LINT",
    `${first.path}: ${first.rule} ${first.name}: ${first.message}${more}`,
    `${first.fix} docs/reference/lint.md explains the rules`,
  );
}

/** Today, as waivers name their last day. */
export const today = (): string => new Date().toISOString().slice(0, 10);
