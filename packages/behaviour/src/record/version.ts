// The version of a release, which the text of its manifest names (M37 §8.4.4).

import type { UnverifiedEnvelope } from "@firmseal/verifier/tools";
import { COMPONENT_TEXT_NAMES } from "@firmseal/verifier/tools";

/** Longer text is not a version, and would fill logs. */
const LONGEST = 64;

const VERSION = Object.entries(COMPONENT_TEXT_NAMES).find(([, name]) => name === "component-version")?.[0];

/**
 * Reads the version of a release: what its text says about its components. The text is covered by the signatures of the
 * manifest, which the caller verifies.
 *
 * @param envelope - The envelope, as decodeEnvelope() reads it.
 * @returns The version, or undefined if the text names none, or several.
 */
export function versionIn({ text }: Pick<UnverifiedEnvelope, "text">): string | undefined {
  const found = new Set<string>();
  for (const { components } of text)
    for (const { texts } of components)
      for (const one of texts) if (String(one.key) === VERSION) found.add(new TextDecoder().decode(Uint8Array.from(one.text)));
  const [version] = found;
  return found.size === 1 && version !== undefined && version.length <= LONGEST ? version : undefined;
}
