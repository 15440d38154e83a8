// SHA-256 and SHA-512 by the machine code of @firmseal/kernel, for boards of Espruino whose firmware lacks them. A text
// in mapped flash and bytes in flat memory are hashed where they are.

import { equalConstantTime } from "../base/bytes.js";
import type { Bytes, Hash, HashState, Host } from "../base/types.js";
import { checkMachine, digestOfImage, functionOf, type MachineCode, type MachineFunction, placeOf } from "./machine.js";

/** Where the image has the offsets of the functions of SHA-256, see kernel.h. Those of SHA-512 follow. */
var BEGIN = 20;
var UPDATE = 24;
var FINISH = 28;
var ONCE = 48;
/** What is copied at once where the input is not in flat memory. */
var STEP = 512;

/** What the machine code takes in: also a text, or several pieces, as Espruino's own hashes do. */
type Hashed = string | Bytes | (number | Bytes)[];

/** Whether it is a text, or bytes, that can be in one piece of memory. */
function isWhole(data: Hashed): boolean {
  return typeof data === "string" || (data as unknown) instanceof Uint8Array;
}

function fail(): never {
  throw new Error("no machine code");
}

/** Makes sure that the image is the one that was checked: Storage may have moved the file. Returns its address. */
function ready(m: MachineCode): number {
  var place = placeOf(m);
  return place && (place === m.checked || !checkMachine(m)) ? place : fail();
}

/** The address of flat memory. `state`: it has to be a multiple of 4. */
function addressOf(m: MachineCode, data: unknown, state: boolean): number {
  var at = m.engine.getAddressOf(data, true);
  // not in one piece; or moved by other code on the board
  return at && !(state && at % 4) ? at : fail();
}

/** SHA-256 (`wide` = 0) or SHA-512 (1). A call takes the engine longer than a block takes the machine code. */
function makeHash(m: MachineCode, wide: number): Hash {
  var size = 32 + 32 * wide;
  var stateSize = 104 + 96 * wide;
  var at = 0;
  var run: MachineFunction;

  /** In pieces, with the state, the digest and room for input in one piece of memory. */
  function create(): HashState {
    var work = new Uint8Array(stateSize + size + STEP);

    function step(entry: number, input: unknown, n: number): void {
      var call = ready(m) && functionOf(m, entry + 12 * wide);
      var state = addressOf(m, work, true);
      (call as MachineFunction)(state, input === work ? state + stateSize + (entry === FINISH ? 0 : size) : addressOf(m, input, false), n);
    }

    step(BEGIN, work, 0);
    return {
      update: function (bytes: Bytes) {
        var data = isWhole(bytes) ? bytes : new Uint8Array(bytes);
        var n = data.length;
        var i: number;
        var some: number;
        if (n && m.engine.getAddressOf(data, true)) {
          step(UPDATE, data, n);
          return;
        }
        for (i = 0; i < n; i += some) {
          some = n - i < STEP ? n - i : STEP;
          work.set(
            typeof data === "string"
              ? m.engine.toUint8Array((data as string).substring(i, i + some))
              : (data as Uint8Array).subarray(i, i + some),
            stateSize + size,
          );
          step(UPDATE, work, some);
        }
      },
      digest: function () {
        step(FINISH, work, 0);
        return work.subarray(stateSize, stateSize + size);
      },
    };
  }

  function once(data: Hashed): Bytes {
    var pieces = data as (number | Bytes)[];
    var n = size;
    var place = ready(m);
    var out: Uint8Array;
    var state: HashState;
    var i: number;
    if (place !== at) {
      at = place;
      run = functionOf(m, ONCE + 4 * wide);
    }
    if (isWhole(data)) {
      if (!data.length || !m.engine.getAddressOf(data, true)) {
        state = create();
        state.update(data as Bytes);
        return state.digest();
      }
      out = new Uint8Array(size);
      run(addressOf(m, data, false), data.length, addressOf(m, out, false));
      return out;
    }
    for (i = 0; i < pieces.length; i++) {
      n += typeof pieces[i] === "number" ? 1 : (pieces[i] as Bytes).length;
    }
    out = new Uint8Array(n);
    n = size;
    for (i = 0; i < pieces.length; i++) {
      if (typeof pieces[i] === "number") {
        out[n++] = pieces[i] as number;
      } else {
        out.set(pieces[i] as Bytes, n);
        n += (pieces[i] as Bytes).length;
      }
    }
    i = addressOf(m, out, false);
    run(i + size, n - size, i);
    return out.subarray(0, size);
  }

  return { create: create, once: once, joined: once };
}

/**
 * Gives `host` the hashes of the machine code, if it passes its checks and hashes itself to its digest. Returns 0 or
 * the reason why not: see checkMachine(). 5: the self-test failed.
 */
export function useHashes(m: MachineCode, host: Host): number {
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
