// An envelope that arrives in pieces, for devices that keep it in their flash until it is installed. Its head (wrapper, manifest, severed elements) is
// collected in RAM and authenticated, and held against the device: floor, identity, components, sizes. Only then is anything erased or written. A
// stranger costs some RAM for a moment, and no flash.

import { concat, octetsOf } from "../base/bytes.js";
import { refuse, rethrow } from "../base/refuse.js";
import type { Bytes, Host, Source, Trust } from "../base/types.js";
import { copyBytes, inputOf } from "../cbor/reader.js";
import { parseHead } from "../manifest/parse.js";
import { CBOR_TRUNCATED, HEAD_LENGTH, PAYLOAD_SIZE } from "../spec/errors.js";
import { opened } from "../trust/open.js";
import type { Device } from "./device.js";
import { INSTALL_SECTIONS, prepare } from "./install.js";
import { receivedHead } from "./keep.js";

/** Bytes of a payload's key and of the heads around it, at most: see MAX_URI in manifest/code-points.ts. */
const MAX_PAIR = 1040;

/** What is thrown where the head has not arrived as far as that: no refusal. */
interface Missing {
  until: number;
}

/** The envelope that is arriving. */
export interface Arrival {
  /** Bytes that it has in all, as the sender says, and that have arrived. */
  length: number;
  have: number;
  /** What has arrived of the head; empty once that is authenticated. */
  pieces: Bytes[];
  /** Bytes without which the head cannot be read on; 0: it is authenticated. */
  want: number;
}

/** Where a device puts what arrives: begin() makes room for `n` bytes, write() adds to them. */
export interface Shelf {
  begin(n: number): void;
  write(bytes: Bytes): void;
}

/** What has arrived, as the beginning of an envelope. */
function sourceOf(bytes: Bytes, length: number): Source {
  var from = inputOf(bytes);
  return {
    length: length,
    read: function (at: number, n: number) {
      if (at + n > bytes.length) throw { until: at + n } as Missing;
      return copyBytes(from, at, n);
    },
  };
}

/** Authenticates the head, where all of it is there, and begins to write. */
function authenticate(a: Arrival, trust: Trust, host: Host, device: Device, shelf: Shelf): void {
  var bytes = concat(a.pieces),
    source = sourceOf(bytes, a.length),
    e,
    m,
    head;
  a.pieces = [bytes];
  try {
    e = parseHead(source, host, false);
    // a text may reach further: it is the last element of the head, and is not held
    a.want = e.behind;
  } catch (x) {
    if (!x || !((x as Missing).until > a.have)) throw x;
    a.want = (x as Missing).until;
  }
  if (!e || a.want > a.have) {
    if (a.want > (host.memory || 65536)) refuse(HEAD_LENGTH);
    return;
  }
  m = opened(source, trust, host, false);
  // what follows are payloads, and the manifest says how large they are
  if (a.length - e.behind > (e.left && m.bytes + e.left * MAX_PAIR)) refuse(PAYLOAD_SIZE);
  prepare(m, source, trust, device, host, INSTALL_SECTIONS);
  head = receivedHead(m, host);
  shelf.begin(head.length + a.length - e.behind);
  shelf.write(head);
  shelf.write(copyBytes(inputOf(bytes), e.behind, a.have - e.behind));
  a.pieces = [];
  a.want = 0;
}

/**
 * Takes the next piece of an envelope of `length` bytes; `a`: what came before, or null. Returns what is to be handed in the next time. Throws a refusal, and
 * the envelope is given up.
 */
export function arrive(
  a: Arrival | null,
  bytes: Bytes,
  length: number,
  trust: Trust,
  host: Host | undefined,
  device: Device,
  shelf: Shelf,
): Arrival {
  var next = a || { length: length, have: 0, pieces: [], want: 1 },
    piece;
  try {
    piece = octetsOf(bytes, bytes.length);
    if (length !== next.length || !(piece.length <= length - next.have)) refuse(PAYLOAD_SIZE);
    next.have += piece.length;
    if (!next.want) shelf.write(piece);
    else if (piece.length) {
      // an empty one costs RAM as well
      next.pieces.push(piece);
      if (next.have >= next.want) authenticate(next, trust, host || {}, device, shelf);
    }
  } catch (e) {
    rethrow(e);
  }
  return next;
}

/** Refuses what has not arrived whole. */
export function arrived(a: Arrival | null): void {
  if (!a || a.want || a.have !== a.length) refuse(CBOR_TRUNCATED);
}
