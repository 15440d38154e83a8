// What chosen power cuts of one course leave on flash. Thousands of stores take the same course: what does not depend
// on the store is worked out once.

import { carryOut, type FlashOperation, type FlashTear, onePageEach, type Pages } from "./flash-operations.js";
import type { SharedPages } from "./shared-pages.js";

/** A cut, and what the operations before it make of any store that takes this course. */
export interface ChosenCut {
  readonly operation: number;
  readonly step: FlashOperation;
  readonly tear: FlashTear;
  /** Pages that these operations have erased: their content is the same for every store. */
  readonly fixed: ReadonlyMap<number, Uint8Array>;
  /** Operations on other pages, in order, each on one page. */
  readonly open: readonly FlashOperation[];
  /** Whether `fixed` has what the torn operation leaves. */
  readonly isDone: boolean;
}

/** The effect of the operations up to some place of a log. */
class Prefix {
  readonly fixed = new Map<number, Uint8Array>();
  open: FlashOperation[] = [];

  constructor(
    private readonly size: number,
    private readonly shared: SharedPages,
  ) {}

  pageOf({ address }: FlashOperation): number {
    return Math.floor(address / this.size);
  }

  add(operation: FlashOperation): void {
    for (const one of onePageEach(operation, this.size)) {
      const n = this.pageOf(one);
      const page = this.fixed.get(n);
      if (one.op === "erase") {
        this.fixed.set(n, this.shared.erased(this.size));
        this.open = this.open.filter((other) => this.pageOf(other) !== n);
      } else if (page) this.fixed.set(n, this.shared.written(page, one.address, one.bytes).page);
      else this.open.push(one);
    }
  }

  /** What a cut leaves of an operation, if that is the same for every store. */
  torn(operation: FlashOperation, tear: FlashTear): [number, Uint8Array] | undefined {
    const n = this.pageOf(operation);
    const page = this.fixed.get(n);
    if (!page || onePageEach(operation, this.size).length > 1) return undefined;
    // the bits that a cut leaves depend on the address, so the page keeps its place; the first one shows the size
    const pages = [page];
    pages[n] = page;
    carryOut(pages, operation, tear);
    return [n, pages[n] as Uint8Array];
  }
}

/** The cuts of a course at these places in the list of its cuts, ascending. */
export function chosenFlashCuts(
  log: readonly FlashOperation[],
  tearsOf: (step: FlashOperation) => readonly FlashTear[],
  chosen: readonly number[],
  size: number,
  shared: SharedPages,
): ChosenCut[] {
  const out: ChosenCut[] = [];
  const prefix = new Prefix(size, shared);
  let at = 0;
  for (const [operation, step] of log.entries()) {
    if (out.length === chosen.length) break;
    const tears = tearsOf(step);
    for (let i = chosen[out.length]; i !== undefined && i < at + tears.length; i = chosen[out.length]) {
      const tear = tears[i - at] as FlashTear;
      const torn = prefix.torn(step, tear);
      const fixed = new Map(prefix.fixed);
      if (torn) fixed.set(...torn);
      out.push({ operation, step, tear, fixed, open: [...prefix.open], isDone: torn !== undefined });
    }
    at += tears.length;
    prefix.add(step);
  }
  return out;
}

/** What a cut leaves of a store that takes this course. Most stores are only compared, in a few pages. */
export class LeftPages {
  private all: Pages | undefined;

  constructor(
    private readonly cut: ChosenCut,
    private readonly from: Pages,
    private readonly shared: SharedPages,
  ) {}

  at(n: number): Uint8Array | undefined {
    const { open, isDone, fixed } = this.cut;
    if (this.all || open.length > 0 || !isDone) return this.whole()[n];
    return fixed.get(n) ?? this.from[n];
  }

  /** All pages. */
  whole(): Pages {
    if (this.all) return this.all;
    const { step, tear, fixed, open, isDone } = this.cut;
    const pages = this.from.slice();
    for (const [n, page] of fixed) pages[n] = page;
    for (const one of open) carryOut(pages, one, "whole", this.shared);
    if (!isDone) carryOut(pages, step, tear, this.shared);
    this.all = pages;
    return pages;
  }
}
