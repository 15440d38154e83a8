// Properties of commands and parameters, and the values of parameters.

import { HAS_TOOLS } from "../base/features.js";
import { mark, refuse } from "../base/refuse.js";
import type { Bytes } from "../base/types.js";
import { bool, boundedCopy, bstr, bstrBytes, copyBytes, enterBstr, input, leave, peekType, TAG, tag, tstr, uint } from "../cbor/reader.js";
import { type Digest, readDigest } from "../hash/digest.js";
import { NOT_SUPPORTED, PARAMETER_VALUE, URI_CHARACTER, URI_LENGTH } from "../spec/errors.generated.js";
import { TAG_CBOR_PEN } from "../spec/suit.js";

const MAX_URI = 1024;

/** A reporting policy follows the command. */
export const POLICY = 1;
/**
 * An argument of its own follows the command. The interpreter asks only for POLICY; every command has one of the two.
 */
export const OWN_ARGUMENT = 2;
/** A code point of SUIT that this build does not run. */
export const FOREIGN = 4;
/** Permitted in a shared sequence: no side effects (M37 §8.4.5). Conditions are the commands with SHARED and POLICY. */
export const SHARED = 8;

/**
 * For each command code, 0 to 35, the sum of the above as the low bits of a character. A string stays in flash; a table
 * of numbers takes RAM. Tests compare this table and the next with the names of the specification.
 *
 * | Letter | Sum                             | Commands                                              |
 * | ------ | ------------------------------- | ----------------------------------------------------- |
 * | `@`    | 0                               | no command                                            |
 * | `A`    | POLICY                          | 18 write, 21 fetch, 22 copy, 23 invoke, 31 swap       |
 * | `E`    | POLICY + FOREIGN                | 11 process-dependency, 29 wait, 33 unlink             |
 * | `F`    | OWN_ARGUMENT + FOREIGN          | 34 override-multiple, 35 copy-params                  |
 * | `I`    | POLICY + SHARED                 | 1 vendor-identifier, 2 class-identifier,              |
 * |        |                                 | 3 image-match, 5 component-slot, 6 check-content,     |
 * |        |                                 | 14 abort, 24 device-identifier                        |
 * | `J`    | OWN_ARGUMENT + SHARED           | 12 set-component-index, 15 try-each,                  |
 * |        |                                 | 20 override-parameters, 32 run-sequence               |
 * | `M`    | POLICY + FOREIGN + SHARED       | 4 use-before, 7 dependency-integrity,                 |
 * |        |                                 | 8 is-dependency, 25 image-not-match,                  |
 * |        |                                 | 26 minimum-battery, 27 update-authorized, 28 version  |
 * | `N`    | OWN_ARGUMENT + FOREIGN + SHARED | 19 set-parameters                                     |
 */
export const COMMAND_KINDS = "@IIIMIIMM@@EJ@IJ@@ANJAAAIMMMME@AJEFF";

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

/** For each parameter, 0 to 30, the kind of its value in the same way: `A` is KIND_VENDOR, `I` is KIND_OTHER. */
export const PARAMETER_VALUE_KINDS = "@ABCID@@@@@@EED@@@FI@GHFBFIIIII";

/** The entry of a table for an untrusted number, or 0 if there is none. Some engines wrap character indices at 2^32. */
export function tableEntry(table: string, n: number): number {
  return n > 0 && n < table.length ? table.charCodeAt(n) & 15 : 0;
}

/** Whether a command is a condition, which can fail softly. */
export function isCondition(code: number): boolean {
  return (tableEntry(COMMAND_KINDS, code) & (POLICY + SHARED)) === POLICY + SHARED;
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
