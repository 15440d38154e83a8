// Three trust files of one line, for the tests of diff and merge.

import { describeTrust, encodeTrust, type PrivateKey } from "@firmseal/signer";
import { embeddedTrust } from "@firmseal/verifier/tools";
import { Place } from "../../../test-support/src/command-line/run.js";
import { ALGS, key, trustFileOf } from "../../../test-support/src/rotation-world.js";

export const NAMES = ["A", "B", "R1", "R2", "R3", "R4", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8"] as const;

export const K = Object.fromEntries(NAMES.map((name) => [name, key(name)])) as { [name in (typeof NAMES)[number]]: PrivateKey };

export const T1 = await trustFileOf(1, { releases: [K.A, K.B], roots: [K.R1, K.R2, K.R3] });
export const T2 = await trustFileOf(2, { releases: [K.A, K.B], roots: [K.R1, K.R2, K.R4], signers: [K.R1, K.R2, K.R3] }, T1);
const d = describeTrust(embeddedTrust(ALGS, T2));
/** The third list, which nobody has signed. */
export const U3 = encodeTrust({ ...d, sequence: 3n });

export function place(): Place {
  const p = new Place();
  p.keepsLogs = true;
  p.putKeys(K);
  p.put("t1.trust", T1);
  p.put("t2.trust", T2);
  p.put("t3.trust", U3);
  return p;
}
