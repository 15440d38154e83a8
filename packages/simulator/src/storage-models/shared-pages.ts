// Pages of flash that many states of a simulation have in common.

/**
 * What whole operations make of pages, each only once. Thousands of states of one simulation erase the same pages and
 * write the same image into them: they then share these pages, which saves memory, and comparing them.
 */
export class SharedPages {
  private readonly after = new WeakMap<Uint8Array, Map<number, { bytes: Uint8Array; page: Uint8Array }[]>>();
  private blank: Uint8Array | undefined;

  /** An erased page. */
  erased(size: number): Uint8Array {
    this.blank ??= new Uint8Array(size).fill(255);
    return this.blank;
  }

  /**
   * What a write makes of a page: the page after it, and the bytes, which may be those of an earlier write. All of them
   * are in this page. `address`: in the flash.
   */
  written(page: Uint8Array, address: number, bytes: Uint8Array): { readonly bytes: Uint8Array; readonly page: Uint8Array } {
    let known = this.after.get(page);
    if (!known) {
      known = new Map();
      this.after.set(page, known);
    }
    const same = known.get(address) ?? [];
    if (same.length === 0) known.set(address, same);
    const found = same.find((one) => one.bytes.length === bytes.length && Buffer.compare(one.bytes, bytes) === 0);
    if (found) return found;
    const made = { bytes: new Uint8Array(bytes), page: new Uint8Array(page) };
    made.page.set(bytes, address % page.length);
    same.push(made);
    return made;
  }
}
