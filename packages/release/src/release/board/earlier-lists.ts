// The trust files that devices of a product had before: which old releases they accepted. Nothing proves that a release
// is old, so what only these accept is named, and never verified.

import { refusedInput } from "@firmseal/keys/internal";
import { compareSequence, errors } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";
import { bigSequence } from "../../input/sequence.js";
import type { Product } from "../../product/file/product.js";
import type { SigningRole } from "../../product/file/written.js";
import { checkSuccession } from "../../rotation/move.js";
import { carriedStores } from "../../rotation/plan/steps.js";
import { readPreviousTrust } from "../../trust/chain.js";
import { higher } from "../../trust/quorum.js";
import { readPinnedTrust, type TrustOnFile } from "../../trust/read.js";
import { trustedKeys } from "../../trust/trusted-keys.js";
import { readEnvelopeFile } from "../../verify/envelope-file.js";
import type { TrustedKeys } from "../../verify/verified.js";
import { refuseMissingFile, trustPins } from "./devices.js";

/** A trust file that devices had before. */
export interface EarlierList {
  readonly path: string;
  readonly number: bigint;
  readonly whom: TrustedKeys;
  /** The product as it was with this trust file. */
  readonly product: Product;
}

/**
 * Returns the earlier trust files of a product, the newest first. Throws a Failure unless the roots that the product
 * file names have signed each, and each is followed by the next one, and the last by that of the product.
 */
export async function earlierLists(product: Product, role: SigningRole | undefined): Promise<EarlierList[]> {
  const { file, earlier } = product.trust;
  if (file === undefined || earlier.length === 0) return [];
  for (const path of earlier)
    refuseMissingFile(product, "[trust] earlier", path, "get the trust file that devices had before, or correct the name");
  const pins = trustPins(product);
  let next: TrustOnFile = { path: file, ...(await readPinnedTrust(file, pins)) };
  const out: EarlierList[] = [];
  for (const one of readPreviousTrust(earlier, file, next.store)) {
    if (compareSequence(one.store.sequence, next.store.sequence) >= 0)
      throw refusedInput(
        "ERR_SEQUENCE",
        `${product.path}: [trust] earlier: ${one.path} has the sequence number ${formatSequence(one.store.sequence)}, and ${next.path} ${formatSequence(next.store.sequence)}`,
        "name the trust files that devices had before that of [trust] file, each once",
      );
    checkSuccession(one, next);
    const whom = await trustedKeys({ trust: one.path, ...pins, ...(role !== undefined && { role }) });
    const then = { ...product, trust: { ...product.trust, file: one.path, carry: undefined, earlier: [] } };
    out.push({ path: one.path, number: bigSequence(one.store.sequence), whom, product: then });
    next = one;
  }
  return out;
}

/** Refusals of releases that other keys have signed than the trust file lists. An unsigned one is not among them. */
export const OTHER_KEYS: readonly number[] = [
  errors.SIGNATURE_INVALID,
  errors.SIGNATURE_NO_ANCHOR,
  errors.SIGNATURE_THRESHOLD,
  errors.SIGNATURE_FAMILY,
];

/** The highest number of a trust file that these releases carry. 0 if they carry none. */
export const highestCarried = (releases: readonly { readonly path: string; readonly sequence: bigint }[]): bigint =>
  releases
    .flatMap(({ path, sequence }) => carriedStores([{ name: path, envelope: readEnvelopeFile(path), sequence }]))
    .reduce((most, { sequence }) => higher(most, bigSequence(sequence)), 0n);
