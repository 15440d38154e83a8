// Asks the worker. Each ask has one answer: a value, or a sentence that says what went wrong.

import type { AskName, Asks, Life, Reply, Request } from "../protocol.js";
import { TEXTS } from "../texts.js";
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

let lives = 0;

export class Rpc {
  /** Missing: it has been ended, or it never started. */
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private ids = 0;

  /** `died`: called when the worker is gone, with all open files, and another one has replaced it. */
  constructor(private readonly died?: () => void) {
    this.worker = this.start();
  }

  /** A worker that ends silently would leave the page busy: a lock that it holds until then becomes free. */
  private start(): Worker {
    const worker = new Worker(WORKER, { type: "module" });
    const life = `firmseal ${performance.timeOrigin} ${lives++}`;
    let hasAnswered = false;
    // one that never answers would be replaced forever
    const gone = () => this.worker === worker && this.replace(hasAnswered);
    worker.addEventListener("error", gone);
    worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
      hasAnswered = true;
      if ("alive" in data) navigator.locks?.request(life, gone).catch(() => {});
      else if (this.worker === worker) this.take(data);
    });
    // without locks, as on a host without https, only errors are noticed
    worker.postMessage({ alive: life } satisfies Life);
    return worker;
  }

  /** Takes another worker, and rejects the requests to the previous one. */
  private replace(again: boolean): void {
    this.worker?.terminate();
    this.worker = again ? this.start() : undefined;
    const asked = [...this.waiting.values()];
    this.waiting.clear();
    this.died?.();
    for (const { reject } of asked) reject(new Problem(TEXTS.stopped));
  }

  ask<N extends AskName>(ask: N, of: Asks[N][0], progress?: Waiting["progress"]): Promise<Asks[N][1]> {
    const id = this.ids++;
    return new Promise((resolve, reject) => {
      if (!this.worker) return reject(new Problem(TEXTS.stopped));
      this.waiting.set(id, { resolve: resolve as Waiting["resolve"], reject, progress });
      this.worker.postMessage({ id, ask, of } satisfies Request);
    });
  }

  /** Ends the worker, whatever it does. Everything that was asked is rejected. */
  end(): void {
    const { worker } = this;
    // this end is not reported
    this.worker = undefined;
    worker?.terminate();
    for (const { reject } of this.waiting.values()) reject(new Problem(""));
    this.waiting.clear();
  }

  private take(reply: Exclude<Reply, Life>): void {
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
