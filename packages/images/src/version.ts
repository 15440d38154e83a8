// The version that an image itself names, in formats that have a place for one. Boot loaders and applications report
// it, so it must not be missing, and must be that of the release.

/** The version in an image. */
export interface ImageVersion {
  /** `esp`: an app image of ESP-IDF; `mcuboot`: an image of MCUboot, as Zephyr makes them. */
  readonly format: "esp" | "mcuboot";
  /** Undefined if the image leaves it out: no app descriptor, an empty text, or version 0.0.0+0. */
  readonly version: string | undefined;
}

/** Bytes that imageVersion() examines. */
export const VERSION_BYTES = 288;

/** ih_magic of MCUboot, version 1 (boot/bootutil/include/bootutil/image.h). */
const MCUBOOT_MAGIC = 0x96f3b83d;
const MCUBOOT_HEADER = 32;
/** Flags that MCUboot defines: a raw image that begins like a header by chance has others. */
const MCUBOOT_FLAGS = 0xf3d;

/** First byte of an app image of ESP-IDF (esp_app_format.h). */
const ESP_MAGIC = 0xe9;
/** Header of the image (24 bytes), and of its first segment (8 bytes). */
const ESP_HEADER = 32;
const ESP_SEGMENTS = 16;
/** chip_id of the chips that ESP-IDF has: ESP32, S2, C3, S3, C2, C6, H2, P4, C61, C5. */
const ESP_CHIPS: ReadonlySet<number> = new Set([0, 2, 5, 9, 12, 13, 16, 18, 20, 23]);
/** ESP_APP_DESC_MAGIC_WORD, at the beginning of the first segment (esp_app_desc.h). */
const ESP_DESCRIPTOR = 0xabcd5432;
const ESP_VERSION = { at: 16, length: 32 };

function mcubootVersion(view: DataView): ImageVersion | undefined {
  if (view.byteLength < MCUBOOT_HEADER || view.getUint32(0, true) !== MCUBOOT_MAGIC) return undefined;
  // 32 bits
  if (view.getUint16(8, true) < MCUBOOT_HEADER || (view.getUint32(16, true) & ~MCUBOOT_FLAGS) !== 0) return undefined;
  const parts = [view.getUint8(20), view.getUint8(21), view.getUint16(22, true), view.getUint32(24, true)] as const;
  const [major, minor, revision, build] = parts;
  const named = parts.some((part) => part !== 0);
  return { format: "mcuboot", version: named ? `${major}.${minor}.${revision}${build === 0 ? "" : `+${build}`}` : undefined };
}

function espVersion(head: Uint8Array, view: DataView): ImageVersion | undefined {
  if (head.length < ESP_HEADER || head[0] !== ESP_MAGIC) return undefined;
  const segments = head[1] as number;
  if (segments < 1 || segments > ESP_SEGMENTS || !ESP_CHIPS.has(view.getUint16(12, true)) || (head[23] as number) > 1) return undefined;
  const at = ESP_HEADER + ESP_VERSION.at;
  if (head.length < at + ESP_VERSION.length || view.getUint32(ESP_HEADER, true) !== ESP_DESCRIPTOR)
    return { format: "esp", version: undefined };
  const field = head.subarray(at, at + ESP_VERSION.length);
  const end = field.indexOf(0);
  const text = Buffer.from(end < 0 ? field : field.subarray(0, end)).toString("latin1");
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
 * import { imageVersion, VERSION_BYTES } from "@firmseal/images";
 *
 * imageVersion(readFileSync("app.bin").subarray(0, VERSION_BYTES)); // { format: "mcuboot", version: "1.4.2+7" }
 * ```
 */
export function imageVersion(head: Uint8Array): ImageVersion | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return mcubootVersion(view) ?? espVersion(head, view);
}
