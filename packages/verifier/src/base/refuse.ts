import { DEVICE_FAULT } from "../spec/errors.js";

/** What is thrown: an Error whose `code` is a number of spec/errors.ts and `at` the byte offset in the envelope, or -1. */
export interface Refusal extends Error {
  code: number;
  at: number;
}

/** Where the item begins that was read last; what is refused is refused there. -1 where it is no item that is at fault. */
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

/** Refusals pass; whatever else was thrown, by a device, a Source or a host, becomes one, with its cause kept for the log. */
export function rethrow(e: unknown): never {
  var cause = e as { code?: unknown; at?: unknown },
    fault;
  if (cause && typeof cause.code === "number" && typeof cause.at === "number") throw e;
  mark = -1;
  fault = makeRefusal(DEVICE_FAULT);
  (fault as { cause?: unknown }).cause = e;
  throw fault;
}
