// The keys of a rotation, which may no longer be available: named by a file or another reference, by the thumbprint
// that `firmseal trust show` prints, or by their kid.

import { existsSync } from "node:fs";
import { claimedKeys, usage } from "@firmseal/keys/internal";
import { keyOfAnchor, type PublicKey, thumbprint, twinsOf } from "@firmseal/signer";
import type { TrustStore } from "@firmseal/verifier";
import { toHex } from "@firmseal/verifier/tools";
import type { Cohort } from "./model.js";

/** At least the first half of a thumbprint, so that no key matches by chance. */
const THUMBPRINT = /^[0-9a-f]{32,64}$/;
const KID = /^([0-9a-f]{2}){1,64}$/;

function listed(stores: Iterable<TrustStore>, embedded: readonly PublicKey[]): Map<string, PublicKey> {
  const out = new Map<string, PublicKey>();
  for (const store of new Set(stores))
    for (const anchor of store.anchors) {
      const key = keyOfAnchor(anchor);
      if (key && !out.has(toHex(key.key))) out.set(toHex(key.key), key);
    }
  for (const key of embedded) if (!out.has(toHex(key.key))) out.set(toHex(key.key), key);
  return out;
}

/** Returns the embedded keys of cohorts without a trust file. */
export function embeddedKeys(fleet: readonly Cohort[]): PublicKey[] {
  return [...new Set(fleet.map(({ model }) => model))].flatMap(({ embedded }) => embedded?.keys ?? []);
}

function byName(ref: string, option: string, known: readonly PublicKey[]): PublicKey | undefined {
  const found = known.filter(
    (key) => (THUMBPRINT.test(ref) && toHex(thumbprint(key)).startsWith(ref)) || (key.kid !== undefined && toHex(key.kid) === ref),
  );
  if (found.length > 1)
    throw usage(
      `${option} ${ref}: ${found.length} keys have this key identifier`,
      "give the thumbprint: firmseal trust show FILE lists it",
    );
  return found[0];
}

/**
 * Finds the keys that `refs` name, among those that the fleet knows.
 *
 * @param refs - Files of keys, or their thumbprints or identifiers.
 * @param option - The option that names them, for messages.
 * @param stores - The trust files of the fleet: storesOf().
 * @param embedded - Keys in the firmware of cohorts. Default: none.
 * @returns The keys, in the order of `refs`.
 * @throws Failure (usage) if one is neither in a trust file nor in the firmware of a cohort: a typo must not look like
 *   a successful plan.
 */
export async function namedKeys(
  refs: readonly string[],
  option: string,
  stores: Iterable<TrustStore>,
  embedded: readonly PublicKey[] = [],
): Promise<PublicKey[]> {
  const known = listed(stores, embedded);
  const out: PublicKey[] = [];
  for (const ref of refs) {
    const isName = (THUMBPRINT.test(ref) || KID.test(ref)) && !existsSync(ref);
    // a lost key cannot prove possession, and it must be in a trust file anyway
    const key = isName ? byName(ref, option, [...known.values()]) : (await claimedKeys([ref], []))[0];
    if (!key || !known.has(toHex(key.key)))
      throw usage(`${option} ${ref}: no trust file here lists this key`, "firmseal trust show FILE lists the keys of a trust file");
    out.push(key);
  }
  return out;
}

/** Returns the keys as a set. */
export function keySet(keys: readonly PublicKey[]): Set<string> {
  return new Set(keys.map((key) => toHex(key.key)));
}

/**
 * Collects keys and every other form of them, because their secrets sign for each form.
 *
 * @param keys - The keys.
 * @returns The set, for planSteps().
 */
export function secretSet(keys: readonly PublicKey[]): Set<string> {
  return keySet(keys.flatMap((key) => [key, ...twinsOf(key)]));
}
