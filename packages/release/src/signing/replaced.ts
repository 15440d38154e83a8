// What an output file already holds, and whether a release may take its place.

import { readAll, usage } from "@firmseal/keys/internal";
import { decodeEnvelope, formatSequence } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { scopeOf } from "./scope.js";

const HINT = "choose another name with `out`, or give `replace` if it may be lost";

/** An envelope as it is, unverified. Undefined if the bytes are not one. */
function decoded(bytes: Uint8Array) {
  try {
    const { manifest } = decodeEnvelope(bytes);
    return { sequence: BigInt(formatSequence(manifest.sequence)), scope: scopeOf(manifest).join(" ") };
  } catch {
    return undefined;
  }
}

/**
 * Throws a Failure if the existing file `path` is an envelope that the new one must not replace: one with a higher
 * sequence number, or one for other devices. Two boards whose images have the same name must not cost a release.
 */
export function refuseReplacing(path: string, envelope: Uint8Array): void {
  const before = decoded(readAll(path, LIMITS.envelope));
  const after = decoded(envelope);
  if (!before || !after) return;
  if (before.scope !== after.scope) throw usage(`${path}: exists, and is a release for other devices (${before.scope})`, HINT);
  if (before.sequence > after.sequence)
    throw usage(`${path}: exists, and has the higher sequence number ${before.sequence} (this one: ${after.sequence})`, HINT);
}
