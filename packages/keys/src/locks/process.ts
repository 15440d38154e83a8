// Is the process that left a note still there? Told by its number and the time of its start, for numbers are given out again.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, statfsSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";

/** Who a process is. A member is "" where the system does not tell it. */
export interface ProcessId {
  pid: number;
  /** When it began, in ticks since the machine did (proc(5), field 22 of stat). */
  start: string;
  /** Which boot of the kernel. */
  boot: string;
  /** The namespaces that number and start are of, of processes and of time (namespaces(7)): each container has its own. */
  space: string;
  /** The installation, as a hash: machine-id(5) asks to show it to nobody. */
  machine: string;
  host: string;
}

function attempt<T>(f: () => T): T | undefined {
  try {
    return f();
  } catch {
    return undefined;
  }
}

const readTrimmed = (path: string) => attempt(() => readFileSync(path, "latin1").trim()) ?? "";

/** The fields of /proc/PID/stat behind the name, which may hold anything: state is 3, start 22. undefined: it cannot be read. */
function stat(pid: number): { state: string; start: string } | undefined {
  const fields = /^[\s\S]*\) (.*)$/.exec(readTrimmed(`/proc/${pid}/stat`))?.[1]?.split(" ");
  return fields?.[19] === undefined ? undefined : { state: fields[0] as string, start: fields[19] };
}

const PROC = 0x9fa0;
const isOfProc = (path: string) => attempt(() => statfsSync(path).type) === PROC;

/**
 * Whether /proc speaks of this process: in a namespace of processes that has none of its own it speaks of others, by other numbers (NSpid of
 * proc(5) has one for each namespace from that of /proc on).
 */
function isProcOurs(): boolean {
  const numbers = /^NSpid:\s*(.*)$/m.exec(readTrimmed("/proc/self/status"))?.[1];
  const self = String(process.pid);
  return isOfProc("/proc/self/status") && attempt(() => readlinkSync("/proc/self")) === self && (numbers ?? self) === self;
}

/** A container may have one of its own mounted in this place, which says nothing about the kernel. */
function bootId(): string {
  const path = "/proc/sys/kernel/random/boot_id";
  return isOfProc(path) ? readTrimmed(path) : "";
}

const namespaceId = (space: string) => attempt(() => readlinkSync(`/proc/self/ns/${space}`));

let ownId: ProcessId | undefined;

export function thisProcess(): ProcessId {
  if (ownId) return ownId;
  const id = readTrimmed("/etc/machine-id");
  const ours = isProcOurs();
  const [pids, times] = ours ? [namespaceId("pid"), namespaceId("time")] : [];
  ownId = {
    pid: process.pid,
    start: (ours && stat(process.pid)?.start) || "",
    boot: ours ? bootId() : "",
    // kernels before 5.6 have one time for all
    space: pids === undefined ? "" : `${pids} ${times ?? INITIAL_TIME}`,
    machine: id === "" ? "" : createHash("sha256").update(`firmseal ${id}`).digest("hex").slice(0, 32),
    host: hostname(),
  };
  return ownId;
}

/** Of the first namespaces of a kernel, outside of every container (PROC_PID_INIT_INO and PROC_TIME_INIT_INO). */
const INITIAL_TIME = "time:[4026531834]";
export const INITIAL = `pid:[4026531836] ${INITIAL_TIME}`;

/** Of ext2 to 4, XFS, btrfs, F2FS, ZFS, FAT and exFAT (statfs(2)): they are mounted by one kernel at a time. */
const LOCAL = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x4d44, 0x2011bab0]);

/**
 * Whether the process that left a note at `path` has ended. Only what is certain counts: of a process on another machine, or in another
 * container, nothing is known, and nothing by one that does not see itself.
 */
export function hasEnded(id: ProcessId, path: string): boolean {
  const me = thisProcess();
  if (process.platform === "linux") {
    if (me.boot === "" || me.space === "" || id.boot === "" || id.space === "") return false;
    if (id.boot !== me.boot) return wasRestarted(id, me, path);
    if (id.space !== me.space) return false;
    // of the others only these two have no namespaces and no jails, where the numbers of others are hidden
  } else if ((process.platform !== "darwin" && process.platform !== "win32") || id.boot !== "" || id.host !== me.host) return false;
  try {
    process.kill(id.pid, 0);
  } catch (e) {
    // EPERM: of another user, and there
    return (e as NodeJS.ErrnoException).code === "ESRCH";
  }
  const now = stat(id.pid);
  // there, and hidden from us (hidepid of proc(5)), or no /proc at all
  if (!now || id.start === "" || me.start === "") return false;
  if (now.start !== id.start) return true;
  // Killed, and its parent has not asked yet. A thread that is left may still be writing.
  return (now.state === "Z" || now.state === "X") && (attempt(() => readdirSync(`/proc/${id.pid}/task`).length) ?? 0) <= 1;
}

/**
 * Whether this machine was started again since. The same installation in two places (an image with a machine-id in it), or a folder that others
 * mount over the network, must not look like that; either alone could. Neither must two containers of one image that share a folder.
 */
function wasRestarted(id: ProcessId, me: ProcessId, path: string): boolean {
  if (id.space !== INITIAL || me.space !== INITIAL || id.machine === "" || id.machine !== me.machine) return false;
  const type = attempt(() => statfsSync(dirname(path)).type);
  return type !== undefined && LOCAL.has(type);
}
