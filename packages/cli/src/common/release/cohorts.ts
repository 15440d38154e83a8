// What happens to each cohort of a fleet: as facts, as words, and as a refusal if devices would be left behind without
// permission.

import { Failure } from "@firmseal/keys";
import { grouped, shellWord, someOf, usage, visible, warn } from "@firmseal/keys/internal";
import { type CohortResult, LEFT_BEHIND, refusalMeaning, type Verdict } from "@firmseal/release";
import { devicesByVerdict, exposedWords, LIMITS, nameWords, refusalName, VERDICTS } from "@firmseal/release/internal";
import { suggestion } from "@firmseal/signer";
import type { Line } from "../../show/render.js";
import { listOf } from "../list-of.js";
import type { BoardsOfRows } from "./product-names.js";

/** Names of a state that are listed, and states of which the reasons are. A fleet has thousands. */
export const NAMES = LIMITS.namesInMessage;
export const REASONS = 16;

/** The facts of a plan. Refusals have their number, name and words. */
export function cohortFacts(results: readonly CohortResult[], allowed: readonly string[], boards: BoardsOfRows = () => ({})) {
  const refusal = (code: number) => (code === 0 ? null : { code, reason: refusalName(code), words: refusalMeaning(code) });
  return {
    devices: devicesByVerdict(results),
    cohorts: results.map(({ steps, names, ...r }) => ({
      ...r,
      rows: names.length,
      names: names.slice(0, NAMES),
      ...boards(names),
      releases: steps.map((s) => ({
        release: s.step,
        addressed: s.fit !== "not addressed",
        installed: s.fit === "addressed" && s.code === 0,
        refused: refusal(s.code),
        trust: s.trust,
        trustRefused: refusal(s.trustCode),
        left: s.left,
        assumed: s.assumed,
      })),
    })),
    allowedStranded: allowed,
  };
}

type CohortFacts = ReturnType<typeof cohortFacts>;

function cell(s: CohortFacts["cohorts"][number]["releases"][number]): string {
  if (!s.addressed) return "not for it";
  if (s.refused) return `refused: ${s.refused.reason}`;
  if (s.trust !== null) return `installed, trust ${s.trust}`;
  return s.trustRefused ? `installed, trust kept: ${s.trustRefused.reason}` : "installed";
}

/** What a step is to a cohort: its character on the timeline. */
function markFor(s: CohortFacts["cohorts"][number]["releases"][number]): keyof typeof MARK_WORDS {
  if (!s.addressed) return ".";
  if (s.refused) return "!";
  return s.trust === null ? "=" : "T";
}

const MARK_WORDS = { "=": "installed", T: "installed, with a new trust file", "!": "REFUSED", ".": "not for it" } as const;

/** Rows of a timeline: more do not fit on a screen. */
const TIMELINE_ROWS = 32;

/** A strip for each cohort, with its steps from left to right: what the table says, at one glance. */
function timeline(cohorts: CohortFacts["cohorts"]): Line[] {
  const steps = cohorts[0]?.releases ?? [];
  if (steps.length < 2) return [];
  const shown = cohorts.slice(0, TIMELINE_ROWS).map((r) => ({ r, marks: r.releases.map(markFor) }));
  const used = new Set(shown.flatMap(({ marks }) => marks));
  const legend = (Object.keys(MARK_WORDS) as (keyof typeof MARK_WORDS)[]).flatMap((mark) =>
    used.has(mark) ? [`${mark} ${MARK_WORDS[mark]}`] : [],
  );
  const more = cohorts.length - shown.length;
  return [
    {
      table: {
        isPicture: true,
        columns: [{ title: "cohort" }, { title: `${steps.length} steps, in order` }, { title: "verdict" }],
        rows: [
          ...shown.map(({ r, marks }) => [nameWords(r), { steps: marks.map((mark) => ({ mark, bad: mark === "!" })) }, r.verdict]),
          ...(more > 0 ? [[`and ${grouped(more)} more`, "", ""]] : []),
        ],
        below: legend.join(", "),
      },
    },
  ];
}

/** "1 -> 2", "2", or a dash for a device without a trust file. */
export function trustWords({ before, after }: { before: string | null; after: string | null }): string {
  return before === after ? (after ?? "-") : `${before} -> ${after}`;
}

const leftWords = ({ release, root }: CohortFacts["cohorts"][number]["left"]) =>
  `${release.left} of ${release.of}${root ? `, roots ${root.left} of ${root.of}` : ""}`;

/** Whether a table has a column for boards. */
export const hasBoards = (cohorts: readonly { boards?: readonly string[] }[]): boolean =>
  cohorts.some(({ boards = [] }) => boards.length > 0);

/** A table with a row for each state, the reasons of the worst, and the devicesByVerdict. */
export function cohortWords({ cohorts, devices: { total, ...rest } }: CohortFacts): Line[] {
  const releases = cohorts[0]?.releases.map(({ release }) => ({ title: release })) ?? [];
  const columns = [
    { title: "cohort" },
    ...(hasBoards(cohorts) ? [{ title: "board" }] : []),
    { title: "devices", right: true },
    { title: "trust" },
    ...releases,
    { title: "keys left" },
    { title: "verdict" },
  ];
  const rows = cohorts.map((r) => [
    nameWords(r),
    ...(hasBoards(cohorts) ? [r.boards?.join(", ") ?? ""] : []),
    grouped(r.devices),
    trustWords(r.trust),
    ...r.releases.map(cell),
    leftWords(r.left),
    r.verdict,
  ]);
  const parts = Object.entries(rest).filter(([, n]) => n > 0);
  const left = cohorts.filter((r) => LEFT_BEHIND.includes(r.verdict));
  const more = left.length - REASONS;
  return [
    { table: { columns, rows } },
    ...timeline(cohorts),
    ...left.slice(0, REASONS).flatMap((r) => [`${nameWords(r)}: ${r.why}`, ...(r.next === null ? [] : [`  what to do: ${r.next}`])]),
    ...(more > 0 ? [`and ${grouped(more)} more; --json has them all`] : []),
    `${grouped(total)} devices: ${parts.map(([verdict, n]) => `${grouped(n)} ${verdict}`).join(", ")}`,
  ];
}

