// Reads envelopes and payloads from files.

import { closeSync, readSync } from "node:fs";
import { looseItemIn } from "@firmseal/behaviour";
import { Failure } from "@firmseal/keys";
import { byteWords, grouped, inputName, openRegular, readAll, STDIO, tooMuch } from "@firmseal/keys/internal";
import { errors, type Source } from "@firmseal/verifier";
import { looksLikeEnvelope, readHead, readItem, taggedKind } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { wrongKind } from "../input/wrong-kind.js";
import { refusalHint, withFileName } from "./refusals.js";
import { refuseOtherForm } from "./true-reason.js";

/** Files up to this size are read whole, larger ones through a window. */
const IN_MEMORY = 64 * 1024 * 1024;

const RECORD_SCHEMA = '"urn:firmseal:release:1"';

/** What to give in place of a file that begins like this. */
const hintFor = (head: Uint8Array): string =>
  Buffer.from(head.subarray(0, 512)).toString("latin1").includes(RECORD_SCHEMA)
    ? "this is the record of a release: give an envelope beside it, or the folder with `product` FILE"
    : refusalHint(errors.ENVELOPE_NONE);

/**
 * Reads an envelope. A file that is clearly of another kind is reported as such, not as damaged CBOR. Reads everything
 * at once: the verified bytes must be the used bytes, even if the file changes meanwhile. `hint`: what to give instead,
 * if more than an envelope fits. Throws a Failure: ENVELOPE_NONE for such a file, USAGE if it is too large, ENVIRONMENT
 * if it cannot be read.
 */
export function readEnvelopeFile(path: string, hint?: string): Uint8Array {
  return admitted(
    path,
    readAll(path, LIMITS.envelope, (head) => refuseOtherKind(path, head, hint)),
  );
}

/**
 * Like readEnvelopeFile(), for people who want to see a file that no verifier takes: also reads any well-formed CBOR
 * that begins with a map, an array or a tag. It must not be a file of another kind that firmseal knows.
 */
export function readAnyEnvelope(path: string): Uint8Array {
  const isCbor = (head: Uint8Array) => CONTAINERS.includes((head[0] ?? 0) >> 5) && taggedKind(head) === undefined;
  const bytes = readAll(path, LIMITS.envelope, (head) => isCbor(head) || refuseOtherKind(path, head));
  // an image may begin like CBOR
  const isOther = !looksLikeEnvelope(bytes) && (bytes.length > LIMITS.envelopeHead || !looseItemIn(bytes));
  if (isOther) refuseOtherKind(path, bytes);
  return checkSize(path, bytes);
}

/** The major types of an array, a map and a tag (RFC 8949 §3.1). */
const CONTAINERS = [4, 5, 6];

/** Like readEnvelopeFile(), for bytes that the caller has read from the file. */
export function asEnvelope(path: string, bytes: Uint8Array): Uint8Array {
  refuseOtherKind(path, bytes);
  return admitted(path, bytes);
}

function refuseOtherKind(path: string, head: Uint8Array, hint?: string): void {
  if (looksLikeEnvelope(head)) return;
  const name = inputName(path);
  const fault = head.length === 0 ? `${name}: the file is empty` : wrongKind(name, head, "envelope");
  throw new Failure(1, "ERR_ENVELOPE_NONE", fault, hint ?? hintFor(head));
}

/** Maximum number of elements to count: an envelope has at most 16 payloads and a dozen others. */
const MOST_ELEMENTS = 64;

/**
 * The number of bytes in an envelope that belong to no payload. A damaged envelope is counted as far as it can be read;
 * the verifier reports the damage.
 */
function sizeWithoutPayloads(envelope: Uint8Array): number {
  let size = envelope.length;
  try {
    let head = readHead(envelope, 0);
    if (head.kind === "tag") head = readHead(envelope, head.body);
    let at = head.body;
    for (let n = head.kind === "map" ? Math.min(head.value, MOST_ELEMENTS) : 0; n > 0; n--) {
      const key = readItem(envelope, at);
      const value = readItem(envelope, key.end);
      if (key.kind === "text" && value.kind === "bytes") size -= value.value;
      at = value.end;
    }
  } catch {
    // a refusal
  }
  return size;
}

/**
 * Returns the envelope if it has the form of today (refuseOtherForm()), and if everything except its payloads is within
 * the limit.
 */
export function admitted(path: string, envelope: Uint8Array): Uint8Array {
  try {
    refuseOtherForm(checkSize(path, envelope));
  } catch (e) {
    throw withFileName(inputName(path), e);
  }
  return envelope;
}

/** All except the payloads is checked command by command. */
function checkSize(path: string, envelope: Uint8Array): Uint8Array {
  const size = sizeWithoutPayloads(envelope);
  if (size > LIMITS.envelopeHead)
    throw tooMuch(
      `${path}: the envelope has ${byteWords(size)} without its payloads`,
      `the limit is ${grouped(LIMITS.envelopeHead)}: make the manifest shorter`,
    );
  return envelope;
}

/** Reads a file as bytes, or a large file as a Source. "-" is stdin. */
export function readSource(path: string): Uint8Array | Source {
  if (path === STDIO) return readAll(path, LIMITS.stdin);
  const { fd, size } = openRegular(path);
  if (size <= IN_MEMORY) {
    closeSync(fd);
    return readAll(path, IN_MEMORY);
  }
  return {
    length: size,
    chunk: 1 << 20,
    read(offset: number, n: number) {
      const out = new Uint8Array(n);
      for (let have = 0; have < n; ) {
        const got = readSync(fd, out, have, n - have, offset + have);
        if (got === 0) return out.subarray(0, have);
        have += got;
      }
      return out;
    },
  };
}
