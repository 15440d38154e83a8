// Who can still reach a device: how many of its keys sign for us, how many somebody else has, and the consequences.

import type { Sequence, TrustStore } from "@firmseal/verifier";
import { equalBytes, ROLE_DEBUG, ROLE_RECOVERY, ROLE_RELEASE, ROLE_ROOT } from "@firmseal/verifier/tools";
import { bigSequence, LAST } from "../../input/sequence.js";
import { familyFacts, familyWords } from "../../trust/families.js";
import {
  countedTogether,
  type Keys,
  type KeyWindow,
  keysInRole,
  knownFamilies,
  listedFor,
  most,
  numbersAbove,
  only,
  type Range,
  shared,
  windowOf,
  without,
} from "../../trust/quorum.js";
import { isRefusal } from "../../verify/refusals.js";
import { deviceCode, hostOf, rememberedStore } from "../device-code.js";
import type { Cohort } from "../model.js";
import type { DeviceState } from "./dry-run.js";

/**
 * Keys with a known fate. `lost`: can no longer sign. `stolen`: somebody else has them too; they still sign for us
 * unless they are also lost. `have`: retired keys that are still available; without it, a key that the newest list does
 * not name signs nothing. `unused`: new keys, which have signed nothing that devices run.
 */
export interface KeyFates {
  readonly lost: Keys;
  readonly stolen: Keys;
  readonly have?: Keys;
  readonly unused?: Keys;
}

/** For the keys of a role: how many sign for us, how many must sign, and how many the device has. */
export interface Margin {
  readonly left: number;
  readonly needed: number;
  readonly of: number;
  /** The device accepts what those sign that are left: they also reach each family of algorithms. */
  readonly enough: boolean;
}

/** `root` is null for a device without a trust file. */
export interface Margins {
  readonly release: Margin;
  readonly root: Margin | null;
}

/** What the stolen keys alone can sign for a device. */
export interface Exposed {
  readonly release: boolean;
  readonly root: boolean;
  readonly debug: boolean;
  readonly recovery: boolean;
}

type Standing = Pick<DeviceState, "model" | "store" | "floor">;

/** Numbers of lists, which know no limit on jumps. */
const LISTS: Range = { lowest: 0n, highest: LAST };

/** The numbers from `lowest` on that a device accepts next in a role. `own`: its floor in the role. */
function releases({ store, floor }: Standing, role: number, lowest: bigint, own: Sequence = floor): Range {
  return { ...numbersAbove(bigSequence(own), store?.jumps[role]), lowest };
}

/** The keys with a role on a device. Embedded keys are release keys. */
function keysOf({ model, store }: Standing, role: number): KeyWindow[] {
  if (store) return keysInRole(store, role, model.identity);
  return role === ROLE_RELEASE ? (model.policy?.anchors ?? []).map(windowOf) : [];
}

/**
 * Whether a device accepts what these keys sign together, by the code that it runs: the keys of a list without the
 * others are a policy if they reach its threshold and its families.
 */
function accepts({ model, store }: Standing, role: number, together: readonly KeyWindow[]): boolean {
  const keys = new Set(together.map(({ key }) => key));
  if (!store) return keys.size >= (model.policy?.threshold ?? 1);
  const { policyOf } = deviceCode(model.algorithms, model.features);
  const anchors = store.anchors.filter((a) => a.roles.includes(role) && keys.has(windowOf(a).key));
  if (!knownFamilies(store, role)) return false;
  try {
    // policyOf() is for roles that sign manifests, and the same rules hold for roots
    (policyOf as NonNullable<typeof policyOf>)(
      {
        ...store,
        anchors: anchors.map((a) => ({ ...a, roles: [ROLE_RELEASE] })),
        thresholds: store.thresholds.with(ROLE_RELEASE, store.thresholds[role] as number),
        families: [undefined, undefined, undefined, undefined, undefined].with(ROLE_RELEASE, store.families?.[role] as never),
      },
      ROLE_RELEASE,
      model.identity,
    );
    return true;
  } catch (e) {
    if (!isRefusal(e)) throw e;
    return false;
  }
}

/** Whether these keys sign what a device accepts, with some number of the range. */
const suffice = (state: Standing, role: number, windows: readonly KeyWindow[], range: Range): boolean =>
  countedTogether(windows, range).some((together) => accepts(state, role, together));

