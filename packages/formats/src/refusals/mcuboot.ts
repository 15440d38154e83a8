// Refusals of MCUboot images: 620 to 659.

import type { FormatRefusalRow } from "./row.js";

const IMAGE_H = "MCUboot, image.h";
const AGAIN = "get the file again, or make it again from the binary";

/** By name. The numbers are in numbers.ts. */
export const MCUBOOT_REFUSALS = {
  MCUBOOT_MAGIC: {
    meaning: "the header does not begin with the magic number of MCUboot",
    advice: "give an image with a header, as imgtool makes it; images of version 1 are not read",
    source: IMAGE_H,
  },
  MCUBOOT_BIG_ENDIAN: {
    meaning: "the image is for a big-endian processor",
    advice: "verify it where it was made: only little-endian images are read here",
    source: IMAGE_H,
  },
  MCUBOOT_TRUNCATED: {
    meaning: "the file ends before the image or a TLV area does",
    advice: AGAIN,
    source: IMAGE_H,
  },
  MCUBOOT_HEADER: {
    meaning: "a field of the header has a value that it cannot have",
    advice: AGAIN,
    source: IMAGE_H,
  },
  MCUBOOT_FLAGS: {
    meaning: "the flags are unknown, or exclude each other",
    advice: AGAIN,
    source: IMAGE_H,
  },
  MCUBOOT_TLV_MAGIC: {
    meaning: "a TLV area does not begin where the image ends",
    advice: AGAIN,
    source: IMAGE_H,
  },
  MCUBOOT_TLV_BOUNDS: {
    meaning: "a TLV runs past its area",
    advice: "do not use the file: imgtool and boot loaders read different things in it",
    source: "MCUboot, tlv.c",
  },
  MCUBOOT_PROTECTED_SIZE: {
    meaning: "the protected area does not have the size that the header says",
    advice: AGAIN,
    source: "MCUboot, image_validate.c",
  },
  MCUBOOT_TLV_TYPE: {
    meaning: "a TLV has a type that is unknown in its area",
    advice: "do not use the file: no signature says what such a TLV means",
    source: IMAGE_H,
  },
  MCUBOOT_TLV_AREA: {
    meaning: "a TLV is in the wrong area: facts belong in the protected one, hash and signatures in the other",
    advice: "do not use the file: outside of the protected area, anybody can add facts to a signed image",
    source: "MCUboot, allow list of unprotected TLVs",
  },
  MCUBOOT_TLV_DUPLICATE: {
    meaning: "a TLV that may be there once is there twice",
    advice: "do not use the file: two readers can read two things in it",
    source: "ours",
  },
  MCUBOOT_TLV_LENGTH: {
    meaning: "the value of a TLV has the wrong length",
    advice: AGAIN,
    source: IMAGE_H,
  },
  MCUBOOT_TLV_VALUE: {
    meaning: "a TLV has a value that it cannot have",
    advice: AGAIN,
    source: IMAGE_H,
  },
  MCUBOOT_TLV_ORDER: {
    meaning: "the TLVs of the signatures are not in their order: hash, then each key with its signature",
    advice: "get the signed file again: a boot loader pairs a signature with the key before it",
    source: "MCUboot, image_validate.c",
  },
  MCUBOOT_HASH_KIND: {
    meaning: "the hash is not the one that images with such signatures have",
    advice: "use SHA-384 for P-384, SHA-512 for Ed25519 over the whole image, otherwise SHA-256 or, for Ed25519, SHA-512",
    source: "MCUboot, imgtool",
  },
  MCUBOOT_HASH: {
    meaning: "the image does not match its hash",
    advice: "get the file again: it changed after it was made",
    source: "MCUboot, image_validate.c",
  },
  MCUBOOT_ENCRYPTED: {
    meaning: "the image is encrypted: its signature covers the decrypted image, so it cannot be verified as it is",
    advice: "verify the image before encryption, or one that imgtool wrote with --clear",
    source: "MCUboot, encrypted images",
  },
  MCUBOOT_ENCRYPTION: {
    meaning: "flags and TLVs disagree on whether and how the image is encrypted",
    advice: AGAIN,
    source: "MCUboot, encrypted images",
  },
  MCUBOOT_COMPRESSED: {
    meaning: "the image is compressed, and what it becomes cannot be checked",
    advice: "verify it with imgtool, or make the image without compression",
    source: "MCUboot, compressed images",
  },
  MCUBOOT_TRAILER: {
    meaning: "what follows the image is not filler and a valid trailer",
    advice: "make the padding again; a slot with such a trailer does not start the update",
    source: "MCUboot, design: image trailer",
  },
  MCUBOOT_SLOT: {
    meaning: "the image and the trailer do not fit the slot",
    advice: "make the image smaller, or give the size of the slot as the boot loader has it",
    source: "MCUboot, imgtool",
  },
  MCUBOOT_VERSION: {
    meaning: "the version is not MAJOR.MINOR.REVISION+BUILD within the range of the header",
    advice: "use numbers without leading zeros up to 255, 255, 65535 and 4294967295, such as 1.2.3+4",
    source: "MCUboot, imgtool",
  },
  MCUBOOT_INPUT: {
    meaning: "no image can be made of the input",
    advice: "give the raw binary of the build: with room for the header in front, or without",
    source: "MCUboot, imgtool",
  },
} as const satisfies { readonly [name: string]: FormatRefusalRow };
