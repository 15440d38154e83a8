// The steps of a plan, as they come from their files: releases, and trust files that come by themselves.

import { EnvelopeDraft, isTrust, readTrust } from "@firmseal/signer";
import { errors, type TrustStore } from "@firmseal/verifier";
import { decodeEnvelope, readSlice } from "@firmseal/verifier/tools";
import { openWithTrialKey } from "../input/draft.js";
import { admitted } from "../input/envelope-file.js";
import { isRefusal } from "../refusals.js";
import { signedTrust } from "../trust/trust-file.js";
import { nameFile, refuseUnsigned } from "../trust/trust-ref.js";

/** A release that devices are offered. */
export interface PlannedRelease {
  readonly name: string;
  readonly envelope: Uint8Array;
  readonly sequence: bigint;
}

/** A trust file that comes by itself. */
export interface PlannedTrust {
  readonly name: string;
  readonly trust: Uint8Array;
  readonly store: TrustStore;
}

export type PlannedStep = PlannedRelease | PlannedTrust;

/** Signatures are looked at when the release is offered: here one of ours is added, and none may be left that has room. */
async function checkWhole(draft: EnvelopeDraft): Promise<void> {
  try {
    await openWithTrialKey(draft);
  } catch (e) {
    if (!isRefusal(e) || e.code !== errors.SIGNATURE_COUNT) throw e;
  }
}

/**
 * A step from the bytes of a file. Throws a Failure with the refusal that every device would give: a damaged file would strand everybody, and that is
 * not what is asked.
 */
export async function stepOf(name: string, bytes: Uint8Array): Promise<PlannedStep> {
  try {
    if (isTrust(bytes)) {
      refuseUnsigned(name, readTrust(bytes));
      return { name, trust: bytes, store: signedTrust(bytes) };
    }
    const draft = EnvelopeDraft.read(admitted(name, bytes));
    await checkWhole(draft);
    return { name, envelope: bytes, sequence: draft.sequence };
  } catch (e) {
    throw nameFile(name, e);
  }
}

/** The trust files that the steps bring, whether or not a device would take them. */
export function carriedStores(all: readonly PlannedStep[]): TrustStore[] {
  return all.flatMap((step) => {
    if ("trust" in step) return [step.store];
    const { input, payloads } = decodeEnvelope(step.envelope).envelope;
    return payloads.flatMap(({ content }) => {
      try {
        return [signedTrust(Uint8Array.from(readSlice(input, content)))];
      } catch {
        // an image
        return [];
      }
    });
  });
}