/** The threshold of a role. A role without keys can sign nothing. */
function thresholdOf({ model, store }: Standing, role: number): number {
  return store ? (store.thresholds[role] as number) || 1 : (model.policy?.threshold ?? 1);
}

/** How many keys of a device have a role, including those whose algorithm it lacks. */
function listed({ model, store }: Standing, role: number): number {
  if (!store) return role === ROLE_RELEASE ? (model.embedded?.keys.length ?? 0) : 0;
  return listedFor(store, role, model.identity).length;
}

/**
 * The keys that sign for us in a role: those of the newest list. A key that it limits to another vendor or class can
 * sign all the same. A key that it ends cannot, above that number.
 */
function heldOf(newest: TrustStore, role: number): KeyWindow[] {
  return newest.anchors.filter((a) => a.roles.includes(role)).map(windowOf);
}

function margin(state: Standing, newest: TrustStore | null, role: number, range: Range, { lost, have }: KeyFates): Margin {
  const own = keysOf(state, role);
  const ours = newest && state.store ? shared(own, heldOf(newest, role), have) : own;
  const left = without(ours, lost);
  return {
    left: most(left, range),
    needed: thresholdOf(state, role),
    of: listed(state, role),
    enough: suffice(state, role, left, range),
  };
}

/**
 * The remaining keys of a device for releases after sequence number `after`. `newest`: the trust file with the current
 * keys.
 */
export function margins(state: Standing, newest: TrustStore | null, after: bigint, gone: KeyFates): Margins {
  return {
    release: margin(state, newest, ROLE_RELEASE, releases(state, ROLE_RELEASE, after + 1n), gone),
    root: state.store && margin(state, newest, ROLE_ROOT, LISTS, gone),
  };
}

/** Describes the keys of a role whose algorithm the device lacks; "" if there are none. */
export function unverifiable(state: Standing, role: number): string {
  const { model, store } = state;
  const without = store
    ? listedFor(store, role, model.identity).filter((a) => !a.alg).length
    : (model.embedded?.keys.length ?? 0) - (model.policy?.anchors.length ?? 0);
  const kind = role === ROLE_ROOT ? "root" : "release";
  return without > 0 ? `; its verifier has no algorithm for ${without} of its ${listed(state, role)} ${kind} keys` : "";
}

export interface Reach {
  readonly verdict: "stranded" | "roots-lost" | "moved";
  readonly why: string | null;
  readonly next: string | null;
}

const ALL_REACH: Reach = { verdict: "moved", why: null, next: null };

function missing(state: Standing, { left, needed, enough }: Margin, role: number): string | undefined {
  const kind = role === ROLE_ROOT ? "root" : "release";
  if (enough) return undefined;
  if (left < needed) return `${left} of its ${kind} keys remain, and ${needed} are needed${unverifiable(state, role)}`;
  return `the ${left} of its ${kind} keys that remain are too few of a family of algorithms: it needs ${familyWords(familyFacts(state.store ?? undefined, kind) ?? [])}`;
}

/** Maximum number of lists in a chain, as on devices. */
const MOST_HOPS = 16;

/**
 * The list that a device ends at, if it is offered every list that is known, as a chain: `newest`, or the next number
 * again and again. These are already signed, whether their roots are available or not.
 */
function upBy({ model, store }: Standing, newest: TrustStore, known: readonly TrustStore[]): TrustStore | null {
  const { trustFileUnchecked: accept } = deviceCode(model.algorithms, model.features);
  const takes = (next: TrustStore | undefined, from: TrustStore) => {
    try {
      return next?.file && accept ? accept(next.file, from, hostOf(model.algorithms)) : undefined;
    } catch (e) {
      if (!isRefusal(e)) throw e;
      return undefined;
    }
  };
  let at = store;
  for (let hop = 0; at && hop < MOST_HOPS && bigSequence(at.sequence) < bigSequence(newest.sequence); hop++) {
    const from: TrustStore = at;
    const following = known.find((one) => equalBytes(one.name, from.name) && bigSequence(one.sequence) === bigSequence(from.sequence) + 1n);
    const next = takes(newest, from) ?? takes(following, from);
    if (!next) break;
    at = rememberedStore(next);
  }
  return at;
}

/**
 * Who can reach a device in this state after sequence number `after`. `newest`: the trust file with the current keys.
 * `known`: all trust files that are already signed.
 */
