// HSS/LMS (RFC 8554, SP 800-208), public keys only. A private key has state, which a value in memory cannot keep: see
// hss/hss.ts of the package keys.

import { hsslms as alg } from "@firmseal/verifier";
import { COSE } from "@firmseal/verifier/tools";
import { KeyError } from "../key-error.js";
import type { AlgRow } from "./row.js";

/** Length in bytes of a public key (RFC 8554 §6.1), with SHA-256 and with SHA-256/192. */
const PUBLIC_KEY_LENGTHS = [60, 52];
/** Maximum number of HSS levels (RFC 8554 §6). */
const MOST_LEVELS = 8;

const unsupported = () => new KeyError("unsupported", "an HSS/LMS key with unsupported levels or types");

export const hsslmsRow: AlgRow = {
  family: "HSS/LMS",
  cose: COSE.ALG_HSS_LMS,
  alg,
  publicLengths: PUBLIC_KEY_LENGTHS,
  check(key) {
    if (!alg.valid(key)) throw unsupported();
  },
  // a tree can sign at any level (RFC 8554 §6.1: the number of levels, then the tree)
  twins: (key) =>
    Array.from({ length: MOST_LEVELS }, (_, i) => i + 1)
      .filter((levels) => levels !== key[3])
      .map((levels) => key.map((byte, i) => (i === 3 ? levels : byte))),
};
