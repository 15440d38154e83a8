// Keys in a token: which objects a URI means, and the public key of a private one.

import { createPublicKey, X509Certificate } from "node:crypto";
import { fromJwk, type KeyAlg, KeyError, keyAlgOfLength, type PublicKey, publicKey, publicOf, unlessThrown } from "@firmseal/signer";
import { algsWith, CUSTODY, hasExplicitCurve, wordsFor } from "../../algorithms.js";
import { KeyFileError } from "../../errors/key-file.js";
import type { Handle } from "./module.js";
import * as ck from "./names.js";
import { isPresent, type OpenToken, ulong } from "./token.js";
import type { TokenUri } from "./uri.js";

const WHICH = "firmseal token list shows the keys of a token";

/** The search template for objects of a class. */
function template(uri: Pick<TokenUri, "object" | "id">, kind: number) {
  return [
    { type: ck.CKA_CLASS, value: kind },
    ...(uri.object === undefined ? [] : [{ type: ck.CKA_LABEL, value: uri.object }]),
    ...(uri.id === undefined ? [] : [{ type: ck.CKA_ID, value: Buffer.from(uri.id) }]),
  ];
}

/**
 * Finds the only private key for a URI, in a session that is logged in. Throws KeyFileError: exit 3 for none, 2 for
 * several.
 */
export function findPrivate(token: OpenToken, uri: TokenUri): Handle {
  const found = token.find(template(uri, ck.CKO_PRIVATE_KEY));
  const [key] = found;
  if (!key) throw noSuchKey(token, uri, ck.CKO_PRIVATE_KEY, "private key");
  if (found.length > 1) throw severalKeys(token, uri, found);
  return key;
}

function labels(token: OpenToken, objects: readonly Handle[]): string[] {
  return objects.map((object) => token.attribute(object, ck.CKA_LABEL)?.toString() ?? "");
}

function noSuchKey(token: OpenToken, uri: TokenUri, kind: number, what: string): KeyFileError {
  const there = labels(token, token.find([{ type: ck.CKA_CLASS, value: kind }]));
  return new KeyFileError(
    `${uri.name}: the token ${token.slot.facts.token} has no such ${what}`,
    there.length === 0 ? "it has none: make one with firmseal token keygen" : `it has ${isPresent(there)}`,
    3,
  );
}

function severalKeys(token: OpenToken, uri: TokenUri, found: readonly Handle[]): KeyFileError {
  const ids = found.map((object, i) => `${labels(token, [object])[0] || i + 1} (id ${idText(token.attribute(object, ck.CKA_ID))})`);
  return new KeyFileError(`${uri.name}: ${found.length} keys fit`, `add object or id to the URI; there are ${isPresent(ids)}`, 2);
}

function idText(id: Uint8Array | undefined): string {
  return id ? Array.from(id, (b) => `%${b.toString(16).padStart(2, "0").toUpperCase()}`).join("") : "none";
}

/**
 * Finds the public key for a URI among the objects that are visible without a PIN. Returns undefined if there is none.
 */
export function findPublic(token: OpenToken, uri: TokenUri): PublicKey | undefined {
  return onlyOne(token, uri, [...token.find(template(uri, ck.CKO_PUBLIC_KEY)), ...token.find(template(uri, ck.CKO_CERTIFICATE))]);
}

/**
 * The public key of a private one: from the public key or certificate with the same identifier, otherwise from the
 * attributes of the private key. A wrong one is harmless: no signature would verify.
 */
export function publicOfPrivate(token: OpenToken, uri: TokenUri, key: Handle): PublicKey {
  const id = token.attribute(key, ck.CKA_ID);
  const label = token.attribute(key, ck.CKA_LABEL);
  // objects without an identifier are matched by label
  const by = id ? { id } : label ? { object: label.toString() } : undefined;
  const found =
    by && onlyOne(token, uri, [...token.find(template(by, ck.CKO_PUBLIC_KEY)), ...token.find(template(by, ck.CKO_CERTIFICATE))]);
  const info = token.attribute(key, ck.CKA_PUBLIC_KEY_INFO);
  const own = found ?? (info && fromSpki(info)) ?? fromPoint(token, key);
  if (own) return own;
  throw new KeyFileError(
    `${uri.name}: the token has no public key beside this private one`,
    "store the public key or a certificate under the same id",
    3,
  );
}

/** The public key that all objects share: a key and its certificate. */
function onlyOne(token: OpenToken, uri: TokenUri, objects: readonly Handle[]): PublicKey | undefined {
  const keys = objects.map((object) => readObject(token, uri, object));
  const [first] = keys;
  if (!first) return undefined;
  if (keys.some((key) => key.alg !== first.alg || !Buffer.from(key.key).equals(first.key))) throw severalKeys(token, uri, objects);
  return first;
}

/** Reads the public key of an object. Throws KeyFileError (exit 2) for an unsupported kind of key. */
function readObject(token: OpenToken, uri: TokenUri, object: Handle): PublicKey {
  const key = readPublic(token, object);
  if (key) return key;
  throw new KeyFileError(`${uri.name}: not a key for ${wordsFor("pkcs11")}`, WHICH, 2);
}

/**
 * Reads the public key in a public-key, private-key or certificate object. Returns undefined if the kind of key is not
 * supported.
 */
export function readPublic(token: OpenToken, object: Handle): PublicKey | undefined {
  const kind = token.attribute(object, ck.CKA_CLASS);
  if (!kind || ulong(kind) !== BigInt(ck.CKO_CERTIFICATE)) return fromPoint(token, object);
  const der = token.attribute(object, ck.CKA_VALUE);
  return der && unlessThrown(() => fromObject(new X509Certificate(der).publicKey));
}

function fromSpki(der: Buffer): PublicKey | undefined {
  return unlessThrown(() => fromObject(createPublicKey({ key: der, format: "der", type: "spki" })));
}

function fromObject(key: ReturnType<typeof createPublicKey>): PublicKey {
  if (hasExplicitCurve(key)) throw new KeyError("unsupported", "a key with the parameters of its curve in place of the name");
  return publicOf(fromJwk(key.export({ format: "jwk" })));
}

/**
 * The algorithm for the curve of a key. Returns undefined if it is not supported, which includes explicit parameters.
 */
export function algOfCurve(token: OpenToken, object: Handle): KeyAlg | undefined {
  const params = token.attribute(object, ck.CKA_EC_PARAMS)?.toString("hex") ?? "";
  return algsWith("pkcs11").find((alg) => {
    const { curves = [], shown = [] } = CUSTODY[alg].pkcs11 ?? {};
    return curves.includes(params) || shown.includes(params);
  });
}

/** CKA_EC_POINT is DER around the point (PKCS#11 2.40 §2.3.3); some modules return the point itself. */
function fromPoint(token: OpenToken, object: Handle): PublicKey | undefined {
  const alg = algOfCurve(token, object);
  const value = token.attribute(object, ck.CKA_EC_POINT);
  if (!alg || !value) return undefined;
  const has = (length: number) => keyAlgOfLength(length) === alg;
  const octets = has(value.length - 2) && value[0] === 0x04 && value[1] === value.length - 2;
  const bits = has(value.length - 3) && value[0] === 0x03 && value[1] === value.length - 2 && value[2] === 0;
  const point = value.subarray(octets ? 2 : bits ? 3 : 0);
  try {
    return publicKey(alg, point);
  } catch (e) {
    if (e instanceof KeyError) return undefined;
    throw e;
  }
}