export function reach(state: Standing, newest: TrustStore | null, after: bigint, gone: KeyFates, known: readonly TrustStore[] = []): Reach {
  const { release, root } = margins(state, newest, after, gone);
  if (after >= LAST) {
    // the keys that count for low numbers sign the release that brings the next list
    const low = margins(state, newest, 0n, gone).release;
    const resets = root?.enough && low.enough;
    return {
      verdict: "stranded",
      why: `no later release can reach it: ${LAST} is the last sequence number, and no release has a higher one`,
      next: resets
        ? 'bring it a trust file that begins a new epoch ("epoch"), with a release at its first number (firmseal rotate bridge)'
        : "replace the firmware of these devices by hand",
    };
  }
  const { lowest, highest } = releases(state, ROLE_RELEASE, after + 1n);
  if (lowest > highest)
    return {
      verdict: "stranded",
      why: `no later release can reach it: it accepts numbers up to ${highest}, and the fleet is at ${after}`,
      next: `first offer it a release with a number from ${bigSequence(state.floor) + 1n} to ${highest}`,
    };
  const noRelease = missing(state, release, ROLE_RELEASE);
  if (noRelease)
    return {
      verdict: "stranded",
      why: `no later release can reach it: ${noRelease}`,
      next: root?.enough
        ? "sign a trust file whose release keys you have, and under which its current release is good, and send it without a release"
        : "give it up by its name, or replace the firmware of these devices by hand",
    };
  if (!root || !state.store) return ALL_REACH;
  if (bigSequence(state.store.sequence) === LAST)
    return {
      verdict: "roots-lost",
      why: `no later trust file can reach it: its own has ${LAST}, the last number`,
      next: "keep its release keys: it never accepts others",
    };
  const noRoot = missing(state, root, ROLE_ROOT);
  const up = noRoot && newest ? upBy(state, newest, known) : null;
  const last = up && up !== state.store ? margin({ ...state, store: up }, newest, ROLE_ROOT, LISTS, gone) : null;
  // nobody signs for its list any more, but the lists after it do
  if (noRoot && !last?.enough)
    return {
      verdict: "roots-lost",
      why: `no later trust file can reach it: ${noRoot}`,
      next: "if you still have a retired root of it, name it: --have ROOT; otherwise keep its release keys, because it never accepts others",
    };
  return ALL_REACH;
}

/** Whether a device accepts the next list if these roots sign it, and if the list itself accepts them. */
export const acceptsRoots = (state: Standing, roots: Keys): boolean =>
  suffice(state, ROLE_ROOT, only(keysOf(state, ROLE_ROOT), roots), LISTS);

/**
 * Whether devices whose release nobody has named may run one that is good under `next`. It has the number of their
 * floor, and no signature by the keys `unused`. New devices run none.
 */
export function mayRunUnder(next: TrustStore, { model, floor }: Standing, role: number, unused: Keys): boolean {
  const at = bigSequence(floor);
  const after = { model, floor, store: next };
  return at === 0n || suffice(after, role, without(keysOf(after, role), unused), { lowest: at, highest: at });
}

/** What the stolen keys alone can sign for a device in this state. */
export function exposure(state: Standing, stolen: Keys, floors?: Cohort["floors"]): Exposed {
  const enough = (role: number, range: Range) => suffice(state, role, only(keysOf(state, role), stolen), range);
  const above = (role: number, floor: Sequence) => {
    const own = bigSequence(floor);
    // the number of the floor is good for one manifest only, which the device has; a new device has none
    return enough(role, releases(state, role, own === 0n ? own : own + 1n, floor));
  };
  return {
    release: above(ROLE_RELEASE, state.floor),
    root: enough(ROLE_ROOT, LISTS),
    debug: above(ROLE_DEBUG, floors ? floors.debug : state.floor),
    recovery: above(ROLE_RECOVERY, floors ? floors.recovery : state.floor),
  };
}

const ROLES = { root: "trust files", release: "releases", recovery: "recovery releases", debug: "debug manifests" } as const;

/** Returns in words what stolen keys can sign, the worst first; "" if they can sign nothing. */
export function exposedWords(exposed: Exposed): string {
  return (Object.keys(ROLES) as (keyof typeof ROLES)[])
    .filter((role) => exposed[role])
    .map((role) => ROLES[role])
    .join(" and ");
}
