// A time limit for what runs in the process of a test.

import { Worker } from "node:worker_threads";

/** When the call under way must have ended, in milliseconds since 1970; 0: there is none. */
const deadline = new BigInt64Array(new SharedArrayBuffer(8));
let watched = false;

/**
 * A call that never returns blocks this thread, so no timer runs here. Another thread ends the process, and with it the
 * test file.
 */
const WATCH = `
const { workerData: { deadline, pid } } = require("node:worker_threads");
setInterval(() => {
  const at = Number(Atomics.load(deadline, 0));
  if (at === 0 || Date.now() < at) return;
  require("node:fs").writeSync(2, "a command hangs in the process of a test\\n");
  process.kill(pid, "SIGKILL");
}, 1000);`;

/** Begins or moves the time limit of this process, in milliseconds from now. */
export function watch(limit: number): void {
  // not by Date.now(), which tests replace
  Atomics.store(deadline, 0, BigInt(Math.round(performance.timeOrigin + performance.now()) + limit));
  if (watched) return;
  watched = true;
  new Worker(WATCH, { eval: true, execArgv: [], env: {}, workerData: { deadline, pid: process.pid } }).unref();
}

export function unwatch(): void {
  Atomics.store(deadline, 0, 0n);
}
