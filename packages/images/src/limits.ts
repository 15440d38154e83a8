// What is taken from an image at most.

const KIB = 1024;
const MIB = 1024 * KIB;

export const IMAGE_LIMITS = {
  /** Stretches of memory that an image file sets. */
  imagePieces: 1024 * KIB,
  /** Bytes that fill the gaps of an image. */
  imageGaps: MIB,
} as const;
