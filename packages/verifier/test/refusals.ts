// What a call refuses, and small signed envelopes to call it with.

import { type EnvelopeSpec, envelope, manifest } from "../../../test-vectors/src/pieces/assemble.js";
import * as errors from "../src/spec/errors.generated.js";

const numbers = new Set<number>(Object.values(errors));

/** The name of a refusal, for tests over tables: what fails shows no name of an error. 0: "none". */
export const refusalName = (number: number): string =>
  Object.entries(errors).find(([, n]) => n === number)?.[0] ?? (number ? `${number}` : "none");

/** The number of the refusal and its offset; [0, 0] where there is none. Anything else that is thrown is thrown on. */
export function refusalOf<A extends unknown[]>(f: (...args: A) => unknown, ...args: { [I in keyof A]: unknown }): [number, number] {
  try {
    f(...(args as unknown as A));
    return [0, 0];
  } catch (e) {
    const { code, at } = e as { code?: unknown; at?: unknown };
    if (typeof code !== "number" || !numbers.has(code) || typeof at !== "number") throw e;
    return [code, at];
  }
}

/** The smallest manifest in an envelope. */
export const envelopeOf = async (e: EnvelopeSpec = {}): Promise<Uint8Array> => Uint8Array.from(await envelope(manifest(), e));
