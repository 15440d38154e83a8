// The verdict on a device after the steps of a plan: from the result of each in the code of the device, and from who
// can still reach it.

import { grouped } from "@firmseal/keys/internal";
import { decodeTrust } from "@firmseal/signer";
import { errors, type Sequence, type TrustStore } from "@firmseal/verifier";
import { equalBytes, formatSequence, ROLE_RELEASE } from "@firmseal/verifier/tools";
import { bigSequence } from "../../input/sequence.js";
import { trustFilesIn } from "../../trust/chain.js";
import { higher } from "../../trust/quorum.js";
import { refusalHint, refusalMeaning } from "../../verify/refusals.js";
import type { DeviceState, Played } from "./dry-run.js";
import { type Exposed, exposedWords, exposure, type KeyFates, reach, unverifiable } from "./reach.js";
import type { Group } from "./states.js";

/**
 * Verdicts from best to worst. `moved`: runs the last release, and later ones can reach it. `unaffected`: no step is
 * for it. `ahead`: runs something newer. `behind`: lacks the newest trust file. `exposed`: the stolen keys alone are
 * enough for it. `roots-lost`: accepts releases, but nobody can sign another trust file for it. `stranded`: refuses the
 * last release that is for it, has nothing to start, or nobody can sign a later release for it.
 */
export const VERDICTS = ["moved", "unaffected", "ahead", "behind", "exposed", "roots-lost", "stranded"] as const;

/** What happens to a cohort: see VERDICTS. */
export type Verdict = (typeof VERDICTS)[number];

/** The verdicts on which a plan fails by default. */
export const LEFT_BEHIND: readonly Verdict[] = ["stranded", "roots-lost"];

/** The verdicts on which an incident fails: we cannot reach these devices any more, or a thief can. */
export const LOST: readonly Verdict[] = [...LEFT_BEHIND, "exposed"];

/** Returns how the cohorts of one state are called: the first of them, and how many others. */
export function nameWords({ name, rows }: { name: string; rows: number }): string {
  return rows > 1 ? `${name} and ${grouped(rows - 1)} more` : name;
}

/** A verdict with its reason and remedy; null if there is none. */
export interface Outcome {
  readonly verdict: Verdict;
  readonly why: string | null;
  readonly next: string | null;
}

/** Refusals because the signers are not the required keys. */
const OF_KEYS: readonly number[] = [
  errors.SIGNATURE_THRESHOLD,
  errors.SIGNATURE_INVALID,
  errors.ANCHOR_WINDOW,
  errors.TRUST_UNUSABLE,
  errors.TRUST_POLICY,
];

/** The device refuses the last release that is for it. */
function refused({ step, code, state }: Played, after: bigint): Outcome {
  const ofKeys = OF_KEYS.includes(code);
  const words = code === errors.TRUST_POLICY ? "too few of the keys in its firmware can be used" : refusalMeaning(code);
  const list = state.store ? `the keys of its trust file ${formatSequence(state.store.sequence)}` : "the keys in its firmware";
  return {
    verdict: "stranded",
    why: `it does not accept ${step.name}: ${words}${ofKeys ? unverifiable(state, ROLE_RELEASE) : ""}`,
    next: ofKeys
      ? `first offer it a release signed by enough of ${list}, with a sequence number above ${higher(bigSequence(state.floor), after)}${state.store ? ", which brings it the newest trust file (firmseal rotate bridge)" : ""}`
      : refusalHint(code).replace(/\.$/, ""),
  };
}

/** The device lacks the newest trust file of its product line, or the next one. */
function behind(state: DeviceState, walked: readonly Played[], today: TrustStore, highest: bigint): Outcome | undefined {
  if (!state.store) return undefined;
  const own = formatSequence(state.store.sequence);
  const last = walked.findLast((p) => p.brought || ("trust" in p.step && p.fit === "addressed"));
  const code = last?.brought ? last.brought.code : (last?.code ?? 0);
  const isOlder = last?.brought !== undefined && !isNewer(last.brought.bytes, state.store);
  const kept =
    code !== 0 && code !== errors.TRUST_ROLLBACK && !isOlder
      ? `: ${last?.step.name} brings one that it refuses, ${refusalMeaning(code)}`
      : "";
  const isOld = bigSequence(state.store.sequence) < bigSequence(today.sequence);
  if (!isOld && kept === "") return undefined;
  const passed = walked.findLast((p) => p.fit === "passed");
  const reason =
    kept !== ""
      ? kept
      : walked.every((p) => p.fit === "not addressed")
        ? ": no step is for it"
        : passed
          ? `: it has passed ${passed.step.name}`
          : "";
  return {
    verdict: "behind",
    why: `it keeps trust file ${own}${isOld ? `, and ${formatSequence(today.sequence)} is the newest` : ""}${reason}`,
    next: `bring it trust file ${formatSequence(today.sequence)} with a release that is good under both, and has a sequence number above ${highest} (firmseal rotate bridge)`,
  };
}

