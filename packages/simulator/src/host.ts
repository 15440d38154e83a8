// The hash functions of Node, as a host of the verifier.

import { createHash } from "node:crypto";
import type { HashState, Host } from "@firmseal/verifier";

function nodeHash(name: string) {
  return {
    create(): HashState {
      const hash = createHash(name);
      return {
        update: (bytes) => void hash.update(bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes)),
        digest: () => hash.digest(),
      };
    },
  };
}

/** A host for the verifier with the hash functions of Node. */
export const nodeHost: Host = { sha256: nodeHash("sha256"), sha384: nodeHash("sha384"), sha512: nodeHash("sha512") };
