// Counts keys: can enough of them still sign for a trust file, and for which sequence numbers?

import { keyOfAnchor, type PublicKey } from "@firmseal/signer";
import {
  type Anchor,
  ed25519,
  type Family,
  type Identity,
  policyOf,
  type Sequence,
  type TrustAnchor,
  type TrustStore,
} from "@firmseal/verifier";
import { equalBytes, formatSequence, JUMP, MAX_SIGNATURES, ROLE_ROOT, rawKey, toHex } from "@firmseal/verifier/tools";
import { bigSequence, LAST } from "../input/sequence.js";
import { isRefusal } from "../verify/refusals.js";

/** Keys, as their bytes in hexadecimal. */
export type Keys = ReadonlySet<string>;

/** A key, and the sequence numbers that it counts for. */
export interface KeyWindow {
  readonly key: string;
  readonly from: bigint;
  readonly until: bigint;
}

export function higher(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

function lower(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

export function windowOf({ key, since, until }: Pick<Anchor, "key" | "since" | "until">): KeyWindow {
  return { key: toHex(Uint8Array.from(rawKey(key))), from: since ? bigSequence(since) : 0n, until: until ? bigSequence(until) : LAST };
}

/** The keys with a role in a trust file on a device. Uses policyOf() with a threshold of one. */
export function keysInRole(store: TrustStore, role: number, identity: Identity): KeyWindow[] {
  if (role === ROLE_ROOT) return store.anchors.filter((a) => a.alg && a.roles.includes(ROLE_ROOT)).map(windowOf);
  try {
    return policyOf({ ...store, thresholds: store.thresholds.map(() => 1), families: [] }, role, identity).anchors.map(windowOf);
  } catch (e) {
    if (!isRefusal(e)) throw e;
    return [];
  }
}

/** The keys with a role that are for a device, including those whose algorithm the file was read without. */
export function listedFor(store: TrustStore, role: number, identity: Identity): TrustAnchor[] {
  const all = { ...store, anchors: store.anchors.map((a) => ({ ...a, alg: a.alg ?? ed25519 })) };
  const keys = new Set(keysInRole(all, role, identity).map(({ key }) => key));
  return store.anchors.filter((a) => keys.has(windowOf(a).key));
}

/** The keys with a role in a trust file that count for one sequence number on a device. */
export function countingKeys(store: TrustStore, role: number, identity: Identity, sequence: bigint): PublicKey[] {
  const windows = keysInRole(store, role, identity).filter(({ from, until }) => from <= sequence && sequence <= until);
  const counts = new Set(windows.map(({ key }) => key));
  return store.anchors.flatMap((a) => (counts.has(windowOf(a).key) ? (keyOfAnchor(a) ?? []) : []));
}

/** The families of a role whose thresholds apply; undefined if no envelope has room for their signatures. */
export function knownFamilies(store: TrustStore, role: number): Family[] | undefined {
  // a build without families does not read them
  const families = (store.families?.[role] ?? []).filter(({ known }) => known);
  return families.reduce((n, { threshold }) => n + threshold, 0) > MAX_SIGNATURES ? undefined : families;
}

/**
 * The keys of `windows` that still sign for us: those also in `others`, up to the number where these end, and those of
 * `have`, which no newer list has. Where a key begins in `others` does not matter: we have it.
 */
export function shared(windows: readonly KeyWindow[], others: readonly KeyWindow[], have: Keys = new Set()): KeyWindow[] {
  return windows.flatMap((h) => {
    const o = others.find((other) => other.key === h.key);
    if (have.has(h.key)) return [h];
    return o ? [{ key: h.key, from: h.from, until: lower(h.until, o.until) }] : [];
  });
}

export function without(windows: readonly KeyWindow[], gone: Keys): KeyWindow[] {
  return windows.filter((h) => !gone.has(h.key));
}

export function only(windows: readonly KeyWindow[], keys: Keys): KeyWindow[] {
  return windows.filter((h) => keys.has(h.key));
}

/** Sequence numbers from `lowest` to `highest`. */
export interface Range {
  readonly lowest: bigint;
  readonly highest: bigint;
}

/** How far above its floor a device accepts a release, where its list does not say. */
export const WIDEST_JUMP = bigSequence(JUMP);

/** The numbers above its floor that a device accepts next, in a role with this limit on jumps. */
export function numbersAbove(floor: bigint, jump: Sequence | undefined): Range {
  // a new device has no floor to jump from
  return { lowest: floor + 1n, highest: lower(floor + (jump && floor > 0n ? bigSequence(jump) : WIDEST_JUMP), LAST) };
}

/**
 * The keys of `windows` that count for one sequence number in the range: for each number at which a key is added. Keys
 * that count for any other number are among these.
 */
export function countedTogether<Key extends KeyWindow>(windows: readonly Key[], { lowest, highest }: Range): Key[][] {
  if (lowest > highest) return [];
  const points = [lowest, ...windows.map((h) => h.from).filter((from) => from > lowest && from <= highest)];
  return points.map((at) => windows.filter((h) => h.from <= at && at <= h.until));
}

/** The maximum number of keys of `windows` that count for the same sequence number in the range. */
export function most(windows: readonly KeyWindow[], range: Range): number {
  return Math.max(0, ...countedTogether(windows, range).map((together) => together.length));
}

/** Returns the newest trust file of a product line. */
export type Newest = (line: TrustStore) => TrustStore;

/**
 * Finds the newest trust file of each product line. If two different ones have the same number, calls `fork`, which
 * throws: no device can go from one to the other.
 */
export function newestOf(stores: Iterable<TrustStore>, fork: (number: Sequence) => never): Newest {
  const lines = new Map<string, TrustStore>();
  const known = new Map<string, TrustStore>();
  for (const store of new Set(stores)) {
    const line = toHex(Uint8Array.from(store.name));
    const place = `${line} ${formatSequence(store.sequence)}`;
    const rival = known.get(place);
    if (rival && !equalBytes(rival.payload, store.payload)) fork(store.sequence);
    known.set(place, store);
    const newest = lines.get(line);
    if (!newest || bigSequence(newest.sequence) < bigSequence(store.sequence)) lines.set(line, store);
  }
  return (line) => lines.get(toHex(Uint8Array.from(line.name))) ?? line;
}
