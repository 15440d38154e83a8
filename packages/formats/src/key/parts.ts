// Keys from their parts, as binary formats hold them. formatKey() refuses points that are not on their curve.

import { createPublicKey, type KeyObject } from "node:crypto";
import { refuseFormat } from "../refusal.js";
import { type FormatKey, type FormatKeyKind, formatKey } from "./key.js";

/** SubjectPublicKeyInfo up to the raw key or the coordinates (RFC 8410 §4, RFC 5480 §2), in hex. */
const HEADS = {
  ed25519: "302a300506032b6570032100",
  p192: "3049301306072a8648ce3d020106082a8648ce3d03010103320004",
  p256: "3059301306072a8648ce3d020106082a8648ce3d03010703420004",
  p384: "3076301006072a8648ce3d020106052b8104002203620004",
} as const satisfies { readonly [kind in FormatKeyKind]?: string };

/** The kinds of keys on curves that formats hold. */
export type CurveKind = keyof typeof HEADS;

/**
 * Makes a key on a curve.
 *
 * @param kind - The kind of the key.
 * @param raw - The raw key of Ed25519, else x and y, each of the curve's length, big-endian.
 * @returns The key.
 * @throws FormatRefusal FORMAT_KEY if it is not one.
 */
export function keyOnCurve(kind: CurveKind, raw: Uint8Array): FormatKey {
  return formatKey(Buffer.concat([Buffer.from(HEADS[kind], "hex"), raw]));
}

/**
 * Gives the raw form of a key on a curve.
 *
 * @param key - The key.
 * @param kind - Its kind.
 * @returns The raw key of Ed25519, else x and y, each of the curve's length, big-endian.
 */
export function rawOf(key: FormatKey, kind: CurveKind): Uint8Array {
  return key.spki.subarray(HEADS[kind].length / 2);
}

/**
 * Makes an RSA key.
 *
 * @param n - The modulus, big-endian.
 * @param e - The exponent, big-endian.
 * @returns The key.
 * @throws FormatRefusal FORMAT_KEY if it is not one that firmseal supports.
 */
export function rsaKey(n: Uint8Array, e: Uint8Array): FormatKey {
  const text = (number: Uint8Array) => Buffer.from(number).toString("base64url");
  let key: KeyObject;
  try {
    key = createPublicKey({ key: { kty: "RSA", n: text(n), e: text(e) }, format: "jwk" });
  } catch {
    return refuseFormat("FORMAT_KEY", -1, "it is not an RSA key");
  }
  return formatKey(key);
}

/**
 * Gives the numbers of an RSA key.
 *
 * @param key - The key.
 * @returns Modulus and exponent, big-endian, without zeros before them.
 */
export function rsaNumbers(key: FormatKey): { readonly n: Uint8Array; readonly e: Uint8Array } {
  const { n, e } = key.key.export({ format: "jwk" }) as { n: string; e: string };
  return { n: Buffer.from(n, "base64url"), e: Buffer.from(e, "base64url") };
}
