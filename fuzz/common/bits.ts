// Decisions out of an input: small numbers from its end, so that its beginning can be something that is read as it is.

export class Choices {
  private end: number;
  constructor(private readonly bytes: Uint8Array) {
    this.end = bytes.length;
  }
  /** The next octet from the end; 0 if none is left. */
  byte(): number {
    return this.end > 0 ? (this.bytes[--this.end] as number) : 0;
  }
  /** A number below `n`. */
  below(n: number): number {
    return this.byte() % n;
  }
  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
  get more(): boolean {
    return this.end > 0;
  }
  /** What was not taken. */
  rest(): Uint8Array {
    return this.bytes.subarray(0, this.end);
  }
}

/** Values that may come in place of an octet. */
export const NO_OCTETS: readonly unknown[] = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1e300,
  -1,
  256,
  0.5,
  4294967296,
  undefined,
  null,
  {},
  [],
  "1",
  true,
  { valueOf: () => 1 },
  -0,
];
