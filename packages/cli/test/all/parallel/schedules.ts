// Signers whose every call of the file system waits for its turn. Each is a thread of the real sources, over node:fs as it is; who goes next is
// decided here, so a schedule is a list of numbers, and a signer can be held, or killed, at any call.

import { Worker } from "node:worker_threads";
import { program } from "../../../../test-support/src/command-line/processes.js";

const ACTOR = `
  import fs from "node:fs";
  import { syncBuiltinESMExports } from "node:module";
  import timers from "node:timers/promises";
  import { workerData } from "node:worker_threads";
  import { manageHss as hss } from "../../../src/commands/keys/hss.js";
  import { signInput as sign } from "../../../src/commands/sign/sign.js";
  const [IDLE, RUNS, WAITS, KILLED, FREE] = [0, 1, 2, 3, 4];
  const { cell, text, root } = workerData;
  let active = false;
  let dead = false;
  const opened = new Set();
  const tell = (words) => {
    const bytes = Buffer.from(words).subarray(0, text.length - 4);
    text.set(bytes, 4);
    new DataView(text.buffer).setUint32(0, bytes.length);
  };
  const stop = (state) => {
    Atomics.store(cell, 0, state);
    Atomics.notify(cell, 0);
    // a notice that belongs to an earlier turn ends a wait too
    while (Atomics.load(cell, 0) === state) Atomics.wait(cell, 0, state);
  };
  /** Waits for its turn. What is killed makes no call any more. */
  function turn(name, what, half) {
    if (!active) return;
    if (!dead) {
      tell(name + " " + what);
      stop(WAITS);
      active = Atomics.load(cell, 0) !== FREE;
      if (Atomics.load(cell, 0) !== KILLED) return;
      dead = true;
      half?.();
    }
    throw new Error("killed");
  }
  const ours = (what) => typeof what === "string" ? what.startsWith(root) : opened.has(what);
  for (const name of ["openSync", "writeSync", "ftruncateSync", "fsyncSync", "statSync", "lstatSync", "readFileSync", "writeFileSync", "linkSync", "unlinkSync", "renameSync", "rmSync", "mkdirSync", "rmdirSync", "readdirSync", "existsSync"]) {
    const real = fs[name];
    fs[name] = (...args) => {
      if (name === "writeSync" && args[0] <= 2) return args[1].length;
      if (ours(args[0])) {
        const paths = args.filter((arg) => typeof arg === "string").map((path) => path.slice(root.length));
        turn(name, paths.join(" "), name === "writeSync" ? () => real(args[0], args[1], args[2] ?? 0, (args[3] ?? args[1].length) >> 1, args[4]) : undefined);
      }
      // a disk that loses nothing: what is tried here is the order of things
      const result = name === "fsyncSync" ? undefined : real(...args);
      if (name === "openSync" && typeof args[0] === "string" && args[0].startsWith(root)) opened.add(result);
      return result;
    };
  }
  const close = fs.closeSync;
  fs.closeSync = (fd) => {
    opened.delete(fd);
    close(fd);
  };
  timers.setTimeout = async () => {
    if (!active) throw new Error("waits for a lock that nobody gives back");
    turn("sleep", "");
  };
  syncBuiltinESMExports();
  for (;;) {
    stop(IDLE);
    const { state, what, args } = JSON.parse(Buffer.from(text.subarray(4, 4 + new DataView(text.buffer).getUint32(0))).toString());
    process.env.FIRMSEAL_STATE = state;
    [active, dead] = [true, false];
    let end = "";
    try {
      await (what === "sign" ? sign(...args) : hss(args[0], args[1], { ...args[2], to: args[2].to && BigInt(args[2].to) }));
    } catch (e) {
      end = dead ? "killed" : (e.exit ? e.message : e.stack);
    }
    active = false;
    // what the kernel does for one that is killed
    for (const fd of opened) close(fd);
    opened.clear();
    tell(end);
  }
`;

const [IDLE, RUNS, WAITS, KILLED, FREE] = [0, 1, 2, 3, 4];
/** Milliseconds within which a call is reached. */
const PATIENCE = 60_000;

export interface Task {
  /** The state folder: which machine it is on. */
  state: string;
  what: "sign" | "hss";
  args: unknown[];
}

export class Actor {
  private readonly cell = new Int32Array(new SharedArrayBuffer(4));
  private readonly text = new Uint8Array(new SharedArrayBuffer(4096));
  private readonly worker: Worker;
  /** Calls that the task has made. */
  calls = 0;
  ended = true;
  constructor(path: string, root: string) {
    Atomics.store(this.cell, 0, RUNS);
    this.worker = new Worker(path, { workerData: { cell: this.cell, text: this.text, root } });
  }
  /** Threads start only while the thread that made them does something else. */
  async ready(): Promise<void> {
    while (Atomics.load(this.cell, 0) !== IDLE) await new Promise((done) => setTimeout(done, 5));
  }
  /** Begins a task, which waits before its first call then. */
  begin(task: Task): void {
    const bytes = Buffer.from(JSON.stringify(task));
    this.text.set(bytes, 4);
    new DataView(this.text.buffer).setUint32(0, bytes.length);
    this.calls = 0;
    this.ended = false;
    this.go(RUNS);
  }
  /** Makes the call that is waited before, and continues up to the next. */
  step(): void {
    this.calls++;
    this.go(RUNS);
  }
  /** Ends it before that call, or in the middle of it where it writes. */
  kill(): void {
    this.go(KILLED);
  }
  /** Lets it continue to its end. */
  finish(): void {
    if (!this.ended) this.go(FREE);
  }
  private go(state: number): void {
    Atomics.store(this.cell, 0, state);
    Atomics.notify(this.cell, 0);
    // a notice that belongs to an earlier turn ends a wait too
    while (Atomics.load(this.cell, 0) === state)
      if (Atomics.wait(this.cell, 0, state, PATIENCE) === "timed-out") throw new Error(`held for ever behind ${this.words}`);
    this.ended = Atomics.load(this.cell, 0) !== WAITS;
  }
  /** The call that is waited before; how it ended, "" where that was well. */
  get words(): string {
    return Buffer.from(this.text.subarray(4, 4 + new DataView(this.text.buffer).getUint32(0))).toString();
  }
  end(): Promise<number> {
    return this.worker.terminate();
  }
}

/** Threads that work in folders below `root`. */
export async function actors(n: number, root: string): Promise<Actor[]> {
  const path = await program(ACTOR, import.meta.url);
  const all = Array.from({ length: n }, () => new Actor(path, root));
  for (const actor of all) await actor.ready();
  return all;
}
