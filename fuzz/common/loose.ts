// CBOR in a form that survives mutation. Plain changes of an envelope nearly always end at the reader: a length no
// longer fits, a key is out of order. Here an input is read leniently and written again as the reader wants it, so that
// a change of one byte changes the content. Arrays and maps may be of indefinite length, and a byte string that holds
// an item is tag 24 with the item inside (RFC 8949 §3.4.5.1), so that no length must fit. Other tags stay as they are.

const DEEPEST = 24;
/** Items in one input: more are not needed, and nesting of lengths could ask for any number. */
const MOST = 4000;

function head(major: number, n: number | bigint): Buffer {
  const v = BigInt(n);
  const size = v < 24n ? 0 : v < 256n ? 1 : v < 65536n ? 2 : v < 4294967296n ? 4 : 8;
  const out = Buffer.alloc(1 + size);
  out[0] = major * 32 + (size === 0 ? Number(v) : 24 + Math.log2(size));
  for (let i = 0; i < size; i++) out[1 + i] = Number((v >> BigInt(8 * (size - 1 - i))) & 255n);
  return out;
}

class Reader {
  at = 0;
  items = 0;
  constructor(readonly bytes: Uint8Array) {}

  get over(): boolean {
    return this.at >= this.bytes.length || this.items > MOST;
  }

  /** The argument of a head; null: of indefinite length. */
  private argument(low: number): bigint | null {
    if (low < 24) return BigInt(low);
    if (low === 31) return null;
    const n = Math.min(1 << Math.min(low - 24, 3), this.bytes.length - this.at);
    let out = 0n;
    for (let i = 0; i < n; i++) out = out * 256n + BigInt(this.bytes[this.at++] as number);
    return out;
  }

  /** Items up to a break, the end, or so many. */
  private list(n: bigint | null, depth: number): Buffer[] {
    const out: Buffer[] = [];
    while (!this.over && (n === null || BigInt(out.length) < n)) {
      if (this.bytes[this.at] === 0xff) {
        this.at++;
        break;
      }
      out.push(this.item(depth + 1));
    }
    return out;
  }

  item(depth = 0): Buffer {
    this.items++;
    if (this.over || depth > DEEPEST) return head(0, 0);
    const first = this.bytes[this.at++] as number;
    const [major, low] = [first >> 5, first & 31];
    const n = this.argument(low);
    switch (major) {
      case 0:
      case 1:
        return head(major, n ?? 0);
      case 2:
      case 3: {
        const left = this.bytes.length - this.at;
        const size = n === null || n > BigInt(left) ? left : Number(n);
        const content = this.bytes.subarray(this.at, this.at + size);
        this.at += size;
        return Buffer.concat([head(major, size), content]);
      }
      case 4: {
        const items = this.list(n, depth);
        return Buffer.concat([head(4, items.length), ...items]);
      }
      case 5: {
        const items = this.list(n === null ? null : 2n * n, depth);
        const pairs = new Map<string, Buffer>();
        for (let i = 0; i + 1 < items.length; i += 2) pairs.set((items[i] as Buffer).toString("latin1"), items[i + 1] as Buffer);
        const sorted = [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
        return Buffer.concat([head(5, sorted.length), ...sorted.flatMap(([key, value]) => [Buffer.from(key, "latin1"), value])]);
      }
      case 6: {
        const inner = this.item(depth + 1);
        return n === 24n ? Buffer.concat([head(2, inner.length), inner]) : Buffer.concat([head(6, n ?? 0), inner]);
      }
      default:
        return Buffer.of(0xf4 + (low % 3));
    }
  }
}

/** The items of an input, as the reader wants them. */
export function tidied(bytes: Uint8Array): Uint8Array[] {
  const reader = new Reader(bytes);
  const out: Uint8Array[] = [];
  while (!reader.over) out.push(reader.item());
  return out;
}

/** Where an item that is well-formed ends; undefined if it is not. */
function endOf(bytes: Uint8Array, at: number, depth = 0): number | undefined {
  if (at >= bytes.length || depth > 16) return undefined;
  const first = bytes[at++] as number;
  const [major, low] = [first >> 5, first & 31];
  if (low > 27) return undefined;
  let n = low;
  if (low > 23) {
    n = 0;
    for (let i = 1 << (low - 24); i > 0; i--) n = n * 256 + (bytes[at++] ?? 0);
  }
  if (major === 2 || major === 3) return at + n <= bytes.length ? at + n : undefined;
  if (major < 4 || major === 7) return at <= bytes.length ? at : undefined;
  let end: number | undefined = at;
  for (let i = major === 4 ? n : major === 5 ? 2 * n : 1; i > 0 && end !== undefined; i--) end = endOf(bytes, end, depth + 1);
  return end;
}

/**
 * Key and value of each pair of an envelope's map, encoded as they are; empty if it is not an envelope. This uses none
 * of our tested code.
 */
export function pairsOf(envelope: Uint8Array): [key: Uint8Array, value: Uint8Array][] {
  let at = envelope[0] === 0xd8 ? 2 : 0;
  const end = endOf(envelope, at);
  const first = envelope[at++] ?? 0;
  if (end === undefined || first >> 5 !== 5) return [];
  const low = first & 31;
  if (low > 23) at += 1 << (low - 24);
  const out: [Uint8Array, Uint8Array][] = [];
  while (at < end) {
    const value = endOf(envelope, at) ?? end;
    const next = endOf(envelope, value) ?? end;
    out.push([envelope.subarray(at, value), envelope.subarray(value, next)]);
    at = next;
  }
  return out;
}

/** What is in an encoded byte string. */
export function inside(bytes: Uint8Array): Uint8Array {
  const low = (bytes[0] ?? 0) & 31;
  return bytes.subarray(low > 23 ? 1 + (1 << (low - 24)) : 1);
}

/**
 * The other way, for seeds: containers end with a break, and byte strings that hold an array or a map become tag 24.
 */
export function loosened(bytes: Uint8Array): Uint8Array {
  const walk = (at: number): { out: Buffer; end: number } => {
    const first = bytes[at] as number;
    const [major, low] = [first >> 5, first & 31];
    const end = endOf(bytes, at) ?? bytes.length;
    const argument = low > 23 ? 1 << (low - 24) : 0;
    let inside = at + 1 + argument;
    if (major === 2) {
      const type = (bytes[inside] ?? 0) >> 5;
      if ((type === 4 || type === 5) && endOf(bytes, inside) === end) return { out: Buffer.concat([head(6, 24), walk(inside).out]), end };
    }
    if (major === 4 || major === 5) {
      const items: Buffer[] = [];
      while (inside < end) {
        const { out, end: next } = walk(inside);
        items.push(out);
        inside = next;
      }
      return { out: Buffer.concat([Buffer.of(major * 32 + 31), ...items, Buffer.of(0xff)]), end };
    }
    if (major === 6) return { out: Buffer.concat([bytes.subarray(at, inside), walk(inside).out]), end };
    return { out: Buffer.from(bytes.subarray(at, end)), end };
  };
  return walk(0).out;
}
