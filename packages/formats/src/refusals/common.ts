// Refusals that every format shares: 600 to 619.

import type { FormatRefusalRow } from "./row.js";

/** By name. The numbers are in numbers.ts. */
export const COMMON_REFUSALS = {
  FORMAT_UNKNOWN: {
    meaning: "the file is in none of these formats",
    advice: "give a SUIT envelope, or a file of one of the formats of other boot loaders",
    source: "ours",
  },
  FORMAT_KEY: {
    meaning: "the format has no signatures by a key of this kind",
    advice: "give a key of a kind that the format and the boot loader know",
    source: "ours",
  },
  FORMAT_NOT_SIGNED: {
    meaning: "the file has no signature",
    advice: "get the signed file: anybody could have made this one",
    source: "ours",
  },
  FORMAT_NO_KEY: {
    meaning: "none of the given keys has signed the file",
    advice: "give the public key of the signer, or get a file that a key you trust has signed",
    source: "ours",
  },
  FORMAT_SIGNATURE: {
    meaning: "a signature does not verify with the key that it names",
    advice: "get the file again: it changed after it was signed",
    source: "ours",
  },
  FORMAT_SIGNATURE_ENCODING: {
    meaning: "a signature is not in the one encoding that its algorithm has",
    advice: "get the file again from its maker: other bytes could stand for the same signature",
    source: "ours",
  },
  FORMAT_ALREADY_SIGNED: {
    meaning: "the key has signed this file before",
    advice: "use the file as it is: a key signs only once",
    source: "ours",
  },
  FORMAT_CONTENT: {
    meaning: "the file that the signature is for was not given",
    advice: "give that file too, unchanged",
    source: "ours",
  },
} as const satisfies { readonly [name: string]: FormatRefusalRow };
