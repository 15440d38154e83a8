// Reads the steps of a plan from files: releases, and separate trust files.

import { decodeTrust, type EnvelopeDraft } from "@firmseal/signer";
import { errors, type TrustStore } from "@firmseal/verifier";
import { decodeEnvelope, looksLikeTrustFile, readSlice } from "@firmseal/verifier/tools";
import { openWithTrialKey, readDraft } from "../../signing/draft.js";
import { selfSignedFiles, selfSignedTrust, trustFilesIn } from "../../trust/chain.js";
import { refuseUnsigned } from "../../trust/read.js";
import { admitted } from "../../verify/envelope-file.js";
import { isRefusal, withFileName } from "../../verify/refusals.js";

/** A release that is offered to devices. */
export interface PlannedRelease {
  readonly name: string;
  readonly envelope: Uint8Array;
  readonly sequence: bigint;
}

/** A separate trust file. */
export interface PlannedTrust {
  readonly name: string;
  readonly trust: Uint8Array;
  readonly store: TrustStore;
}

/** A step of a plan: a release, or a trust file that travels alone. */
export type PlannedStep = PlannedRelease | PlannedTrust;

/**
 * Checks an envelope apart from its signatures, which are checked when it is offered. A trial signature is added, so
 * SIGNATURE_COUNT is ignored: there may be no room for one more.
 */
async function checkWhole(draft: EnvelopeDraft): Promise<void> {
  try {
    await openWithTrialKey(draft);
  } catch (e) {
    if (!isRefusal(e) || e.code !== errors.SIGNATURE_COUNT) throw e;
  }
}

/**
 * Reads a step from the bytes of a file. Throws a Failure with the refusal that every device would give: a damaged file
 * would strand every cohort, which is not the question.
 */
export async function stepOf(name: string, bytes: Uint8Array): Promise<PlannedStep> {
  try {
    if (looksLikeTrustFile(bytes)) {
      refuseUnsigned(name, decodeTrust(trustFilesIn(bytes)[0] as Uint8Array));
      return { name, trust: bytes, store: selfSignedTrust(bytes) };
    }
    const draft = readDraft(admitted(name, bytes));
    await checkWhole(draft);
    return { name, envelope: bytes, sequence: draft.sequence };
  } catch (e) {
    throw withFileName(name, e);
  }
}

/** Returns the trust files in the steps, whether devices would accept them or not. */
export function carriedStores(all: readonly PlannedStep[]): TrustStore[] {
  return all.flatMap((step) => {
    if ("trust" in step) return [step.store];
    const { input, payloads } = decodeEnvelope(step.envelope).envelope;
    return payloads.flatMap(({ content }) => {
      try {
        return selfSignedFiles(Uint8Array.from(readSlice(input, content)));
      } catch {
        // an image
        return [];
      }
    });
  });
}
