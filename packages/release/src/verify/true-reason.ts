// Why an envelope is refused, if the number of the refusal alone does not say it: an old draft, an order of keys that
// hides an element, or a part of SUIT that this build does not run.

import { elementAt, elementNow, type LooseItem, looseItemIn, oldDraftOf, untagged } from "@firmseal/behaviour";
import type { Failure } from "@firmseal/keys";
import { errors, type Refusal } from "@firmseal/verifier";
import { decodeEnvelope, ENV_AUTHENTICATION_WRAPPER, ENV_MANIFEST } from "@firmseal/verifier/tools";
import { isRefusal, refusalFailure, refusalHint } from "./refusals.js";

interface Reason {
  what: string;
  hint: string;
  /** It takes the place of the meaning of the number, which is about today's format. */
  isAll?: true;
}

/** The elements that the verifier does not find if others precede them. */
const HIDDEN: { readonly [code: number]: readonly [number, string] } = {
  [errors.ENVELOPE_NO_WRAPPER]: [ENV_AUTHENTICATION_WRAPPER, "the wrapper"],
  [errors.ENVELOPE_NO_MANIFEST]: [ENV_MANIFEST, "the manifest"],
};

function hiddenReason(code: number, outer: LooseItem): Reason | undefined {
  const [number, name] = HIDDEN[code] ?? [];
  const found = number === undefined ? undefined : elementNow(untagged(outer), "envelope", number, undefined);
  return (
    found && {
      what: `${name} is there (its content is at byte ${found.at}), but the keys before it are out of order`,
      hint: "write the keys of the envelope in ascending order, numbers before texts (RFC 8949 §4.2.1)",
    }
  );
}

/** The element that a refusal is about, by its names from the outside. */
function elementReason({ code, at }: Refusal, envelope: Uint8Array): Reason | undefined {
  const path = at < 0 ? undefined : elementAt(envelope, at)?.path.slice(1).join(" / ");
  return path === undefined || path === "" ? undefined : { what: path, hint: refusalHint(code) };
}

/** What hides the elements from the verifier. */
function formReason({ code }: Refusal, envelope: Uint8Array): Reason | undefined {
  const outer = looseItemIn(envelope);
  if (!outer) return undefined;
  const draft = oldDraftOf(envelope, outer);
  if (!draft) return hiddenReason(code, outer);
  const what = `it follows an old draft of SUIT, ${draft.name} (${draft.sign})`;
  return { what, hint: "make it again in the current format", isAll: true };
}

function failureFor(e: Refusal, { what, hint, isAll }: Reason): Failure {
  const failure = refusalFailure(e);
  return failure.with({ message: isAll ? `refused: ${what}` : `${failure.message}: ${what}`, hint });
}

/**
 * Adds to a refusal of `envelope` the reason that its number does not tell, as a Failure. Returns other errors, and
 * refusals that say all, unchanged.
 */
export function withReason(e: unknown, envelope: Uint8Array): unknown {
  if (!isRefusal(e)) return e;
  const reason = formReason(e, envelope) ?? (e.code === errors.NOT_SUPPORTED ? elementReason(e, envelope) : undefined);
  return reason ? failureFor(e, reason) : e;
}

/** Does `work` with an envelope. A refusal has its reason (withReason()). */
export function reasoned<T>(envelope: Uint8Array, work: () => T): T {
  try {
    return work();
  } catch (e) {
    throw withReason(e, envelope);
  }
}

/**
 * Throws a Failure with the number of the verifier if it does not find the elements of an envelope that has them: in an
 * old draft, or in another order. Every command asks this before it reads an envelope, and none repeats it.
 */
export function refuseOtherForm(envelope: Uint8Array): void {
  try {
    decodeEnvelope(envelope);
  } catch (e) {
    const reason = isRefusal(e) ? formReason(e, envelope) : undefined;
    if (isRefusal(e) && reason) throw failureFor(e, reason);
  }
}
