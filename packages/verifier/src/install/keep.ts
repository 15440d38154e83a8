// What boot() needs of an installed release: the digest, the signatures that count, the manifest, and the payloads if a
// start fetches them. Other signatures, severed elements and texts would cost flash, and time at every start.

import { concat, equalConstantTime } from "../base/bytes.js";
import { HAS_TRUST } from "../base/features.js";
import { refuse } from "../base/refuse.js";
import type { Bytes, Host, Source } from "../base/types.js";
import { copyBytes, copySlice } from "../cbor/reader.js";
import { type Signature, stringHead } from "../cose/message.js";
import { digestPieces } from "../hash/digest.js";
import type { Manifest } from "../manifest/manifest.js";
import { DEVICE_FAULT } from "../spec/errors.generated.js";
import { ENV_AUTHENTICATION_WRAPPER, ENV_MANIFEST } from "../spec/suit.js";
import type { ComponentId } from "./device.js";

/** The component identifier of a trust file: the letters "trust". */
export var TRUST_COMPONENT: ComponentId = [[116, 114, 117, 115, 116]];

/** The index of the component of trust files; -1 if there is none. */
export function trustIndex(all: ComponentId[]): number {
  var i = all.length;
  while (i-- && !(all[i].length === 1 && equalConstantTime(all[i][0], TRUST_COMPONENT[0])));
  return i;
}

/**
 * The signatures to keep. The verified ones come first, so that a start verifies no others. Then come two by unknown
 * keys: the next firmware may trust one of them, and could not start otherwise. A release with a trust file keeps all
 * signatures, because nextTrust() needs those by keys of the new list.
 */
function keptSignatures(m: Manifest): Signature[] {
  var good: Signature[] = [],
    others: Signature[] = [],
    most = 2,
    i,
    s;
  if (HAS_TRUST && m.trustAt >= 0) most = m.signatures.length;
  for (i = 0; i < m.signatures.length; i++) {
    s = m.signatures[i];
    if (s.good) good.push(s);
    else if (others.length < most) others.push(s);
  }
  return good.concat(others);
}

/**
 * Assembles an untagged envelope of `n` pairs, below 24, with the signatures `list`. Everything after the wrapper, from
 * the manifest up to `end`, is copied unchanged. All of it is in RAM. Signatures are read again and compared with what
 * was read first.
 */
function rebuilt(m: Manifest, list: Signature[], host: Host, n: number, end: number): Bytes {
  var src = m.parsed.input,
    at = m.parsed.signed,
    from = m.parsed.manifestElement.whole.at,
    // the array: the digest, and a block for each signature, below 24
    pieces: Bytes[] = [[], [129 + list.length], stringHead(at.n), copySlice(src, at)],
    length = 0,
    i,
    s,
    first,
    last,
    multiple;
  for (i = 0; i < list.length; i++) {
    s = list[i];
    first = copySlice(src, s.head);
    last = copySlice(src, s.body);
    if (!equalConstantTime(digestPieces([first, last], host), s.sum as Bytes)) refuse(DEVICE_FAULT);
    multiple = s.multiple ? [129] : [];
    pieces.push(stringHead(first.length + multiple.length + last.length), first, multiple, last);
  }
  for (i = 0; i < pieces.length; i++) length += pieces[i].length;
  pieces[0] = concat([[160 + n, ENV_AUTHENTICATION_WRAPPER], stringHead(length)]);
  pieces.push([ENV_MANIFEST], copyBytes(src, from, end - from));
  return concat(pieces);
}

/**
 * The head of an envelope to receive: with the signatures to keep. `m`: its authenticated head. The payloads follow
 * unchanged.
 */
export function receivedHead(m: Manifest, host: Host): Bytes {
  var e = m.parsed;
  return rebuilt(m, keptSignatures(m), host, 2 + e.severed.length + e.left + e.payloads.length, e.behind);
}

/**
 * Assembles what to keep of an envelope, from RAM, regardless of later changes to `input`. If a start fetches payloads,
 * they are kept too.
 *
 * @param m - The open manifest.
 * @param input - Its envelope.
 * @param host - Hash functions.
 * @returns What to keep. With payloads, it is `input` itself if no signature is removed, because it may already be in
 *   its final place.
 */
export function keptOf(m: Manifest, input: Bytes | Source, host: Host): Bytes | Source {
  var e = m.parsed,
    list = keptSignatures(m),
    i = 0;
  if (!m.loads) return rebuilt(m, list, host, 2, e.manifestElement.whole.at + e.manifestElement.whole.n);
  while (i < list.length && list[i] === m.signatures[i]) i++;
  return i === m.signatures.length ? input : rebuilt(m, list, host, 2 + e.severed.length + e.payloads.length, e.input.n);
}
