// An envelope that nobody has signed yet, offered to devices as if some keys had: so a refusal comes before any number, log entry or leaf is used.

import { randomBytes } from "node:crypto";
import { deviceAlgs, type EnvelopeDraft, equalBytes, type PublicKey, signedWith, toHex } from "@firmseal/signer";
import type { Alg } from "@firmseal/verifier";
import { embeddedTrust, rawKey } from "@firmseal/verifier/tools";
import type { TrustOnFile } from "../trust/trust-file.js";
import type { Cohort } from "./fleet.js";
import { keySet } from "./keys.js";
import { type CohortResult, plan } from "./plan.js";

/** Algorithms that accept `mark` as a signature of each of `keys`. Everything else goes to the algorithms of devices. */
function markedAlgs(mark: Uint8Array, keys: readonly PublicKey[]): Alg[] {
  const known = keySet(keys);
  return deviceAlgs.map((alg) => ({
    ids: alg.ids,
    valid: (key) => alg.valid(key),
    // nobody outside of this call knows the mark
    verify: (key, message, signature, host) =>
      (equalBytes(signature, mark) && known.has(toHex(Uint8Array.from(rawKey(key))))) || alg.verify(key, message, signature, host),
  }));
}

/** Each cohort with its trust file read for those algorithms; each file once. */
function readAgain(fleet: readonly Cohort[], algs: Alg[]): Cohort[] {
  const again = new Map<TrustOnFile, TrustOnFile>();
  return fleet.map((cohort) => {
    const { trust } = cohort;
    const read = again.get(trust) ?? { ...trust, store: embeddedTrust(algs, trust.bytes) };
    again.set(trust, read);
    return { ...cohort, trust: read };
  });
}

/**
 * What becomes of a fleet that is offered `draft` under the name `name`, once `keys` have signed it. `others`: trust files that exist beside those
 * of the fleet. Throws as plan() does, and SIGNATURE_COUNT for more than 8 keys.
 */
export async function planAsIfSigned(
  fleet: readonly Cohort[],
  name: string,
  draft: EnvelopeDraft,
  keys: readonly PublicKey[],
  others: readonly TrustOnFile[],
): Promise<CohortResult[]> {
  const mark = new Uint8Array(randomBytes(32));
  const algs = markedAlgs(mark, keys);
  let marked = draft;
  for (const key of keys) marked = await marked.withSignature(signedWith(key), mark);
  const release = { name, envelope: marked.bytes, sequence: draft.sequence };
  const stores = others.map(({ store }) => store);
  return plan(readAgain(fleet, algs), [release], { lost: new Set(), stolen: new Set() }, stores, algs);
}
