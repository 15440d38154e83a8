// Parameters of HSS/LMS (RFC 8554 §4.1, §5.1, §6; for n = 24 SP 800-208 §4 and RFC 9858 §2), and the values derived
// from them.

export type Height = 5 | 10 | 15 | 20 | 25;
export type Width = 1 | 2 | 4 | 8;

/** One tree of a stack: 2^height leaves. Each leaf is a one-time key with digits of `width` bits. */
export interface HssLevel {
  readonly height: Height;
  readonly width: Width;
}

/**
 * 1 to 8 levels, from the top. `n`, the hash length in bytes, is the same for all: 32 (SHA-256) or 24 (SHA-256/192).
 */
export interface HssParams {
  readonly n: 32 | 24;
  readonly levels: readonly HssLevel[];
}

const WIDTHS: readonly number[] = [1, 2, 4, 8];
/**
 * p is the number of chains of a one-time key; ls is the left shift of its checksum in bits (RFC 8554 §4.1, RFC 9858
 * §2).
 */
const CHAINS = { 32: [265, 133, 67, 34], 24: [200, 101, 51, 26] } as const;
const SHIFTS = { 32: [7, 6, 4, 0], 24: [8, 6, 4, 0] } as const;

/** The LMS type number: 5 to 9 for n = 32, 10 to 14 for n = 24. */
export function lmsType(n: number, height: number): number {
  return (n === 32 ? 4 : 9) + height / 5;
}

/** The LM-OTS type number: 1 to 4 for n = 32, 5 to 8 for n = 24. */
export function otsType(n: number, width: number): number {
  return (n === 32 ? 1 : 5) + WIDTHS.indexOf(width);
}

export function chainsOf(n: 32 | 24, width: Width): number {
  return CHAINS[n][WIDTHS.indexOf(width)] as number;
}

export function checksumShift(n: 32 | 24, width: Width): number {
  return SHIFTS[n][WIDTHS.indexOf(width)] as number;
}

/**
 * Computes the number of signatures that a key can make.
 *
 * @param params - The parameters of the key.
 * @returns The product of the leaves of its levels, at most 2^200.
 */
export function hssCapacity({ levels }: HssParams): bigint {
  return 1n << BigInt(levels.reduce((sum, { height }) => sum + height, 0));
}

/**
 * Computes the length of a signature (RFC 8554 §6.2).
 *
 * @param params - The parameters of the key.
 * @returns Bytes.
 */
export function hssSignatureLength({ n, levels }: HssParams): number {
  const lms = levels.map(({ height, width }) => 12 + n + n * chainsOf(n, width) + n * height);
  return 4 + lms.reduce((sum, bytes) => sum + bytes, 0) + (levels.length - 1) * (24 + n);
}

/**
 * Computes the number of hashes to compute one leaf.
 *
 * @param n - Bytes of a hash.
 * @param width - The Winternitz width.
 * @returns Hashes. Nearly all of them are a single compression.
 */
export function leafCost(n: 32 | 24, width: Width): number {
  return chainsOf(n, width) * 2 ** width;
}
