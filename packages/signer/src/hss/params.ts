// Parameters of HSS/LMS (RFC 8554 §4.1, §5.1, §6; for n = 24 SP 800-208 §4 and RFC 9858 §2): what follows from them.

export type Height = 5 | 10 | 15 | 20 | 25;
export type Width = 1 | 2 | 4 | 8;

/** One tree of a stack: 2^height leaves, each a one-time key with digits of `width` bits. */
export interface HssLevel {
  readonly height: Height;
  readonly width: Width;
}

/** 1 to 8 levels, the top one first. `n`, the bytes of a hash, is the same for all: SHA-256, or SHA-256/192. */
export interface HssParams {
  readonly n: 32 | 24;
  readonly levels: readonly HssLevel[];
}

const WIDTHS: readonly number[] = [1, 2, 4, 8];
/** p: chains of a one-time key; ls: by how many bits its checksum is shifted up (RFC 8554 §4.1, RFC 9858 §2). */
const CHAINS = { 32: [265, 133, 67, 34], 24: [200, 101, 51, 26] } as const;
const SHIFTS = { 32: [7, 6, 4, 0], 24: [8, 6, 4, 0] } as const;

/** The number of the LMS type: 5 to 9, or 10 to 14 for n = 24. */
export function lmsType(n: number, height: number): number {
  return (n === 32 ? 4 : 9) + height / 5;
}

/** The number of the LM-OTS type: 1 to 4, or 5 to 8 for n = 24. */
export function otsType(n: number, width: number): number {
  return (n === 32 ? 1 : 5) + WIDTHS.indexOf(width);
}

export function chainsOf(n: 32 | 24, width: Width): number {
  return CHAINS[n][WIDTHS.indexOf(width)] as number;
}

export function checksumShift(n: 32 | 24, width: Width): number {
  return SHIFTS[n][WIDTHS.indexOf(width)] as number;
}

/** How many signatures a key can make: the product of the leaves of its levels, up to 2^200. */
export function hssCapacity({ levels }: HssParams): bigint {
  return 1n << BigInt(levels.reduce((sum, { height }) => sum + height, 0));
}

/** Bytes of a signature (RFC 8554 §6.2). */
export function hssSignatureLength({ n, levels }: HssParams): number {
  const lms = levels.map(({ height, width }) => 12 + n + n * chainsOf(n, width) + n * height);
  return 4 + lms.reduce((sum, bytes) => sum + bytes, 0) + (levels.length - 1) * (24 + n);
}

/** Hashes that a leaf of a tree costs, nearly all of them one compression each. */
export function leafCost(n: 32 | 24, width: Width): number {
  return chainsOf(n, width) * 2 ** width;
}
