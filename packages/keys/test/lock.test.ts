// The lock across processes: never two, whichever process is killed at whichever moment.

import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { massacre, program, startWorker } from "../../test-support/src/command-line/processes.js";
import { KILLS, TIMES } from "../../test-support/src/environment/effort.js";
import { Failure } from "../src/errors/failure.js";
import { lock } from "../src/locks/lock.js";
import { hasEnded, INITIAL, type ProcessId, thisProcess } from "../src/locks/process.js";

let folder: string;
let worker: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "firmseal-lock-"));
  worker = await program(
    `
    import fs, { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    import { setTimeout as sleep } from "node:timers/promises";
    import { lock } from "../src/locks/lock.js";
    const [folder, times] = process.argv.slice(2);
    // the moments between two calls, in which others come in between, are made a thousand times as long
    const slow = process.env.SLOW_UNLINK ?? "";
    const hold = Number(process.env.HOLD ?? 0);
    const cell = new Int32Array(new SharedArrayBuffer(4));
    for (const name of ["readFileSync", "linkSync", "unlinkSync", "rmSync"]) {
      const real = fs[name];
      fs[name] = (path, ...rest) => {
        if (slow !== "" && name === "unlinkSync" && path.endsWith("/lock")) {
          fs.writeSync(1, "unlinks");
          while (!existsSync(slow)) Atomics.wait(cell, 0, 0, 5);
        } else if (path.includes("/lock") || rest[0]?.includes?.("/lock")) Atomics.wait(cell, 0, 0, Math.random() < 0.05 ? 20 : Math.random() / 2);
        return real(path, ...rest);
      };
    }
    syncBuiltinESMExports();
    for (let i = 0; i < Number(times); i++) {
      if (slow === "") process.stdout.write(".");
      const l = await lock(folder + "/lock");
      const me = process.pid + " " + i;
      const last = readFileSync(folder + "/counter", "utf8");
      writeFileSync(folder + "/inside", me);
      // some hold it for long, most do not
      await sleep(hold || (Math.random() < 0.2 ? 20 * Math.random() : 0));
      if (readFileSync(folder + "/inside", "utf8") !== me) appendFileSync(folder + "/violations", me + "\\n");
      // as many digits as ever, so that a kill in the middle leaves a number
      writeFileSync(folder + "/counter", String(Number(last) + 1).padStart(12, "0"), { flag: "r+" });
      appendFileSync(folder + "/entered", me + "\\n");
      if (!l.isOurs()) appendFileSync(folder + "/violations", me + " not held\\n");
      l.release();
    }
  `,
    import.meta.url,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function place(): { path: string; at: (name: string) => string; lines: (name: string) => string[] } {
  const path = mkdtempSync(join(folder, "place-"));
  writeFileSync(join(path, "counter"), "0".padStart(12, "0"));
  const at = (name: string) => join(path, name);
  return { path, at, lines: (name) => (existsSync(at(name)) ? readFileSync(at(name), "utf8").split("\n").filter(Boolean) : []) };
}

/** The note of a process that has ended. */
function ended(): string {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  return JSON.stringify({ ...thisProcess(), pid, nonce: "0".repeat(24) });
}

// side by side: each has a folder of its own, and most of them wait
describe.concurrent("a lock", () => {
  it("admits one process at a time, and is gone afterwards", async () => {
    const p = place();
    const ends = await Promise.all(Array.from({ length: 8 }, () => startWorker(worker, [p.path, "25"]).end));
    expect(ends.map((e) => e.stderr).join("")).toBe("");
    expect(p.lines("violations")).toEqual([]);
    expect(Number(p.lines("counter")[0])).toBe(200);
    expect(readdirSync(p.path).sort()).toEqual(["counter", "entered", "inside"]);
  });

  it.skipIf(KILLS === 0)(
    `admits one process at a time when its holders are killed, ${TIMES}`,
    async () => {
      const p = place();
      const deaths = await massacre(KILLS, 6, 600, () => startWorker(worker, [p.path, "1000000"]));
      expect(deaths.map((d) => d.stderr)).toEqual([]);
      expect(p.lines("violations")).toEqual([]);
      // what the kills have left goes with the next one
      const { exit, stderr } = await startWorker(worker, [p.path, "2"]).end;
      expect(exit, stderr).toBe(0);
      const left = readdirSync(p.path).filter((name) => name.startsWith("lock") && !name.endsWith("~"));
      // but for notes that were killed before they were written: they might be about to be
      expect(left.filter((name) => statSync(p.at(name)).size > 0)).toEqual([]);
      // one is killed at most between the counter and its line
      const entered = p.lines("entered").length;
      expect(entered).toBeGreaterThan(2);
      expect(Number(p.lines("counter")[0])).toBeGreaterThanOrEqual(entered);
      expect(Number(p.lines("counter")[0])).toBeLessThanOrEqual(entered + KILLS);
    },
    60_000 + 2000 * KILLS,
  );

  it("is taken from a dead process by one of two, and not from that one by the other, which saw it dead before", async () => {
    const p = place();
    writeFileSync(p.at("lock"), ended());
    const late = startWorker(worker, [p.path, "1"], { SLOW_UNLINK: p.at("go") });
    await late.working;
    const early = startWorker(worker, [p.path, "1"], { HOLD: "400" });
    await early.working;
    // time for the early one to take the lock, if that were possible
    await new Promise((done) => setTimeout(done, 200));
    writeFileSync(p.at("go"), "");
    expect((await Promise.all([late.end, early.end])).map((e) => [e.exit, e.stderr])).toEqual([
      [0, ""],
      [0, ""],
    ]);
    expect(p.lines("violations")).toEqual([]);
    expect(Number(p.lines("counter")[0])).toBe(2);
  });

  it("is taken over from a process that has ended, also in the middle of a takeover, and leaves nothing", async () => {
    const p = place();
    const names = ["lock", "lock~", "lock~~", `lock.${"1".repeat(24)}`, `lock~.${"2".repeat(24)}`];
    for (const name of names) writeFileSync(p.at(name), ended());
    writeFileSync(p.at(`lock.${"3".repeat(24)}`), "");
    utimesSync(p.at(`lock.${"3".repeat(24)}`), 1, 1);
    writeFileSync(p.at(`lock.${"4".repeat(24)}`), "");
    writeFileSync(p.at("lock.txt"), "somebody's");
    const l = await lock(p.at("lock"), { wait: 1 });
    expect(l.isOurs()).toBe(true);
    expect(readdirSync(p.path).sort()).toEqual(["counter", "lock", `lock.${"4".repeat(24)}`, "lock.txt"]);
    l.release();
    expect(l.isOurs()).toBe(false);
    expect(existsSync(p.at("lock"))).toBe(false);
  });

  async function refusal(path: string, wait = 0.05): Promise<Failure> {
    try {
      (await lock(path, { wait })).release();
    } catch (e) {
      if (e instanceof Failure) return e;
      throw e;
    }
    throw new Error("was given");
  }

  it("of a running process is waited for, and then its number is reported", async () => {
    const p = place();
    const first = await lock(p.at("lock"));
    const second = lock(p.at("lock"));
    expect((await refusal(p.at("lock"))).message).toContain(`another process is using it (process ${process.pid})`);
    first.release();
    (await second).release();
  });

  it("that is a link to nowhere is refused at once", async () => {
    const { at } = place();
    symlinkSync(at("nowhere"), at("lock"));
    await expect(lock(at("lock"))).rejects.toThrow(/lock is a symbolic link$/);
    expect(readdirSync(at("."))).toEqual(["counter", "lock"]);
  });

  it("of an unknown owner is never taken over", async () => {
    const p = place();
    const other = { ...thisProcess(), pid: 2 ** 22 + 1, nonce: "1".repeat(24) };
    const notes = {
      "another machine": JSON.stringify({ ...other, boot: "another", machine: "another", host: "elsewhere" }),
      "a machine that tells nothing": JSON.stringify({ ...other, boot: "", machine: "", host: "elsewhere" }),
      "another container": JSON.stringify({ ...other, space: "pid:[1]" }),
      "an empty file": "",
      "no note": "4194305\n",
      "another list": "[1]",
    };
    for (const [what, note] of Object.entries(notes)) {
      writeFileSync(p.at("lock"), note);
      const e = await refusal(p.at("lock"));
      expect(e.exit, what).toBe(3);
      expect(e.hint, what).toContain("remove");
      expect(readFileSync(p.at("lock"), "utf8"), what).toBe(note);
    }
  });

  it("cannot be made where no file can be, and says so at once", async () => {
    const p = place();
    writeFileSync(p.at("file"), "");
    for (const [path, says] of [
      [p.at("nowhere/lock"), "file not found"],
      [p.at("file/lock"), "a part of the path is not a folder"],
      [p.at("x".repeat(300)), "the name is too long"],
    ] as const) {
      const began = performance.now();
      const e = await refusal(path, 30);
      expect([e.exit, e.message], path).toEqual([3, `${path}: ${says}`]);
      expect(performance.now() - began, path).toBeLessThan(5_000);
    }
  });
});

describe("whether a process has ended", () => {
  const hasProc = existsSync("/proc/self/stat");
  it.skipIf(!hasProc)(`is determined from its number and its start${hasProc ? "" : " (skipped: no /proc)"}`, async () => {
    const me = thisProcess();
    const at = join(folder, "lock");
    expect(hasEnded(me, at)).toBe(false);
    // its number was given to another one
    expect(hasEnded({ ...me, start: "1" }, at)).toBe(true);
    expect(hasEnded({ ...me, pid: 2 ** 22 + 1 }, at)).toBe(true);
    expect(hasEnded({ ...me, pid: 1, start: "" }, at)).toBe(false);

    // killed, and its parent does not ask: a zombie
    const parent = spawn("sh", ["-c", "sleep 100 & echo $!; exec sleep 100"], { stdio: ["ignore", "pipe", "ignore"] });
    const pid = Number(await new Promise((done) => parent.stdout.once("data", (b: Buffer) => done(b.toString()))));
    const start = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ")[19] as string;
    const child: ProcessId = { ...me, pid, start };
    expect(hasEnded(child, at)).toBe(false);
    process.kill(pid, "SIGKILL");
    for (let i = 0; i < 100 && !hasEnded(child, at); i++) await new Promise((done) => setTimeout(done, 10));
    expect(hasEnded(child, at)).toBe(true);
    parent.kill("SIGKILL");
  });

  it("is certain after the machine was restarted, and only if no other machine or container can be meant", () => {
    const me = thisProcess();
    const at = join(folder, "lock");
    const before = { ...me, boot: "an earlier one" };
    // of this test's own folder nothing is known
    expect(hasEnded({ ...before, machine: "another" }, at)).toBe(false);
    expect(hasEnded({ ...before, machine: "" }, at)).toBe(false);
    expect(hasEnded(before, "/proc/lock")).toBe(false);
    // a container may say about its boot what it wants
    expect(hasEnded({ ...before, space: "pid:[4026532333] time:[4026531834]" }, at)).toBe(false);
    expect(hasEnded({ ...before, boot: "" }, at)).toBe(false);
    // a note of an earlier version, which did not tell of the time
    expect(hasEnded({ ...before, space: "pid:[4026531836]" }, at)).toBe(false);
    // ext4 is mounted by one kernel at a time
    if (statfsSync(folder).type === 0xef53 && me.machine !== "" && me.space === INITIAL) expect(hasEnded(before, at)).toBe(true);
  });

  it.skipIf(!hasProc)(`is not determined for one in another PID or time namespace${hasProc ? "" : " (skipped: no /proc)"}`, () => {
    const gone = { ...thisProcess(), pid: 2 ** 22 + 1 };
    const at = join(folder, "lock");
    expect(hasEnded(gone, at)).toBe(true);
    expect(hasEnded({ ...gone, space: gone.space.replace("pid:[", "pid:[1") }, at)).toBe(false);
    expect(hasEnded({ ...gone, space: gone.space.replace("time:[", "time:[1") }, at)).toBe(false);
    expect(hasEnded({ ...gone, space: "" }, at)).toBe(false);
  });
});
