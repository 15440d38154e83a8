// The secrets with which devices authenticate their statuses: one JWK of type "oct" (RFC 7518 §6.4), or a JWK Set (RFC
// 7517 §5) with one for each device.

import { KeyFileError } from "@firmseal/keys";
import { readGuarded } from "@firmseal/keys/internal";
import { type Anchor, hmac256 } from "@firmseal/verifier";
import { parseJson } from "../input/json.js";
import { LIMITS } from "../input/limits.js";

const HINT = 'give {"kty": "oct", "kid": "SERIAL", "k": "32 bytes in base64url"}, or a JWK Set of these';

const refused = (path: string, what: string) => new KeyFileError(`${path}: ${what}`, HINT, 2);

/** 43 digits of base64url, the last one with two zero bits: 32 bytes have exactly one encoding. */
const SECRET = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

function secretOf(path: string, jwk: unknown): Anchor {
  const { kty, k, kid } = (typeof jwk === "object" && jwk !== null ? jwk : {}) as { kty?: unknown; k?: unknown; kid?: unknown };
  if (kty !== "oct") throw refused(path, "not a symmetric key");
  if (typeof k !== "string" || !SECRET.test(k)) throw refused(path, 'the member "k" is not 32 bytes in base64url');
  if (kid !== undefined && (typeof kid !== "string" || kid === "" || Buffer.byteLength(kid) > 64))
    throw refused(path, 'the member "kid" is not a text of 1 to 64 bytes');
  const key = Uint8Array.from(Buffer.from(k, "base64url"));
  return kid === undefined ? { alg: hmac256, key } : { alg: hmac256, key, kid: Uint8Array.from(Buffer.from(kid)) };
}

/**
 * Reads the secrets of devices, 32 bytes each, as anchors for verifyStatus(). The file must be private: mode 0600, not
 * a symbolic link. Throws KeyFileError, or Failure if the file cannot be read.
 */
export function readStatusSecrets(path: string): Anchor[] {
  const { bytes, guard } = readGuarded(path, LIMITS.statusSecrets, "the secrets of devices");
  guard();
  let value: unknown;
  try {
    value = parseJson(bytes);
  } catch (e) {
    throw refused(path, (e as Error).message);
  }
  const keys = (value as { keys?: unknown } | null)?.keys;
  if (keys !== undefined && !Array.isArray(keys)) throw refused(path, 'the member "keys" is not an array');
  const all = (keys ?? [value]).map((jwk: unknown) => secretOf(path, jwk));
  // two devices with the same secret could answer for each other
  const distinct = new Set(all.map(({ key }) => Buffer.from(key as Uint8Array).toString("hex")));
  if (distinct.size < all.length) throw refused(path, "two entries have the same secret");
  const kids = new Set(all.map(({ kid }) => (kid ? Buffer.from(kid as Uint8Array).toString("hex") : "")));
  if (kids.size < all.length) throw refused(path, "two entries have the same kid, or more than one has none");
  return all;
}
