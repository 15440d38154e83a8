// What boot() will want again of a release that has been installed: the digest, the signatures that count, the manifest, and, where a start
// fetches them, the payloads. Heaps of signatures, severed elements and texts would cost flash and time at every start.

import { concat, equalConstantTime } from "../base/bytes.js";
import { HAS_TRUST } from "../base/features.js";
import { refuse } from "../base/refuse.js";
import type { Bytes, Host, Source } from "../base/types.js";
import { copyBytes, copySlice } from "../cbor/reader.js";
import { type Signature, stringHead } from "../cose/message.js";
import { digestPieces } from "../hash/digest.js";
import type { Manifest } from "../manifest/manifest.js";
import { DEVICE_FAULT } from "../spec/errors.js";
import { ENV_AUTHENTICATION_WRAPPER, ENV_MANIFEST } from "../spec/suit.js";
import type { ComponentId } from "./device.js";

/** The component that a trust file travels as: the letters "trust". */
export var TRUST_COMPONENT: ComponentId = [[116, 114, 117, 115, 116]];

/**
 * The signatures that are kept: those that were verified come first, so that a start pays for no other. Behind them two of keys that are not known here: the next
 * firmware may trust one of them, and would not start otherwise. A release that brings a trust file keeps all, for nextTrust() asks for those of the new list.
 */
function keptSignatures(m: Manifest): Signature[] {
  var good: Signature[] = [],
    others: Signature[] = [],
    most = 2,
    i,
    s,
    c;
  if (HAS_TRUST)
    for (i = 0; i < m.components.length; i++) {
      c = m.components[i];
      if (c.length === 1 && equalConstantTime(c[0], TRUST_COMPONENT[0])) most = m.signatures.length;
    }
  for (i = 0; i < m.signatures.length; i++) {
    s = m.signatures[i];
    if (s.good) good.push(s);
    else if (others.length < most) others.push(s);
  }
  return good.concat(others);
}

/**
 * An untagged envelope of `n` pairs, below 24, with the signatures `list`: what comes behind the wrapper, from the manifest up to `end`, is as it was. All of it in
 * RAM. Signatures are read once more, and are those that were read first.
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
 * The head of an envelope as it is to be received: with the signatures that are kept. `m`: its authenticated head. The payloads follow as they are.
 */
export function receivedHead(m: Manifest, host: Host): Bytes {
  var e = m.parsed;
  return rebuilt(m, keptSignatures(m), host, 2 + e.severed.length + e.left, e.behind);
}

/**
 * What is to be kept of `m`, whose envelope is `input`: put together from what is in RAM, whatever `input` has become. A start that fetches wants the payloads,
 * too: then it is `input` itself where no signature is left out, for it may lie where it is going to stay.
 */
export function keptOf(m: Manifest, input: Bytes | Source, host: Host): Bytes | Source {
  var e = m.parsed,
    list = keptSignatures(m),
    i = 0;
  if (!m.loads) return rebuilt(m, list, host, 2, e.manifestElement.whole.at + e.manifestElement.whole.n);
  while (i < list.length && list[i] === m.signatures[i]) i++;
  return i === m.signatures.length ? input : rebuilt(m, list, host, 2 + e.severed.length + e.payloads.length, e.input.n);
}
