// Installs on a host that can await. A TypeScript project of its own, because everything else in src/ is ES5.

import type { Progress } from "../install/device.js";

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array> | ReadableStream<Uint8Array>;

/** A payload outside the envelope, which an installation needs. */
export interface PayloadRequest {
  /** Where it is, as the release says. Only its digest is trusted. */
  readonly uri: string;
  /** Its length in bytes, if the release tells it. */
  readonly size: number | undefined;
  /** The component that it is for: an index of `manifest.components`. */
  readonly component: number;
  /** The answer: the bytes, or chunks of them as they arrive. Without an answer the installation is refused. */
  payload?: Uint8Array | Chunks | null;
}

/** Returns the next chunk. Rejects as soon as `signal` is aborted, even while the source hangs. */
function nextOf<T>(source: AsyncIterator<T>, signal: AbortSignal | undefined): Promise<IteratorResult<T>> {
  if (!signal) return source.next();
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    source
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", abort));
  });
}

async function* all(payload: Chunks): AsyncGenerator<Uint8Array, void, undefined> {
  if (Symbol.iterator in payload || Symbol.asyncIterator in payload) return yield* payload;
  // some browsers have streams that cannot be iterated
  const stream = payload as Partial<ReadableStream<Uint8Array>>;
  if (typeof stream.getReader !== "function") throw new TypeError("a payload is bytes, chunks of bytes, or a stream of them");
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

/** Passes a payload to the installation, chunk by chunk. */
async function pass(progress: Progress, payload: Uint8Array | Chunks, signal: AbortSignal | undefined): Promise<void> {
  const source = all(payload instanceof Uint8Array ? [payload] : payload);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { done, value } = await nextOf(source, signal);
      signal?.throwIfAborted();
      if (done) return;
      progress.next(value);
    }
  } finally {
    // a source that hangs never answers this either
    source.return().catch(() => {});
  }
}

/**
 * Carries out an installation, and yields a request for each payload that is not in the envelope. If the loop ends
 * early, by `break`, an error or the signal, the device discards what it has written, and the current release has not
 * changed.
 *
 * @param progress - What install() of this package or of a bundle returns.
 * @param options - `signal` ends the installation between two chunks, also while a source hangs. Its reason is thrown.
 * @returns The requests, one at a time. Answer each in the body of the loop. The loop ends when the release is
 *   installed.
 * @throws Refusal: PAYLOAD_ABSENT for a request without an answer. What a source throws.
 * @example
 * ```ts
 * import { install } from "@firmseal/verifier";
 * import { payloadRequests } from "@firmseal/verifier/async";
 *
 * const signal = AbortSignal.timeout(600_000);
 * for await (const request of payloadRequests(install(envelope, trust, device), { signal })) {
 *   const response = await fetch(request.uri, { signal });
 *   if (response.ok) request.payload = response.body;
 * }
 * ```
 */
export async function* payloadRequests(
  progress: Progress,
  { signal }: { signal?: AbortSignal } = {},
): AsyncGenerator<PayloadRequest, void, undefined> {
  try {
    signal?.throwIfAborted();
    let effect = progress.next();
    while (effect) {
      const request: PayloadRequest = { uri: effect.uri as string, size: effect.size, component: effect.component };
      yield request;
      signal?.throwIfAborted();
      const { payload } = request;
      if (payload) await pass(progress, payload, signal);
      effect = progress.next(payload ? true : false);
    }
  } finally {
    discard(progress);
  }
}

/** Ends an installation that is not done. */
function discard(progress: Progress): void {
  try {
    progress.next(false);
  } catch {
    // it is refused, and the device has discarded what it wrote
  }
}
