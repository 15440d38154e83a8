// Asks the worker. Each ask has one answer: a value, or a sentence that says what went wrong.

import type { AskName, Asks, Reply, Request } from "../protocol.js";
import workerUrl from "../worker/worker.ts?worker&url";

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
/** The one script that the page may start. */
const WORKER = trustedTypes?.createPolicy("firmseal", { createScriptURL: () => workerUrl }).createScriptURL("") ?? workerUrl;

/** What went wrong, for people. */
export class Problem extends Error {
  override readonly name = "Problem";
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(problem: Problem): void;
  progress?: ((done: number, total: number) => void) | undefined;
}

export class Rpc {
  private readonly worker = new Worker(WORKER, { type: "module" });
  private readonly waiting = new Map<number, Waiting>();
  private ids = 0;

  constructor() {
    this.worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => this.take(data));
  }

  ask<N extends AskName>(ask: N, of: Asks[N][0], progress?: Waiting["progress"]): Promise<Asks[N][1]> {
    const id = this.ids++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as Waiting["resolve"], reject, progress });
      this.worker.postMessage({ id, ask, of } satisfies Request);
    });
  }

  /** Ends the worker, whatever it does. Everything that was asked is rejected. */
  end(): void {
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(new Problem(""));
    this.waiting.clear();
  }

  private take(reply: Reply): void {
    const waiting = this.waiting.get(reply.id);
    if (!waiting) return;
    if ("done" in reply) {
      waiting.progress?.(reply.done, reply.total);
      return;
    }
    this.waiting.delete(reply.id);
    if ("sentence" in reply) waiting.reject(new Problem(reply.sentence));
    else waiting.resolve(reply.answer);
  }
}
