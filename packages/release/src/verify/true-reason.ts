// Why an envelope is refused, if the number of the refusal alone does not say it: an old draft, an order of keys that
// hides an element, or a part of SUIT that this build does not run.

import { type Draft, elementAt, elementNow, type LooseItem, looseItemIn, oldDraftOf, untagged } from "@firmseal/behaviour";
import { Failure } from "@firmseal/keys";
import { errors, type Refusal } from "@firmseal/verifier";
import { ENV_AUTHENTICATION_WRAPPER, ENV_MANIFEST } from "@firmseal/verifier/tools";
import { isRefusal, refusalFailure, refusalHint } from "./refusals.js";

interface Reason {
  what: string;
  hint: string;
}

/** The elements that the verifier does not find if others precede them. */
const HIDDEN: { readonly [code: number]: readonly [number, string] } = {
  [errors.ENVELOPE_NO_WRAPPER]: [ENV_AUTHENTICATION_WRAPPER, "the wrapper"],
  [errors.ENVELOPE_NO_MANIFEST]: [ENV_MANIFEST, "the manifest"],
};

function hiddenReason(code: number, outer: LooseItem, draft: Draft | undefined): Reason | undefined {
  const [number, name] = HIDDEN[code] ?? [];
  const found = number === undefined ? undefined : elementNow(untagged(outer), "envelope", number, draft);
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

function reasonOf(e: Refusal, envelope: Uint8Array): Reason | undefined {
  const outer = looseItemIn(envelope);
  if (!outer) return undefined;
  const draft = oldDraftOf(envelope, outer);
  if (draft)
    return { what: `it follows an old draft of SUIT, ${draft.name} (${draft.sign})`, hint: "make it again, in the format of today" };
  return e.code === errors.NOT_SUPPORTED ? elementReason(e, envelope) : hiddenReason(e.code, outer, draft);
}

/**
 * Adds to a refusal of `envelope` the reason that its number does not tell, as a Failure. Returns other errors, and
 * refusals that say all, unchanged.
 */
export function withReason(e: unknown, envelope: Uint8Array): unknown {
  const reason = isRefusal(e) ? reasonOf(e, envelope) : undefined;
  if (!isRefusal(e) || !reason) return e;
  const { exit, reason: name, code, message } = refusalFailure(e);
  return new Failure(exit, name, code, `${message}: ${reason.what}`, reason.hint, { cause: e });
}
