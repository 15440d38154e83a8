// Well-formed CBOR as a tree of items (RFC 8949 §3, appendix C), in any encoding: for what tools show although the
// verifier refuses it. What the verifier would refuse of the encoding is beside the item.

import { FirmsealError, type Item, type ItemKind, type Slice } from "@firmseal/verifier/tools";

/** A CBOR item in any encoding. A string of indefinite length has its parts as `items`. */
export interface LooseItem extends Omit<Item, "items"> {
  readonly items: readonly LooseItem[];
  /** A floating-point number. Its kind is "simple". */
  readonly float?: number;
  /** What the verifier refuses of the encoding. */
  readonly wrong?: string;
  /** Whether items in it were not read, because there are too many or they nest too deeply. */
  readonly isCut?: boolean;
}

type Built = { -readonly [name in keyof LooseItem]: LooseItem[name] };

/** The levels and items that are read. No release has more; the rest is skipped. */
export const MOST_LEVELS_SHOWN = 64;
export const MOST_ITEMS_SHOWN = 65_536;

const KINDS: readonly ItemKind[] = ["unsigned", "negative", "bytes", "text", "array", "map", "tag", "simple"];
/** The length of what has an indefinite one. */
const INDEFINITE = -1;
const INFO_INDEFINITE = 31;
const BREAK = 0xff;

/** The bytes are not one well-formed item. */
export class NotWellFormed extends FirmsealError {
  override readonly name = "NotWellFormed";
  /** `at`: the offset of the byte with which they cannot go on. */
  constructor(readonly at: number) {
    super("ERR_CBOR", `not well-formed CBOR at byte ${at}`);
  }
}

