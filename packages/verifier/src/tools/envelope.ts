// A look into an envelope without believing it: structure and digests are checked, signatures are not. For tools. An Outline is no
// Manifest, and nothing that acts takes one.

import { equalConstantTime } from "../base/bytes.js";
import { refuse } from "../base/refuse.js";
import type { Bytes, Source } from "../base/types.js";
import type { CoseSignature } from "../cose/message.js";
import type { Digest } from "../hash/digest.js";
import { sha256 } from "../hash/sha256.js";
import { sha384, sha512 } from "../hash/sha512.js";
import { checkCommands } from "../interpreter/run.js";
import { type Envelope, parseHead, parseManifest, type UnverifiedManifest } from "../manifest/parse.js";
import { DIGEST_MANIFEST, TEXT_KEY } from "../spec/errors.js";
import { checkElement, checkPayloads, checkSevered, signedDigest, wrapper } from "../trust/open.js";
import { parseText, type TextEntry } from "./text.js";

/** A tool has room: bytes of the manifest, and of what is severed from it, that it holds. */
const MAX_MEMORY = 16777216;

export interface UnverifiedEnvelope {
  envelope: Envelope;
  manifest: UnverifiedManifest;
  /** What the wrapper says; null where there is no wrapper. */
  digest: Digest | null;
  /** The bytes that signatures are made over: the encoded SUIT_Digest. */
  message: Bytes | null;
  signatures: CoseSignature[];
  /** Severable elements that are not at hand, by number. */
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

/** Every component that a text speaks of must be one of the manifest's (M37 §8.4.4). */
function checkTextComponents(text: TextEntry[], m: UnverifiedManifest): void {
  var i, k;
  for (i = 0; i < text.length; i++)
    for (k = 0; k < text[i].components.length; k++) if (!isComponent(text[i].components[k].id, m)) refuse(TEXT_KEY);
}

/**
 * Reads an envelope, signed or not, also with the code points of the family that open() does not run. Throws the refusals of open() that
 * concern bytes, structure and digests.
 */
export function decodeEnvelope(input: Bytes | Source): UnverifiedEnvelope {
  var host = { memory: MAX_MEMORY, sha256: sha256, sha384: sha384, sha512: sha512 },
    e = parseHead(input, host, true),
    w = e.wrapper ? wrapper(e.wrapper, host) : null,
    sum = w && signedDigest(e.input, w.at),
    m,
    text;
  if (sum) checkElement(e.input, e.manifestElement, sum, host, DIGEST_MANIFEST);
  m = parseManifest(e);
  checkSevered(e, m, host);
  checkCommands(m);
  checkPayloads(e, m);
  text = m.text ? parseText(m.text) : [];
  checkTextComponents(text, m);
  return {
    envelope: e,
    manifest: m,
    digest: sum,
    message: w && w.message,
    signatures: w ? w.signatures : [],
    absent: m.absent,
    text: text,
  };
}

export type { CoseSignature } from "../cose/message.js";
export type { Digest } from "../hash/digest.js";
export type { Envelope, UnverifiedManifest } from "../manifest/parse.js";
export type { TextEntry } from "./text.js";
