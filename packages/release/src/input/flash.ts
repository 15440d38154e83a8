// The bytes that go to flash, from a build output of any format.

import { DETECT_BYTES, detectFormat, parseImage } from "@firmseal/images";
import { byteWords, grouped, readAll, refusedInput, visible } from "@firmseal/keys/internal";
import { LIMITS } from "./limits.js";

export interface FlashBytes {
  readonly bytes: Uint8Array;
  /** For a file that is not raw: what was read from it, in words. */
  readonly read?: string;
}

/**
 * Reads an image whole, once: what is hashed is what is embedded, even if the file changes meanwhile. `given`: its
 * bytes, if they were read.
 */
export function flashBytes(path: string, given?: Uint8Array): FlashBytes {
  const file = given ?? readAll(path, LIMITS.image);
  const format = detectFormat(file.subarray(0, DETECT_BYTES), path);
  const image = format === "raw" ? undefined : parseImage(file, format);
  const bytes = image ? image.bytes : file;
  if (bytes.length === 0) throw refusedInput("ERR_IMAGE", `${path} contains no bytes for the flash`, "give the image that the build wrote");
  if (!image) return { bytes };
  const gaps = image.gaps > 0 ? `, ${grouped(image.gaps)} of them gaps filled with ff` : "";
  return {
    bytes,
    read: `${visible(path)}: ${format}, ${byteWords(bytes.length)} from address 0x${(image.address ?? 0).toString(16)}${gaps}`,
  };
}
