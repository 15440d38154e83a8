// What one input may do: answer within its time and its memory, start no process, and throw nothing.

import { subscribe } from "node:diagnostics_channel";
import { readFileSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const MOST_KB = 64 * 1024;
/**
 * How often an input that seems too slow, or seems to take too much memory, is tried again: the first time may have
 * loaded a module.
 */
const AGAIN = 3;
/** Milliseconds after which nothing is tried again. */
const PATIENCE = 5_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

/** Processes that were started: each takes as long as a thousand inputs. */
let processes = 0;
subscribe("child_process", () => processes++);

/** Time of the processor, not of the clock: other processes do not count. */
function spent(before) {
  const now = process.resourceUsage();
  return { ms: (now.userCPUTime + now.systemCPUTime - before.userCPUTime - before.systemCPUTime) / 1000, kb: now.maxRSS - before.maxRSS };
}

const kb = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0);

/** Peak of memory from here on, above what is there now. Only Linux can set the peak back. */
function peak() {
  if (process.platform !== "linux") return () => 0;
  collect();
  writeFileSync("/proc/self/clear_refs", "5");
  const before = kb("VmRSS");
  return () => kb("VmHWM") - before;
}

/** The same finding whatever the numbers in it are. */
function kindOf(e) {
  const where = /\n\s+at (?:async )?(?:new )?([^\s(]+)/.exec(e?.stack ?? "")?.[1] ?? "";
  return `${e?.name ?? typeof e}: ${String(e?.message ?? e)
    .split("\n")[0]
    .slice(0, 200)} (${where})`;
}

const sameKind = (text) =>
  text
    .replace(/[0-9]+/g, "0")
    .replace(/'[^']*'|"[^"]*"/g, "''")
    .replace(/Received .*/, "");

/**
 * Judges inputs of one target. `slower`: how many times longer everything takes here than it does where nothing is
 * instrumented. A finding is { kind, message }; null: no finding. A promise if the target is asynchronous.
 */
export function judge(fuzz, { ms, waits }, slower = 1) {
  const limit = ms * slower;

  const failed = (e) => ({ kind: sameKind(kindOf(e)), message: e?.stack ?? String(e) });
  const tooMuch = (what, amount) => ({ kind: what, message: `${what}: ${amount}` });

  function* course(bytes) {
    const before = process.resourceUsage();
    const started = processes;
    yield bytes;
    if (processes > started) return tooMuch("a process was started", processes - started);
    let { ms: took, kb: grew } = spent(before);
    const end = performance.now() + PATIENCE - took;
    for (let i = 0; i < AGAIN && took > limit && performance.now() < end; i++) {
      const again = process.resourceUsage();
      yield bytes;
      took = Math.min(took, spent(again).ms);
    }
    if (took > limit) return tooMuch("too slow", `${Math.round(took)} ms of the processor, ${limit} allowed`);
    for (let i = 0; i < AGAIN && grew > MOST_KB; i++) {
      const rise = peak();
      yield bytes;
      grew = rise();
    }
    return grew > MOST_KB ? tooMuch("too much memory", `${grew} kB, ${MOST_KB} allowed`) : null;
  }

  // an input is handed over as a copy: what a target changes in it must not be what is written down
  const copy = (bytes) => new Uint8Array(bytes);

  if (waits)
    return async (bytes) => {
      const steps = course(bytes);
      try {
        for (let step = steps.next(); ; step = steps.next()) {
          if (step.done) return step.value;
          await fuzz(copy(step.value));
        }
      } catch (e) {
        return failed(e);
      }
    };
  return (bytes) => {
    const steps = course(bytes);
    try {
      for (let step = steps.next(); ; step = steps.next()) {
        if (step.done) return step.value;
        fuzz(copy(step.value));
      }
    } catch (e) {
      return failed(e);
    }
  };
}
