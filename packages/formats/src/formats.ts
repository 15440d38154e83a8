// The table of formats.

import { ESP32 } from "./esp32/esp32.js";
import type { BootFormat, FieldFormat, SignatureFormat } from "./format.js";
import { MCUBOOT } from "./mcuboot/mcuboot.js";
import { MINISIGN } from "./signature-files/minisign.js";
import { AWS_SIGNATURE, DER_SIGNATURE, RAW_SIGNATURE } from "./signature-files/plain.js";
import { SIGNIFY } from "./signature-files/signify.js";
import { SSHSIG } from "./signature-files/sshsig.js";

/** The formats whose signature is a file beside the content. */
export const SIGNATURE_FORMATS: readonly SignatureFormat[] = [MINISIGN, SIGNIFY, SSHSIG, DER_SIGNATURE, AWS_SIGNATURE, RAW_SIGNATURE];

/** The formats of images, whose signatures are in the same file. */
export const BOOT_FORMATS: readonly BootFormat[] = [MCUBOOT, ESP32];

/** The formats, in the order in which a file is compared with them. */
export const FORMATS: readonly FieldFormat[] = [...BOOT_FORMATS, ...SIGNATURE_FORMATS];

/**
 * Recognizes a file by its content.
 *
 * @param bytes - The file.
 * @returns Its format, or undefined if it looks like none of them.
 */
export function formatOf(bytes: Uint8Array): FieldFormat | undefined {
  return FORMATS.find((format) => format.looksLike(bytes));
}
