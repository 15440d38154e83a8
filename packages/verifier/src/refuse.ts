/** What is thrown: an Error whose `code` is a number of spec/errors.ts and `at` the byte offset in the envelope, or -1. */
export interface Refusal extends Error {
  code: number;
  at: number;
}

/** Throws the refusal `code`. Never returns. */
export function refuse(code: number, at: number): never {
  var e = new Error("firmseal refusal " + code + " at " + at) as Refusal;
  e.code = code;
  e.at = at;
  throw e;
}
