// Public keys of SSH (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4).

import { WireReader, wire, wireNumber } from "@firmseal/keys/internal";
import type { FormatKey, FormatKeyKind } from "../key/key.js";
import { keyOnCurve, rawOf, rsaKey, rsaNumbers } from "../key/parts.js";
import { FormatRefusal, refuseFormat } from "../refusal.js";

/** Reads what is refused as a damaged signature or key. */
export const sshReader = (bytes: Uint8Array): WireReader =>
  new WireReader(
    Buffer.from(bytes),
    () => new FormatRefusal("SIGNATURE_FILE_FORM", -1, "a field is cut short, or not in its one encoding"),
  );

const CURVES = [
  { kind: "p256", curve: "nistp256", size: 32 },
  { kind: "p384", curve: "nistp384", size: 48 },
] as const;

/** How OpenSSH names a key of this kind. Undefined: firmseal has no such signatures. */
export function sshKeyType(kind: FormatKeyKind): string | undefined {
  if (kind === "ed25519") return "ssh-ed25519";
  if (kind.startsWith("rsa")) return "ssh-rsa";
  const curve = CURVES.find((one) => one.kind === kind)?.curve;
  return curve && `ecdsa-sha2-${curve}`;
}

/**
 * Encodes a public key.
 *
 * @param key - Ed25519, P-256, P-384 or RSA.
 * @returns The blob.
 * @throws FormatRefusal FORMAT_KEY.
 */
export function writeSshKey(key: FormatKey): Uint8Array {
  const type = sshKeyType(key.kind) ?? refuseFormat("FORMAT_KEY", -1, `${key.kind} in sshsig`);
  const curve = CURVES.find((one) => one.kind === key.kind);
  if (curve) return Buffer.concat([wire(type), wire(curve.curve), wire(Buffer.concat([Buffer.of(4), rawOf(key, curve.kind)]))]);
  if (key.kind === "ed25519") return Buffer.concat([wire(type), wire(rawOf(key, "ed25519"))]);
  const { n, e } = rsaNumbers(key);
  return Buffer.concat([wire(type), wireNumber(e), wireNumber(n)]);
}

/**
 * Reads a public key.
 *
 * @param blob - The blob. No other bytes stand for the same key.
 * @returns The key.
 * @throws FormatRefusal SIGNATURE_FILE_ALGORITHM, SIGNATURE_FILE_FORM and FORMAT_KEY.
 */
export function readSshKey(blob: Uint8Array): FormatKey {
  const key = decode(sshReader(blob));
  return Buffer.compare(writeSshKey(key), blob) === 0 ? key : refuseFormat("SIGNATURE_FILE_FORM", -1, "the key is not in its one encoding");
}

function decode(from: WireReader): FormatKey {
  const type = from.string().toString("latin1");
  if (type === "ssh-ed25519") return keyOnCurve("ed25519", ofLength(from.string(), 32));
  if (type === "ssh-rsa") {
    const e = from.number();
    return rsaKey(from.number(), e);
  }
  const curve = CURVES.find((one) => `ecdsa-sha2-${one.curve}` === type);
  if (!curve) return refuseFormat("SIGNATURE_FILE_ALGORITHM", -1, "the type of the key");
  from.string();
  return keyOnCurve(curve.kind, ofLength(from.string(), 1 + 2 * curve.size).subarray(1));
}

function ofLength(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.length === length ? bytes : refuseFormat("SIGNATURE_FILE_FORM", -1, `a key of ${bytes.length} bytes`);
}
