// The verifier for engines with enough memory, with every algorithm and hash. A device bundle has only what it needs.

import { algorithms } from "./alg/index.js";
import type { Alg, Anchor, Bytes, Host, Prepared, Source } from "./base/types.js";
import { makeAnchor } from "./cose/anchor.js";
import { embeddedTrust as embedded, type FirstTrust, trustFileUnchecked as unchecked } from "./trust/trust-file.js";
import type { TrustStore } from "./trust/trust-list.js";

var LIST = Object.keys(algorithms).map(function (name) {
  return algorithms[name];
});

/**
 * Makes a trust anchor from a raw key.
 *
 * @param alg - "ed25519", "es256", "hmac256" (a shared secret) or "hsslms".
 * @param key - 32 bytes; for es256 65 bytes, 04 ‖ x ‖ y; for hsslms an HSS public key (RFC 8554 §6.1), 60 bytes with
 *   SHA-256 or 52 with SHA-256/192. An Ed25519 key may have a table.
 * @param kid - The key identifier. Default: none.
 * @returns The anchor, for `anchors` of a Trust.
 * @throws TRUST_POLICY for another algorithm and ANCHOR_KEY for an unusable key.
 * @example
 * ```ts
 * import { anchor, open } from "@firmseal/verifier";
 *
 * const trusted = { anchors: [anchor("ed25519", publicKey)] };
 * const manifest = open(envelope, trusted);
 * ```
 */
export function anchor(alg: string, key: Bytes | Prepared, kid?: Bytes): Anchor {
  return makeAnchor((algorithms as { [name: string]: Alg })[alg], key, kid);
}

/**
 * Verifies a trust file from outside, or a chain of them: enough roots of `before` and of the file itself must have
 * signed it. Does not check whether the running release is valid under the file. If it is not, the device can no longer
 * start it: a device that runs a release calls updatedTrust() or nextTrust().
 *
 * This variant has every algorithm: see trust/trust-file.ts.
 *
 * @param bytes - The trust files, one after the other.
 * @param before - The current trust file, or root keys.
 * @param host - Hash functions. Default: our own.
 * @returns The content of the last file.
 * @throws Refusal.
 */
export function trustFileUnchecked(bytes: Bytes | Source, before: TrustStore | FirstTrust, host?: Host): TrustStore {
  return unchecked(LIST, bytes, before, host);
}

/**
 * Reads a trust file that is part of the firmware. Verifies no signature.
 *
 * This variant has every algorithm: see trust/trust-file.ts.
 *
 * @param bytes - The trust file.
 * @returns Its content, for policyOf().
 * @throws Refusal if it is not a valid trust file.
 */
export function embeddedTrust(bytes: Bytes | Source): TrustStore {
  return embedded(LIST, bytes);
}

export * from "./alg/index.js";
export { compareSequence } from "./base/number.js";
export type { Refusal } from "./base/refuse.js";
export type { Alg, Anchor, Bytes, Family, Hash, HashState, Host, Prepared, Sequence, Source, Trust } from "./base/types.js";
export type { Digest } from "./hash/digest.js";
export { sha256 } from "./hash/sha256.js";
export { sha384, sha512 } from "./hash/sha512.js";
export type { Commit, ComponentId, Device, Progress } from "./install/device.js";
export { boot, install } from "./install/install.js";
export { type Attester, macAttester, status } from "./install/status.js";
export { nextTrust, updatedTrust } from "./install/trust-update.js";
export type { Effect, Identity, Run } from "./interpreter/frame.js";
export { identityChecked } from "./interpreter/frame.js";
export { INSTALL_SECTIONS, start, step } from "./interpreter/run.js";
export type { Manifest } from "./manifest/manifest.js";
/** The numbers of the refusals, by name. */
export * as errors from "./spec/errors.generated.js";
export { open } from "./trust/open.js";
export type { FirstTrust } from "./trust/trust-file.js";
export { policyOf } from "./trust/trust-file.js";
export type { TrustAnchor, TrustStore } from "./trust/trust-list.js";
