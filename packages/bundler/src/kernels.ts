// Machine code in bundles: which board runs which image of @firmseal/kernel, and where it has it.

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { type Architecture, type KernelName, kernelImage } from "@firmseal/kernel";
import { FirmsealError } from "@firmseal/verifier/tools";
import type { AlgName } from "./options.js";

interface Board {
  /** What the engine calls the board: `process.env.BOARD`. */
  board: string;
  architecture: Architecture;
  /** Whether the firmware has SHA-256. If not, the machine code has it. */
  hashes: boolean;
  /**
   * Where the image is: base64 in the bundle, which takes 21 kB of memory at the start, or a Storage file, which runs
   * where it lies if flash is mapped into memory, or else takes its own length of memory.
   */
  place: "bundle" | "storage";
}

/**
 * By target. Each needs E.nativeCall, 6 kB of free stack, and memory: see the guide to machine code before you add one.
 */
const BOARDS = {
  "bangle.js2": { board: "BANGLEJS2", architecture: "armv7em", hashes: true, place: "bundle" },
  "puck.js": { board: "PUCKJS", architecture: "armv7em", hashes: true, place: "storage" },
  "pixl.js": { board: "PIXLJS", architecture: "armv7em", hashes: false, place: "storage" },
  "bangle.js1": { board: "BANGLEJS", architecture: "armv7em", hashes: false, place: "storage" },
  microbit2: { board: "MICROBIT2", architecture: "armv7em", hashes: false, place: "storage" },
} as const satisfies { [target: string]: Board };

/** A target with machine code. */
export type KernelTarget = keyof typeof BOARDS;

/** The targets with machine code. */
export const KERNEL_TARGETS = Object.keys(BOARDS) as KernelTarget[];

/** The Storage file with the machine code, where it is not in the bundle. */
export const KERNEL_FILE = "firmseal.code";

/** Which image a bundle with these algorithms uses on this board; undefined: none. */
function imageName({ hashes }: Board, algs: readonly AlgName[]): KernelName | undefined {
  if (algs.includes("es256")) return algs.includes("ed25519") || !hashes ? "both" : "es256";
  return algs.includes("ed25519") ? "ed25519" : hashes ? undefined : "sha2";
}

/** Whether a bundle with these algorithms has a use for machine code on this board. */
export const hasKernel = (target: KernelTarget, algs: readonly AlgName[]): boolean => imageName(BOARDS[target], algs) !== undefined;

/**
 * Finds the machine code of a bundle.
 *
 * @param target - The board.
 * @param algs - The algorithms of the bundle. Default: ed25519.
 * @returns Its board, architecture, place, bytes, their length, and their SHA-256 in hexadecimal.
 * @throws FirmsealError ERR_BUNDLE if the image does not have its digest, or if there is none.
 * @example
 * ```ts
 * import { kernelOf } from "@firmseal/bundler";
 *
 * const { bytes, digest } = kernelOf("puck.js", ["ed25519"]);
 * console.log(`${bytes.length} bytes, SHA-256 ${digest}`);
 * ```
 */
export function kernelOf(
  target: KernelTarget,
  algs: readonly AlgName[] = ["ed25519"],
): Board & { image: KernelName; bytes: Uint8Array; length: number; digest: string } {
  const board = BOARDS[target];
  const image = imageName(board, algs);
  if (!image) throw new FirmsealError("ERR_BUNDLE", `${target} has no machine code for ${algs.join(", ")}`);
  const { bytes, digest } = kernelImage(board.architecture, image);
  if (createHash("sha256").update(bytes).digest("hex") !== digest)
    throw new FirmsealError("ERR_BUNDLE", `the kernel for ${target} is not what its digest says`);
  return { ...board, image, bytes, length: bytes.length, digest };
}

/**
 * The code that gives a bundle its machine code: `api.kernel(E, process, host, storage)`. `name`: the variable of an
 * exported name of the verifier.
 */
export function kernelExport(target: KernelTarget, algs: readonly AlgName[], api: string, name: (value: string) => string): string[] {
  const { board, hashes, place, bytes, digest } = kernelOf(target, algs);
  const text = (of: string, content: Uint8Array) => `function ${of}() {\n  return atob("${Buffer.from(content).toString("base64")}");\n}`;
  const code = [
    `board: "${board}"`,
    place === "bundle" ? "text: firmsealImage" : `file: "${KERNEL_FILE}"`,
    "digest: firmsealDigest",
    ...(hashes ? [] : [`crc: ${crc32(bytes)}`]),
  ];
  const used = [
    ...(hashes ? [] : [`${name("useHashes")}(machine, host)`]),
    ...(algs.includes("ed25519") ? [`${name("useKernel")}(machine)`] : []),
    ...(algs.includes("es256") ? [`${name("useEs256Kernel")}(machine)`] : []),
  ];
  return [
    ...(place === "bundle" ? [text("firmsealImage", bytes)] : []),
    text("firmsealDigest", Buffer.from(digest, "hex")),
    `${api}.kernel = function (E, process, host, storage) {`,
    `  var machine = ${name("makeMachine")}(E, process, host, storage, { ${code.join(", ")} });`,
    `  return ${used.join(" || ")};\n};`,
  ];
}
