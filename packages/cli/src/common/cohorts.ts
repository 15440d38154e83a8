// What becomes of each cohort of a fleet: as facts, as words, and as a refusal if devices would be left behind without permission.

import { CODES, Failure, usage, visible, warn } from "@firmseal/keys";
import { type CohortResult, refusalMeaning, refusalName, sums } from "@firmseal/release";
import type { Line } from "../show/render.js";
import { formatCount } from "./words.js";

const isLeftBehind = (r: { verdict: string }) => r.verdict === "stranded" || r.verdict === "roots-lost";

/** The facts of a plan. Refusals have their number, name and words. */
export function cohortFacts(results: readonly CohortResult[], allowed: readonly string[]) {
  const refusal = (code: number) => (code === 0 ? null : { code, reason: refusalName(code), words: refusalMeaning(code) });
  return {
    devices: sums(results),
    cohorts: results.map((r) => ({
      ...r,
      releases: r.releases.map((s) => ({
        release: s.release,
        installed: s.code === 0,
        refused: refusal(s.code),
        trust: s.trust,
        trustRefused: refusal(s.trustCode),
      })),
    })),
    allowedStranded: allowed,
  };
}

type CohortFacts = ReturnType<typeof cohortFacts>;

function cell(s: CohortFacts["cohorts"][number]["releases"][number]): string {
  if (s.refused) return `refused: ${s.refused.reason}`;
  if (s.trust !== null) return `installed, trust ${s.trust}`;
  return s.trustRefused ? `installed, trust kept: ${s.trustRefused.reason}` : "installed";
}

/** A table with a row for each cohort, and the sums. */
export function cohortWords({ cohorts, devices: { total, ...rest } }: CohortFacts): Line[] {
  const releases = cohorts[0]?.releases.map(({ release }) => ({ title: release })) ?? [];
  const columns = [{ title: "cohort" }, { title: "devices", right: true }, { title: "trust" }, ...releases, { title: "verdict" }];
  const rows = cohorts.map((r) => [
    r.name,
    formatCount(r.devices),
    r.trust.before === r.trust.after ? r.trust.after : `${r.trust.before} -> ${r.trust.after}`,
    ...r.releases.map(cell),
    r.verdict,
  ]);
  const parts = Object.entries(rest).filter(([, n]) => n > 0);
  return [
    { table: { columns, rows } },
    ...cohorts.flatMap((r) => (r.why !== null && isLeftBehind(r) ? [`${r.name}: ${r.why}`] : [])),
    `${formatCount(total)} devices: ${parts.map(([verdict, n]) => `${formatCount(n)} ${verdict}`).join(", ")}`,
  ];
}

/** Warns of what is not refused: cohorts that still trust what was retired, and cohorts that a thief can reach. */
export function warnOfRest(results: readonly CohortResult[]): void {
  for (const r of results) {
    if (r.verdict === "behind") warn(`${visible(r.name)}, ${formatCount(r.devices)} devices: ${r.why}`);
    const what = [r.exposed.release && "releases", r.exposed.root && "trust files"].filter(Boolean).join(" and ");
    if (what !== "") warn(`${visible(r.name)}, ${formatCount(r.devices)} devices: the stolen keys alone can sign ${what} for it`);
  }
}

/**
 * The refusal of a plan that leaves a cohort behind without --allow-stranded. Allowing a cohort that is not left behind is wrong use: an
 * override that is not needed today is one that nobody sees tomorrow.
 */
export function strandedRefusal(results: readonly CohortResult[], allowed: readonly string[]): Failure | undefined {
  for (const name of allowed) {
    const cohort = results.find((r) => r.name === name);
    if (!cohort) throw usage(`--allow-stranded ${name}: the fleet has no such cohort`, "the fleet file has the names");
    if (!isLeftBehind(cohort)) throw usage(`--allow-stranded ${name}: this cohort is not left behind`, "drop the option");
  }
  const left = results.filter((r) => isLeftBehind(r) && !allowed.includes(r.name));
  const [first] = left;
  if (!first) {
    for (const r of results.filter(isLeftBehind))
      warn(`${visible(r.name)}, ${formatCount(r.devices)} devices: left behind, as allowed: ${r.why}`);
    return undefined;
  }
  const failure = new Failure(
    1,
    "STRANDED",
    CODES.STRANDED,
    `${formatCount(left.reduce((n, r) => n + r.devices, 0))} devices would be left behind: ${left.map((r) => r.name).join(", ")}; ${first.name}: ${first.why}`,
    `bring them a release that they accept first (docs/guides/rotation.md), or give them up: ${left.map((r) => `--allow-stranded ${quoted(r.name)}`).join(" ")}`,
  );
  failure.facts = cohortFacts(results, allowed);
  return failure;
}

/** Throws that refusal. */
export function refuseStranded(results: readonly CohortResult[], allowed: readonly string[]): void {
  const failure = strandedRefusal(results, allowed);
  if (failure) throw failure;
}

function quoted(name: string): string {
  return name.includes(" ") ? `"${name}"` : name;
}
