// What becomes of each cohort of a fleet when it is offered releases in order: which it takes, what it trusts in the end, and who can reach
// it then. No file is read here, and nothing is printed.

import { refusedInput } from "@firmseal/keys";
import { equalBytes } from "@firmseal/signer";
import type { Alg, TrustStore } from "@firmseal/verifier";
import { formatSequence, ROLE_RELEASE, ROLE_ROOT } from "@firmseal/verifier/tools";
import { meaningOf } from "../hints.js";
import { signedTrust } from "../trust/trust-file.js";
import { type DryRun, dryRun, type State } from "./dry-run.js";
import type { Cohort } from "./fleet.js";
import { big, higher, type Keys, keysInRole, most, only, shared, without } from "./quorum.js";

export interface PlannedRelease {
  readonly name: string;
  readonly envelope: Uint8Array;
  readonly sequence: bigint;
}

/** Keys that cannot sign for us any more, and those of them that sign for somebody else. */
export interface Gone {
  readonly lost: Keys;
  readonly stolen: Keys;
}

/**
 * `moved`: runs the last release, and later ones can reach it. `behind`: so it does, but it has not the newest trust file. `stranded`: it does not take the last release, or nobody can sign one for it any
 * more. `roots-lost`: it takes releases, and nobody can sign another trust file for it. `exposed`: the stolen keys alone are enough for it.
 */
export type Verdict = "moved" | "behind" | "stranded" | "roots-lost" | "exposed";

export interface ReleaseResult {
  readonly release: string;
  /** 0: installed. */
  readonly code: number;
  /** The sequence number of the trust file that was taken over with it. */
  readonly trust: string | null;
  /** Why a trust file that it brought was not taken over; 0 where there was none, or it is that of the device. */
  readonly trustCode: number;
}

export interface CohortResult {
  readonly name: string;
  readonly devices: number;
  readonly releases: readonly ReleaseResult[];
  /** Sequence numbers of its trust file. */
  readonly trust: { readonly before: string; readonly after: string };
  readonly verdict: Verdict;
  /** In words, unless it moved. */
  readonly why: string | null;
  /** What the stolen keys alone can sign for it. */
  readonly exposed: { readonly release: boolean; readonly root: boolean };
}

/** The newest trust file of each line of products. Two that differ and have one number are a fork: no device goes from one to the other. */
export function newest(stores: readonly TrustStore[]): (line: TrustStore) => TrustStore {
  const lines: TrustStore[] = [];
  for (const store of stores) {
    const rival = stores.find(
      (s) => equalBytes(s.name, store.name) && big(s.sequence) === big(store.sequence) && !equalBytes(s.payload, store.payload),
    );
    if (rival)
      throw refusedInput(
        "FLEET",
        `two different trust files of the same name have the sequence number ${formatSequence(store.sequence)}`,
        "no device moves from one to the other: sign a third with a higher number, and send it to the devices of both",
      );
    const at = lines.findIndex((s) => equalBytes(s.name, store.name));
    if (at < 0) lines.push(store);
    else if (big((lines[at] as TrustStore).sequence) < big(store.sequence)) lines[at] = store;
  }
  return (line) => lines.find((s) => equalBytes(s.name, line.name)) ?? line;
}

/** Trust files that releases brought, as far as they are signed by their own roots: others are the next of nobody. */
function broughtStores(dryRuns: readonly DryRun[]): TrustStore[] {
  return dryRuns.flatMap(({ brought }) => {
    try {
      return brought ? [signedTrust(brought.bytes)] : [];
    } catch {
      return [];
    }
  });
}

/** Who can reach a device in this state after sequence number `after`; `newest`: the trust file that holds the keys of today. */
export function quorumVerdict(
  state: State,
  newest: TrustStore,
  after: bigint,
  { lost, stolen }: Gone,
): { verdict: Verdict; why: string | null } {
  const gone = new Set([...lost, ...stolen]);
  const count = (role: number, lowest: bigint) =>
    most(without(shared(keysInRole(state.store, role, state.identity), keysInRole(newest, role, state.identity)), gone), lowest);
  const missing = (role: number, n: number, kind: string) => {
    // a role that nobody has can sign nothing
    const threshold = state.store.thresholds[role] || 1;
    return n < threshold ? `${n} of its ${kind} keys remain, and ${threshold} are needed` : null;
  };
  const release = missing(ROLE_RELEASE, count(ROLE_RELEASE, after + 1n), "release");
  if (release) return { verdict: "stranded", why: `no later release can reach it: ${release}` };
  const root = missing(ROLE_ROOT, count(ROLE_ROOT, 0n), "root");
  if (root) return { verdict: "roots-lost", why: `no later trust file can reach it: ${root}` };
  return { verdict: "moved", why: null };
}

