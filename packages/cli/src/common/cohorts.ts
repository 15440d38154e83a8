// A plan as people read it, and what follows from it: a refusal where devices would be left behind that nobody named.

import { CODES, Failure, usage, visible, warn } from "@firmseal/keys";
import { type CohortResult, meaningOf, nameOf, type StepResult, sums } from "@firmseal/release";
import { data, say } from "../show/ui.js";

const isLeft = (r: CohortResult) => r.verdict === "stranded" || r.verdict === "frozen";
const number = (n: number) => n.toLocaleString("en-US");

function cell(s: StepResult): string {
  if (s.code !== 0) return `refused: ${nameOf(s.code)}`;
  if (s.trust !== null) return `installed, trust ${s.trust}`;
  return s.trustCode === 0 ? "installed" : `installed, trust kept: ${nameOf(s.trustCode)}`;
}

/** One row for each cohort. */
export function table(results: readonly CohortResult[]): string {
  const steps = results[0]?.steps.map((s) => visible(s.step)) ?? [];
  const rows = [
    ["cohort", "devices", "trust", ...steps, "verdict"],
    ...results.map((r) => [
      visible(r.name),
      number(r.devices),
      r.trust.before === r.trust.after ? r.trust.after : `${r.trust.before} -> ${r.trust.after}`,
      ...r.steps.map(cell),
      r.verdict,
    ]),
  ];
  const widths = (rows[0] as string[]).map((_, i) => Math.max(...rows.map((row) => (row[i] as string).length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((text, i) => (i === 1 ? text.padStart(widths[i] as number) : text.padEnd(widths[i] as number)))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** What JSON holds of a plan. Refusals have their number, name and words. */
export function facts(results: readonly CohortResult[], allowed: readonly string[]): object {
  const refusal = (code: number) => (code === 0 ? null : { code, reason: nameOf(code), words: meaningOf(code) });
  return {
    devices: sums(results),
    cohorts: results.map((r) => ({
      ...r,
      steps: r.steps.map((s) => ({
        step: s.step,
        installed: s.code === 0,
        refused: refusal(s.code),
        trust: s.trust,
        trustRefused: refusal(s.trustCode),
      })),
    })),
    allowedStranded: allowed,
  };
}

export function tell(results: readonly CohortResult[]): void {
  data(table(results));
  for (const r of results) if (r.why !== null && isLeft(r)) say(`${visible(r.name)}: ${r.why}`);
  const { total, ...rest } = sums(results);
  const parts = Object.entries(rest).filter(([, n]) => n > 0);
  say(`${number(total)} devices: ${parts.map(([verdict, n]) => `${number(n)} ${verdict}`).join(", ")}`);
}

/** What is no reason to refuse, and must not be passed over: cohorts that still trust what was retired, and those that a thief can reach. */
export function warnOfRest(results: readonly CohortResult[]): void {
  for (const r of results) {
    if (r.verdict === "behind") warn(`${visible(r.name)}, ${number(r.devices)} devices: ${r.why}`);
    const what = [r.exposed.release && "releases", r.exposed.root && "trust files"].filter(Boolean).join(" and ");
    if (what !== "") warn(`${visible(r.name)}, ${number(r.devices)} devices: the stolen keys alone can sign ${what} for it`);
  }
}

/**
 * Refuses where a cohort is left behind and not named by --allow-stranded. A name of one that is not left behind is wrong use: an override that is
 * not needed today would be one that nobody sees tomorrow.
 */
export function refuseStranded(results: readonly CohortResult[], allowed: readonly string[]): void {
  for (const name of allowed) {
    const cohort = results.find((r) => r.name === name);
    if (!cohort) throw usage(`--allow-stranded ${name}: the fleet has no such cohort`, "the name stands in the fleet file");
    if (!isLeft(cohort)) throw usage(`--allow-stranded ${name}: this cohort is not left behind`, "drop the option");
  }
  const left = results.filter((r) => isLeft(r) && !allowed.includes(r.name));
  const [first] = left;
  if (!first) {
    for (const r of results.filter(isLeft)) warn(`${visible(r.name)}, ${number(r.devices)} devices: left behind, as allowed: ${r.why}`);
    return;
  }
  const failure = new Failure(
    1,
    "STRANDED",
    CODES.STRANDED,
    `${number(left.reduce((n, r) => n + r.devices, 0))} devices would be left behind: ${left.map((r) => r.name).join(", ")}; ${first.name}: ${first.why}`,
    `bring them a release that they take first (docs/guides/rotation.md), or give them up: ${left.map((r) => `--allow-stranded ${quoted(r.name)}`).join(" ")}`,
  );
  failure.facts = facts(results, allowed);
  throw failure;
}

function quoted(name: string): string {
  return name.includes(" ") ? `"${name}"` : name;
}
