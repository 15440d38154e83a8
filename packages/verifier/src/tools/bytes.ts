// Byte strings of tools: as text, and compared.

/** Bytes that toHex() writes at a time. Engines limit the number of arguments of a call. */
var AT_ONCE = 4096;

/** The character codes of the digits. */
var DIGITS = [48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102];

/**
 * Encodes bytes as hexadecimal text. Joins pieces: a payload may have many megabytes, and a text that grows by single
 * characters takes many times as much memory.
 *
 * @param bytes - The bytes.
 * @returns The digits, in lower case.
 */
export function toHex(bytes: ArrayLike<number>): string {
  var parts = [],
    codes: number[] = [],
    at,
    i,
    n;
  for (at = 0; at < bytes.length; at += AT_ONCE) {
    n = Math.min(AT_ONCE, bytes.length - at);
    codes.length = 2 * n;
    // octets: 8 bits
    for (i = 0; i < n; i++) {
      codes[2 * i] = DIGITS[(bytes[at + i] as number) >> 4];
      codes[2 * i + 1] = DIGITS[(bytes[at + i] as number) & 15];
    }
    parts.push(String.fromCharCode.apply(null, codes));
  }
  return parts.join("");
}

/**
 * Decodes hexadecimal text.
 *
 * @param text - An even number of digits.
 * @returns The bytes.
 */
export function fromHex(text: string): Uint8Array {
  var out = new Uint8Array(text.length / 2),
    i;
  for (i = 0; i < out.length; i++) out[i] = parseInt(text.substring(2 * i, 2 * i + 2), 16);
  return out;
}

/**
 * Compares two byte strings. Not constant-time: it stops at the first difference, so use it for public data only.
 *
 * @param a - Bytes.
 * @param b - Other bytes.
 * @returns Whether they are equal.
 */
export function equalBytes(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  var i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i === a.length && a.length === b.length;
}
