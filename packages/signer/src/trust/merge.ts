// Puts the signatures that several people have made on copies of one trust file into one file, and removes those that
// nobody needs.

import type { TrustAnchor, TrustStore } from "@firmseal/verifier";
import { equalBytes, FirmsealError, MAX_SIGNATURES, ROLE_ROOT, toHex } from "@firmseal/verifier/tools";
import type { PublicKey } from "../key/key.js";
import { hasSigned, type KnownSignature } from "../signable.js";
import { keyOfAnchor } from "./description.js";
import { TrustDraft } from "./draft.js";

/** The files differ in content: a signature over one is not valid for the other. */
export class DifferentContent extends FirmsealError {
  override readonly name = "DifferentContent";
  constructor(
    /** The place of the first one that differs. */
    readonly index: number,
  ) {
    super("ERR_TRUST_CONTENT", "the trust files have different content");
  }
}

/**
 * `twice`: by a key that already has a signature. `unknown`: by no root of the file, nor of one before. `surplus`: no
 * list needs it.
 */
export type DropReason = "twice" | "unknown" | "surplus";

/** A signature of one of the files that are merged. */
export interface MergedSignature {
  /** The place of the file that it comes from. */
  readonly from: number;
  /** Who made it; undefined: none of the roots that are known here. */
  readonly key?: PublicKey;
  /** The key identifier in the signature. */
  readonly kid: Uint8Array | null;
}

/** A trust file with the signatures of several files. */
export interface MergedTrust {
  readonly bytes: Uint8Array;
  /** The signatures in it. */
  readonly kept: readonly MergedSignature[];
  /** The signatures that are not in it, and why. */
  readonly dropped: readonly (MergedSignature & { readonly why: DropReason })[];
}

interface Found extends MergedSignature {
  readonly encoded: Uint8Array;
}

const rootsOf = (stores: readonly TrustStore[]) => stores.flatMap(({ anchors }) => anchors.filter((a) => a.roles.includes(ROLE_ROOT)));

function signerOf(signature: KnownSignature, roots: readonly TrustAnchor[]): PublicKey | undefined {
  const anchor = roots.find((a) => a.alg && hasSigned([signature], { alg: a.alg, key: a.key }));
  return anchor && keyOfAnchor(anchor);
}

/** Whether every list still has as many of its roots as it needs, or as it had, without this one. */
function isSurplus(one: Found, all: readonly Found[], stores: readonly TrustStore[]): boolean {
  const key = one.key as PublicKey;
  return stores.every((store) => {
    const roots = rootsOf([store]);
    const has = (k: PublicKey | undefined) => k !== undefined && roots.some((a) => equalBytes(a.key, k.key));
    if (!has(key)) return true;
    const others = roots.filter((a) => all.some((other) => other.key && equalBytes(other.key.key, a.key)));
    const families = store.families[ROLE_ROOT] ?? [];
    const own = roots.find((a) => equalBytes(a.key, key.key)) as TrustAnchor;
    return (
      others.length > (store.thresholds[ROLE_ROOT] as number) &&
      families.every(({ ids, threshold }) => !ids.includes(own.cose) || others.filter(({ cose }) => ids.includes(cose)).length > threshold)
    );
  });
}

/**
 * Puts the signatures of all `files` into the first one. If there are more than 8, removes those that no trust file
 * needs.
 *
 * @param files - Copies of one trust file, with different signatures.
 * @param before - The previous trust files, all that are in the field. With them, a signature by no root of any of
 *   these files is removed. Without them, such a signature may be by a root of one, and stays.
 * @returns The trust file, and which signatures it has.
 * @throws DifferentContent, the refusals of a trust file, and SIGNATURE_COUNT.
 */
export function mergeTrust(files: readonly Uint8Array[], before: readonly TrustStore[] = []): MergedTrust {
  const drafts = files.map((bytes) => TrustDraft.read(bytes, before));
  const [first] = drafts;
  if (!first) throw new TypeError("no trust file");
  const other = drafts.findIndex(({ store }) => !equalBytes(store.payload, first.store.payload));
  if (other >= 0) throw new DifferentContent(other);
  const stores = [first.store, ...before];
  const roots = rootsOf(stores);
  let kept: Found[] = [];
  const dropped: (MergedSignature & { why: DropReason })[] = [];
  const seen = new Set<string>();
  for (const [from, { encoded, signatures }] of drafts.entries())
    for (const [i, signature] of signatures.entries()) {
      const bytes = encoded[i] as Uint8Array;
      if (seen.has(toHex(bytes))) continue;
      seen.add(toHex(bytes));
      const key = signerOf(signature, roots);
      const one: Found = { from, kid: signature.kid ? Uint8Array.from(signature.kid) : null, encoded: bytes, ...(key && { key }) };
      const why = key
        ? kept.some((k) => k.key && equalBytes(k.key.key, key.key))
          ? "twice"
          : undefined
        : before.length > 0
          ? "unknown"
          : undefined;
      if (why) dropped.push({ ...one, why });
      else kept.push(one);
    }
  for (const one of [...kept].reverse())
    if (kept.length > MAX_SIGNATURES && one.key && isSurplus(one, kept, stores)) {
      kept = kept.filter((other) => other !== one);
      dropped.push({ ...one, why: "surplus" });
    }
  const { bytes } = first.withEncoded(kept.map(({ encoded }) => encoded));
  return { bytes, kept, dropped };
}
