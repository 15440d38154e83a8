// Receives an envelope in pieces, for devices that store it in flash until it is installed. Its head (wrapper,
// manifest, severed elements) is collected in RAM, authenticated, and checked against the device: floor, identity,
// components, sizes. Only then is anything erased or written. So an unauthenticated sender can occupy some RAM for a
// moment, but no flash.

import { concat, octetsOf } from "../base/bytes.js";
import { HAS_TRUST } from "../base/features.js";
import { refuse, rethrow } from "../base/refuse.js";
import type { Bytes, Host, Source, Trust } from "../base/types.js";
import { copyBytes, inputOf, MAX_LOADED } from "../cbor/reader.js";
import { parseHead } from "../manifest/parse.js";
import { CBOR_TRUNCATED, HEAD_LENGTH, PAYLOAD_SIZE } from "../spec/errors.generated.js";
import { opened, TO_RECEIVE } from "../trust/open.js";
import type { Device } from "./device.js";
import { prepare } from "./install.js";
import { receivedHead } from "./keep.js";

/** Maximum bytes of the key of a payload and of the heads around it: see MAX_URI in manifest/code-points.ts. */
const MAX_PAIR = 1040;

/** Thrown if the head has not arrived completely. Not a refusal. */
interface Missing {
  until: number;
}

/** An incoming envelope. */
export interface Arrival {
  /** The total number of bytes, as the sender claims, and the number that has arrived. */
  length: number;
  have: number;
  /** The parts of the head that have arrived; empty once it is authenticated. */
  pieces: Bytes[];
  /** The number of bytes needed to continue reading the head; 0 once it is authenticated. */
  want: number;
}

/** Where a device stores the incoming envelope: begin() reserves `n` bytes, write() appends. */
export interface Shelf {
  begin(n: number): void;
  write(bytes: Bytes): void;
}

/** The bytes that have arrived, as the beginning of an envelope. */
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

/** Authenticates the head once it is complete, and begins to write. */
function authenticate(a: Arrival, trust: Trust, host: Host, device: Device, shelf: Shelf): void {
  var bytes = concat(a.pieces),
    source = sourceOf(bytes, a.length),
    e,
    m,
    head;
  a.pieces = [bytes];
  try {
    e = parseHead(source, host, false);
    // a text may extend further: it is the last element of the head, and is not held in RAM
    a.want = e.behind;
  } catch (x) {
    if (!x || !((x as Missing).until > a.have)) throw x;
    a.want = (x as Missing).until;
  }
  if (!e || a.want > a.have) {
    if (a.want > (host.memory || MAX_LOADED)) refuse(HEAD_LENGTH);
    return;
  }
  m = opened(source, trust, host, TO_RECEIVE);
  // payloads follow, and the manifest has their size
  if (a.length - e.behind > (e.left && m.bytes + e.left * MAX_PAIR)) refuse(PAYLOAD_SIZE);
  try {
    prepare(m, source, trust, device, host, true);
  } catch (x) {
    // a release below the floor may bring the trust file by which counting begins again: it is needed in RAM, too
    a.want = HAS_TRUST && (x as { cause?: Missing }).cause ? ((x as { cause: Missing }).cause.until as number) : 0;
    if (!(a.want > a.have)) throw x;
    if (a.want > (host.memory || 65536)) refuse(HEAD_LENGTH);
    return;
  }
  head = receivedHead(m, host);
  shelf.begin(head.length + a.length - e.behind);
  shelf.write(head);
  shelf.write(copyBytes(inputOf(bytes), e.behind, a.have - e.behind));
  a.pieces = [];
  a.want = 0;
}

/**
 * Accepts the next piece of an envelope of `length` bytes. `a`: the result of the previous call, or null. Returns the
 * argument for the next call. Throws a Refusal and discards the envelope.
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
      // even an empty piece costs RAM
      next.pieces.push(piece);
      if (next.have >= next.want) authenticate(next, trust, host || {}, device, shelf);
    }
  } catch (e) {
    rethrow(e);
  }
  return next;
}

/** Refuses an incomplete envelope. */
export function arrived(a: Arrival | null): void {
  if (!a || a.want || a.have !== a.length) refuse(CBOR_TRUNCATED);
}
