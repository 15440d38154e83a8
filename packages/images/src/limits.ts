// Limits for image files.

const KIB = 1024;
const MIB = 1024 * KIB;

/** The limits of image files. parseImage() refuses a file that exceeds one. */
export const IMAGE_LIMITS = {
  /** Pieces of memory that an image file may set. */
  imagePieces: 1024 * KIB,
  /** Bytes that may fill the gaps of an image. */
  imageGaps: MIB,
} as const;
