// HSS/LMS (RFC 8554, SP 800-208): public keys only. A private one has state, which a value in memory cannot keep: ../hss.ts.

import { hsslms as alg } from "@firmseal/verifier";
import { ALG_HSS_LMS, KEY_KTY, KEY_PUB, KTY_HSS_LMS } from "@firmseal/verifier/tools";
import type { Encodable } from "../cbor.js";
import { KeyError } from "../key/error.js";
import type { AlgRow } from "./row.js";

/** Of a public key (RFC 8554 §6.1): with SHA-256, and with SHA-256/192. */
const PUBLIC_KEY_LENGTHS = [60, 52];

export const hsslmsRow: AlgRow = {
  cose: ALG_HSS_LMS,
  alg,
  publicLengths: PUBLIC_KEY_LENGTHS,
  check(key) {
    if (!alg.valid(key)) throw new KeyError("unsupported", "an HSS/LMS key with unsupported levels or types");
  },
  members: (key) =>
    new Map<Encodable, Encodable>([
      [KEY_KTY, KTY_HSS_LMS],
      [KEY_PUB, key],
    ]),
};

// SubjectPublicKeyInfo (RFC 9708 §4, RFC 9802 §4): id-alg-hss-lms-hashsig without parameters, the key in the BIT STRING as it is
const OID = [0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, 0x11];

function spkiHead(length: number): Uint8Array {
  return Uint8Array.of(0x30, 2 + OID.length + 3 + length, 0x30, OID.length, ...OID, 0x03, length + 1, 0x00);
}

/** The DER of a SubjectPublicKeyInfo with a raw key of 60 or 52 bytes. */
export function hssToSpki(key: Uint8Array): Uint8Array {
  return Uint8Array.of(...spkiHead(key.length), ...key);
}

/** The raw key in the DER of a SubjectPublicKeyInfo; undefined where it is none of HSS/LMS with 60 or 52 bytes. */
export function hssFromSpki(der: Uint8Array): Uint8Array | undefined {
  for (const length of PUBLIC_KEY_LENGTHS) {
    const head = spkiHead(length);
    if (der.length === head.length + length && head.every((byte, i) => der[i] === byte)) return Uint8Array.from(der.subarray(head.length));
  }
  return undefined;
}
