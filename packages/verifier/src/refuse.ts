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

/** Throws the refusal `code`, at `mark`. Never returns. */
export function refuse(code: number): never {
  var e = new Error("firmseal refusal " + code + " at " + mark) as Refusal;
  e.code = code;
  e.at = mark;
  throw e;
}