/** What the stolen keys alone can sign for a device in this state. */
export function exposure(state: State, stolen: Keys): { release: boolean; root: boolean } {
  const enough = (role: number, lowest: bigint) =>
    most(only(keysInRole(state.store, role, state.identity), stolen), lowest) >= (state.store.thresholds[role] || 1);
  return { release: enough(ROLE_RELEASE, big(state.floor)), root: enough(ROLE_ROOT, 0n) };
}

function walk(cohort: Cohort, releases: readonly PlannedRelease[], algs: Alg[] | undefined): DryRun[] {
  let state: State = { store: cohort.trust.store, identity: cohort.identity, floor: cohort.floor };
  return releases.map(({ envelope }) => {
    const offered = dryRun(envelope, state, algs);
    state = offered.state;
    return offered;
  });
}

/** Offers `releases` in order to every cohort. Throws a Failure where two trust files contradict each other. */
export function plan(
  fleet: readonly Cohort[],
  releases: readonly PlannedRelease[],
  gone: Gone,
  others: readonly TrustStore[] = [],
  algs?: Alg[],
): CohortResult[] {
  const walks = fleet.map((cohort) => walk(cohort, releases, algs));
  const newestOf = newest([...fleet.map((c) => c.trust.store), ...others, ...walks.flatMap(broughtStores)]);
  const after = releases.reduce((high, s) => higher(high, s.sequence), 0n);
  return fleet.map((cohort, i) => {
    const dryRuns = walks[i] as DryRun[];
    const last = dryRuns.at(-1);
    const state = last?.state ?? { store: cohort.trust.store, identity: cohort.identity, floor: cohort.floor };
    const exposed = exposure(state, gone.stolen);
    let { verdict, why } =
      last && last.code !== 0
        ? { verdict: "stranded" as Verdict, why: `does not take the last release: ${meaningOf(last.code)}` as string | null }
        : quorumVerdict(state, newestOf(state.store), higher(big(state.floor), after), gone);
    if (verdict === "moved" && (exposed.release || exposed.root)) {
      verdict = "exposed";
      why = `the stolen keys alone can sign ${exposed.root ? "trust files" : "releases"} for it`;
    }
    const today = newestOf(state.store);
    if (verdict === "moved" && big(state.store.sequence) < big(today.sequence)) {
      verdict = "behind";
      const kept = dryRuns.findLast((o) => o.brought && o.brought.code !== 0)?.brought?.code;
      why = `it keeps trust file ${formatSequence(state.store.sequence)}, and ${formatSequence(today.sequence)} is the newest${kept ? `: ${meaningOf(kept)}` : ""}`;
    }
    return {
      name: cohort.name,
      devices: cohort.devices,
      releases: dryRuns.map((o, k) => ({
        release: (releases[k] as PlannedRelease).name,
        code: o.code,
        trust: o.state.store === (dryRuns[k - 1]?.state ?? cohort.trust).store ? null : formatSequence(o.state.store.sequence),
        trustCode: o.brought?.code ?? 0,
      })),
      trust: { before: formatSequence(cohort.trust.store.sequence), after: formatSequence(state.store.sequence) },
      verdict,
      why,
      exposed,
    };
  });
}

export function sums(results: readonly CohortResult[]): { [verdict in Verdict]: number } & { total: number } {
  const of = (verdict: Verdict) => results.reduce((n, r) => n + (r.verdict === verdict ? r.devices : 0), 0);
  return {
    total: results.reduce((n, r) => n + r.devices, 0),
    moved: of("moved"),
    behind: of("behind"),
    stranded: of("stranded"),
    "roots-lost": of("roots-lost"),
    exposed: of("exposed"),
  };
}
