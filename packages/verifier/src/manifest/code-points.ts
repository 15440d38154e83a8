// Properties of commands and parameters, and the values of parameters.

import { HAS_TOOLS } from "../base/features.js";
import { mark, refuse } from "../base/refuse.js";
import type { Bytes } from "../base/types.js";
import { bool, boundedCopy, bstr, bstrBytes, copyBytes, enterBstr, input, leave, peekType, TAG, tag, tstr, uint } from "../cbor/reader.js";
import { type Digest, readDigest } from "../hash/digest.js";
import { NOT_SUPPORTED, PARAMETER_VALUE, URI_CHARACTER, URI_LENGTH } from "../spec/errors.js";
import { TAG_CBOR_PEN } from "../spec/suit.js";

const MAX_URI = 1024;

/** What follows a command: a reporting policy, or (2, which is never tested) an argument of its own. */
export const POLICY = 1;
/** A code point of SUIT that this build does not run. */
export const FOREIGN = 4;
/** Permitted in a shared sequence: no side effects (M37 §8.4.5). Conditions are the commands with SHARED and POLICY. */
export const SHARED = 8;

/**
 * For each command code, 0 to 35, the sum of the above as the low bits of a character: A = 1, I = 8 + 1, J = 8 + 2, and
 * so on. A string stays in flash; a table of numbers takes RAM. A test compares this one and the next with the names of
 * the specification.
 */
export const PARAMETER_KINDS = "@IIIMIIMM@@EJ@IJ@@ANJAAAIMMMME@AJEFF";

/** The kinds of parameter values. */
const KIND_VENDOR = 1;
const KIND_UUID = 2;
const KIND_DIGEST = 3;
const KIND_NUMBER = 4;
const KIND_BOOL = 5;
export const KIND_OCTETS = 6;
export const KIND_URI = 7;
export const KIND_COMPONENT = 8;
export const KIND_OTHER = 9;

/** For each parameter, 0 to 30. */
export const VALUES = "@ABCID@@@@@@EED@@@FI@GHFBFIIIII";

/** The entry of a table for an untrusted number, or 0 if there is none. Some engines wrap character indices at 2^32. */
export function tableEntry(table: string, n: number): number {
  return n > 0 && n < table.length ? table.charCodeAt(n) & 15 : 0;
}

/** Whether a command is a condition, which can fail softly. */
export function isCondition(code: number): boolean {
  return (tableEntry(PARAMETER_KINDS, code) & (POLICY + SHARED)) === POLICY + SHARED;
}

/** Refuses a code point of SUIT that this build does not run. decodeEnvelope() accepts it, because it only reads. */
export function foreign(): void {
  if (!(HAS_TOOLS && input.lenient)) refuse(NOT_SUPPORTED);
}

/**
 * Reads text that can be a URI reference: printable ASCII without space (RFC 3986 §2). Keeps control characters out of
 * logs and paths.
 */
export function uri(): string {
  var text = "",
    bytes = boundedCopy(tstr(), MAX_URI, URI_LENGTH),
    i;
  for (i = 0; i < bytes.length; i++) {
    if (bytes[i] < 33 || bytes[i] > 126) refuse(URI_CHARACTER);
    text += String.fromCharCode(bytes[i]);
  }
  return text;
}

/** Reads the value of a parameter, by its kind. */
export function parameterValue(kind: number): Bytes | Digest | number | boolean | string {
  var out: Bytes | Digest, at, s;
  if (kind === KIND_NUMBER || kind === KIND_COMPONENT) return uint();
  if (kind === KIND_BOOL) return bool();
  if (kind === KIND_URI) return uri();
  if (kind === KIND_DIGEST) {
    at = enterBstr();
    out = readDigest();
    leave(at);
    return out;
  }
  // a vendor is a UUID or a private enterprise number, #6.112(bstr), which is compared including its tag
  if (kind === KIND_VENDOR && peekType() === TAG) {
    tag(TAG_CBOR_PEN, PARAMETER_VALUE);
    at = mark;
    s = bstr();
    return copyBytes(input, at, s.at + s.n - at);
  }
  out = bstrBytes();
  if (kind <= KIND_UUID && out.length !== 16) refuse(PARAMETER_VALUE);
  return out;
}
