// DER (X.690) for key files: lengths below 2^16 in their only form, no trailing bytes.

export const INTEGER = 0x02;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;
export const SEQUENCE = 0x30;

/** One item: tag, content, and the whole encoding. Views of the input. */
export interface Tlv {
  readonly tag: number;
  readonly content: Buffer;
  readonly whole: Buffer;
}

/** The item at `at`. Returns undefined if it is truncated or its length is not in the shortest form. */
function tlvAt(bytes: Buffer, at: number): Tlv | undefined {
  const [tag, first = 0xff] = bytes.subarray(at, at + 2);
  // key files only use one-byte tags
  if (tag === undefined || (tag & 0x1f) === 0x1f) return undefined;
  const more = first < 0x80 ? 0 : first - 0x80;
  if (more > 2 || (first >= 0x80 && more === 0) || at + 2 + more > bytes.length) return undefined;
  const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
  if ((more === 1 && length < 0x80) || (more === 2 && length < 0x100)) return undefined;
  const start = at + 2 + more;
  if (start + length > bytes.length) return undefined;
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}

/** Parses bytes that are exactly one item, with the given tag if any. */
export function singleTlv(bytes: Uint8Array, tag?: number): Tlv | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = tlvAt(buffer, 0);
  return found && found.whole.length === bytes.length && (tag === undefined || found.tag === tag) ? found : undefined;
}

/** The items in a SEQUENCE, at most 16. Returns undefined if it is invalid. */
export function children(parent: Tlv | undefined): Tlv[] | undefined {
  if (parent?.tag !== SEQUENCE) return undefined;
  const out: Tlv[] = [];
  for (let at = 0; at < parent.content.length; ) {
    const next = tlvAt(parent.content, at);
    if (!next || out.length === 16) return undefined;
    out.push(next);
    at += next.whole.length;
  }
  return out;
}

export function tlv(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const n = body.length;
  if (n > 0xffff) throw new RangeError("longer than any key");
  const head = n < 0x80 ? [tag, n] : n < 0x100 ? [tag, 0x81, n] : [tag, 0x82, n >> 8, n & 0xff];
  return Buffer.concat([Buffer.from(head), body]);
}

/** Encodes an integer from 0 to 2^31 - 1, with a leading zero if it would be negative. */
export function derInteger(value: number): Buffer {
  const bytes = [value & 0xff];
  for (let rest = value >> 8; rest > 0; rest >>= 8) bytes.unshift(rest & 0xff);
  if ((bytes[0] as number) & 0x80) bytes.unshift(0);
  return tlv(INTEGER, Buffer.from(bytes));
}

export function octetString(content: Uint8Array): Buffer {
  return tlv(OCTET_STRING, content);
}

/** A BIT STRING of whole bytes. */
export function bitString(content: Uint8Array): Buffer {
  return tlv(0x03, Buffer.from([0]), content);
}
