// Whether the process that left a note still runs. Identified by process number and start time, because numbers are
// reused.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, statfsSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { unlessThrown } from "@firmseal/signer";

/** The identity of a process. A member is "" if the system does not report it. */
export interface ProcessId {
  pid: number;
  /** Start time in ticks since boot (proc(5), field 22 of stat). */
  start: string;
  /** The boot of the kernel. */
  boot: string;
  /** The namespaces of number and start time, for processes and time (namespaces(7)): each container has its own. */
  space: string;
  /** A hash of the machine identifier, because machine-id(5) asks not to expose it. */
  machine: string;
  host: string;
}

// as UTF-8, which Node reads in one call; only the name of a process may be other text, and nothing reads that
const readTrimmed = (path: string) => unlessThrown(() => readFileSync(path, "utf8").trim()) ?? "";

/**
 * Fields of /proc/PID/stat after the name, which may contain anything: state is 3, start 22. Returns undefined if it
 * cannot be read.
 */
function stat(pid: number): { state: string; start: string } | undefined {
  const fields = /^[\s\S]*\) (.*)$/.exec(readTrimmed(`/proc/${pid}/stat`))?.[1]?.split(" ");
  return fields?.[19] === undefined ? undefined : { state: fields[0] as string, start: fields[19] };
}

const PROC = 0x9fa0;
const isOfProc = (path: string) => unlessThrown(() => statfsSync(path).type) === PROC;

/**
 * Whether /proc shows this process: in a process namespace without its own /proc, it shows others under other numbers
 * (NSpid in proc(5) has one number for each namespace, from that of /proc on).
 */
function isProcOurs(): boolean {
  const numbers = /^NSpid:\s*(.*)$/m.exec(readTrimmed("/proc/self/status"))?.[1];
  const self = String(process.pid);
  return isOfProc("/proc/self/status") && unlessThrown(() => readlinkSync("/proc/self")) === self && (numbers ?? self) === self;
}

/** A container may have a file mounted in this place, which says nothing about the kernel. */
function bootId(): string {
  const path = "/proc/sys/kernel/random/boot_id";
  return isOfProc(path) ? readTrimmed(path) : "";
}

const namespaceId = (space: string) => unlessThrown(() => readlinkSync(`/proc/self/ns/${space}`));

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
    // kernels before 5.6 have a single time namespace
    space: pids === undefined ? "" : `${pids} ${times ?? INITIAL_TIME}`,
    machine: id === "" ? "" : createHash("sha256").update(`firmseal ${id}`).digest("hex").slice(0, 32),
    host: hostname(),
  };
  return ownId;
}

/** The initial namespaces of a kernel, outside every container (PROC_PID_INIT_INO and PROC_TIME_INIT_INO). */
const INITIAL_TIME = "time:[4026531834]";
export const INITIAL = `pid:[4026531836] ${INITIAL_TIME}`;

/** ext2 to ext4, XFS, btrfs, F2FS, ZFS, FAT and exFAT (statfs(2)): only one kernel mounts them at a time. */
const LOCAL = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x4d44, 0x2011bab0]);

/**
 * Whether the process that left a note at `path` has certainly ended. Returns false if unknown: for a process on
 * another machine or in another container, and if this process does not see itself.
 */
export function hasEnded(id: ProcessId, path: string): boolean {
  const me = thisProcess();
  if (process.platform === "linux") {
    if (me.boot === "" || me.space === "" || id.boot === "" || id.space === "") return false;
    if (id.boot !== me.boot) return wasRestarted(id, me, path);
    if (id.space !== me.space) return false;
    // of the other systems, only these two have no namespaces or jails, which hide process numbers
  } else if ((process.platform !== "darwin" && process.platform !== "win32") || id.boot !== "" || id.host !== me.host) return false;
  try {
    process.kill(id.pid, 0);
  } catch (e) {
    // EPERM: it runs as another user
    return (e as NodeJS.ErrnoException).code === "ESRCH";
  }
  const now = stat(id.pid);
  // it runs but is hidden (hidepid in proc(5)), or there is no /proc
  if (!now || id.start === "" || me.start === "") return false;
  if (now.start !== id.start) return true;
  // Killed but not yet reaped. A remaining thread may still be writing.
  return (now.state === "Z" || now.state === "X") && (unlessThrown(() => readdirSync(`/proc/${id.pid}/task`).length) ?? 0) <= 1;
}

/**
 * Whether this machine has rebooted since. Two machines with the same installation (an image that includes a
 * machine-id), or a shared network folder, must not look like a reboot; nor must two containers of one image that share
 * a folder.
 */
function wasRestarted(id: ProcessId, me: ProcessId, path: string): boolean {
  if (id.space !== INITIAL || me.space !== INITIAL || id.machine === "" || id.machine !== me.machine) return false;
  const type = unlessThrown(() => statfsSync(dirname(path)).type);
  return type !== undefined && LOCAL.has(type);
}
