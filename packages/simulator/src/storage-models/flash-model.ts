// A model of NOR flash: pages are erased to ones, the bits of a word of 4 bytes are cleared once, and the power can
// fail in the middle of either. Throws where real flash would be damaged: a word that is written twice, and unaligned
// addresses.

import type { Flash } from "@firmseal/verifier/device/flash";
import { FirmsealError } from "@firmseal/verifier/tools";
import { carryOut, carryOutShared, type FlashOperation, type FlashTear, type Pages, WORD } from "./flash-operations.js";
import type { SharedPages } from "./shared-pages.js";

/** Thrown at the moment of the power cut, and by every later call. */
export class PowerCut extends FirmsealError {
  override readonly name = "PowerCut";
  constructor() {
    super("ERR_POWER_CUT", "the power is cut");
  }
}

/** A use that would corrupt real flash. The code of the device is wrong. */
export class FlashMisuse extends FirmsealError {
  override readonly name = "FlashMisuse";
  constructor(message: string) {
    super("ERR_DEVICE", message);
  }
}

/** The block size for comparing two flashes. */
const BLOCK = 32;

/**
 * Writes of up to this many words (records, for example) can be cut at each word; longer ones (payloads) only in the
 * middle.
 */
const SHORT = 32;

const SLAB = 256 * 1024;
let slab = new Uint8Array(0);
let taken = 0;

/**
 * New octets, which are not all 0. Of a large piece of memory: a simulation reads hundreds of thousands of times, a
 * little each.
 */
function octets(n: number): Uint8Array {
  if (n > SLAB / 8) return new Uint8Array(n);
  if (taken + n > slab.length) {
    slab = new Uint8Array(SLAB);
    taken = 0;
  }
  taken += n;
  return slab.subarray(taken - n, taken);
}

/**
 * A flash with power. After a cut, every call throws, and `pages` has the remaining content: new
 * FlashModel(model.pages) is the next start.
 */
export class FlashModel implements Flash {
  readonly pageSize: number;
  readonly length: number;
  /** The operations since power-on. */
  readonly log: FlashOperation[] = [];
  private content: Uint8Array[];
  private readonly blank: Uint8Array;
  /** Whether a caller has the list of pages, so that it must not change any more. */
  private isLent = false;
  private left = Number.POSITIVE_INFINITY;
  private tear: FlashTear = "whole";
  private dead = false;
  private readonly erased = new Set<number>();
  private readonly seen = new Map<number, { page: Uint8Array; blocks: Uint8Array }>();

  constructor(
    pages: Pages,
    private readonly shared?: SharedPages,
  ) {
    this.content = pages.slice();
    this.pageSize = (pages[0] as Uint8Array).length;
    this.length = pages.length * this.pageSize;
    this.blank = shared ? shared.erased(this.pageSize) : new Uint8Array(this.pageSize).fill(255);
  }

  /** The content now. Later operations do not change it. */
  get pages(): Pages {
    this.isLent = true;
    return this.content;
  }

  set pages(pages: Pages) {
    this.content = pages.slice();
  }

  /** The number of writes and erases since power-on. A short write counts once for each word. */
  get operations(): number {
    return this.log.length;
  }

  /** Allows `n` more operations. The next one gets as far as `tear`, then the power is cut. */
  cutAfter(n: number, tear: FlashTear): void {
    this.left = n;
    this.tear = tear;
  }

  /**
   * Whether another flash is equal in every block that this start has read, or written before erasing it. It would then
   * take the same course.
   */
  agrees(pages: { at(n: number): Uint8Array | undefined }): boolean {
    for (const [n, { page, blocks }] of this.seen) {
      const other = pages.at(n) as Uint8Array;
      if (other === page || Buffer.compare(other, page) === 0) continue;
      for (let b = 0; b < blocks.length; b++)
        if (blocks[b] && Buffer.compare(other.subarray(b * BLOCK, (b + 1) * BLOCK), page.subarray(b * BLOCK, (b + 1) * BLOCK)) !== 0)
          return false;
    }
    return true;
  }

