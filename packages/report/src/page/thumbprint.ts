// COSE Key Thumbprints (RFC 9679 §3) of the keys in the page: what people compare is computed from what verifies.

import type { Alg } from "@firmseal/verifier";
import { COSE, KEY_ALG, KEY_CRV, KEY_KTY, KEY_PUB, KEY_X, KEY_Y } from "@firmseal/verifier/tools";
import { sha256 } from "@noble/hashes/sha2.js";

/**
 * The head of a CBOR item in its shortest form (RFC 8949 §3), of a major type in the upper three bits. `n` up to 2^16 -
 * 1.
 */
const head = (major: number, n: number) => (n < 24 ? [major | n] : n < 256 ? [major | 24, n] : [major | 25, n >> 8, n & 255]);
const integer = (n: number) => (n < 0 ? head(0x20, -1 - n) : head(0, n));
const bytes = (content: Uint8Array) => [...head(0x40, content.length), ...content];

/** The required members of the COSE_Key in deterministic encoding: labels in the order of their bytes. */
function coseKey(alg: number, { kty, crv, coordinate, bound }: COSE.CoseKeyForm, key: Uint8Array): number[] {
  const [x, y] = coordinate === undefined ? [key] : [key.subarray(1, 1 + coordinate), key.subarray(1 + coordinate)];
  const members = [
    [...integer(KEY_KTY), ...integer(kty)],
    ...(bound ? [[...integer(KEY_ALG), ...integer(alg)]] : []),
    ...(crv === undefined
      ? [[...integer(KEY_PUB), ...bytes(x)]]
      : [
          [...integer(KEY_CRV), ...integer(crv)],
          [...integer(KEY_X), ...bytes(x)],
        ]),
    ...(y ? [[...integer(KEY_Y), ...bytes(y)]] : []),
  ];
  return [0xa0 | members.length, ...members.flat()];
}

/**
 * The thumbprint with SHA-256, 32 bytes, of a raw public key of up to 65,535 bytes for the algorithm that verifies with
 * it. Throws TypeError if its keys have no COSE_Key.
 */
export function thumbprintOf({ ids }: Pick<Alg, "ids">, key: Uint8Array): Uint8Array {
  const alg = ids[0] as number;
  const form = COSE.KEY_FORMS.find(({ algs }) => algs.includes(alg));
  if (!form) throw new TypeError("keys of this algorithm have no thumbprint");
  return sha256(Uint8Array.from(coseKey(alg, form, key)));
}
