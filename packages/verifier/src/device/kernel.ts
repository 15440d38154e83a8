// Ed25519 and ES256 by the machine code of @firmseal/kernel, on Espruino. It decides only if it has passed its checks
// (machine.ts), and accepts its good sample and refuses the bad one: at each use. In all other cases, the JavaScript of
// ed25519.ts and es256.ts decides: the same, but slowly.

import { ed25519 } from "../alg/ed25519.js";
import { es256 } from "../alg/es256.js";
import { copied, rawKey } from "../base/bytes.js";
import type { Alg, Bytes, Host, Prepared } from "../base/types.js";
import { digestOf } from "../hash/digest.js";
import { checkMachine, functionOf, type MachineCode, wordOf } from "./machine.js";

/** FIRMSEAL_VALID of the kernel. */
var VALID = 0x5ea1ed25;

/** The functions of one algorithm, see kernel.h. */
interface Kernel {
  /** Where the image has the offsets of its functions and of its sample. */
  verify: number;
  key: number;
  sample: number;
  /** The bytes of a key and a signature, which the message or its digest follows. */
  head: number;
  /** The length of the sample's message, and where a message begins, and its length, for which it is not valid. */
  good: number;
  bad: number;
  badLength: number;
  /** What it runs on, if that has passed the checks. */
  machine: MachineCode | undefined;
}

/** The message of the sample has one byte. */
var ED25519: Kernel = { verify: 12, key: 16, sample: 44, head: 96, good: 1, bad: 96, badLength: 0, machine: undefined };
/** The digest of the sample has one byte after it: 32 bytes from its second one are another digest. */
var ES256: Kernel = { verify: 56, key: 60, sample: 64, head: 129, good: 32, bad: 130, badLength: 32, machine: undefined };

/**
 * Calls a function of the image on what is at `at` of `bytes`, which is flat, and on `n` bytes that are `from` further.
 */
function enter(m: MachineCode, entry: number, bytes: unknown, at: number, from: number, n: number): unknown {
  var run = functionOf(m, entry);
  at += m.engine.getAddressOf(bytes, true);
  return run(at, at + from, n);
}

/** Returns 0 if the image can be used now, or the reason why not: see checkMachine(). 5: the self-test failed. */
function check(k: Kernel, m: MachineCode): number {
  var reason = checkMachine(m);
  var at: number;
  if (reason) {
    return reason;
  }
  at = wordOf(m, k.sample);
  return enter(m, k.verify, m.image, at, k.head, k.good) === VALID && enter(m, k.verify, m.image, at, k.bad, k.badLength) === 0 ? 0 : 5;
}

/** The answer of the kernel for a head and a message, or for a key, or undefined if the kernel cannot be used. */
function ask(k: Kernel, entry: number, pieces: Bytes[]): boolean | undefined {
  var bytes: number[];
  var result: unknown;
  var at = 0;
  var i: number;
  var m = k.machine;
  if (m) {
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
      if (!check(k, m) && m.engine.getAddressOf(bytes, true)) {
        result = enter(m, entry, bytes, 0, k.head, at - k.head);
      }
    } catch (_) {
      // out of memory: the JavaScript may need less in one piece
    }
  }
  return result === VALID ? true : result === 0 ? false : undefined;
}

function use(k: Kernel, m: MachineCode): number {
  var reason = 3;
  try {
    reason = check(k, m);
  } catch (_) {
    // out of memory
  }
  k.machine = reason ? undefined : m;
  return reason;
}

function validEd25519(key: Bytes): boolean {
  var own = copied(key, 32);
  var said = own ? ask(ED25519, ED25519.key, [own]) : false;
  return said === undefined ? ed25519.valid(own as Bytes) : said;
}

function verifyEd25519(key: Bytes | Prepared, message: Bytes, signature: Bytes, given: Host): boolean {
  // a prepared key has its own length, and goes the way of its table
  var raw = copied(key as Bytes, 32);
  var own = copied(signature, 64);
  var text = message && message.length >= 0 && copied(message, message.length);
  var said = raw && own && text ? ask(ED25519, ED25519.verify, [raw, own, text]) : undefined;
  return said === undefined ? ed25519.verify(key, message, signature, given) : said;
}

function validEs256(key: Bytes): boolean {
  var own = copied(key, 65);
  var said = own ? ask(ES256, ES256.key, [own]) : false;
  return said === undefined ? es256.valid(own as Bytes) : said;
}

function verifyEs256(key: Bytes | Prepared, message: Bytes, signature: Bytes, given: Host): boolean {
  var raw = copied(rawKey(key), 65);
  var own = copied(signature, 64);
  var h = given && given.sha256;
  // if the host's hash is not SHA-256, the JavaScript refuses
  var e = message && copied(h && h.once ? h.once(message) : digestOf(message, given || {}), 32);
  var said = raw && own && e ? ask(ES256, ES256.verify, [raw, own, e]) : undefined;
  return said === undefined ? es256.verify(key, message, signature, given) : said;
}

/** Ed25519 as `ed25519`, which decides wherever the machine code is not used. */
export var ed25519Kernel: Alg = { ids: ed25519.ids, valid: validEd25519, verify: verifyEd25519 };

/** ES256 as `es256`, which decides wherever the machine code is not used. The host hashes the message. */
export var es256Kernel: Alg = { ids: es256.ids, valid: validEs256, verify: verifyEs256 };

/**
 * Lets `ed25519Kernel` use this machine code from now on. Each use makes the checks again.
 *
 * @param m - The machine code, and where it is.
 * @returns 0 if it passed its checks, or the reason why not, see `check`.
 */
export function useKernel(m: MachineCode): number {
  return use(ED25519, m);
}

/**
 * Lets `es256Kernel` use this machine code from now on, like useKernel().
 *
 * @param m - The machine code, and where it is.
 * @returns 0 if it passed its checks, or the reason why not, see `check`.
 */
export function useEs256Kernel(m: MachineCode): number {
  return use(ES256, m);
}
