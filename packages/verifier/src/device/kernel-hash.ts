// SHA-256 and SHA-512 by the machine code of @firmseal/kernel, for boards of Espruino whose firmware lacks them. A text
// in mapped flash and bytes in flat memory are hashed where they are.

import { equalConstantTime } from "../base/bytes.js";
import type { Bytes, Hash, HashState, Host } from "../base/types.js";
import { checkMachine, digestOfImage, functionOf, type Machine, placeOf } from "./machine.js";

/** Where the image has the offsets of the functions of SHA-256, see kernel.h. Those of SHA-512 follow. */
var BEGIN = 20;
var UPDATE = 24;
var FINISH = 28;
/** What is copied at once where the input is not in flat memory. */
var STEP = 512;

/** What the machine code takes in: also a text, or several pieces, as Espruino's own hashes do. */
type Hashed = string | Bytes | (number | Bytes)[];

/** A hash in progress. The state, the digest, and room for input are one piece of flat memory. */
interface Work {
  m: Machine;
  wide: number;
  /** `wide` = 0: 104 bytes of state, 32 of the digest. 1: 200 and 64. */
  bytes: Uint8Array;
  room: number;
}

/** Calls the machine code on the state. `data`: the input, or the bytes of `w` for the input in its room. */
function call(w: Work, entry: number, data: unknown, n: number): void {
  var E = w.m.engine;
  // Storage has moved the file, or another one has its name
  var reason = placeOf(w.m) === w.m.checked ? 0 : checkMachine(w.m);
  var run = reason ? undefined : functionOf(w.m, entry + 12 * w.wide);
  var at = E.getAddressOf(w.bytes, true);
  var from = data === w.bytes ? at + w.room : E.getAddressOf(data, true);
  // no memory in one piece, or other code on the board has removed the file or moved memory
  if (!run || !at || at % 4 || !from) {
    throw new Error("no machine code");
  }
  run(at, entry === FINISH ? at + 104 + 96 * w.wide : from, n);
}

/** Starts a hash, with room for `n` bytes of input. */
function begin(m: Machine, wide: number, n: number): Work {
  var room = 136 + 128 * wide;
  var w = { m: m, wide: wide, bytes: new Uint8Array(room + n), room: room };
  call(w, BEGIN, w.bytes, 0);
  return w;
}

/** Takes in a text or bytes: in place, or piece by piece. */
function update(w: Work, data: string | Bytes): void {
  var input = typeof data === "string" || (data as unknown) instanceof Uint8Array ? data : new Uint8Array(data);
  var n = input.length;
  var at: number;
  var step: number;
  if (n && w.m.engine.getAddressOf(input, true)) {
    call(w, UPDATE, input, n);
    return;
  }
  for (at = 0; at < n; at += step) {
    step = n - at < w.bytes.length - w.room ? n - at : w.bytes.length - w.room;
    w.bytes.set(
      typeof input === "string" ? w.m.engine.toUint8Array(input.substring(at, at + step)) : (input as Uint8Array).subarray(at, at + step),
      w.room,
    );
    call(w, UPDATE, w.bytes, step);
  }
}

function finish(w: Work): Bytes {
  call(w, FINISH, w.bytes, 0);
  return w.bytes.subarray(104 + 96 * w.wide, w.room);
}

function makeHash(m: Machine, wide: number): Hash {
  function once(data: Hashed): Bytes {
    var pieces = data as (number | Bytes)[];
    var n = 0;
    var i: number;
    var piece: number | Bytes;
    var w: Work;
    if (typeof data === "string" || (data as unknown) instanceof Uint8Array) {
      w = begin(m, wide, STEP);
      update(w, data as string | Bytes);
      return finish(w);
    }
    for (i = 0; i < pieces.length; i++) {
      n += typeof pieces[i] === "number" ? 1 : (pieces[i] as Bytes).length;
    }
    w = begin(m, wide, n);
    n = w.room;
    for (i = 0; i < pieces.length; i++) {
      piece = pieces[i];
      if (typeof piece === "number") {
        w.bytes[n++] = piece;
      } else {
        w.bytes.set(piece, n);
        n += piece.length;
      }
    }
    call(w, UPDATE, w.bytes, n - w.room);
    return finish(w);
  }

  function create(): HashState {
    var w = begin(m, wide, STEP);
    return {
      update: function (bytes: Bytes) {
        update(w, bytes);
      },
      digest: function () {
        return finish(w);
      },
    };
  }

  return { create: create, once: once, joined: once };
}

/**
 * Gives `host` the hashes of the machine code, if it passes its checks and hashes itself to its digest. Returns 0 or
 * the reason why not: see checkMachine(). 5: the self-test failed.
 */
export function useHashes(m: Machine, host: Host): number {
  var reason = 3;
  var hash = makeHash(m, 0);
  try {
    reason = checkMachine(m) || (equalConstantTime((hash.once as (data: Hashed) => Bytes)(m.image as string), digestOfImage(m)) ? 0 : 5);
  } catch (_) {
    // out of memory
  }
  if (!reason) {
    host.sha256 = hash;
    host.sha512 = makeHash(m, 1);
  }
  return reason;
}
