import { DEVICE_FAULT } from "../spec/errors.js";

/**
 * The error that is thrown for refused input. `code` is a number of spec/errors.ts, and `at` is the byte offset in the
 * envelope, or -1.
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

/** The refusal `code`, at `mark`. */
function makeRefusal(code: number): Refusal {
  var e = new Error("firmseal refusal " + code + " at " + mark) as Refusal;
  e.code = code;
  e.at = mark;
  return e;
}

/** Throws the refusal `code`, at `mark`. Never returns. */
export function refuse(code: number): never {
  throw makeRefusal(code);
}

/**
 * Throws refusals again unchanged. Wraps any other error, of a device, a Source or a host, in a refusal with the error
 * as its cause.
 */
export function rethrow(e: unknown): never {
  var cause = e as { code?: unknown; at?: unknown },
    fault;
  if (cause && typeof cause.code === "number" && typeof cause.at === "number") throw e;
  mark = -1;
  fault = makeRefusal(DEVICE_FAULT);
  (fault as { cause?: unknown }).cause = e;
  throw fault;
}
