// Runs a program once: one line in, one line out, with a limit on time and size. On return, the program has ended.

import { type ChildProcess, spawn } from "node:child_process";
import { decodeUtf8 } from "@firmseal/signer";
import { KeyFileError } from "../../errors/key-file.js";
import { refuseWhileShown } from "../../secrets/environment.js";
import { byteWords } from "../../words.js";

/** Maximum bytes on stdout, and on stderr. */
const MAX_ANSWER = 64 * 1024;
/** Characters of a program's error that are shown. */
const LONGEST_ERROR = 300;
/** Milliseconds between SIGTERM and SIGKILL, and for output that arrives after the program has ended. */
const GRACE = 1000;

const BY_HAND = "run it by hand; docs/guides/keys/exec.md describes its input and its answer";

/** Milliseconds; FIRMSEAL_EXEC_TIMEOUT has seconds. */
function timeLimit(): number {
  const text = process.env["FIRMSEAL_EXEC_TIMEOUT"];
  if (text === undefined || text === "") return 60_000;
  if (!/^[1-9][0-9]{0,3}$/.test(text))
    throw new KeyFileError("FIRMSEAL_EXEC_TIMEOUT: not a number of seconds from 1 to 9999", "leave it unset for 60", 2);
  return Number(text) * 1000;
}

/** How a program ended, and its output. */
interface End {
  exit: number | null;
  signal: NodeJS.Signals | null;
  out: Buffer;
  err: Buffer;
}

/**
 * Sends `request` to `program` and returns its answer line. No shell is involved: a name without a slash is looked up
 * in PATH, and there are no arguments. Variables with secrets of this command are in neither its environment nor what
 * the system shows of ours (environment.ts). Throws KeyFileError, exit 3, or the reason of `signal`.
 */
export async function askProgram(name: string, program: string, request: string, signal?: AbortSignal): Promise<string> {
  signal?.throwIfAborted();
  const limit = timeLimit();
  refuseWhileShown(name);
  let child: ChildProcess;
  try {
    // a process group of its own, which can be ended with all its children
    child = spawn(program, [], { stdio: ["pipe", "pipe", "pipe"], detached: true, windowsHide: true });
  } catch (e) {
    // some system errors come as an event, some are thrown
    throw notRun(name, e as NodeJS.ErrnoException);
  }
  const end = await guarded(child, () => ended(name, child, request, limit, signal));
  if (end.signal !== null) throw new KeyFileError(`${name} was ended by ${end.signal}`, BY_HAND, 3);
  if (end.exit !== 0) throw programError(name, end);
  const text = decodeUtf8(end.out)?.replace(/\r?\n$/, "");
  if (end.out.length === 0 || text === "") throw new KeyFileError(`${name}: ended without an answer`, BY_HAND, 3);
  if (text === undefined) throw new KeyFileError(`${name}: its answer is not text`, BY_HAND, 3);
  if (/[\r\n]/.test(text)) throw new KeyFileError(`${name}: its answer has more than one line`, BY_HAND, 3);
  return text;
}

function notRun(name: string, { code }: NodeJS.ErrnoException): KeyFileError {
  const [message, hint] =
    code === "ENOENT"
      ? ["program not found", "give its path, or a name that is in PATH; put arguments into a wrapper script"]
      : code === "EACCES"
        ? ["no permission to run the program", "make it executable: chmod +x"]
        : [`the program cannot be run (${code})`, "give the path of a program; a script begins with #! and the path of its interpreter"];
  return new KeyFileError(`${name}: ${message}`, hint, 3);
}

/**
 * A program reports an error as {"error", "hint"} in the last line of its stderr. Nothing else there is shown, because
 * a shell trace contains secrets.
 */
export function programError(name: string, end: End): KeyFileError {
  const last = decodeUtf8(end.err)?.trimEnd().split("\n").at(-1) ?? "";
  let answer: { error?: unknown; hint?: unknown } | null = null;
  try {
    answer = JSON.parse(last);
  } catch {
    // it said nothing that can be read
  }
  const text = (value: unknown) => (typeof value === "string" && value.trim() !== "" ? capped(value.trim()) : undefined);
  const error = text(answer?.error);
  if (error === undefined) return new KeyFileError(`${name}: failed with exit code ${end.exit}, and gave no reason`, BY_HAND, 3);
  return new KeyFileError(`${name}: ${error}`, text(answer?.hint) ?? "ask the author of the plug-in", 3);
}

function capped(text: string): string {
  const characters = [...text];
  return characters.length <= LONGEST_ERROR ? text : `${characters.slice(0, LONGEST_ERROR).join("")}…`;
}

function ended(name: string, child: ChildProcess, request: string, limit: number, signal?: AbortSignal): Promise<End> {
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const timers: NodeJS.Timeout[] = [];
    let over = false;
    const after = (ms: number, what: () => void) => {
      if (!over) timers.push(setTimeout(what, ms));
    };
    const finish = (what: () => void) => {
      if (over) return;
      over = true;
      signal?.removeEventListener("abort", onAbort);
      for (const timer of timers) clearTimeout(timer);
      // processes that still hold the other ends must not block us
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
      what();
    };
    const onAbort = () => finish(() => reject(signal?.reason));
    signal?.addEventListener("abort", onAbort, { once: true });
    const fail = (message: string, hint: string) => finish(() => reject(new KeyFileError(`${name}: ${message}`, hint, 3)));
    const collect = (into: Buffer[], where: string) => {
      let length = 0;
      return (chunk: Buffer) => {
        length += chunk.length;
        if (length > MAX_ANSWER) fail(`wrote more than ${byteWords(MAX_ANSWER)} to ${where}`, BY_HAND);
        else into.push(chunk);
      };
    };
    child.stdout?.on("data", collect(out, "stdout"));
    child.stderr?.on("data", collect(err, "stderr"));
    child.on("error", (e) => finish(() => reject(notRun(name, e))));
    const end = (exit: number | null, signal: NodeJS.Signals | null) =>
      finish(() => resolve({ exit, signal, out: Buffer.concat(out), err: Buffer.concat(err) }));
    child.on("close", end);
    // its children may hold stdout open, but its answer is complete
    child.on("exit", (exit, signal) => after(GRACE, () => end(exit, signal)));
    // a program that answers without reading closes its stdin
    child.stdin?.on("error", () => {});
    child.stdin?.end(`${request}\n`);
    after(limit, () => {
      const late = () => fail(`no answer within ${limit / 1000} s`, "if it needs longer: FIRMSEAL_EXEC_TIMEOUT=SECONDS");
      killGroup(child, "SIGTERM");
      // later output is ignored
      child.removeListener("close", end);
      child.on("close", late);
      after(GRACE, late);
    });
  });
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, signal);
  } catch {
    // all of the group have ended
  }
}

const FORWARDED_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Ends the whole group after `work`, and if a signal ends this program meanwhile: the group is in its own session and
 * would survive.
 */
async function guarded<T>(child: ChildProcess, work: () => Promise<T>): Promise<T> {
  const stop = () => killGroup(child, "SIGKILL");
  const onSignal = (signal: NodeJS.Signals) => {
    stop();
    // the handler is gone (once), so this signal has its default effect
    process.kill(process.pid, signal);
  };
  for (const signal of FORWARDED_SIGNALS) process.once(signal, onSignal);
  process.once("exit", stop);
  try {
    return await work();
  } finally {
    for (const signal of FORWARDED_SIGNALS) process.off(signal, onSignal);
    process.off("exit", stop);
    stop();
    child.unref();
  }
}
