// One process at a time, also after a kill. Everybody who wants the lock puts down a file of their own and then looks at the others': who
// sees nobody else that lives has it. Of two at least one sees the other, since both look after they have put theirs down. A file of a
// dead process is taken away without danger, for its name is never used again; with one common lock file, two who clear away the same
// dead lock could each end up holding one.

import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { environment, systemFault } from "../failure.js";

function attempt(f: () => string): string {
  try {
    return f();
  } catch {
    return "";
  }
}

const short = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 12);

/** The machine, as far as numbers of processes mean the same on it: a container counts its own. */
const MACHINE = short(`${hostname()} ${attempt(() => readlinkSync("/proc/self/ns/pid"))}`);
const BOOT = short(attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8")));

/** The state of a process, and when it was started, in ticks since the start of the machine; both empty where that is not told. */
function factsOf(pid: number | string): { state: string; start: string } {
  // fields 3 and 22, counted from behind the name, which may hold anything
  const fields = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"))
    .replace(/^.*\) /s, "")
    .split(" ");
  return { state: fields[0] ?? "", start: fields[19] ?? "" };
}

/** In doubt a process lives: of another machine nothing can be told, nor of another user's processes where those are hidden. */
function lives(name: string): boolean {
  const [, , pid = "", start, machine, boot] = /\.lock\.(\d+)\.(\d+)\.(\d+)\.([0-9a-f]+)\.([0-9a-f]+)\.[0-9a-f]+$/.exec(name) ?? [];
  if (pid === "" || machine !== MACHINE) return true;
  if (boot !== BOOT) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const now = factsOf(pid);
  // one that was killed stays until its parent has looked; and numbers are used again
  return now.state !== "Z" && now.state !== "X" && (now.start === "" || start === "0" || now.start === start);
}

/** How long to wait for others, who may be making a tree. */
const LONGEST = 10 * 60_000;

/**
 * Waits until this process has the lock `path`.lock, and returns what gives it back. `path` need not exist, its folder must. Throws a Failure
 * (exit 3) when that takes longer than ten minutes, or at once for one left behind on another machine.
 */
export async function acquire(path: string, what: string): Promise<() => void> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.lock.`;
  // who waits longest has the smallest name, and goes first
  const since = Date.now();
  const own = `${prefix}${String(since).padStart(14, "0")}.${process.pid}.${factsOf(process.pid).start || "0"}.${MACHINE}.${BOOT}.${randomBytes(6).toString("hex")}`;
  const leave = () => rmSync(join(folder, own), { force: true });
  try {
    for (let there = false; ; await sleep(2 + Math.random() * 10)) {
      if (!there) closeSync(openSync(join(folder, own), "wx", 0o600));
      there = true;
      const others = othersAt(folder, prefix, own);
      const [first] = others;
      if (first === undefined) return leave;
      if (Date.now() - since > LONGEST || (Date.now() - since > 5000 && others.every((name) => !name.includes(`.${MACHINE}.`))))
        throw environment(
          `${what}: another process is signing with this key, or was killed on another machine while it did`,
          `wait for it; if there is none, remove ${join(folder, first)}`,
        );
      if (others.every((name) => name > own)) continue;
      leave();
      there = false;
    }
  } catch (e) {
    leave();
    throw systemFault(e, path) ?? e;
  }
}

function othersAt(folder: string, prefix: string, own: string): string[] {
  const others: string[] = [];
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(prefix) || name === own) continue;
    if (lives(name)) others.push(name);
    else rmSync(join(folder, name), { force: true });
  }
  return others.sort();
}
