// Machine code of @firmseal/kernel on Espruino: where it is, whether it can be used, and how it is called. It is used
// only if the board is the one that it is for, the stack has room, and its bytes are those that the bundle names. If
// the bundle does not hold it, it is a Storage file. Where flash is mapped into memory, it runs from there and takes no
// RAM. Otherwise it runs from a flat string.
//
// The checks find damage, and code for something else. They do not protect against other code on the board, which could
// change the machine code between a check and its use: such code can change this file too.

import { equalConstantTime } from "../base/bytes.js";
import type { Bytes, Host } from "../base/types.js";

/** A function of the machine code. */
export type MachineFunction = (a: number, b: number, c: number) => unknown;

/** Espruino's global E, as far as machine code needs it. */
export interface KernelE {
  /** Absent on the smallest boards. `at`: an address, or the offset in `code`. */
  nativeCall?(at: number, signature: string, code?: string): MachineFunction;
  getAddressOf(value: unknown, flat: boolean): number;
  toFlatString(text: string): string | undefined;
  toArrayBuffer(text: string): ArrayBuffer;
  toUint8Array(text: string): Bytes;
  /** Absent where nativeCall is. */
  CRC32?(text: string): number;
}

/** Espruino's global process. */
export interface KernelProcess {
  env: { BOARD: string };
  memory(collect: boolean): { stackFree?: number };
}

/** require("Storage"), as far as machine code needs it. */
export interface KernelStorage {
  read(name: string): string | undefined;
}

/**
 * What a bundle knows of its machine code: the board that it is for, SHA-256 over the image, and the image as a binary
 * string, or the name of its Storage file. `crc`: CRC-32 over the image, for boards without native SHA-256.
 */
export interface KernelCode {
  board: string;
  text?(): string;
  file?: string;
  digest(): string;
  crc?: number;
}

/** An image, and the engine that runs it. */
export interface MachineCode {
  engine: KernelE;
  running: KernelProcess;
  host: Host;
  storage: KernelStorage | undefined;
  code: KernelCode;
  /** The image in RAM. */
  inRam?: string | undefined;
  /** The image, in RAM or in flash. */
  image?: string | undefined;
  /** The address of the image in mapped flash, or 0. */
  flash?: number;
  /** The address of the image that passed its checks last. */
  checked?: number;
}

/** The kernel takes 2.4 kB of stack, and interrupts take some on top of it. */
var STACK = 6144;

/** The machine code of a bundle on this engine. `host`: that of espruinoIo(), whose native SHA-256 checks the image. */
export function makeMachine(
  E: KernelE,
  process: KernelProcess,
  host: Host,
  storage: KernelStorage | undefined,
  code: KernelCode,
): MachineCode {
  return { engine: E, running: process, host: host, storage: storage, code: code };
}

/**
 * The address of the image, or 0. It is looked for each time: the engine may have moved it, and Storage may have moved
 * or removed the file.
 */
export function placeOf(m: MachineCode): number {
  var E = m.engine;
  var text = m.code.text;
  // once it is in RAM, the file counts no more: to find one takes long in flash that is not mapped
  var file = m.storage && m.code.file && !m.inRam ? m.storage.read(m.code.file) : undefined;
  // a text in mapped flash has an address of its own
  var at = file ? E.getAddressOf(file, true) : 0;
  m.image = file;
  m.flash = at;
  if (!at && (text || file || m.inRam)) {
    // only now, so that other boards do not need the memory
    m.inRam = m.inRam || E.toFlatString(text ? text() : (file as string));
    m.image = m.inRam || file;
    at = m.inRam ? E.getAddressOf(m.inRam, true) : 0;
  }
  return at;
}

/** A word of the image, which is shorter than 2^16 bytes. */
export function wordOf(m: MachineCode, at: number): number {
  return (m.image as string).charCodeAt(at) + 256 * (m.image as string).charCodeAt(at + 1);
}

/**
 * The function whose offset is the word `entry` of the image, where placeOf() has just found it. Take the addresses of
 * its arguments after this, in the call itself: nothing moves flat memory between them and the call. Only E.defrag()
 * and E.toString() do, and they are not called here.
 */
export function functionOf(m: MachineCode, entry: number): MachineFunction {
  var at = wordOf(m, entry);
  var signature = "int(int,int,int)";
  var call = m.engine.nativeCall as NonNullable<KernelE["nativeCall"]>;
  // with the image as an argument, the engine would copy it from flash to RAM
  return m.flash ? call(m.flash + at, signature) : call(at, signature, m.image);
}

/** The digest of the image that the bundle names. */
export function digestOfImage(m: MachineCode): Bytes {
  return m.engine.toUint8Array(m.code.digest());
}

/**
 * Returns 0 if the image is there and unchanged, or the reason why not: 1 another board or an engine without
 * nativeCall, 2 not enough stack, 3 the image is not in one piece of memory, or not at a multiple of 4, 4 its digest
 * differs or the board cannot compute it, 6 there is no image.
 */
export function checkMachine(m: MachineCode): number {
  var E = m.engine;
  var hash = m.host.sha256;
  var bytes: Bytes;
  var found: Bytes | undefined;
  var at: number;
  m.checked = 0;
  if (!E.nativeCall || m.running.env.BOARD !== m.code.board) {
    return 1;
  }
  // undefined if the engine does not report it
  if (!((m.running.memory(false).stackFree as number) >= STACK)) {
    return 2;
  }
  at = placeOf(m);
  if (!m.image && !m.code.text) {
    return 6;
  }
  if (!at || at % 4) {
    return 3;
  }
  if (m.code.crc !== undefined) {
    m.checked = E.CRC32 && E.CRC32(m.image as string) === m.code.crc ? at : 0;
  } else {
    // the bytes themselves, not a copy of them. A micro verifier may have the one function or the other
    bytes = new Uint8Array(E.toArrayBuffer(m.image as string));
    found = hash && (hash.joined ? hash.joined([bytes]) : hash.once && hash.once(bytes));
    m.checked = found && equalConstantTime(found, digestOfImage(m)) ? at : 0;
  }
  return m.checked ? 0 : 4;
}
