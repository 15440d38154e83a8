// A time limit for what runs in the process of a test.

import { Worker } from "node:worker_threads";

/** When the call under way must have ended, in nanoseconds of process.hrtime; 0: there is none. */
const deadline = new BigInt64Array(new SharedArrayBuffer(8));
/** A clock that nobody sets, neither a test nor the machine: threads of a process share it. */
const now = process.hrtime.bigint;
let watched = false;

/**
 * A call that never returns blocks this thread, so no timer runs here. Another thread ends the process, and with it the
 * test file.
 */
const WATCH = `
const { workerData: { deadline, pid } } = require("node:worker_threads");
setInterval(() => {
  const at = Atomics.load(deadline, 0);
  if (at === 0n || process.hrtime.bigint() < at) return;
  require("node:fs").writeSync(2, "a command hangs in the process of a test\\n");
  process.kill(pid, "SIGKILL");
}, 1000);`;

/** Begins or moves the time limit of this process, in milliseconds from now. */
export function watch(limit: number): void {
  Atomics.store(deadline, 0, now() + BigInt(limit) * 1_000_000n);
  if (watched) return;
  watched = true;
  new Worker(WATCH, { eval: true, execArgv: [], env: {}, workerData: { deadline, pid: process.pid } }).unref();
}

export function unwatch(): void {
  Atomics.store(deadline, 0, 0n);
}
