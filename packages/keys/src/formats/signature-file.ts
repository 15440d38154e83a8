// Reads a signature that was made elsewhere: binary, hexadecimal or base64, for ECDSA also DER. Each form is read
// strictly.

import { type KeyAlg, signatureLength } from "@firmseal/signer";
import { CUSTODY } from "../algorithms.js";
import { Failure } from "../errors/failure.js";
import { byteWords, grouped } from "../words.js";
import { decodeBase64 } from "./base64.js";
import { rawFromDer } from "./der/ecdsa.js";

/** Returns a Failure with exit code 1, SIGNATURE_INVALID. */
export function wrongSignature(message: string, hint: string): Failure {
  return new Failure(1, "ERR_SIGNATURE_INVALID", message, hint);
}

/** Decodes the text of a signature. Returns undefined if it is not text or is not strictly encoded. */
function decoded(bytes: Uint8Array): Uint8Array | undefined {
  const text = Buffer.from(bytes).toString("latin1");
  // programs wrap long lines, and end the last one
  const joined = text.replace(/[\r\n]/g, "").trim();
  if (/^([0-9a-fA-F]{2})+$/.test(joined)) return new Uint8Array(Buffer.from(joined, "hex"));
  // no stray bits, no mixed alphabets, complete padding or none (RFC 4648 §3.5)
  const padding = /[=_-]/.test(joined) ? "" : "=".repeat(-joined.length & 3);
  const out = decodeBase64(joined + padding) ?? decodeBase64(joined, "base64url");
  return out && new Uint8Array(out);
}

/** A binary signature is never text: the chance that 64 random bytes all look like text is 1 in 2^89. */
const isSignatureText = (bytes: Uint8Array) => bytes.every((b) => b === 0x0a || b === 0x0d || (b >= 0x20 && b < 0x7f));

/**
 * Finds the raw signature in a file. Does not verify it.
 *
 * @param bytes - The content of the file.
 * @param alg - The algorithm of the key.
 * @param name - The name of the file, for messages.
 * @returns The raw signature.
 * @throws Failure with SIGNATURE_INVALID if there is none, or one of another algorithm.
 */
export function parseSignature(bytes: Uint8Array, alg: KeyAlg, name: string): Uint8Array {
  const { ecdsa } = CUSTODY[alg];
  const hint = `give the raw signature, its hex or base64${ecdsa ? ", or DER" : ""}`;
  if (bytes.length === 0) throw wrongSignature(`${name} is empty`, hint);
  const content = isSignatureText(bytes) ? decoded(bytes) : bytes;
  if (!content) throw wrongSignature(`${name} is text, but neither hex nor base64`, hint);
  const length = signatureLength(alg);
  if (length === undefined || content.length === length) return content;
  if (!ecdsa || content[0] !== 0x30)
    throw wrongSignature(`${name}: a signature of ${alg} has ${byteWords(length)}, not ${grouped(content.length)}`, hint);
  const raw = rawFromDer(content, length);
  if (!raw) throw wrongSignature(`${name}: looks like an ECDSA signature in DER, but is not`, "sign again, or export the signature again");
  return raw;
}
