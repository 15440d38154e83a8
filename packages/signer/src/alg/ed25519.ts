// Ed25519 (RFC 8032).

import { ed25519 as alg } from "@firmseal/verifier";
import { COSE } from "@firmseal/verifier/tools";
import * as noble from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2.js";
import { KeyError, unlessThrown } from "../key-error.js";
import * as openssl from "./openssl.js";
import type { AlgRow } from "./row.js";

/** The library. Its synchronous half has no hash of its own. */
function library(): typeof noble {
  noble.hashes.sha512 ??= sha512;
  return noble;
}

export const ed25519Row: AlgRow = {
  family: "Ed25519",
  cose: COSE.ALG_ED25519,
  alg,
  publicLengths: [32],
  signatureLength: 64,
  // RFC 9864 gave EdDSA on this curve a name of its own
  jwk: { kty: "OKP", crv: "Ed25519", alg: "Ed25519", also: ["EdDSA"] },
  ssh: { type: "ssh-ed25519" },
  check(key) {
    // the verifier decides; the library says why
    if (alg.valid(key)) return;
    const point = unlessThrown(() => noble.Point.fromBytes(key, false));
    // Under a small-order key, one signature is valid for many messages. RFC 8032 leaves this check open; our verifiers
    // refuse such anchors.
    throw new KeyError("point", `the public key is ${point?.isSmallOrder() ? "a point of small order" : "not a point of Ed25519"}`);
  },
  secretLength: 32,
  derive: (secret) => openssl.nodePublicKey(secret) ?? library().getPublicKey(secret),
  sign: (tbs, secret) => openssl.nodeSign(tbs, secret) ?? library().sign(tbs, secret),
  // the secret d ↦ n - d gives the public key P ↦ -P: only the sign of x changes (RFC 8032 §5.1.2)
  twins: (key) => [key.map((byte, i) => (i === 31 ? byte ^ 0x80 : byte))],
  tables: true,
};
