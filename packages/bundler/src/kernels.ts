// Machine code in bundles: which board runs which image of @firmseal/kernel.

import { createHash } from "node:crypto";
import { type Architecture, kernelImage } from "@firmseal/kernel";

interface Board {
  /** What the engine calls the board: `process.env.BOARD`. */
  board: string;
  architecture: Architecture;
}

/**
 * By target. Each needs E.nativeCall, native SHA-256, 6 kB of free stack and 21 kB of memory: see the guide to machine
 * code before you add one.
 */
const BOARDS = {
  "bangle.js2": { board: "BANGLEJS2", architecture: "armv7em" },
} as const satisfies { [target: string]: Board };

/** A target with machine code for Ed25519. */
export type KernelTarget = keyof typeof BOARDS;

/** The targets with machine code for Ed25519. */
export const KERNEL_TARGETS = Object.keys(BOARDS) as KernelTarget[];

/**
 * Returns the machine code that a bundle for `target` holds: its board, architecture, length in bytes, and SHA-256 in
 * hexadecimal.
 */
export function kernelOf(target: KernelTarget): Board & { length: number; digest: string } {
  const { board, architecture } = BOARDS[target];
  const { bytes, digest } = kernelImage(architecture);
  return { board, architecture, length: bytes.length, digest };
}

/**
 * The code that gives a bundle its machine code: `api.kernel(E, process, host)`. Throws Error if the image does not
 * have its digest.
 */
export function kernelExport(target: KernelTarget, api: string, use: string): string[] {
  const { board, architecture } = BOARDS[target];
  const { bytes, digest } = kernelImage(architecture);
  if (createHash("sha256").update(bytes).digest("hex") !== digest) throw new Error(`the kernel for ${target} is not what its digest says`);
  const text = (name: string, content: Uint8Array) =>
    `function ${name}() {\n  return atob("${Buffer.from(content).toString("base64")}");\n}`;
  return [
    text("firmsealImage", bytes),
    text("firmsealDigest", Buffer.from(digest, "hex")),
    `${api}.kernel = function (E, process, host) {`,
    `  return ${use}(E, process, host, { board: "${board}", text: firmsealImage, digest: firmsealDigest });\n};`,
  ];
}
