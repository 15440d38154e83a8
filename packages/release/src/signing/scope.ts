// What logs say about a manifest: the kinds of device that it is for, and its digest.

import { refusedInput } from "@firmseal/keys/internal";
import { formatUuid } from "@firmseal/signer";
import { HASH_NAMES, PARAM_CLASS_IDENTIFIER, PARAM_VENDOR_IDENTIFIER, toHex } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { type Commands, manifestParameters } from "../verify/manifest-facts.js";

/**
 * The kinds of device that a manifest is for, as `vendor/class`: every pair in it, with "-" for a missing part. A
 * manifest for single devices counts for their class, because their numbers must not run ahead of the others.
 */
export function scopeOf(m: Commands): string[] {
  const set = manifestParameters(m);
  const named = (code: number) => {
    const all = set
      .filter((p) => p.code === code)
      .map((p) => (typeof p.value === "string" && p.raw.length === 17 ? formatUuid(p.raw.slice(1)) : toHex(p.raw)));
    return all.length > 0 ? [...new Set(all)].sort() : ["-"];
  };
  const [vendors, classes] = [named(PARAM_VENDOR_IDENTIFIER), named(PARAM_CLASS_IDENTIFIER)];
  if (vendors.length * classes.length > LIMITS.sequencePairs)
    throw refusedInput(
      "ERR_SEQUENCE",
      `the manifest is for more than ${LIMITS.sequencePairs} pairs of vendor and class`,
      "make a release for fewer classes",
    );
  return vendors.flatMap((vendor) => classes.map((name) => `${vendor}/${name}`));
}

/** Returns the digest of the signed content, in the notation of the logs. */
export function logDigest({ digest }: { digest: { readonly alg: number; readonly bytes: ArrayLike<number> } }): string {
  return `${HASH_NAMES[digest.alg]}:${toHex(Uint8Array.from(digest.bytes))}`;
}
