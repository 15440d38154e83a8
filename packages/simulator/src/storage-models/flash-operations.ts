// The operations of NOR flash on its pages, whole or up to the moment of a power cut.

import type { SharedPages } from "./shared-pages.js";

/**
 * How far an operation got before the power cut. A write: nothing; the first half of its words; a number of its words
 * that depends on its address, and some bits of the next; all. An erase: nothing; the first half of the page; some bits
 * of all of it; all.
 */
export const FLASH_TEARS = ["nothing", "words", "bits", "whole"] as const;

/** How far an operation gets before the power fails: see FLASH_TEARS. */
export type FlashTear = (typeof FLASH_TEARS)[number];

export type FlashOperation =
  | { readonly op: "write"; readonly address: number; readonly bytes: Uint8Array }
  | { readonly op: "erase"; readonly address: number };

/** The content of a flash. Pages are replaced, never changed, so that states can share them. */
export type Pages = readonly Uint8Array[];

export const WORD = 4;

/**
 * Makes an erased flash: every byte is 255.
 *
 * @param count - Number of pages.
 * @param pageSize - Bytes of a page.
 * @returns The pages.
 */
export function erasedFlash(count: number, pageSize: number): Pages {
  const page = new Uint8Array(pageSize).fill(255);
  return Array.from({ length: count }, () => page);
}

/** A deterministic bit mask for the byte at `at`. */
function someBits(at: number): number {
  let x = Math.imul(at + 1, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
  return ((x ^ (x >>> 13)) >>> 7) & 255;
}

/** The number of whole words that a cut leaves of a write before the word that is torn: any but all of them. */
const wordsBefore = (address: number, words: number): number => ((someBits(address) << 8) | someBits(address + 1)) % (words || 1);

/** A word in which some of the changing bits have changed, but neither all nor none. */
function tornWord(before: Uint8Array, after: Uint8Array, address: number): Uint8Array {
  const out = Uint8Array.from(after, (b, i) => b | ((before[i] ?? 0) & someBits(address + i)));
  const differ = (x: Uint8Array, y: Uint8Array) => x.some((b, i) => b !== y[i]);
  if (differ(out, after) && differ(out, before)) return out;
  // the lowest changing bit was too slow; if it is the only one, the word does not change
  const slow = after.findIndex((b, i) => b !== before[i]);
  if (slow < 0) return before;
  const bits = (before[slow] ?? 0) & ~(after[slow] ?? 0);
  return Uint8Array.from(after, (b, i) => (i === slow ? b | (bits & -bits) : b));
}

/** An operation as several, each on one page. */
export function onePageEach(operation: FlashOperation, size: number): FlashOperation[] {
  if (operation.op === "erase") return [operation];
  const { address, bytes } = operation;
  if ((address % size) + bytes.length <= size) return [operation];
  const out: FlashOperation[] = [];
  for (let i = 0; i < bytes.length; ) {
    const n = Math.min(bytes.length - i, size - ((address + i) % size));
    out.push({ op: "write", address: address + i, bytes: bytes.subarray(i, i + n) });
    i += n;
  }
  return out;
}

/**
 * Carries out a whole operation with pages that others have too. Returns the same operation, with bytes of its own, or
 * with bytes that others have too. A write across a border leaves shared pages on both sides of it.
 */
export function carryOutShared(pages: Uint8Array[], operation: FlashOperation, size: number, shared: SharedPages): FlashOperation {
  if (operation.op === "erase") {
    pages[Math.floor(operation.address / size)] = shared.erased(size);
    return operation;
  }
  let known = operation.bytes;
  for (const { address, bytes } of onePageEach(operation, size) as (typeof operation)[]) {
    const n = Math.floor(address / size);
    const written = shared.written(pages[n] as Uint8Array, address, bytes);
    pages[n] = written.page;
    known = written.bytes;
  }
  const { op, address, bytes } = operation;
  return { op, address, bytes: known.length === bytes.length ? known : new Uint8Array(bytes) };
}

/** Applies an operation up to the point of `tear` to the caller's list of pages. `shared`: pages that are known. */
export function carryOut(pages: Uint8Array[], operation: FlashOperation, tear: FlashTear, shared?: SharedPages): void {
  if (tear === "nothing") return;
  const size = (pages[0] as Uint8Array).length;
  if (shared && tear === "whole") {
    carryOutShared(pages, operation, size, shared);
    return;
  }
  const own = (n: number) => {
    const page = new Uint8Array(pages[n] as Uint8Array);
    pages[n] = page;
    return page;
  };
  if (operation.op === "erase") {
    const page = own(operation.address / size);
    if (tear === "bits") for (let i = 0; i < size; i++) page[i] = (page[i] as number) | someBits(operation.address + i);
    else page.fill(255, 0, tear === "words" ? size / 2 : size);
    return;
  }
  const { address, bytes } = operation;
  const words = Math.ceil(bytes.length / WORD);
  const whole = (tear === "bits" ? wordsBefore(address, words) : Math.floor(bytes.length / WORD / 2)) * WORD;
  const set = (at: number, part: Uint8Array) => {
    for (let i = 0; i < part.length; ) {
      const from = (at + i) % size;
      const some = part.subarray(i, i + size - from);
      own(Math.floor((at + i) / size)).set(some, from);
      i += some.length;
    }
  };
  const at = address + whole;
  const before = (pages[Math.floor(at / size)] as Uint8Array).slice(at % size, (at % size) + WORD);
  set(address, bytes.subarray(0, tear === "whole" ? bytes.length : whole));
  if (tear === "bits") set(at, tornWord(before, bytes.subarray(whole, whole + WORD), at));
}

/**
 * Applies an operation that got as far as `tear` to the pages of a flash.
 *
 * @param pages - The pages before. They do not change.
 * @param operation - The write or the erase.
 * @param tear - How far it got. Default: to its end.
 * @param shared - Pages to share with equal results.
 * @returns The pages after it.
 */
export function applyOperation(pages: Pages, operation: FlashOperation, tear: FlashTear = "whole", shared?: SharedPages): Pages {
  const out = [...pages];
  carryOut(out, operation, tear, shared);
  return out;
}
