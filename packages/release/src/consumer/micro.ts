// Whether a release is for micro verifiers: whether it is the template firmseal-single-1 (docs/reference/template.md).

import { randomBytes } from "node:crypto";
import { Failure } from "@firmseal/keys";
import { DEFAULT_ALG, type EnvelopeDraft, privateKey, signedWithoutLog, signer } from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { errors } from "@firmseal/verifier";
import { codeOfRefusal, TEMPLATE_NAME, templateFault } from "@firmseal/verifier/tools";

/** How many signatures the template has at most. */
const MOST_SIGNATURES = 2;

function refused(code: number, message: string, hint: string): Failure {
  return new Failure(1, codeOfRefusal(code), `not for a micro verifier: ${message}`, hint);
}

/** Throws Failure, with the first byte that differs and what to change, if a signed envelope is not the template. */
export function checkForMicro(envelope: Uint8Array): void {
  const fault = templateFault(envelope, nodeHost);
  if (!fault) return;
  const { code, at, what, advice } = fault;
  const found = at < envelope.length ? `byte ${at} is ${(envelope[at] as number).toString(16).padStart(2, "0")}` : `it ends at byte ${at}`;
  throw refused(code, `${found}, where ${TEMPLATE_NAME} has ${what}`, advice);
}

/**
 * Like checkForMicro(), for an envelope that `keys` more keys are about to sign: before one of them does. A key that is
 * generated for this signs in their place.
 */
export async function checkDraftForMicro(draft: EnvelopeDraft, keys: number): Promise<void> {
  if (draft.outline.signatures.length + keys > MOST_SIGNATURES)
    throw refused(
      errors.TEMPLATE_MISMATCH,
      `it would have ${draft.outline.signatures.length + keys} signatures, and ${TEMPLATE_NAME} allows one or two`,
      "sign the image itself, with one key or two",
    );
  const key = signer(privateKey(DEFAULT_ALG, new Uint8Array(randomBytes(32))));
  checkForMicro((await signedWithoutLog(draft, [key])).bytes);
}
