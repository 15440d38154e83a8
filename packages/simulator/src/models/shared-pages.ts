// Pages of flash that many states of a simulation have in common.

import type { FlashOperation } from "./flash-model.js";

/**
 * What whole operations make of pages, each only once. Thousands of states of one simulation erase the same pages and write
 * the same image into them: they then share these pages, which saves memory, and comparing them.
 */
export class SharedPages {
  private readonly after = new WeakMap<Uint8Array, Map<number, { bytes: Uint8Array; page: Uint8Array }[]>>();
  private blank: Uint8Array | undefined;

  /** An erased page. */
  erased(size: number): Uint8Array {
    this.blank ??= new Uint8Array(size).fill(255);
    return this.blank;
  }

  /** A page after these bytes have been written at an address of the flash, which is in it. */
  written(page: Uint8Array, address: number, bytes: Uint8Array): Uint8Array {
    let known = this.after.get(page);
    if (!known) {
      known = new Map();
      this.after.set(page, known);
    }
    const same = known.get(address) ?? [];
    if (same.length === 0) known.set(address, same);
    const found = same.find((one) => one.bytes.length === bytes.length && Buffer.compare(one.bytes, bytes) === 0);
    if (found) return found.page;
    const made = new Uint8Array(page);
    made.set(bytes, address % page.length);
    same.push({ bytes, page: made });
    return made;
  }

  /** Carries out a whole operation on a list of pages. A write across a border leaves shared pages on both sides of it. */
  carryOut(pages: Uint8Array[], operation: FlashOperation): void {
    const size = (pages[0] as Uint8Array).length;
    if (operation.op === "erase") {
      pages[operation.address / size] = this.erased(size);
      return;
    }
    const { address, bytes } = operation;
    for (let i = 0; i < bytes.length; ) {
      const n = Math.floor((address + i) / size);
      const part = bytes.subarray(i, (n + 1) * size - address);
      pages[n] = this.written(pages[n] as Uint8Array, address + i, part);
      i += part.length;
    }
  }
}
