// The version that an image itself names, in formats that have a place for one. Boot loaders and applications report
// it, so it must not be missing, and must be that of the release.

import { DESCRIPTOR_MAGIC, DESCRIPTOR_VERSION, HEADER, looksLikeImage, SEGMENT_HEADER } from "./esp32/app-image.js";
import { formatImageVersion, readVersion } from "./mcuboot/image-version.js";
import { FLAGS, HEADER_BYTES, HEADER_MAGIC } from "./mcuboot/numbers.js";
import { viewOf } from "./view.js";

/** The version in an image. */
export interface ImageVersion {
  /** `esp`: an app image of ESP-IDF; `mcuboot`: an image of MCUboot, as Zephyr makes them. */
  readonly format: "esp" | "mcuboot";
  /** Undefined if the image leaves it out: no app descriptor, an empty text, or version 0.0.0+0. */
  readonly version: string | undefined;
}

/** Bytes that imageVersion() examines. */
export const VERSION_BYTES = 288;

/** Header of an ESP32 image, and of its first segment. */
const ESP_HEADER = HEADER + SEGMENT_HEADER;
const ESP_VERSION = { at: ESP_HEADER + DESCRIPTOR_VERSION.at, length: DESCRIPTOR_VERSION.length };
/** Of MCUboot: a raw image that begins like a header by chance has others. PIC is the first one. */
const KNOWN_FLAGS = Object.values(FLAGS).reduce((all, one) => all | one, 1);

function mcubootVersion(view: DataView): ImageVersion | undefined {
  if (view.byteLength < HEADER_BYTES || view.getUint32(0, true) !== HEADER_MAGIC) return undefined;
  if (view.getUint16(8, true) < HEADER_BYTES || (view.getUint32(16, true) & ~KNOWN_FLAGS) !== 0) return undefined;
  const numbers = readVersion(view, 20);
  const named = Object.values(numbers).some((part) => part !== 0);
  return { format: "mcuboot", version: named ? formatImageVersion(numbers) : undefined };
}

function espVersion(head: Uint8Array, view: DataView): ImageVersion | undefined {
  if (head.length < ESP_HEADER || !looksLikeImage(head)) return undefined;
  const { at, length } = ESP_VERSION;
  if (head.length < at + length || view.getUint32(ESP_HEADER, true) !== DESCRIPTOR_MAGIC) return { format: "esp", version: undefined };
  const [text] = Buffer.from(head.subarray(at, at + length))
    .toString("latin1")
    .split("\0", 1);
  return { format: "esp", version: text === "" ? undefined : text };
}

/**
 * Reads the version that an image names.
 *
 * @param head - The first 288 bytes of the image, or all of a shorter one.
 * @returns The format and the version. undefined for a format without a version of its own, such as a plain binary.
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { imageVersion, VERSION_BYTES } from "@firmseal/formats";
 *
 * imageVersion(readFileSync("app.bin").subarray(0, VERSION_BYTES)); // { format: "mcuboot", version: "1.4.2+7" }
 * ```
 */
export function imageVersion(head: Uint8Array): ImageVersion | undefined {
  const view = viewOf(head);
  return mcubootVersion(view) ?? espVersion(head, view);
}
