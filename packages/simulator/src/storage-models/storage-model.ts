// A model of Espruino's Storage, following its jsflash.c, on flash with power cuts: which words are written, which
// pages are erased, in which order, and how the next start interprets them. Not modelled: the table of file names on
// boards with large external flash, which is created after 200 changes, and a second bank. It is one file, like the
// jsflash.c that it is compared with, function by function.

import { createHash } from "node:crypto";
import type { EspruinoE, EspruinoStorage, StorageIo } from "@firmseal/verifier/device/storage";
import type { FlashModel } from "./flash-model.js";
import { WORD } from "./flash-operations.js";

/** Size and flags in one word, then the name. */
const HEADER_LENGTH = 32;
const NAME_LENGTH = 28;
const ERASED_WORD = 0xffffffff;
/** No address. */
const NO_ADDRESS = -1;

interface Header {
  /** The first word: size in the lower 24 bits, flags above. */
  word: number;
  name: Uint8Array;
}

interface FilePlace {
  address: number;
  header: Header;
}

interface Chain {
  files: FilePlace[];
  behind: FilePlace;
}

interface Stats {
  fileBytes: number;
  trashBytes: number;
  free: number;
  firstPageWithErasedFiles: number;
}

const sizeIn = (header: Header) => header.word % 0x1000000;
const flagsIn = (header: Header) => Math.floor(header.word / 0x1000000);
const aligned = (n: number) => Math.ceil(n / WORD) * WORD;
const removed = (header: Header) => header.name.subarray(0, 4).every((b) => b === 0);

const toOctets = (data: string | ArrayLike<number>) => (typeof data === "string" ? Buffer.from(data, "latin1") : Uint8Array.from(data));

function nameBytes(text: string): Uint8Array {
  const name = new Uint8Array(NAME_LENGTH);
  name.set(Buffer.from(text, "latin1").subarray(0, NAME_LENGTH));
  return name;
}

const fragile = new WeakMap<FlashModel, Set<number>>();

/**
 * The operations that wrote the first word of a header. If the power fails in the middle of such a word, its bits give
 * another size. It is then not a header and is overwritten. If it is in the last page, the next start finds an invalid
 * Storage, and most boards then erase all of it.
 */
export function fragileIn(flash: FlashModel): Set<number> {
  const known = fragile.get(flash) ?? new Set<number>();
  fragile.set(flash, known);
  return known;
}

/** The files of a flash, until a header changes: all models of it see the same. */
const chains = new WeakMap<FlashModel, Chain>();

/** An error that Espruino throws. */
class StorageError extends Error {}

export class StorageModel implements EspruinoStorage {
  /** How many times the files were compacted. */
  compactions = 0;

  constructor(readonly flash: FlashModel) {}

  private get end(): number {
    return this.flash.length;
  }

  /** The header at `address`, and whether it is valid. */
  private header(address: number): { header: Header; valid: boolean } {
    const bytes = this.flash.read(address, HEADER_LENGTH);
    const [a = 0, b = 0, c = 0, d = 0] = bytes;
    const word = a + b * 0x100 + c * 0x10000 + d * 0x1000000;
    const header = { word, name: bytes.subarray(4) };
    return { header, valid: word !== ERASED_WORD && word !== 0 && address + HEADER_LENGTH + sizeIn(header) <= this.end };
  }

  private pageAfter(address: number): number {
    const next = (Math.floor(address / this.flash.pageSize) + 1) * this.flash.pageSize;
    return next >= this.end ? NO_ADDRESS : next;
  }

  /** The next header. `all`: continue with the next page if there is none. NO_ADDRESS: there is no room for one. */
  private next(address: number, header: Header, all: boolean): { address: number; header: Header; valid: boolean } {
    let at = aligned(address + sizeIn(header) + HEADER_LENGTH);
    if (at + HEADER_LENGTH > this.end) return { address: NO_ADDRESS, header, valid: false };
    let found = this.header(at);
    if (all && !found.valid) {
      at = this.pageAfter(at);
      if (at === NO_ADDRESS) return { address: NO_ADDRESS, header: found.header, valid: false };
      found = this.header(at);
    }
    return { address: at, ...found };
  }

