// The kernel as machine code for Cortex-M: Ed25519 verification with SHA-512 and SHA-256, P-256 verification, both, and
// the hashes alone. The sources in C are beside this file.

import { IMAGES } from "./images.generated.js";

/**
 * The architectures with an image: Cortex-M4, M7 and M33 with DSP (ARMv7E-M), and Cortex-M0, M0+ and later (ARMv6-M).
 */
export type Architecture = keyof (typeof IMAGES)["ed25519"];

/**
 * What an image has. ed25519: with SHA-512 and SHA-256. es256: ECDSA with P-256, without a hash. both: all of this.
 * sha2: these hashes alone.
 */
export type KernelName = keyof typeof IMAGES;

/**
 * Machine code that runs at every address that is a multiple of 4. It begins with `struct firmseal_kernel` of kernel.h.
 */
export interface KernelImage {
  bytes: Uint8Array;
  /** SHA-256 over the bytes, in hexadecimal. */
  digest: string;
}

/** The names of the architectures. */
export const ARCHITECTURES = Object.keys(IMAGES.ed25519) as Architecture[];

/** The names of the images. */
export const KERNELS = Object.keys(IMAGES) as KernelName[];

/**
 * Reads the machine code that verifies signatures.
 *
 * @param architecture - "armv6m" (Cortex-M0+) or "armv7em" (Cortex-M4).
 * @param name - "ed25519", "es256", "both" or "sha2". Default: "ed25519".
 * @returns The image, and its SHA-256 in hexadecimal.
 * @throws RangeError for an unknown architecture or name.
 * @example
 * ```ts
 * import { kernelImage } from "@firmseal/kernel";
 *
 * const { bytes, digest } = kernelImage("armv7em", "ed25519");
 * console.log(`${bytes.length} bytes, SHA-256 ${digest}`);
 * ```
 */
export function kernelImage(architecture: Architecture, name: KernelName = "ed25519"): KernelImage {
  if (!Object.hasOwn(IMAGES, name)) throw new RangeError(`unknown kernel ${name}`);
  if (!Object.hasOwn(IMAGES[name], architecture)) throw new RangeError(`unknown architecture ${architecture}`);
  const { base64, digest } = IMAGES[name][architecture];
  return { bytes: new Uint8Array(Buffer.from(base64, "base64")), digest };
}
