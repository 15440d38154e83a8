// Ed25519 by the machine code of @firmseal/kernel, on Espruino. It decides only if it has passed its checks
// (machine.ts), and accepts its good sample and refuses the bad one: at each use. In all other cases, the JavaScript of
// ed25519.ts decides: the same, but slowly.

import { ed25519 } from "../alg/ed25519.js";
import { copied } from "../base/bytes.js";
import type { Alg, Bytes, Host, Prepared } from "../base/types.js";
import { checkMachine, functionOf, type Machine, wordOf } from "./machine.js";

/** FIRMSEAL_VALID of the kernel. */
var VALID = 0x5ea1ed25;
/** Where the image has the offsets of its functions and of its sample, see kernel.h. */
var VERIFY = 12;
var KEY = 16;
var SAMPLE = 44;

/** What useKernel() was given, if it passed. */
var machine: Machine | undefined;

/** Calls a function of the image on 96 bytes at `at` of `bytes`, which is flat, and on the `n` bytes that follow them. */
function enter(m: Machine, entry: number, bytes: unknown, at: number, n: number): unknown {
  var run = functionOf(m, entry);
  at += m.engine.getAddressOf(bytes, true);
  return run(at, at + 96, n);
}

/** Returns 0 if the image can be used now, or the reason why not: see checkMachine(). 5: the self-test failed. */
function check(m: Machine): number {
  var reason = checkMachine(m);
  var at: number;
  if (reason) {
    return reason;
  }
  at = wordOf(m, SAMPLE);
  // its message has one byte
  return enter(m, VERIFY, m.image, at, 1) === VALID && enter(m, VERIFY, m.image, at, 0) === 0 ? 0 : 5;
}

/** The answer of the kernel for 96 bytes and a message, or undefined if the kernel cannot be used. */
function ask(entry: number, pieces: Bytes[]): boolean | undefined {
  var bytes: number[];
  var result: unknown;
  var at = 0;
  var i: number;
  if (machine) {
    try {
      for (i = 0; i < pieces.length; i++) {
        at += pieces[i].length;
      }
      bytes = new Uint8Array(at) as unknown as number[];
      at = 0;
      for (i = 0; i < pieces.length; i++) {
        (bytes as unknown as Uint8Array).set(pieces[i], at);
        at += pieces[i].length;
      }
      if (!check(machine) && machine.engine.getAddressOf(bytes, true)) {
        result = enter(machine, entry, bytes, 0, at - 96);
      }
    } catch (_) {
      // out of memory: the JavaScript may need less in one piece
    }
  }
  return result === VALID ? true : result === 0 ? false : undefined;
}

function valid(key: Bytes): boolean {
  var own = copied(key, 32);
  var said = own ? ask(KEY, [own]) : false;
  return said === undefined ? ed25519.valid(own as Bytes) : said;
}

function verify(key: Bytes | Prepared, message: Bytes, signature: Bytes, given: Host): boolean {
  // a prepared key has its own length, and goes the way of its table
  var raw = copied(key as Bytes, 32);
  var own = copied(signature, 64);
  var text = copied(message, message.length);
  var said = raw && own && text ? ask(VERIFY, [raw, own, text]) : undefined;
  return said === undefined ? ed25519.verify(key, message, signature, given) : said;
}

/** Ed25519 as `ed25519`, which decides wherever the machine code is not used. */
export var ed25519Kernel: Alg = { ids: ed25519.ids, valid: valid, verify: verify };

/**
 * Lets `ed25519Kernel` use this machine code from now on. Returns 0 if it passed its checks, or the reason why not, see
 * `check`. Each use makes the checks again.
 */
export function useKernel(m: Machine): number {
  var reason = 3;
  try {
    reason = check(m);
  } catch (_) {
    // out of memory
  }
  machine = reason ? undefined : m;
  return reason;
}
