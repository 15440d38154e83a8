// Counting keys: can as many as a trust file wants still sign a manifest, and at which sequence number?

import { equalBytes, toHex } from "@firmseal/signer";
import type { Identity, Sequence, TrustStore } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";

/** Keys by their octets in hexadecimal. */
export type Keys = ReadonlySet<string>;

const LAST = 2n ** 64n - 1n;

/** A key, and the sequence numbers that it counts for. */
export interface KeyWindow {
  readonly key: string;
  readonly from: bigint;
  readonly until: bigint;
}

export function big(s: Sequence): bigint {
  return BigInt(formatSequence(s));
}

export function higher(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

function lower(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

function within(id: ArrayLike<number> | undefined, ids: ArrayLike<number>[] | undefined): boolean {
  return id === undefined || (ids ?? []).some((other) => equalBytes(id, other));
}

/** The keys that a trust file gives a role on a device. */
export function keysInRole(store: TrustStore, role: number, identity: Identity): KeyWindow[] {
  return store.anchors
    .filter((a) => a.alg && a.roles.includes(role) && within(a.vendor, identity.vendor) && within(a.class, identity.class))
    .map((a) => ({ key: toHex(a.key), from: a.since ? big(a.since) : 0n, until: a.until ? big(a.until) : LAST }));
}

/** The keys of `windows` that `others` has too, each for the sequence numbers that both allow. */
export function shared(windows: readonly KeyWindow[], others: readonly KeyWindow[]): KeyWindow[] {
  return windows.flatMap((h) => {
    const o = others.find((other) => other.key === h.key);
    return o ? [{ key: h.key, from: higher(h.from, o.from), until: lower(h.until, o.until) }] : [];
  });
}

export function without(windows: readonly KeyWindow[], gone: Keys): KeyWindow[] {
  return windows.filter((h) => !gone.has(h.key));
}

export function only(windows: readonly KeyWindow[], keys: Keys): KeyWindow[] {
  return windows.filter((h) => keys.has(h.key));
}

/** The most keys of `windows` that count for one sequence number of at least `lowest`. */
export function most(windows: readonly KeyWindow[], lowest: bigint): number {
  if (lowest > LAST) return 0;
  // the number of keys can only rise where the window of one begins
  const points = [lowest, ...windows.map((h) => h.from).filter((from) => from > lowest)];
  return Math.max(...points.map((at) => windows.filter((h) => h.from <= at && at <= h.until).length));
}
