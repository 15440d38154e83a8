// --for: refuses a release that a consumer does not accept, before a key signs it, and when it is verified.

import { refusedInput, visible } from "@firmseal/keys/internal";
import type { EnvelopeDraft } from "@firmseal/signer";
import { decodeEnvelope, type UnverifiedEnvelope } from "@firmseal/verifier/tools";
import { faultFor } from "./accepts.js";
import { type ConsumerName, consumerOf } from "./consumers.js";
import { checkDraftForMicro, checkForMicro } from "./micro.js";

function refuse(name: ConsumerName, envelope: Uint8Array, outline: UnverifiedEnvelope, algs: readonly number[]): void {
  const fault = faultFor(consumerOf(name), envelope, outline, algs);
  if (fault) throw refusedInput("ERR_CONSUMER", `not for ${name}: ${visible(fault.what)}`, fault.hint);
}

/**
 * Throws a Failure if a consumer does not accept a signed envelope: CONSUMER, or TEMPLATE_MISMATCH for micro verifiers.
 */
export function checkFor(name: ConsumerName, envelope: Uint8Array): void {
  if (name === "micro") checkForMicro(envelope);
  else {
    const outline = decodeEnvelope(envelope);
    refuse(name, envelope, outline, signedAlgs(outline));
  }
}

/**
 * Like checkFor(), for an envelope that keys are about to sign. `algs`: the COSE algorithm numbers that they will name.
 * Throws the same Failures.
 */
export async function checkDraftFor(name: ConsumerName, draft: EnvelopeDraft, algs: readonly number[]): Promise<void> {
  if (name === "micro") return checkDraftForMicro(draft, algs.length);
  refuse(name, draft.bytes, draft.outline, [...signedAlgs(draft.outline), ...algs]);
}

const signedAlgs = ({ signatures }: UnverifiedEnvelope) => signatures.map(({ alg }) => alg);
