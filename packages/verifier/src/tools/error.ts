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
  BATCH: 248,
  BUNDLE: 250,
  DEVICE: 251,
  RECORD: 252,
  TRUST_CONTENT: 253,
  CBOR: 254,
  INTERNAL: 299,
} as const;

/** How names of refusals in packages/formats begin, which has their numbers: no command needs them for an envelope. */
type FormatFamily = "FORMAT" | "MCUBOOT" | "ESP32" | "SIGNATURE_FILE";

/** The code of an error: `ERR_` and the name of a refusal or of a number from 200 on. */
export type ErrorCode = `ERR_${keyof typeof refusals | keyof typeof OTHER_ERRORS | `${FormatFamily}_${string}`}`;

/** The number of a code; for one of packages/formats, that of the cause, which has it from there. */
function errorNumber(code: ErrorCode, cause: unknown): number {
  var name = code.slice(4),
    i;
  for (i = 0; i < REFUSALS.length; i++) if (REFUSALS[i].name === name) return REFUSALS[i].number;
  if (cause instanceof FirmsealError && cause.code === code) return cause.number;
  return (OTHER_ERRORS as { [name: string]: number })[name];
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
    this.number = errorNumber(code, options && options.cause);
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
