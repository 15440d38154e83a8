// Ed25519 by the machine code of @firmseal/kernel, on Espruino: E.nativeCall() runs it from a flat string. It is used
// only if the board is the one that it is for, the stack has room, its SHA-256 is that of the bundle, and it accepts
// its good sample and refuses the bad one: at each use. In all other cases, the JavaScript of ed25519.ts decides: the
// same, but slowly. Does not protect against other code on the board, which could change the machine code between these
// checks and its use: such code can change this file too.

import { ed25519 } from "../alg/ed25519.js";
import { copied, equalConstantTime } from "../base/bytes.js";
import type { Alg, Bytes, Host, Prepared } from "../base/types.js";

/** Espruino's global E, as far as machine code needs it. */
export interface KernelE {
  /** Absent on the smallest boards. */
  nativeCall?(offset: number, signature: string, code: string): (key: number, message: number, length: number) => unknown;
  getAddressOf(value: unknown, flat: boolean): number;
  toFlatString(text: string): string | undefined;
  toArrayBuffer(text: string): ArrayBuffer;
  toUint8Array(text: string): Bytes;
}

/** Espruino's global process. */
export interface KernelProcess {
  env: { BOARD: string };
  memory(collect: boolean): { stackFree?: number };
}

/** The machine code: the board that it is for, its image as a binary string, and SHA-256 over it. */
export interface KernelCode {
  board: string;
  text(): string;
  digest(): string;
}

/** FIRMSEAL_VALID of the kernel. */
var VALID = 0x5ea1ed25;
/** Where the image has the offsets of its functions and of its sample, see kernel.h. */
var VERIFY = 12;
var KEY = 16;
var SAMPLE = 44;
/** The kernel takes 2.4 kB of stack, and interrupts take some on top of it. */
var STACK = 6144;

/** What useKernel() was given, and the image as a flat string. */
var engine: KernelE;
var running: KernelProcess;
var host: Host;
var code: KernelCode;
var image: string | undefined;

/** A word of the image, which is shorter than 2^16 bytes. */
function word(at: number): number {
  return (image as string).charCodeAt(at) + 256 * (image as string).charCodeAt(at + 1);
}

/**
 * Calls a function of the image on 96 bytes at `at` of `bytes`, which is flat, and on the `n` bytes that follow them.
 * Nothing moves flat memory between the two addresses and the call: only E.defrag() and E.toString() do, and they are
 * not called here.
 */
function enter(entry: number, bytes: unknown, at: number, n: number): unknown {
  var native = (engine.nativeCall as NonNullable<KernelE["nativeCall"]>)(word(entry), "int(int,int,int)", image as string);
  at += engine.getAddressOf(bytes, true);
  return native(at, at + 96, n);
}

/**
 * Returns 0 if the image can be used now, or the reason why not: 1 another board or an engine without nativeCall, 2 not
 * enough stack, 3 the image is not in flat memory, or not at a multiple of 4, 4 its digest differs or the board cannot
 * compute it natively, 5 the self-test failed.
 */
function check(): number {
  var hash = host.sha256;
  var bytes: Bytes;
  var found: Bytes | undefined;
  var at: number;
  if (!engine.nativeCall || running.env.BOARD !== code.board) {
    return 1;
  }
  // undefined if the engine does not report it
  if (!((running.memory(false).stackFree as number) >= STACK)) {
    return 2;
  }
  // only now, so that other boards do not need the memory
  image = image || engine.toFlatString(code.text());
  at = image ? engine.getAddressOf(image, true) : 0;
  if (!image || !at || at % 4) {
    return 3;
  }
  // the bytes themselves, not a copy of them. A micro verifier may have the one function or the other
  bytes = new Uint8Array(engine.toArrayBuffer(image));
  found = hash && (hash.joined ? hash.joined([bytes]) : hash.once && hash.once(bytes));
  if (!found || !equalConstantTime(found, engine.toUint8Array(code.digest()))) {
    return 4;
  }
  at = word(SAMPLE);
  // its message has one byte
  return enter(VERIFY, image, at, 1) === VALID && enter(VERIFY, image, at, 0) === 0 ? 0 : 5;
}

/** The answer of the kernel for 96 bytes and a message, or undefined if the kernel cannot be used. */
function ask(entry: number, pieces: Bytes[]): boolean | undefined {
  var bytes: number[];
  var result: unknown;
  var at = 0;
  var i: number;
  if (image) {
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
      if (!check() && engine.getAddressOf(bytes, true)) {
        result = enter(entry, bytes, 0, at - 96);
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
 * Lets `ed25519Kernel` use machine code from now on, with Espruino's globals E and process, and the host of
 * espruinoIo(). Returns 0 if the image passed its checks, or the reason why not, see `check`. Each use makes the checks
 * again.
 */
export function useKernel(E: KernelE, process: KernelProcess, hashes: Host, machine: KernelCode): number {
  var reason = 3;
  engine = E;
  running = process;
  host = hashes;
  code = machine;
  image = undefined;
  try {
    reason = check();
  } catch (_) {
    // out of memory
  }
  if (reason) {
    image = undefined;
  }
  return reason;
}
