import { DEVICE_FAULT } from "../spec/errors.generated.js";
import { HAS_GENERAL } from "./features.js";

/**
 * The error that is thrown for refused input. `code` is a number of spec/errors.generated.ts, and `at` is the byte
 * offset in the envelope, or -1.
 */
export interface Refusal extends Error {
  code: number;
  at: number;
}

/** The offset of the item that was read last, which refusals report. -1 if no item is at fault. */
export var mark = -1;

/** Sets `mark`. */
export function markAt(at: number): void {
  mark = at;
}

/**
 * Throws the refusal `code`, at `mark`, with its cause if there is one. Never returns. In a micro verifier, `mark` is
 * -1 afterwards, so that only the walk of the template has to set it.
 */
export function refuse(code: number, cause?: unknown): never {
  var e = new Error("firmseal refusal " + code + " at " + mark) as Refusal;
  e.code = code;
  e.at = mark;
  if (!HAS_GENERAL) mark = -1;
  if (!HAS_GENERAL || cause !== undefined) (e as { cause?: unknown }).cause = cause;
  throw e;
}

/** Throws the refusal `code` if it is not 0. */
export function refuseIf(code: number): void {
  if (code) refuse(code);
}

/**
 * Throws refusals again unchanged. Wraps any other error, of a device, a Source or a host, in a refusal with the error
 * as its cause.
 */
export function rethrow(e: unknown): never {
  var cause = e as Refusal;
  if (cause && (HAS_GENERAL ? typeof cause.code === "number" && typeof cause.at === "number" : cause.at >= -1)) throw e;
  mark = -1;
  refuse(DEVICE_FAULT, e);
}
