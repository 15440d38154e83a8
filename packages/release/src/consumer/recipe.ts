// The usual description, without what a consumer does not accept.

import { type Description, type SingleImage, singleImage } from "@firmseal/signer";
import { MAN_INVOKE, MAN_TEXT } from "@firmseal/verifier/tools";
import type { Consumer } from "./consumers.js";

/** Whether a consumer accepts an element of the manifest. The template of micro verifiers has all but the text. */
const has = ({ grammar }: Consumer, element: number): boolean => (grammar ? grammar.elements.includes(element) : element !== MAN_TEXT);

/** Whether a release for a consumer can name its version, which is in the text. */
export const hasText = (consumer: Consumer): boolean => has(consumer, MAN_TEXT);

/**
 * Leaves out the sections of a description that a consumer does not accept, of those that it can do without: invoke and
 * text. What remains is checked like any other envelope.
 */
export function fitted(description: Description, consumer: Consumer): Description {
  const { invoke, text, ...rest } = description;
  return { ...rest, ...(invoke && has(consumer, MAN_INVOKE) && { invoke }), ...(text && hasText(consumer) && { text }) };
}

/** Returns the recipe of an image for a consumer. */
export function recipeFor(consumer: Consumer | undefined): (facts: SingleImage) => Description {
  return consumer ? (facts) => fitted(singleImage(facts), consumer) : singleImage;
}
