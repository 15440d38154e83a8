// One installation at a time in a device's folder: two would write the same slots, and the slower one would put the floor back.

import { linkSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { environment, systemFault } from "./failure.js";

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    // of another user, but there
    return (e as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The process that holds the lock; 0 where there is none, or what stands in it is no number. */
function holder(path: string): number {
  try {
    return Number.parseInt(readFileSync(path, "utf8"), 10) || 0;
  } catch {
    return 0;
  }
}

export interface Lock {
  /** Whether it is still ours. Two that take over the lock of a killed process at once may take it from each other. */
  held(): boolean;
  release(): unknown;
}

/**
 * Takes the lock of the folder, which must exist. One that a killed process left behind is taken over. Throws a Failure (exit 3) where
 * another process is at work.
 */
export function lockFolder(folder: string): Lock {
  const path = join(folder, "device.lock");
  // written beside it and linked, so that whoever sees a lock sees whose it is
  const own = `${path}.${process.pid}`;
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(own, `${process.pid}\n`, { mode: 0o600 });
      linkSync(own, path);
      const held = () => holder(path) === process.pid;
      return { held, release: () => held() && unlinkSync(path) };
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== "EEXIST") throw systemFault(e, path) ?? e;
    } finally {
      rmSync(own, { force: true });
    }
    const pid = holder(path);
    if (attempt > 0 || (pid > 0 && isAlive(pid)))
      throw environment(
        `${folder}: another installation is at work${pid > 0 ? ` (process ${pid})` : ""}`,
        `wait for it; if there is none, remove ${path}`,
      );
    try {
      unlinkSync(path);
    } catch {
      // somebody else took it over: the next attempt says so
    }
  }
}
