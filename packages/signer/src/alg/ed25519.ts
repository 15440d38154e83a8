// Ed25519 (RFC 8032).

import { ed25519 as alg } from "@firmseal/verifier";
import { ALG_ED25519, CRV_ED25519, KEY_CRV, KEY_KTY, KEY_X, KTY_OKP } from "@firmseal/verifier/tools";
import * as noble from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2.js";
import type { Encodable } from "../cbor.js";
import { KeyError } from "../key/error.js";
import * as openssl from "./openssl.js";
import { type AlgRow, attempt } from "./row.js";

// the synchronous half of the library has no hash of its own
noble.hashes.sha512 = sha512;

export const ed25519Row: AlgRow = {
  cose: ALG_ED25519,
  alg,
  publicLengths: [32],
  signatureLength: 64,
  check(key) {
    const point = attempt(() => noble.Point.fromBytes(key, false));
    if (!point) throw new KeyError("point", "the public key is not a point of Ed25519");
    // Under a small-order key one signature fits many messages: RFC 8032 leaves the check open, our verifiers refuse such anchors.
    if (point.isSmallOrder()) throw new KeyError("point", "the public key is a point of small order");
  },
  members: (key) =>
    new Map<Encodable, Encodable>([
      [KEY_KTY, KTY_OKP],
      [KEY_CRV, CRV_ED25519],
      [KEY_X, key],
    ]),
  derive: (secret) => openssl.nodePublicKey(secret) ?? noble.getPublicKey(secret),
  sign: (tbs, secret) => openssl.nodeSign(tbs, secret) ?? noble.sign(tbs, secret),
};
