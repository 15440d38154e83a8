// Keys as JWK (RFC 7517, 7518 §6.2, 8037, 9964 §3).

import { equalBytes } from "@firmseal/verifier/tools";
import { algWords, coseFormOf, jwkFormOf, type KeyAlg, keyAlgs } from "../alg/algorithms.js";
import { decodeBase64url, encodeBase64url } from "../base64url.js";
import { KeyError } from "../key-error.js";
import { coordinatesOf, type PrivateKey, type PublicKey } from "./key.js";
import { fromParts, onlyOne } from "./parts.js";

/** A key as JWK (RFC 7517). Byte strings are in base64url without padding. */
export interface Jwk {
  kty: string;
  crv?: string;
  x?: string;
  y?: string;
  d?: string;
  /** For keys of type AKP, which include the algorithm (RFC 9964 §3). */
  pub?: string;
  /** The seed, base64url. */
  priv?: string;
  alg: string;
  kid?: string;
}

/**
 * Writes the public part of a key as a JWK.
 *
 * @param key - The key, public or private.
 * @returns The JWK. `alg` is Ed25519 (RFC 9864), ES256, ML-DSA-44, ML-DSA-65 or ML-DSA-87.
 * @throws KeyError `unsupported` for HSS/LMS.
 */
export function toJwk(key: PublicKey): Jwk {
  const jwk = jwkFormOf(key.alg);
  if (!jwk) throw new KeyError("unsupported", `there is no JWK for ${algWords([key.alg])}`);
  const { kty, crv, alg } = jwk;
  const [x, y] = coordinatesOf(key).map((part) => part && encodeBase64url(part)) as [string, string?];
  const kid = key.kid && jwkKid(key.kid);
  const parts = crv === undefined ? { kty, alg, pub: x } : { kty, crv, x, ...(y !== undefined && { y }), alg };
  return kid === undefined ? parts : { ...parts, kid };
}

/**
 * Writes a private key as a JWK.
 *
 * @param key - The private key.
 * @returns The JWK, with `d` (for ML-DSA: `priv`).
 */
export function toPrivateJwk(key: PrivateKey): Jwk {
  return { ...toJwk(key), [secretName(key.alg)]: encodeBase64url(key.secret) };
}

const secretName = (alg: KeyAlg) => (coseFormOf(alg).crv === undefined ? "priv" : "d");

/**
 * Reads a key from a parsed JWK. If present, `alg`, `use` and `key_ops` must permit signatures. Other members are
 * ignored (RFC 7517 §4).
 *
 * @param jwk - The parsed JSON.
 * @returns A private key if the JWK has `d` (for ML-DSA: `priv`).
 * @throws KeyError `format`, `several`, `unsupported`, `length`, `range`, `point` or `mismatch`, and NotLoaded for a
 *   private ML-DSA key before loadAlg().
 * @example
 * ```ts
 * import { fromJwk, isPrivate, privateKey, toJwk } from "@firmseal/signer";
 *
 * const jwk = toJwk(privateKey("ed25519", seed));
 * const key = fromJwk(jwk);
 * console.log(isPrivate(key)); // false
 * ```
 */
export function fromJwk(jwk: unknown): PublicKey | PrivateKey {
  if (typeof jwk !== "object" || jwk === null || Array.isArray(jwk)) throw new KeyError("format", "a JWK is a JSON object");
  const m = jwk as Record<string, unknown>;
  if ("keys" in m) throw new KeyError("several", "a JWK Set, not a single key");
  const alg = algOfJwk(m);
  const named = jwkFormOf(alg);
  if (m.alg !== undefined && m.alg !== named?.alg && !named?.also?.includes(m.alg as string))
    throw new KeyError("unsupported", "the JWK names an algorithm that does not match its curve");
  const pub = coseFormOf(alg).crv === undefined ? "pub" : "x";
  const secret = secretName(alg);
  const d = m[secret] === undefined ? undefined : fromBase64url(m[secret], secret);
  const op = d ? "sign" : "verify";
  if (m.use !== undefined && m.use !== "sig") throw new KeyError("unsupported", 'the JWK is not for signatures ("use" is not "sig")');
  if (m.key_ops !== undefined && !(Array.isArray(m.key_ops) && m.key_ops.includes(op))) {
    throw new KeyError("unsupported", `the JWK is not for signatures ("key_ops" lacks "${op}")`);
  }
  if (m.kid !== undefined && typeof m.kid !== "string") throw new KeyError("format", 'the "kid" of the JWK is not a string');
  const x = m[pub] === undefined ? undefined : fromBase64url(m[pub], pub);
  const y = pub === "pub" || m.y === undefined ? undefined : fromBase64url(m.y, "y");
  // RFC 9964 §3 requires it, also in private keys
  if (pub === "pub" && !x) throw new KeyError("format", 'the JWK lacks "pub"');
  try {
    return fromParts(alg, x, y, d, m.kid === undefined ? undefined : kidOfJwk(m.kid));
  } finally {
    d?.fill(0);
  }
}

/** The algorithm of a JWK: by type and curve, or by `alg` for keys without a curve. */
function algOfJwk({ kty, crv, alg }: Record<string, unknown>): KeyAlg {
  return onlyOne(
    kty,
    keyAlgs.filter((one) => jwkFormOf(one)?.kty === kty),
    (one) => jwkFormOf(one)?.crv === crv,
    alg,
    (one) => jwkFormOf(one)?.alg === alg,
  );
}

const fatalUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// In COSE, a kid is bytes; in JWK, text. 32 bytes are treated as a thumbprint and written in base64url as in RFC 7638;
// others are UTF-8.
function kidOfJwk(text: string): Uint8Array {
  const bytes = /^[\w-]{43}$/.test(text) ? decodeBase64url(text) : undefined;
  return bytes ?? new TextEncoder().encode(text);
}

function jwkKid(kid: Uint8Array): string | undefined {
  if (kid.length === 32) return encodeBase64url(kid);
  try {
    const text = fatalUtf8.decode(kid);
    // omit a kid that would be read back as another one: a kid is only a hint
    return equalBytes(kidOfJwk(text), kid) ? text : undefined;
  } catch {
    return undefined;
  }
}

function fromBase64url(value: unknown, name: string): Uint8Array {
  const bytes = typeof value === "string" ? decodeBase64url(value) : undefined;
  if (!bytes) throw new KeyError("format", `the member "${name}" of the JWK is not base64url`);
  return bytes;
}