  /**
   * All files from the beginning, including removed ones, and the first invalid header after them. Cached until a
   * header changes.
   */
  private all(): Chain {
    const known = chains.get(this.flash);
    if (known) return known;
    const files: FilePlace[] = [];
    let here = { address: 0, ...this.header(0) };
    for (; here.valid; here = this.next(here.address, here.header, true)) files.push({ address: here.address, header: here.header });
    const chain = { files, behind: { address: here.address, header: here.header } };
    chains.set(this.flash, chain);
    return chain;
  }

  private find(name: string): FilePlace | undefined {
    const wanted = Buffer.from(nameBytes(name));
    return this.all().files.find((file) => wanted.equals(file.header.name));
  }

  private isErased(address: number, n: number): boolean {
    return this.flash.read(address, n).every((b) => b === 255);
  }

  /** Reads and writes back the bytes of a word that a write does not fill. */
  private writeAligned(address: number, bytes: Uint8Array): void {
    const from = address - (address % WORD);
    const all = this.flash.read(from, aligned(address + bytes.length) - from);
    all.set(bytes, address - from);
    this.flash.program(from, all);
  }

  private remove(file: FilePlace): void {
    chains.delete(this.flash);
    this.flash.program(file.address + 4, new Uint8Array(4));
  }

  private stats(): Stats {
    const stats = { fileBytes: 0, trashBytes: 0, free: this.end, firstPageWithErasedFiles: 0 };
    let unbroken = 0;
    let first = NO_ADDRESS;
    for (const { address, header } of this.all().files) {
      if (address % this.flash.pageSize === 0) unbroken = address;
      const n = aligned(sizeIn(header)) + HEADER_LENGTH;
      stats.free = this.end - (address + n);
      if (removed(header)) {
        stats.trashBytes += n;
        if (first === NO_ADDRESS) first = unbroken;
      } else stats.fileBytes += n;
    }
    stats.firstPageWithErasedFiles = Math.max(first, 0);
    return stats;
  }

  getFree(): number {
    return this.stats().free;
  }

  list(): string[] {
    const names: string[] = [];
    for (const { header } of this.all().files)
      if (!removed(header) && flagsIn(header) === 0) names.push(Buffer.from(header.name).toString("latin1").split("\0")[0] as string);
    return names;
  }

  read(name: string, offset = 0, n = 0): string | undefined {
    const file = this.find(name);
    if (!file) return undefined;
    const size = sizeIn(file.header);
    const from = Math.min(Math.max(offset, 0), size);
    const count = Math.min(n <= 0 ? size : n, size - from);
    return Buffer.from(this.flash.read(file.address + HEADER_LENGTH + from, count)).toString("latin1");
  }

  erase(name: string): void {
    const file = this.find(name);
    if (file) this.remove(file);
  }

  /**
   * The number of bytes from `address` to the end of its page, or of the flash if the next page does not begin with a
   * header.
   */
  private spaceAt(address: number): number {
    const next = this.pageAfter(address);
    return (next === NO_ADDRESS || !this.header(next).valid ? this.end : next) - address;
  }

  private create(name: string, size: number): number {
    const required = aligned(size) + HEADER_LENGTH;
    for (let compacted = false; ; compacted = true) {
      let free = 0;
      let trash = 0;
      let address = 0;
      for (;;) {
        let here = { address, ...this.header(address) };
        while (here.valid) {
          if (removed(here.header)) trash += sizeIn(here.header);
          here = this.next(here.address, here.header, false);
        }
        address = here.address;
        // reached the end, without room for a header
        if (address === NO_ADDRESS) break;
        const space = this.spaceAt(address);
        free += space;
        if (space >= required) {
          const header = new Uint8Array(HEADER_LENGTH);
          new DataView(header.buffer).setUint32(0, size, true);
          header.set(nameBytes(name), 4);
          chains.delete(this.flash);
          fragileIn(this.flash).add(this.flash.operations);
          this.flash.program(address, header);
          return address;
        }
        address = this.pageAfter(address);
        if (address === NO_ADDRESS) break;
      }
      if (compacted || required >= free + trash || !this.compact()) throw new StorageError("Unable to find or create file");
    }
  }

