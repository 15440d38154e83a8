// Refusals of images of ESP32 chips: 660 to 699.

import type { FormatRefusalRow } from "./row.js";

const BUILD_AGAIN = "build the image again, or get it again: it is damaged, or not for a chip with Secure Boot v2";
const SIGN_AGAIN = "sign the unsigned image again: a chip would skip this signature, or not start the image";

/** By name. The numbers are in numbers.ts. */
export const ESP32_REFUSALS = {
  ESP32_TRUNCATED: {
    meaning: "the file ends inside the image",
    advice: "get the file again: it is cut short",
    source: "ESP-IDF esp_image_format.c",
  },
  ESP32_HEADER: {
    meaning: "the header is not that of an image for a chip with Secure Boot v2",
    advice: "give the .bin of the build, not the ELF, and not an encrypted image",
    source: "ESP-IDF esp_app_format.h",
  },
  ESP32_SEGMENT: {
    meaning: "the length of a segment is not a multiple of 4, or is 16 MiB or more",
    advice: BUILD_AGAIN,
    source: "ESP-IDF esp_image_format.c",
  },
  ESP32_CHECKSUM: { meaning: "the checksum of the segments is wrong", advice: BUILD_AGAIN, source: "ESP-IDF esp_image_format.c" },
  ESP32_HASH: {
    meaning: "the SHA-256 at the end of the image is not that of the image",
    advice: BUILD_AGAIN,
    source: "ESP-IDF esp_image_format.c",
  },
  ESP32_DESCRIPTOR: {
    meaning: "a text of the app descriptor is not ASCII that ends with a zero",
    advice: "build the app again with a version and a name in ASCII, of at most 31 characters",
    source: "ESP-IDF esp_app_desc.h",
  },
  ESP32_LENGTH: {
    meaning: "the file is neither an image nor an image with one sector of signatures",
    advice: "give the .bin of one app or boot loader, without what else is in the flash",
    source: "ESP-IDF secure-boot-v2.rst",
  },
  ESP32_PADDED: {
    meaning: "a boot loader would not find the signatures, because ff pads the image past the sector that it reads",
    advice: "give the unsigned .bin of the build: esptool elf2image ends it where the chip needs it",
    source: "ESP-IDF esp_image_format.c",
  },
  ESP32_FILLER: {
    meaning: "between the image and the signatures, or behind them, is something other than ff",
    advice: "give the unsigned .bin of the build, and sign it again",
    source: "ESP-IDF secure-boot-v2.rst",
  },
  ESP32_BLOCK: {
    meaning: "a signature block has a wrong first byte, version or filler",
    advice: SIGN_AGAIN,
    source: "ESP-IDF secure_boot.h",
  },
  ESP32_BLOCK_CRC: { meaning: "the CRC of a signature block is wrong", advice: SIGN_AGAIN, source: "ESP-IDF secure_boot.h" },
  ESP32_BLOCK_KEY: {
    meaning: "the key in a signature block is not on its curve, or its numbers do not match",
    advice: SIGN_AGAIN,
    source: "ESP-IDF secure_boot.h",
  },
  ESP32_DIGEST: {
    meaning: "a signature block is for another image",
    advice: "get the file again, or sign the unsigned image again: it changed after it was signed",
    source: "ESP-IDF secure_boot_signatures_bootloader.c",
  },
  ESP32_BLOCKS: {
    meaning: "a chip would not read all signature blocks",
    advice: "sign the unsigned image again with keys of one kind, at most 3, and one for ESP32 and ESP32-C2",
    source: "ESP-IDF secure-boot-v2.rst",
  },
  ESP32_CHIP_KEY: {
    meaning: "the chip does not verify signatures by a key of this kind",
    advice: "use RSA-3072 for ESP32, S2, S3 and C3, P-256 for C2 and C61, and either of the two for other chips",
    source: "ESP-IDF soc_caps.h",
  },
} as const satisfies { readonly [name: string]: FormatRefusalRow };
