// What counts as an answer, and what as a finding.

import { type Bytes, errors, type Source } from "@firmseal/verifier";

/** One input. Throws a Finding, or anything else that must not come out; what it returns says nothing. */
export type Target = (bytes: Uint8Array) => unknown;

export class Finding extends Error {
  override readonly name = "Finding";
}

const numbers = new Set<unknown>(Object.values(errors));

/**
 * The number of the refusal that `work` ends with, 0 if it ends well. Throws again what is not a refusal of the list.
 */
export function refusal(work: () => unknown): number {
  try {
    work();
    return 0;
  } catch (e) {
    const { code, at } = e as { code?: unknown; at?: unknown };
    if (!(e instanceof Error) || !numbers.has(code) || !Number.isInteger(at)) throw e;
    return code as number;
  }
}

/** Octets that are handed out by the piece. */
export const asSource = (bytes: Uint8Array, chunk = 64): Source => ({
  length: bytes.length,
  chunk,
  read: (offset, n) => bytes.slice(offset, offset + n),
});

/** The same answer for octets in RAM, in a plain array, and in a Source; the number of the refusal. */
export function alike(bytes: Uint8Array, work: (input: Bytes | Source) => unknown): number {
  const [ram, list, source] = [bytes, Array.from(bytes), asSource(bytes)].map((input) => refusal(() => work(input))) as [
    number,
    number,
    number,
  ];
  if (ram !== list || ram !== source) throw new Finding(`octets in RAM: ${ram}, in an array: ${list}, in a Source: ${source}`);
  return ram;
}
