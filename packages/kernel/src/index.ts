// The kernel as machine code: Ed25519 verification, SHA-512 and SHA-256 for Cortex-M. The sources in C are beside this
// file.

import { IMAGES } from "./images.generated.js";

/**
 * The architectures with an image: Cortex-M4, M7 and M33 with DSP (ARMv7E-M), and Cortex-M0, M0+ and later (ARMv6-M).
 */
export type Architecture = keyof typeof IMAGES;

/**
 * Machine code that runs at every address that is a multiple of 4. It begins with `struct firmseal_kernel` of kernel.h.
 */
export interface KernelImage {
  bytes: Uint8Array;
  /** SHA-256 over the bytes, in hexadecimal. */
  digest: string;
}

/** The names of the architectures. */
export const ARCHITECTURES = Object.keys(IMAGES) as Architecture[];

/** Returns the image for an architecture. Throws RangeError for an unknown one. */
export function kernelImage(architecture: Architecture): KernelImage {
  if (!Object.hasOwn(IMAGES, architecture)) throw new RangeError(`unknown architecture ${architecture}`);
  const { base64, digest } = IMAGES[architecture];
  return { bytes: new Uint8Array(Buffer.from(base64, "base64")), digest };
}