/**
 * Warns of what is not refused: cohorts that still trust what was retired, cohorts that a thief can reach, and what
 * nobody has asked.
 */
export function warnOfRest(results: readonly CohortResult[]): void {
  const lines = results.flatMap((r) => {
    const who = `${visible(nameWords({ name: r.name, rows: r.names.length }))}, ${grouped(r.devices)} devices`;
    const what = exposedWords(r.exposed);
    return [
      ...(r.verdict === "behind" ? [`${who}: ${r.why}; ${r.next}`] : []),
      ...(r.assumes === null ? [] : [`${who}: ${r.assumes}; name the release that they run in the fleet file: "release"`]),
      ...(what === "" ? [] : [`${who}: the stolen keys alone can sign ${what} for it`]),
    ];
  });
  for (const line of lines.slice(0, REASONS)) warn(visible(line));
  if (lines.length > REASONS) warn(`and ${grouped(lines.length - REASONS)} more warnings; --json has them all`);
}

/** What a person can do about each verdict. */
const HINTS: { readonly [verdict in Verdict]?: string } = {
  exposed: "bring them a trust file without the stolen keys, before the thief reaches them (docs/guides/planning.md)",
  behind: "bring them a bridge with the newest trust file (docs/guides/planning.md)",
};

/** What a plan may fail on: a verdict, or one that assumes something of the running release. */
export const FAULTS = [...VERDICTS, "assumed"] as const;
export type Fault = (typeof FAULTS)[number];

/** The verdicts of --fail-on. */
export function faultsOf(text: string | undefined, byDefault: readonly Fault[]): readonly Fault[] {
  if (text === undefined) return byDefault;
  if (text === "none") return [];
  const found = listOf(text, FAULTS, "--fail-on", ", or none");
  if (found.length === 0) throw usage("--fail-on: name a verdict", `choose from ${FAULTS.join(", ")}, with commas, or none`);
  return found;
}

/**
 * The refusal of a plan in which a cohort has one of the verdicts `failOn`. Those that are left behind may be allowed
 * by name. Allowing a cohort that is not left behind is a usage error: an override that is not needed today is one that
 * nobody sees tomorrow.
 */
export function planRefusal(
  results: readonly CohortResult[],
  allowed: readonly string[],
  failOn: readonly Fault[] = LEFT_BEHIND,
): Failure | undefined {
  const wanted = new Set(allowed);
  const found = new Map<string, CohortResult>();
  if (wanted.size > 0) for (const r of results) for (const name of r.names) if (wanted.has(name)) found.set(name, r);
  for (const name of allowed) {
    const cohort = found.get(name);
    if (!cohort)
      throw usage(
        `--allow-stranded ${name}: the fleet has no such cohort${suggestion(
          name,
          results.flatMap((r) => r.names),
        )}`,
        "the fleet file has the names",
      );
    if (!LEFT_BEHIND.includes(cohort.verdict)) throw usage(`--allow-stranded ${name}: this cohort is not left behind`, "drop the option");
    warn(`${visible(name)}, ${grouped(cohort.devices)} devices: left behind, as allowed: ${visible(cohort.why ?? "")}`);
  }
  const isAllowed = (r: CohortResult) => LEFT_BEHIND.includes(r.verdict) && r.names.every((name) => wanted.has(name));
  const isAssumed = (r: CohortResult) => r.assumes !== null && failOn.includes("assumed");
  const failed = results.filter((r) => (failOn.includes(r.verdict) || isAssumed(r)) && !isAllowed(r));
  const reasonOf = ({ verdict }: CohortResult): Fault | "left behind" =>
    !failOn.includes(verdict) ? "assumed" : LEFT_BEHIND.includes(verdict) ? "left behind" : verdict;
  // the worst first: it is what has to be read
  const first = failed.find((r) => reasonOf(r) === "left behind") ?? failed[0];
  if (!first) return undefined;
  const reason = reasonOf(first);
  const alike = failed.filter((r) => reasonOf(r) === reason);
  const names = alike.flatMap((r) => r.names.filter((name) => !wanted.has(name)).slice(0, NAMES + 1));
  const devices = grouped(alike.reduce((n, r) => n + r.devices, 0));
  const [message, hint] =
    reason === "assumed"
      ? [
          `the verdict on ${devices} devices is assumed: ${someOf(names)}; ${first.name}: ${first.assumes}`,
          'name the release that they run in the fleet file: "release"',
        ]
      : [
          `${devices} devices would be ${reason}: ${someOf(names)}; ${first.name}: ${first.why}`,
          reason === "left behind"
            ? `bring them a release that they accept first (docs/guides/planning.md), or give them up: ${names
                .slice(0, NAMES)
                .map((name) => `--allow-stranded ${shellWord(name)}`)
                .join(" ")}`
            : (HINTS[reason] ?? "change the steps of the plan, or the verdicts of --fail-on"),
        ];
  const failure = new Failure(1, "ERR_STRANDED", message, hint);
  failure.facts = cohortFacts(results, allowed);
  return failure;
}

/** Throws that refusal. */
export function refuseStranded(results: readonly CohortResult[], allowed: readonly string[]): void {
  const failure = planRefusal(results, allowed);
  if (failure) throw failure;
}
