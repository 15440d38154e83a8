// The releases of a plan, as they come from their files.

import { EnvelopeDraft } from "@firmseal/signer";
import { errors, type TrustStore } from "@firmseal/verifier";
import { decodeEnvelope, readSlice } from "@firmseal/verifier/tools";
import { openWithTrialKey } from "../input/draft.js";
import { readEnvelopeFile } from "../input/envelope-file.js";
import { isRefusal } from "../refusals.js";
import { signedTrust } from "../trust/trust-file.js";
import { nameFile } from "../trust/trust-ref.js";
import type { PlannedRelease } from "./plan.js";

/** Signatures are looked at when the release is offered: here one of ours is added, and none may be left that has room. */
async function checkWhole(draft: EnvelopeDraft): Promise<void> {
  try {
    await openWithTrialKey(draft);
  } catch (e) {
    if (!isRefusal(e) || e.code !== errors.SIGNATURE_COUNT) throw e;
  }
}

/**
 * Reads a release. Throws a Failure with the refusal that every device would give: a damaged file would strand everybody, and that is not what is
 * asked.
 */
export async function readRelease(path: string): Promise<PlannedRelease> {
  const envelope = readEnvelopeFile(path);
  try {
    const draft = EnvelopeDraft.read(envelope);
    await checkWhole(draft);
    return { name: path, envelope, sequence: draft.sequence };
  } catch (e) {
    throw nameFile(path, e);
  }
}

/** The trust files among the payloads of the releases, whether or not a device would take them. */
export function carriedStores(releases: readonly PlannedRelease[]): TrustStore[] {
  return releases.flatMap(({ envelope }) => {
    const { input, payloads } = decodeEnvelope(envelope).envelope;
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
