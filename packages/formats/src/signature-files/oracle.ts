// No signing oracle: raw, der, aws, signify and old signatures of minisign are over the bytes of a file as they are. So
// a file that is what a key signs in another format would get a signature of that format, which no log knows. And a
// signature of another format is not believed for such a file.

import { isSecureBootContent } from "../esp32/app-image.js";
import { type Scheme, schemeLength } from "../key/scheme.js";
import { HEADER_BYTES, HEADER_MAGIC, HEADER_MAGIC_V1 } from "../mcuboot/numbers.js";
import { refuseFormat } from "../refusal.js";
import { viewOf } from "../view.js";
import { isPrintable, TRUSTED_COMMENT } from "./text.js";

/**
 * RFC 9052 §4.4, RFC 9338 §3.3: an array that begins with one of these texts. Lengths may be in a longer form than the
 * shortest.
 */
const COSE = /^[\x80-\x9f].{0,18}?(?:Counter)?Signature/s;

/** What begins like this, by what it is. */
const BEGINNINGS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a Sig_structure of COSE, which envelopes and trust files are signed with", COSE],
  ["a PAE of DSSE, which attestations are signed with", /^DSSEv\d+ /],
  ["what sshsig signs", /^SSHSIG/],
  ["a signed note", /\n\n\xe2\x80\x94 \S+ \S+\n$/],
  ["a checkpoint of a log, which notes sign", /^[^\n]+\n\d+\n[A-Za-z0-9+/]{43}=\n/],
  ["what a witness signs", /^cosignature\/v\d+\n/],
  ["what a JSON Web Signature signs", /^eyJ[\w-]*\./],
];

/** Enough for every beginning, and for a note: those are short. */
const BEGINNING_LIMIT = 2 ** 20;

const SIGNATURE = schemeLength("ed25519");

/**
 * Says why content must not be signed as it is.
 *
 * @param content - The content.
 * @param scheme - The algorithm. Ed25519 also signs digests, in MCUboot and minisign.
 * @returns What it is, in words, or undefined if it may be signed.
 */
export function whyNotSigned(content: Uint8Array, scheme: Scheme): string | undefined {
  const text = Buffer.from(content.subarray(0, BEGINNING_LIMIT)).toString("latin1");
  for (const [what, pattern] of BEGINNINGS) if (pattern.test(text)) return what;
  if (scheme.type === "ed25519" && [32, 48, 64].includes(content.length))
    return "as long as a digest, which boot loaders and minisign sign";
  if (scheme.type === "ed25519" && isMinisign(content)) return "a signature of minisign with a trusted comment, which minisign signs";
  if (isMcuboot(content)) return "what MCUboot verifies: an image without its unprotected TLVs";
  if (isSecureBootContent(content)) return "what Secure Boot v2 of ESP32 verifies: an image that is padded to 4 KiB";
  return undefined;
}

/** Refuses such content, to sign it and to verify it. Throws FormatRefusal SIGNATURE_FILE_ORACLE. */
export function refuseOracle(content: Uint8Array, scheme: Scheme): void {
  const what = whyNotSigned(content, scheme);
  if (what !== undefined) refuseFormat("SIGNATURE_FILE_ORACLE", -1, `it is ${what}`);
}

/** Header, payload and protected TLVs, and nothing else (image.h of MCUboot), in both orders of bytes. */
function isMcuboot(content: Uint8Array): boolean {
  if (content.length < HEADER_BYTES) return false;
  const view = viewOf(content);
  return [true, false].some((little) => {
    const magic = view.getUint32(0, little);
    if (magic !== HEADER_MAGIC && magic !== HEADER_MAGIC_V1) return false;
    return view.getUint16(8, little) + view.getUint16(10, little) + view.getUint32(12, little) === content.length;
  });
}

/** A signature, whose 64 bytes are not text and whose S is below 2^253, and a comment. */
function isMinisign(content: Uint8Array): boolean {
  if (content.length < SIGNATURE || (content[SIGNATURE - 1] as number) > 0x10) return false;
  const isText = !Buffer.from(content.subarray(0, SIGNATURE)).toString("utf8").includes("\ufffd");
  return !isText && isPrintable(content.subarray(SIGNATURE), TRUSTED_COMMENT);
}
