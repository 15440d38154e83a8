// The usual description, without what a consumer does not accept.

import { type Description, type SingleImage, singleImage } from "@firmseal/signer";
import { MAN_INVOKE, MAN_TEXT } from "@firmseal/verifier/tools";
import type { Consumer } from "./consumers.js";

/**
 * Leaves out the sections of a description that a consumer does not accept, of those that it can do without: invoke and
 * text. What remains is checked like any other envelope. For micro verifiers, nothing is left out.
 */
export function fitted(description: Description, { grammar }: Consumer): Description {
  const { invoke, text, ...rest } = description;
  const has = (element: number) => !grammar || grammar.elements.includes(element);
  return { ...rest, ...(invoke && has(MAN_INVOKE) && { invoke }), ...(text && has(MAN_TEXT) && { text }) };
}

/** The recipe of an image for a consumer. */
export function recipeFor(consumer: Consumer | undefined): (facts: SingleImage) => Description {
  return consumer ? (facts) => fitted(singleImage(facts), consumer) : singleImage;
}
