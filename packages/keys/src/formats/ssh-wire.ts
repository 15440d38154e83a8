// The data types of SSH (RFC 4251 §5) in which keys are encoded.

import { timingSafeEqual } from "node:crypto";

/** Reads from the front. Throws `fault()` for truncated data. */
export class WireReader {
  private at = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly fault: () => Error,
  ) {}

  take(n: number): Buffer {
    if (n > this.bytes.length - this.at) throw this.fault();
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }

  uint32(): number {
    return this.take(4).readUInt32BE(0);
  }

  string(): Buffer {
    return this.take(this.uint32());
  }

  /** A positive mpint, as `digits` big-endian bytes. Default: as many as it has, without zeros before it. */
  number(digits?: number): Buffer {
    const bytes = this.string();
    // exactly one leading zero if the next bit would make it negative
    const lead = bytes[0] === 0 ? 1 : 0;
    const length = digits ?? bytes.length - lead;
    const top = bytes[lead] ?? 0;
    if (bytes.length - lead > length || top >= 0x80 !== (lead === 1) || bytes.length === lead) throw this.fault();
    return Buffer.concat([Buffer.alloc(length - bytes.length + lead), bytes.subarray(lead)]);
  }

  rest(): Buffer {
    return this.take(this.bytes.length - this.at);
  }

  end(): void {
    if (this.at !== this.bytes.length) throw this.fault();
  }
}

/** Encodes a string: its length in four bytes, then its content. */
export function wire(content: string | Uint8Array): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content, "latin1") : content;
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes.length);
  return Buffer.concat([head, bytes]);
}

/** Encodes a positive big-endian number as mpint. */
export function wireNumber(value: Uint8Array): Buffer {
  const first = value.findIndex((byte) => byte !== 0);
  const bytes = value.subarray(first);
  if ((bytes[0] as number) < 0x80) return wire(bytes);
  const positive = Buffer.concat([Buffer.alloc(1), bytes]);
  const field = wire(positive);
  // it may be the scalar of a key
  positive.fill(0);
  return field;
}

export function equalFields(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
