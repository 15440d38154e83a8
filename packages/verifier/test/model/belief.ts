// Which keys count for a manifest, from docs/guides/trust.md: keys with a scope, and how many of them must have signed.

import type { Checked } from "./interpreter.js";
import { type Manifest, valuesOf } from "./manifest.js";

export interface Key {
  /** Which of the published keys: the names of test-vectors/src/pieces/assemble.ts. */
  key: "b" | "p";
  vendor?: string;
  class?: string;
}

/** A vendor and a class that a manifest is for; undefined where it names none, so that no key with a scope covers it. */
type Kind = readonly [vendor: string | undefined, classId: string | undefined];

/** Every vendor with every class that the manifest names, wherever that stands. */
function namedKinds(m: Manifest): Kind[] {
  const or = (ids: string[]) => (ids.length > 0 ? ids : [undefined]);
  return or(valuesOf(m, "vendor")).flatMap((vendor) => or(valuesOf(m, "class")).map((classId): Kind => [vendor, classId]));
}

/**
 * Whether enough of `signed` cover what a device has checked: the manifest has asked for the key's vendor and class, and the device has them.
 * That it asked for more besides makes the release one for fewer devices, all of them the key's.
 */
export function cover(signed: readonly Key[], threshold: number, checked: Checked): boolean {
  const meant = (id: string | undefined, ids: readonly string[]) => id === undefined || ids.includes(id);
  return signed.filter((k) => meant(k.vendor, checked.vendor) && meant(k.class, checked.class)).length >= threshold;
}

/** Whether they cover every kind of device that the manifest names, whatever it does with the names. */
export function coverAll(signed: readonly Key[], threshold: number, m: Manifest): boolean {
  return namedKinds(m).every(([vendor, classId]) =>
    cover(signed, threshold, { vendor: vendor ? [vendor] : [], class: classId ? [classId] : [] }),
  );
}