/** The value of a half-precision number (RFC 8949 appendix D). */
function half(bits: number): number {
  const [exponent, mantissa] = [(bits >> 10) & 31, bits & 1023];
  const size =
    exponent === 0
      ? mantissa * 2 ** -24
      : exponent === 31
        ? mantissa
          ? Number.NaN
          : Number.POSITIVE_INFINITY
        : (mantissa + 1024) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -size : size;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Compares encoded keys, bytewise (RFC 8949 §4.2.1). */
function compareKeys(bytes: Uint8Array, a: LooseItem, b: LooseItem): number {
  for (let i = 0; i < Math.min(a.end - a.at, b.end - b.at); i++) {
    const difference = (bytes[a.at + i] as number) - (bytes[b.at + i] as number);
    if (difference !== 0) return difference;
  }
  return a.end - a.at - (b.end - b.at);
}

class LooseReader {
  private count = 0;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
    private readonly end: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Reads the one item that fills the range. */
  whole(): LooseItem {
    const item = this.item(0);
    if (this.at !== this.end) throw new NotWellFormed(this.at);
    return item;
  }

  /** Reads `n` bytes, and returns their offset. */
  private take(n: number): number {
    const from = this.at;
    if (n > this.end - from) throw new NotWellFormed(this.end);
    this.at += n;
    return from;
  }

  /** The head of an item. */
  private head(): Built {
    const at = this.take(1);
    const first = this.bytes[at] as number;
    const [kind, info] = [KINDS[first >> 5] as ItemKind, first & 31];
    const item: Built = { kind, at, body: this.at, end: this.at, value: info, high: 0, low: info, items: [] };
    if (info < 24) return item;
    if (info === INFO_INDEFINITE) {
      if (!["bytes", "text", "array", "map"].includes(kind)) throw new NotWellFormed(at);
      item.value = INDEFINITE;
      item.wrong = "of indefinite length";
      return item;
    }
    if (info > 27) throw new NotWellFormed(at);
    this.argument(item, 1 << (info - 24));
    return item;
  }

  /** An argument of `n` bytes, which follow the head. */
  private argument(item: Built, n: number): void {
    const from = this.take(n);
    const { view } = this;
    item.high = n === 8 ? view.getUint32(from) : 0;
    item.low = n === 1 ? view.getUint8(from) : n === 2 ? view.getUint16(from) : view.getUint32(from + n - 4);
    item.value = item.high * 2 ** 32 + item.low;
    item.body = item.end = this.at;
    if (item.kind !== "simple") {
      const least = n === 1 ? 24 : n === 2 ? 2 ** 8 : n === 4 ? 2 ** 16 : 2 ** 32;
      if (item.value < least) item.wrong = "not in its shortest form";
      return;
    }
    // false and true have one form only
    if (n === 1 && item.value < 32) throw new NotWellFormed(item.at);
    if (n > 1) item.float = n === 2 ? half(item.low) : n === 4 ? view.getFloat32(from) : view.getFloat64(from);
  }

  private item(depth: number): LooseItem {
    this.count++;
    const item = this.head();
    const { kind, value } = item;
    if (kind === "simple" && (item.float !== undefined || value < 20 || value > 22)) item.wrong = "not used by SUIT";
    if (kind === "negative") item.value = -1 - value;
    if (value === INDEFINITE && (kind === "bytes" || kind === "text")) this.parts(item);
    else if (kind === "bytes" || kind === "text") {
      this.take(value);
      if (kind === "text" && !isUtf8(this.bytes.subarray(item.body, this.at))) item.wrong ??= "not UTF-8";
    } else if (kind === "array" || kind === "map" || kind === "tag") this.inside(item, depth);
    item.end = this.at;
    if (kind === "map") this.markOrder(item.items);
    return item;
  }

  private get isBreak(): boolean {
    return this.at < this.end && this.bytes[this.at] === BREAK;
  }

  /** The parts of a string of indefinite length: strings of its kind, of definite length. */
  private parts(item: Built): void {
    const items: LooseItem[] = [];
    while (!this.isBreak) {
      const part = this.head();
      if (part.kind !== item.kind || part.value === INDEFINITE) throw new NotWellFormed(part.at);
      this.take(part.value);
      part.end = this.at;
      if (this.count++ < MOST_ITEMS_SHOWN) items.push(part);
      else item.isCut = true;
    }
    this.take(1);
    item.items = items;
  }

  /** What an array, a map or a tag contains. */
  private inside(item: Built, depth: number): void {
    const { kind, value } = item;
    const n = value === INDEFINITE ? value : kind === "tag" ? 1 : kind === "map" ? 2 * value : value;
    // every item takes at least one byte
    if (n > this.end - this.at) throw new NotWellFormed(this.end);
    const items: LooseItem[] = [];
    while (n === INDEFINITE ? !this.isBreak : items.length < n) {
      if (depth >= MOST_LEVELS_SHOWN || this.count >= MOST_ITEMS_SHOWN) {
        item.isCut = true;
        this.skip(n === INDEFINITE ? n : n - items.length, kind === "map" && items.length % 2 === 1);
        item.items = items;
        return;
      }
      items.push(this.item(depth + 1));
    }
    if (n === INDEFINITE) this.take(1);
    if (kind === "map" && items.length % 2 === 1) throw new NotWellFormed(this.at - 1);
    item.items = items;
  }

  /** Skips `n` items, or those up to a break, with all that they contain. Never recurses, however deep they are. */
  private skip(n: number, isOdd: boolean): void {
    const left = [{ n, isMap: false, isOdd }];
    for (;;) {
      const top = left.at(-1) as (typeof left)[number];
      if (top.n === 0 || (top.n === INDEFINITE && this.isBreak)) {
        if (top.n === INDEFINITE) this.take(1);
        if (top.n === INDEFINITE && top.isMap && top.isOdd) throw new NotWellFormed(this.at - 1);
        left.pop();
        if (left.length === 0) return;
        continue;
      }
      if (top.n > 0) top.n--;
      top.isOdd = !top.isOdd;
      const { kind, value } = this.head();
      const isString = kind === "bytes" || kind === "text";
      if (isString && value !== INDEFINITE) this.take(value);
      else if (isString || kind === "array" || kind === "map" || kind === "tag") {
        const inside = value === INDEFINITE ? value : kind === "tag" ? 1 : kind === "map" ? 2 * value : value;
        if (inside > this.end - this.at) throw new NotWellFormed(this.end);
        left.push({ n: inside, isMap: kind === "map", isOdd: false });
      }
    }
  }

  private markOrder(items: readonly LooseItem[]): void {
    for (let i = 2; i < items.length; i += 2) {
      const [before, key] = [items[i - 2], items[i]] as [LooseItem, Built];
      const order = compareKeys(this.bytes, before, key);
      if (order >= 0) key.wrong ??= order > 0 ? "out of order: keys ascend" : "given twice";
    }
  }
}

/**
 * Reads the only item of `bytes`, or of a range of it, in any encoding. Items beyond 64 levels, or beyond 65,536 items,
 * are skipped.
 *
 * @param bytes - The bytes.
 * @param stretch - A range of them. Default: all.
 * @returns The item.
 * @throws NotWellFormed.
 */
export function looseItem(bytes: Uint8Array, stretch: Slice = { at: 0, n: bytes.length }): LooseItem {
  if (stretch.at + stretch.n > bytes.length) throw new NotWellFormed(bytes.length);
  return new LooseReader(bytes, stretch.at, stretch.at + stretch.n).whole();
}

/**
 * Reads like looseItem(), but never throws.
 *
 * @param bytes - The bytes.
 * @param stretch - A range of them. Default: all.
 * @returns The item, or undefined if the bytes are not well-formed.
 */
export function looseItemIn(bytes: Uint8Array, stretch?: Slice): LooseItem | undefined {
  try {
    return looseItem(bytes, stretch);
  } catch (e) {
    if (e instanceof NotWellFormed) return undefined;
    throw e;
  }
}
