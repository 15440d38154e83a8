import { FirmsealError } from "@firmseal/verifier/tools";

/**
 * What is wrong with a key. No message contains any part of a key. `length`: wrong number of bytes; `range`: d is 0 or
 * not below n; `point`: not on the curve, or a point that must not be used; `mismatch`: the public part belongs to
 * another private key; `unsupported`: a kind of key that this project does not sign with; `format`: not a key in this
 * format; `several`: more than one key; `signature`: the signer returned an invalid signature.
 */
export type KeyFault = "length" | "range" | "point" | "mismatch" | "unsupported" | "format" | "several" | "signature";

/** A key that is refused. `fault` says why. */
export class KeyError extends FirmsealError {
  override readonly name = "KeyError";
  constructor(
    readonly fault: KeyFault,
    message: string,
  ) {
    super("ERR_KEY", message);
  }
}

/**
 * Calls a function that may throw.
 *
 * @param f - The function.
 * @returns What `f` returns, and undefined if it throws.
 */
export function unlessThrown<T>(f: () => T): T | undefined {
  try {
    return f();
  } catch {
    return undefined;
  }
}
