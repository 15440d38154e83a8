// The base class of what the packages above the verifier throw, and its codes (docs/reference/errors.md).

import type * as refusals from "../spec/errors.generated.js";
import { REFUSALS, refusalOf } from "./refusal-table.js";

/** The errors that are not refusals of the verifier, with their numbers. A number is never reused. */
export var OTHER_ERRORS = {
  USAGE: 200,
  ENVIRONMENT: 201,
  TEST_KEY: 202,
  ALREADY_SIGNED: 203,
  DESCRIPTION: 204,
  IMAGE: 205,
  KEY: 206,
  POWER_CUT: 207,
  SEQUENCE: 212,
  LOG: 213,
  KEY_ROLE: 214,
  APPROVAL: 215,
  PAYLOAD_UNCHECKED: 216,
  CONSUMER: 217,
  KEY_STATE: 220,
  KEY_EXHAUSTED: 221,
  LIMIT: 230,
  FLEET: 240,
  STRANDED: 241,
  STATUS: 242,
  PRODUCT: 243,
  RELEASE: 244,
  LINT: 245,
  DOCTOR: 246,
  WITHDRAWN: 247,
  BUNDLE: 250,
  DEVICE: 251,
  RECORD: 252,
  TRUST_CONTENT: 253,
  CBOR: 254,
  INTERNAL: 299,
} as const;

/**
 * The refusals of packages/formats, with their numbers: 600 to 619 every format, 620 to 659 MCUboot images, 660 to 699
 * signed apps of ESP32, 700 to 759 signature files. A number is never reused. Their words are in
 * packages/formats/src/refusals/.
 */
export var FORMAT_REFUSALS = {
  FORMAT_UNKNOWN: 600,
  FORMAT_KEY: 601,
  FORMAT_NOT_SIGNED: 602,
  FORMAT_NO_KEY: 603,
  FORMAT_SIGNATURE: 604,
  FORMAT_SIGNATURE_ENCODING: 605,
  FORMAT_ALREADY_SIGNED: 606,
  FORMAT_CONTENT: 607,
  MCUBOOT_MAGIC: 620,
  MCUBOOT_BIG_ENDIAN: 621,
  MCUBOOT_TRUNCATED: 622,
  MCUBOOT_HEADER: 623,
  MCUBOOT_FLAGS: 624,
  MCUBOOT_TLV_MAGIC: 625,
  MCUBOOT_TLV_BOUNDS: 626,
  MCUBOOT_PROTECTED_SIZE: 627,
  MCUBOOT_TLV_TYPE: 628,
  MCUBOOT_TLV_AREA: 629,
  MCUBOOT_TLV_DUPLICATE: 630,
  MCUBOOT_TLV_LENGTH: 631,
  MCUBOOT_TLV_VALUE: 632,
  MCUBOOT_TLV_ORDER: 633,
  MCUBOOT_HASH_KIND: 634,
  MCUBOOT_HASH: 635,
  MCUBOOT_ENCRYPTED: 636,
  MCUBOOT_ENCRYPTION: 637,
  MCUBOOT_COMPRESSED: 638,
  MCUBOOT_TRAILER: 639,
  MCUBOOT_SLOT: 640,
  MCUBOOT_VERSION: 641,
  MCUBOOT_INPUT: 642,
  ESP32_TRUNCATED: 660,
  ESP32_HEADER: 661,
  ESP32_SEGMENT: 662,
  ESP32_CHECKSUM: 663,
  ESP32_HASH: 664,
  ESP32_DESCRIPTOR: 665,
  ESP32_LENGTH: 666,
  ESP32_PADDED: 667,
  ESP32_FILLER: 668,
  ESP32_BLOCK: 669,
  ESP32_BLOCK_CRC: 670,
  ESP32_BLOCK_KEY: 671,
  ESP32_DIGEST: 672,
  ESP32_BLOCKS: 673,
  ESP32_CHIP_KEY: 674,
  SIGNATURE_FILE_FORM: 700,
  SIGNATURE_FILE_CRLF: 701,
  SIGNATURE_FILE_BASE64: 702,
  SIGNATURE_FILE_TRAILING: 703,
  SIGNATURE_FILE_ALGORITHM: 704,
  SIGNATURE_FILE_FULL: 705,
  SIGNATURE_FILE_ORACLE: 706,
  SIGNATURE_FILE_NAMESPACE: 707,
  SIGNATURE_FILE_COMMENT: 708,
  SIGNATURE_FILE_TEXT: 709,
  SIGNATURE_FILE_LEGACY: 710,
  SIGNATURE_FILE_JOB: 711,
} as const;

/** The name of a refusal of packages/formats. */
export type FormatRefusalName = keyof typeof FORMAT_REFUSALS;

/** The code of an error: `ERR_` and the name of a refusal or of a number from 200 on. */
export type ErrorCode = `ERR_${keyof typeof refusals | keyof typeof OTHER_ERRORS | FormatRefusalName}`;

function errorNumber(code: ErrorCode): number {
  var name = code.slice(4),
    i;
  for (i = 0; i < REFUSALS.length; i++) if (REFUSALS[i].name === name) return REFUSALS[i].number;
  return (OTHER_ERRORS as { [name: string]: number })[name] || (FORMAT_REFUSALS as { [name: string]: number })[name];
}

/**
 * What the packages above the verifier throw. `message` is in words, `code` names the kind of error, and `number` is
 * its number in docs/reference/errors.md. Mistakes of a programmer are TypeErrors and RangeErrors instead. The verifier
 * throws a Refusal, which has numbers only.
 */
export class FirmsealError extends Error {
  override readonly name: string = "FirmsealError";
  readonly number: number;
  declare readonly cause?: unknown;
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message);
    this.number = errorNumber(code);
    if (options && options.cause !== undefined)
      Object.defineProperty(this, "cause", { value: options.cause, configurable: true, writable: true });
  }
}

/**
 * Gives the code of a refusal.
 *
 * @param number - The number of the refusal.
 * @returns The code, or ERR_INTERNAL for a number that this version does not know.
 */
export function codeOfRefusal(number: number): ErrorCode {
  var row = refusalOf(number);
  return row ? (("ERR_" + row.name) as ErrorCode) : "ERR_INTERNAL";
}
