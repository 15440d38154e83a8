// Sets and maps for a log of millions of entries: 10 to 25 bytes for each, whatever its text is.

import { hash, randomBytes } from "node:crypto";

/** Nobody else knows it, so nobody can choose two texts with one fingerprint. */
const SECRET = randomBytes(16).toString("hex");

/** 52 bits that stand for a text in this process: a double holds them exactly. Never 0. */
export function fingerprint(text: string | undefined): number {
  // JSON tells lone surrogates apart, which UTF-8 does not
  return Number.parseInt(hash("sha256", SECRET + JSON.stringify(text), "hex").slice(0, 13), 16) || 1;
}

/** The room of an empty map, and how it grows. */
const FIRST = 64;
const GROWTH = 1.5;
const FULLEST = 0.85;

/** The room for so many. An array that grows leaves garbage of more than its size. */
const roomFor = (expected: number) => Math.max(FIRST, Math.ceil(expected / FULLEST));

/** A set of fingerprints: open addressing with linear probing. */
export class NumberSet {
  protected keys: Float64Array;
  private size = 0;

  /** `expected`: how many keys there may be. It grows for more. */
  constructor(expected = 0) {
    this.keys = new Float64Array(roomFor(expected));
  }

  /** Where a key is, or where it would be. */
  protected place(key: number): number {
    let at = key % this.keys.length;
    while (this.keys[at] !== 0 && this.keys[at] !== key) at = at + 1 < this.keys.length ? at + 1 : 0;
    return at;
  }

  has(key: number): boolean {
    return this.keys[this.place(key)] === key;
  }

  /** Adds a key. Returns false if it was there. */
  add(key: number): boolean {
    const at = this.place(key);
    if (this.keys[at] === key) return false;
    this.keys[at] = key;
    if (++this.size > FULLEST * this.keys.length) this.grow(Math.ceil(this.keys.length * GROWTH));
    return true;
  }

  protected grow(room: number): void {
    const before = this.keys;
    this.keys = new Float64Array(room);
    for (const [i, key] of before.entries()) if (key !== 0) this.move(i, key);
  }

  /** Puts a key of the table before in its place. */
  protected move(_before: number, key: number): void {
    this.keys[this.place(key)] = key;
  }
}

/** A map of fingerprints to numbers: of 32 bits, or whatever a double holds. */
export class NumberMap extends NumberSet {
  private values: Float64Array | Uint32Array;
  private old: Float64Array | Uint32Array;

  constructor(
    private readonly kind: Float64ArrayConstructor | Uint32ArrayConstructor,
    expected = 0,
  ) {
    super(expected);
    this.values = new kind(roomFor(expected));
    this.old = this.values;
  }

  get(key: number): number | undefined {
    const at = this.place(key);
    return this.keys[at] === key ? this.values[at] : undefined;
  }

  set(key: number, value: number): void {
    this.add(key);
    this.values[this.place(key)] = value;
  }

  protected override grow(room: number): void {
    this.old = this.values;
    this.values = new this.kind(room);
    super.grow(room);
    this.old = this.values;
  }

  protected override move(before: number, key: number): void {
    super.move(before, key);
    this.values[this.place(key)] = this.old[before] as number;
  }
}

/** A map of texts to numbers. */
export class TextMap {
  private readonly numbers: NumberMap;

  constructor(expected: number) {
    this.numbers = new NumberMap(Float64Array, expected);
  }

  get(text: string): number | undefined {
    return this.numbers.get(fingerprint(text));
  }

  set(text: string, value: number): void {
    this.numbers.set(fingerprint(text), value);
  }
}
