// base64url without padding (RFC 4648 §5), as JWK uses it. Not by Buffer, because the signer also runs without Node.
// Not by a library either: those in use make an array of the digits of a private key on the way, which nobody can wipe.

import { secretBytes } from "./bytes.js";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export function encodeBase64url(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const group = (a << 16) | (b << 8) | c;
    for (let k = 0; k < Math.min(4, bytes.length - i + 1); k++) out += alphabet[(group >> (18 - 6 * k)) & 63];
  }
  return out;
}

/** Decodes canonical base64url. Returns undefined for padding or non-zero trailing bits (RFC 4648 §3.5). */
export function decodeBase64url(text: string): Uint8Array | undefined {
  // it may be a private key
  const out = secretBytes(Math.floor((text.length * 6) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const char of text) {
    const value = alphabet.indexOf(char);
    if (value < 0) return undefined;
    // holds at most 6 + 8 bits
    held = ((held << 6) | value) & 0x3fff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = (held >> bits) & 255;
    }
  }
  return encodeBase64url(out) === text ? out : undefined;
}
