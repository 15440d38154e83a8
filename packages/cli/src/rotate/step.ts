// The releases of a plan, as they come from their files.

import type { TrustStore } from "@firmseal/verifier";
import { take } from "@firmseal/verifier/cbor";
import { peek } from "@firmseal/verifier/peek";
import { readEnvelope } from "../io.js";
import { about } from "../trust-ref.js";
import type { Step } from "./plan.js";
import { big } from "./reach.js";
import { signedTrust } from "./trust-file.js";

/** Throws a Failure with the refusal of peek(): a file that is no release would strand everybody, and that is not what is asked. */
export function readStep(path: string): Step {
  const envelope = readEnvelope(path);
  try {
    return { name: path, envelope, sequence: big(peek(envelope).structure.sequence) };
  } catch (e) {
    throw about(path, e);
  }
}

/** The trust files among the payloads of the steps, whether or not a device would take them. */
export function carriedStores(steps: readonly Step[]): TrustStore[] {
  return steps.flatMap(({ envelope }) => {
    const { input, payloads } = peek(envelope).envelope;
    return payloads.flatMap(({ content }) => {
      try {
        return [signedTrust(Uint8Array.from(take(input, content.at, content.n)))];
      } catch {
        // an image
        return [];
      }
    });
  });
}