  write(name: string, data: string | ArrayLike<number>, offset = 0, size = 0): boolean {
    if (offset < 0 || size < 0) return false;
    const bytes = toOctets(data);
    const n = size || bytes.length;
    if (!n) throw new StorageError("Can't create zero length file");
    let file = this.find(name);
    if (
      offset === 0 &&
      (!file || sizeIn(file.header) !== n || flagsIn(file.header) !== 0 || !this.isErased(file.address + HEADER_LENGTH, n))
    ) {
      if (file && sizeIn(file.header) === n && flagsIn(file.header) === 0 && bytes.length === n && this.read(name) === data) return true;
      if (file) this.remove(file);
      // continue with what was meant to be written, whatever is there now
      file = { address: this.create(name, n), header: { word: n, name: nameBytes(name) } };
    }
    if (!file) throw new StorageError("Unable to find or create file");
    if (offset + bytes.length > sizeIn(file.header)) throw new StorageError("Too much data for file size");
    const at = file.address + HEADER_LENGTH + offset;
    if (!this.isErased(at, bytes.length)) throw new StorageError("File already written with different data");
    this.writeAligned(at, bytes);
    return true;
  }

  /**
   * Compacts the files. While a page is erased, its new content and its unmoved old content are in RAM only: a power
   * cut then loses files.
   */
  compact(): boolean {
    const { trashBytes, fileBytes, firstPageWithErasedFiles: start } = this.stats();
    if (!trashBytes) return false;
    this.compactions++;
    const { pageSize } = this.flash;
    const room = Math.min(fileBytes, pageSize + HEADER_LENGTH);
    let buffer = new Uint8Array(0);
    let writeAt = start;
    const flush = (readAt: number) => {
      while (buffer.length) {
        const next = this.pageAfter(writeAt);
        const page = next === NO_ADDRESS ? this.end : next;
        const n = Math.min(buffer.length, page - writeAt);
        if (readAt < page) return;
        if (writeAt % pageSize === 0) this.flash.erase(writeAt);
        this.flash.program(writeAt, buffer.subarray(0, n));
        writeAt += n;
        buffer = buffer.slice(n);
      }
    };
    const take = (bytes: Uint8Array) => {
      buffer = Uint8Array.from([...buffer, ...bytes]);
    };
    chains.delete(this.flash);
    let here = { address: start, ...this.header(start) };
    for (; here.valid; here = this.next(here.address, here.header, true)) {
      const { address, header } = here;
      if (removed(header) || ![0, 64, 128].includes(flagsIn(header))) continue;
      take(this.flash.read(address, HEADER_LENGTH));
      let left = aligned(sizeIn(header));
      let at = address + HEADER_LENGTH;
      flush(at);
      while (left) {
        const n = Math.min(room - buffer.length, left);
        if (n === 0) return false;
        take(this.flash.read(at, n));
        left -= n;
        at += n;
        flush(at);
      }
    }
    flush(this.end);
    if (writeAt !== start) writeAt = this.pageAfter(writeAt - 1);
    const to = here.address === NO_ADDRESS ? this.end : here.address;
    if (writeAt !== NO_ADDRESS) for (let page = writeAt - (writeAt % pageSize); page < to; page += pageSize) this.flash.erase(page);
    return true;
  }

  eraseAll(): void {
    chains.delete(this.flash);
    for (let page = 0; page < this.end; page += this.flash.pageSize) this.flash.erase(page);
  }

  /** Whether everything after the last file is empty, as the firmware checks at its start. */
  isValid(): boolean {
    const { files, behind } = this.all();
    const { address, header } = behind;
    const last = files.at(-1);
    // the last file leaves no room for a header
    if (last && address === NO_ADDRESS && aligned(last.address + sizeIn(last.header) + HEADER_LENGTH) + HEADER_LENGTH > this.end)
      return true;
    const empty = header.word === ERASED_WORD && header.name.every((b) => b === 255);
    return empty && (last ? true : this.isErased(0, this.end));
  }
}

/** The object E, as far as the device uses it. */
export const E: EspruinoE = {
  toUint8Array: (text) => Uint8Array.from(toOctets(text)),
  toString: (bytes) => Buffer.from(Uint8Array.from(bytes)).toString("latin1"),
};

/** The functions that a device needs. */
export function storageIo(storage: EspruinoStorage): StorageIo {
  return { storage, E, sha256: (text) => Uint8Array.from(createHash("sha256").update(toOctets(text)).digest()) };
}

/** Storage at the start of a board. If it is invalid, it is erased first, as the firmware does, and `lost` is true. */
export function powerOn(flash: FlashModel): { storage: StorageModel; lost: boolean } {
  const storage = new StorageModel(flash);
  const lost = !storage.isValid();
  if (lost) storage.eraseAll();
  return { storage, lost };
}
