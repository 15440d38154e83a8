// Keys that a rotation speaks of, which need not be at hand any more: named by a file, or by the thumbprint that `firmseal trust show` prints.

import { existsSync } from "node:fs";
import { claimedKey, usage } from "@firmseal/keys";
import { equalBytes, keyOfAnchor, type PublicKey, thumbprint, toHex } from "@firmseal/signer";
import type { TrustStore } from "@firmseal/verifier";

/** The first half of a thumbprint, or more: none is found by chance. */
const THUMBPRINT = /^[0-9a-f]{32,64}$/;

function listed(stores: readonly TrustStore[]): PublicKey[] {
  const all = stores.flatMap((store) => store.anchors.flatMap((a) => keyOfAnchor(a) ?? []));
  return all.filter((key, i) => all.findIndex((other) => equalBytes(other.key, key.key)) === i);
}

/** The keys that `refs` name. Wrong use where one is in none of the trust files: a slip must not look like a plan that holds. */
export async function namedKeys(refs: readonly string[], option: string, stores: readonly TrustStore[]): Promise<PublicKey[]> {
  const known = listed(stores);
  const out: PublicKey[] = [];
  for (const ref of refs) {
    const byPrint = THUMBPRINT.test(ref) && !existsSync(ref) ? known.filter((key) => toHex(thumbprint(key)).startsWith(ref)) : undefined;
    // one that is lost cannot prove anything, and it must be in a trust file all the same
    const [key] = byPrint ?? [await claimedKey(ref, [])];
    if (!key || !known.some((other) => equalBytes(other.key, key.key)))
      throw usage(`${option} ${ref}: no trust file here lists this key`, "firmseal trust show FILE lists the keys of a trust file");
    out.push(key);
  }
  return out;
}

/** Keys as the set that plan() takes. */
export function keySet(keys: readonly PublicKey[]): Set<string> {
  return new Set(keys.map((key) => toHex(key.key)));
}
