// Reads an envelope without trusting it: checks structure and digests, but no signatures. For tools. The result is not
// a Manifest, and no function that acts accepts it.

import { equalConstantTime } from "../base/bytes.js";
import { refuse } from "../base/refuse.js";
import type { Bytes, Source } from "../base/types.js";
import { copySlice } from "../cbor/reader.js";
import type { CoseSignature } from "../cose/message.js";
import type { Digest } from "../hash/digest.js";
import { sha256 } from "../hash/sha256.js";
import { sha384, sha512 } from "../hash/sha512.js";
import { checkCommands } from "../interpreter/run.js";
import { type Envelope, parseHead, parseManifest, type UnverifiedManifest } from "../manifest/parse.js";
import { DIGEST_MANIFEST, TEXT_KEY } from "../spec/errors.generated.js";
import { checkElement, checkSevered, refuseUnnamedPayloads, signedDigest, wrapper } from "../trust/open.js";
import { parseText, type TextEntry } from "./text.js";

/** Maximum number of bytes of the manifest and its severed elements in memory; tools have more of it than devices. */
const MAX_MEMORY = 16777216;

/** What decodeEnvelope() reads of an envelope. No signature has been verified. */
export interface UnverifiedEnvelope {
  envelope: Envelope;
  manifest: UnverifiedManifest;
  /** The digest in the wrapper, or null without a wrapper. */
  digest: Digest | null;
  /** The bytes that signatures cover: the encoded SUIT_Digest. */
  message: Bytes | null;
  signatures: CoseSignature[];
  /** Numbers of the severable elements that are absent. */
  absent: number[];
  text: TextEntry[];
}

function isComponent(id: Bytes[], m: UnverifiedManifest): boolean {
  var i, k;
  for (i = 0; i < m.components.length; i++) {
    for (k = 0; k < id.length && k < m.components[i].length && equalConstantTime(id[k], m.components[i][k]); k++);
    if (k === id.length && k === m.components[i].length) return true;
  }
  return false;
}

/** Refuses a text about a component that is not in the manifest (M37 §8.4.4). */
function checkTextComponents(text: TextEntry[], m: UnverifiedManifest): void {
  var i, k;
  for (i = 0; i < text.length; i++)
    for (k = 0; k < text[i].components.length; k++) if (!isComponent(text[i].components[k].id, m)) refuse(TEXT_KEY);
}

/**
 * Reads an envelope, signed or not (SUIT manifest draft 37 §8). Also accepts code points that open() does not run.
 * Verifies no signature.
 *
 * @param input - The envelope.
 * @returns What it says. No function that installs accepts it.
 * @throws Those refusals of open() that concern bytes, structure and digests.
 * @example
 * ```ts
 * import { decodeEnvelope, formatSequence } from "@firmseal/verifier/tools";
 *
 * const { manifest, signatures } = decodeEnvelope(envelope);
 * console.log(formatSequence(manifest.sequence), signatures.length);
 * ```
 */
export function decodeEnvelope(input: Bytes | Source): UnverifiedEnvelope {
  var host = { memory: MAX_MEMORY, sha256: sha256, sha384: sha384, sha512: sha512 },
    e = parseHead(input, host, true),
    signatures = e.wrapper ? wrapper(e, host) : [],
    sum = e.wrapper ? signedDigest(e.input, e.signed) : null,
    m,
    text;
  if (sum) checkElement(e.input, e.manifestElement, sum, host, DIGEST_MANIFEST);
  m = parseManifest(e);
  checkSevered(e, m, host);
  checkCommands(m);
  refuseUnnamedPayloads(e, m);
  text = m.text ? parseText(m.text) : [];
  checkTextComponents(text, m);
  return {
    envelope: e,
    manifest: m,
    digest: sum,
    message: e.wrapper ? copySlice(e.input, e.signed) : null,
    signatures: signatures,
    absent: m.absent,
    text: text,
  };
}

export type { CoseSignature } from "../cose/message.js";
export type { Digest } from "../hash/digest.js";
export type { Envelope, UnverifiedManifest } from "../manifest/parse.js";
export type { TextEntry } from "./text.js";
