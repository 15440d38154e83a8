// The hash functions of Node, as a host of the verifier.

import { createHash } from "node:crypto";
import { type HashState, type Host, sha256, sha384, sha512 } from "@firmseal/verifier";

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
export const nodeHost = { sha256: nodeHash("sha256"), sha384: nodeHash("sha384"), sha512: nodeHash("sha512") } satisfies Host;

/** Input of at most so many bytes is hashed faster than node:crypto is loaded. */
const SHORT = 8_192;

/** A host for input of so many bytes: the hash functions of the verifier for a short one, otherwise those of Node. */
export const hostFor = (bytes: number) => (bytes > SHORT ? nodeHost : { sha256, sha384, sha512 });