  private touch(address: number, n: number): void {
    if (!(address >= 0 && n >= 0 && address + n <= this.length)) throw new FlashMisuse(`no such flash: ${n} bytes at ${address}`);
    for (let page = Math.floor(address / this.pageSize); page * this.pageSize < address + n; page++)
      if (!this.erased.has(page)) {
        const known = this.seen.get(page) ?? {
          page: this.content[page] as Uint8Array,
          blocks: new Uint8Array(Math.ceil(this.pageSize / BLOCK)),
        };
        this.seen.set(page, known);
        const from = Math.max(0, address - page * this.pageSize);
        const to = Math.min(this.pageSize, address + n - page * this.pageSize);
        known.blocks.fill(1, Math.floor(from / BLOCK), Math.ceil(to / BLOCK));
      }
  }

  private done(operation: FlashOperation): void {
    if (this.isLent) {
      this.content = this.content.slice();
      this.isLent = false;
    }
    if (this.left === 0) {
      carryOut(this.content, operation, this.tear);
      this.dead = true;
      throw new PowerCut();
    }
    this.left--;
    const known = this.shared && carryOutShared(this.content, operation, this.pageSize, this.shared);
    if (!known) carryOut(this.content, operation, "whole");
    // the device may change its bytes afterwards
    this.log.push(known ?? (operation.op === "erase" ? operation : { ...operation, bytes: new Uint8Array(operation.bytes) }));
  }

  private powered(): void {
    if (this.dead) throw new PowerCut();
  }

  read(address: number, n: number): Uint8Array {
    this.powered();
    this.touch(address, n);
    const out = octets(n);
    for (let i = 0; i < n; ) {
      const from = (address + i) % this.pageSize;
      const some = (this.content[Math.floor((address + i) / this.pageSize)] as Uint8Array).subarray(from, from + n - i);
      out.set(some, i);
      i += some.length;
    }
    return out;
  }

  write(address: number, bytes: ArrayLike<number>): void {
    this.powered();
    if (address % WORD !== 0 || bytes.length % WORD !== 0)
      throw new FlashMisuse(`a write of ${bytes.length} bytes at ${address} is not in whole words`);
    if (!this.isErased(address, bytes.length)) throw new FlashMisuse(`a word is written twice, at or after ${address}`);
    this.put(address, bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes));
  }

  /**
   * Whether bytes have been erased and not written since. The course of the device depends on it, as on what it reads.
   */
  private isErased(address: number, n: number): boolean {
    this.touch(address, n);
    for (let i = 0; i < n; ) {
      const from = (address + i) % this.pageSize;
      const to = Math.min(this.pageSize, from + n - i);
      const page = this.content[Math.floor((address + i) / this.pageSize)] as Uint8Array;
      if (Buffer.compare(page.subarray(from, to), this.blank.subarray(from, to)) !== 0) return false;
      i += to - from;
    }
    return true;
  }

  /** Like write(), for flash that allows more bits of a word to be cleared later, as Espruino's Storage needs it. */
  program(address: number, bytes: ArrayLike<number>): void {
    this.powered();
    if (address % WORD !== 0 || bytes.length % WORD !== 0)
      throw new FlashMisuse(`a write of ${bytes.length} bytes at ${address} is not in whole words`);
    this.put(
      address,
      this.read(address, bytes.length).map((b, i) => b & (bytes[i] as number)),
    );
  }

  private put(address: number, all: Uint8Array): void {
    const step = all.length <= SHORT * WORD ? WORD : all.length;
    for (let i = 0; i < all.length; i += step) this.done({ op: "write", address: address + i, bytes: all.subarray(i, i + step) });
  }

  erase(address: number): void {
    this.powered();
    if (!(address >= 0 && address < this.length) || address % this.pageSize !== 0) throw new FlashMisuse(`no page begins at ${address}`);
    this.done({ op: "erase", address });
    this.erased.add(address / this.pageSize);
  }
}