/**
 * Whether a device may have adopted a newer trust file after a release: it asks again about one that an earlier release
 * has brought, and nobody has said which release it runs. `floor`: before the first step. `state`: after the last one.
 */
export function mayAdopt(
  { step, fit, code, state: after }: Played,
  floor: Sequence,
  state: DeviceState,
  today: TrustStore | null,
): boolean {
  const { store, model } = state;
  if (fit !== "addressed" || code !== 0 || !("envelope" in step) || after.pending) return false;
  if (model.release || bigSequence(floor) === 0n || !store || !today) return false;
  return bigSequence(store.sequence) < bigSequence(today.sequence);
}

/** What nobody has said about the running release, and what follows if it is otherwise. */
function assumptionOf(walked: readonly Played[], floor: Sequence, state: DeviceState, today: TrustStore | null): string | null {
  const assumed = walked.find((p) => p.assumed);
  if (!assumed) {
    const asks = walked.find((p) => mayAdopt(p, floor, state, today));
    if (!asks || !state.store) return null;
    return `they keep trust file ${formatSequence(state.store.sequence)} after ${asks.step.name} only if no earlier release has brought a newer one, and the fleet file does not name their release`;
  }
  const condition = "trust" in assumed.step ? "the release that they run is good under it" : "they already run that release";
  return `${assumed.step.name} is accepted only if ${condition}, and the fleet file does not name their release`;
}

/** Whether a list that a release brings is newer than that of the device. One that is older changes nothing. */
function isNewer(bytes: Uint8Array, store: TrustStore): boolean {
  try {
    const last = decodeTrust(trustFilesIn(bytes).at(-1) as Uint8Array).store;
    return !equalBytes(last.name, store.name) || bigSequence(last.sequence) > bigSequence(store.sequence);
  } catch {
    // not a list: the device says why
    return true;
  }
}

/**
 * The outcome for the devices in a state. `today`: the newest trust file of their product line. `known`: all trust
 * files that are already signed.
 */
export function outcome(
  { first: cohort, highest }: Group,
  walked: readonly Played[],
  state: DeviceState,
  today: TrustStore | null,
  gone: KeyFates,
  known: readonly TrustStore[],
): Outcome & { exposed: Exposed; assumes: string | null } {
  const isFor = walked.filter((p) => p.fit !== "not addressed");
  const after = isFor.reduce((high, { step }) => ("envelope" in step ? higher(high, step.sequence) : high), 0n);
  const last = isFor.at(-1);
  const { floor, floors } = cohort;
  // without floors of their own, the other roles share the floor, before the steps and after them
  const isShared = floors.debug === floor && floors.recovery === floor;
  const exposed = exposure(state, gone.stolen, isShared ? undefined : floors);
  const found = (): Outcome => {
    if (last && last.fit === "addressed" && last.code !== 0 && "envelope" in last.step) return refused(last, after);
    const dark = isFor.find((p) => p.fit === "addressed" && p.code === 0 && !p.starts);
    if (dark)
      return {
        verdict: "stranded",
        why: `it has nothing to start after ${dark.step.name}: the release has no image`,
        next: 'make the release with an image, or say in the fleet file that they start their image by something else: "start": "own"',
      };
    const reached = reach(state, today, higher(bigSequence(state.floor), after), gone, known);
    if (reached.verdict !== "moved") return { ...reached };
    const stolen = exposedWords(exposed);
    if (stolen !== "")
      return {
        verdict: "exposed",
        why: `the stolen keys alone can sign ${stolen} for it`,
        next: `bring it a trust file without them, before the thief reaches it, with a sequence number above ${higher(highest, after)}`,
      };
    const late = today && behind(state, walked, today, higher(highest, after));
    if (late) return late;
    if (!last) return { verdict: "unaffected", why: "no step is for it", next: null };
    if (last.fit === "passed") return { verdict: "ahead", why: `it has passed ${last.step.name}`, next: null };
    return { verdict: "moved", why: null, next: null };
  };
  return { ...found(), exposed, assumes: assumptionOf(walked, floor, state, today) };
}
