// Refusals in words, from the table of the verifier, which is also the source of docs/reference/errors.md.

import { versionIn } from "@firmseal/behaviour";
import { Failure, versionNumber } from "@firmseal/keys";
import { isVersion, systemFault } from "@firmseal/keys/internal";
import { errors, type Refusal, type Source } from "@firmseal/verifier";
import { codeOfRefusal, decodeEnvelope, formatSequence, isRefusal, refusalOf } from "@firmseal/verifier/tools";
import { outsideUris, type WithPayloads } from "./manifest-facts.js";

export { isRefusal };

/** Returns the name of a refusal, which is the `reason` in the JSON of the command line. */
export function refusalName(code: number): string {
  return refusalOf(code)?.name ?? "UNKNOWN";
}

/**
 * Explains a refusal.
 *
 * @param code - The number of the refusal.
 * @returns The meaning, in a few words.
 */
export function refusalMeaning(code: number): string {
  return refusalOf(code)?.meaning ?? `number ${code}`;
}

/**
 * Advises what to do about a refusal.
 *
 * @param code - The number of the refusal.
 * @returns The advice.
 */
export function refusalHint(code: number): string {
  return refusalOf(code)?.advice ?? "see docs/reference/errors.md";
}

/** Returns a refusal of the verifier as a Failure. */
export function refusalFailure(e: Refusal): Failure {
  const cause = e.cause === undefined ? undefined : systemFault(e.cause, "the device");
  if (cause) return cause;
  const where = e.at >= 0 ? ` (at byte ${e.at})` : "";
  // the policy comes from the options, not from the input
  const exit = e.code === errors.TRUST_POLICY ? 2 : 1;
  return new Failure(exit, codeOfRefusal(e.code), `refused: ${refusalMeaning(e.code)}${where}`, refusalHint(e.code), { cause: e });
}

/** Does `work`. A refusal that it throws becomes a Failure, which says in words what it is. */
export async function refusedInWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    throw isRefusal(e) ? refusalFailure(e) : e;
  }
}

/** Returns a refusal as a Failure that names the file. Returns other errors unchanged. */
export function withFileName(path: string, e: unknown): unknown {
  // one with its reason is a Failure already
  const isNamed = !(e instanceof Failure && isRefusal(e.cause) && e.message.startsWith("refused: "));
  if (!isRefusal(e) && isNamed) return e;
  const failure = isRefusal(e) ? refusalFailure(e) : (e as Failure);
  return failure.with({ message: `${path}: ${failure.message}`, cause: e });
}

/** Adds both numbers to the refusal of an `envelope` whose number is below `floor`. Returns other errors unchanged. */
export function withNumbers(e: unknown, envelope: Uint8Array | Source, floor: string): unknown {
  if (!isRefusal(e) || e.code !== errors.ROLLBACK) return e;
  const failure = refusalFailure(e);
  const outline = decodeEnvelope(envelope);
  const sequence = formatSequence(outline.manifest.sequence);
  const version = versionIn(outline);
  const isOfVersion = version !== undefined && isVersion(version) && String(versionNumber(version)) === sequence;
  const hint = isOfVersion ? `get a later release: this one is version ${version}` : failure.hint;
  const message = `refused: sequence number ${sequence} is lower than ${floor}, the lowest that is accepted`;
  return failure.with({ message, hint });
}

/**
 * Replaces the advice of a refused installation if the image does not match and the release has no payload: then the
 * image is that of the device. Returns other errors unchanged.
 */
export function withoutPayload(e: unknown, m: WithPayloads): unknown {
  if (!isRefusal(e) || e.code !== errors.IMAGE_MISMATCH || m.payloads.length > 0 || outsideUris(m).length > 0) return e;
  const hint = "the release has no payload, and the device does not have its image: install the release that brings it first";
  return refusalFailure(e).with({ hint });
}
