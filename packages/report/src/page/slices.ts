// Long work in slices of time, so that the page answers meanwhile. A worker would need a script of its own: one from a
// blob has whatever text the page puts together, and the hashes in the Content-Security-Policy do not cover it.

import type { HashFunction } from "@firmseal/behaviour";

/** The longest slice in milliseconds: a longer one would be felt. */
const SLICE = 25;

/** Bytes between two looks at the clock. A multiple of 4, for base64. */
const STEP = 1 << 18;

/** Called from time to time with the progress of the work. */
export type OnProgress = (done: number, of: number) => void;

/** Calls `step` for one stretch after the other of `n` units, with pauses. */
async function inSlices(n: number, step: (from: number, to: number) => void, progress?: OnProgress): Promise<void> {
  let since = performance.now();
  for (let at = 0; at < n; at += STEP) {
    step(at, Math.min(at + STEP, n));
    if (performance.now() - since < SLICE) continue;
    progress?.(at, n);
    await new Promise((go) => setTimeout(go));
    since = performance.now();
  }
}

/**
 * Hashes bytes in slices, so that the page answers meanwhile.
 *
 * @param hash - The hash function.
 * @param bytes - The bytes.
 * @param progress - Is called with what is done.
 * @returns The digest.
 */
export async function digestInSlices(hash: Pick<HashFunction, "create">, bytes: Uint8Array, progress?: OnProgress): Promise<Uint8Array> {
  const state = hash.create();
  await inSlices(bytes.length, (from, to) => state.update(bytes.subarray(from, to)), progress);
  return state.digest();
}

/**
 * Decodes base64 and hashes the text itself, in slices.
 *
 * @param text - The text.
 * @param hash - The hash function.
 * @param progress - Is called with what is done.
 * @returns The bytes, and the digest of the text.
 * @throws Error if it is not base64.
 */
export async function decoded(
  text: string,
  hash: Pick<HashFunction, "create">,
  progress?: OnProgress,
): Promise<{ bytes: Uint8Array; digest: Uint8Array }> {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  const encoder = new TextEncoder();
  const state = hash.create();
  let length = 0;
  await inSlices(
    text.length,
    (from, to) => {
      const part = text.slice(from, to);
      state.update(encoder.encode(part));
      const binary = atob(part);
      for (let i = 0; i < binary.length; i++) bytes[length++] = binary.charCodeAt(i);
    },
    progress,
  );
  return { bytes: bytes.subarray(0, length), digest: state.digest() };
}
