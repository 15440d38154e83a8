// Hashes as boards have them: in one call of bytes, of pieces, or in steps.

import { createHash } from "node:crypto";
import type { Bytes, Hash, Host } from "@firmseal/verifier";

function hashOf(name: string): Hash {
  const once = (bytes: Bytes) => Uint8Array.from(createHash(name).update(Uint8Array.from(bytes)).digest());
  return {
    once,
    joined: (pieces) => once(pieces.flatMap((piece) => (typeof piece === "number" ? [piece] : Array.from(piece)))),
    create() {
      const hash = createHash(name);
      return { update: (bytes) => void hash.update(Uint8Array.from(bytes)), digest: () => Uint8Array.from(hash.digest()) };
    },
  };
}

export const hostHashes: Host = { sha256: hashOf("sha256"), sha512: hashOf("sha512") };
