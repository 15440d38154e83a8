// The program may be killed at any moment, and the disk may be full at any write: an output file is the old one or the new one, and a
// device is what it was or what it is to become.

import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, rmSync, statSync } from "node:fs";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../../../test-support/src/bytes.js";
import {
  DEVICE,
  expectExit,
  expectFailure,
  FACTS,
  image,
  type Place,
  type Result,
  type RunOptions,
  signImage,
  standard,
  words,
} from "../../../../test-support/src/command-line/run.js";
import { AT_LENGTH, KILLS, LONG, TIMES } from "../../../../test-support/src/environment/effort.js";
import { randoms } from "../../../../test-support/src/randoms.js";

/** Milliseconds that a test with so many runs may take on a busy machine. */
const PATIENCE = 60_000 + KILLS * 5_000;

let oldImage: Uint8Array;
let newImage: Uint8Array;
let oldEnvelope: Buffer;
let newEnvelope: Buffer;

beforeAll(async () => {
  const p = standard();
  oldImage = image(3_000_000, 1);
  newImage = image(3_000_001, 2);
  p.put("fw.bin", oldImage);
  await signImage(p, 5, "old.suit");
  p.put("fw.bin", newImage);
  await signImage(p, 6, "new.suit");
  oldEnvelope = p.get("old.suit");
  newEnvelope = p.get("new.suit");
});

/** Names of the files in a folder and below it. */
function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile())
    .map((e) => e.name);
}

/** Runs a command and sends a signal after `delay` ms, or as soon as `when` holds. */
async function kill(
  p: Place,
  args: readonly string[],
  signal: NodeJS.Signals,
  at: number | (() => boolean),
  o: RunOptions = {},
): Promise<Result> {
  let ended = false;
  const r = await p.run(args, {
    ...o,
    started: (pid) => {
      const send = () => {
        try {
          if (!ended) process.kill(pid, signal);
        } catch {
          // it was faster
        }
      };
      if (typeof at === "number") setTimeout(send, at);
      else {
        const look = () => {
          if (ended) return;
          if (at()) send();
          else setTimeout(look, 1);
        };
        look();
      }
    },
  });
  ended = true;
  return r;
}

/** Moments to kill at: half of them anywhere, half where something is being written. */
function moments(n: number, whole: number, writing: () => boolean, seed: number): (number | (() => boolean))[] {
  const random = randoms(seed);
  return Array.from({ length: n }, (_, i) => (i % 2 === 0 ? random() * whole * 1.1 : writing));
}

describe.concurrent("killed", () => {
  it.skipIf(KILLS === 0)(
    `sign: the output is the old file or the new one, ${TIMES}`,
    async () => {
      const p = standard();
      p.put("fw.bin", newImage);
      const args = ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "6", "--out", "app.suit"];
      const begun = performance.now();
      await p.ok(args);
      const whole = performance.now() - begun;
      expect(p.get("app.suit").equals(newEnvelope)).toBe(true);
      const writing = () => p.names().some((name) => name.endsWith(".tmp"));
      const found = { old: 0, new: 0, killed: 0 };
      for (const at of moments(KILLS, whole, writing, 7)) {
        for (const name of p.names().filter((n) => n.endsWith(".tmp"))) rmSync(p.at(name));
        p.put("app.suit", oldEnvelope);
        const r = await kill(p, args, "SIGKILL", at);
        if (r.signal === "SIGKILL") found.killed++;
        const now = p.get("app.suit");
        if (now.equals(oldEnvelope)) found.old++;
        else if (now.equals(newEnvelope)) found.new++;
        else throw new Error(`torn: ${now.length} bytes, ${sha256Hex(now)}`);
        // a lock that is left is taken over by the next run
        expect(p.names().filter((n) => !n.endsWith(".tmp") && !/^(A\.pem\.log|\.app\.suit)\.lock/.test(n))).toEqual([
          "A.jwk",
          "A.pem",
          "B.jwk",
          "B.pem",
          "C.jwk",
          "C.pem",
          "app.suit",
          "fw.bin",
        ]);
      }
      expect(found.old + found.new).toBe(KILLS);
      expect(found.killed).toBeGreaterThan(0);
      await p.ok(args);
      expect(p.get("app.suit").equals(newEnvelope)).toBe(true);
    },
    PATIENCE,
  );

  interface DeviceState {
    floor: string;
    envelope: string;
    components: { [name: string]: { slot: number; size: number } };
  }

  /** What the folder holds must be whole: which release is current. */
  function current(p: Place): "none" | "old" | "new" {
    const state = JSON.parse(p.get("dev/device.json").toString()) as DeviceState;
    if (state.envelope === "") {
      expect(state).toMatchObject({ floor: "0", components: {} });
      return "none";
    }
    const part = state.components["00"];
    if (!part) throw new Error("no component");
    const held = p.get(`dev/slots/00.${part.slot ? "b" : "a"}`).subarray(0, part.size);
    const which = state.floor === "5" ? "old" : "new";
    expect(state.floor).toBe(which === "old" ? "5" : "6");
    expect(sha256Hex(held)).toBe(sha256Hex(which === "old" ? oldImage : newImage));
    // what a start needs of the envelope is kept: its manifest and signatures
    expect(decodeEnvelope(p.get(`dev/envelope.${state.envelope}.suit`)).digest).toEqual(
      decodeEnvelope(which === "old" ? oldEnvelope : newEnvelope).digest,
    );
    return which;
  }

  it.skipIf(KILLS === 0)(
    `install: what is current is whole, the floor never goes down, and the same again gets there, ${TIMES}`,
    async () => {
      const p = standard();
      p.put("old.suit", oldEnvelope);
      p.put("new.suit", newEnvelope);
      await p.ok(["install", "old.suit", ...DEVICE, ...FACTS]);
      cpSync(p.at("dev"), p.at("base"), { recursive: true });
      const begun = performance.now();
      await p.ok(["install", "new.suit", ...DEVICE]);
      const whole = performance.now() - begun;
      const writing = () => files(p.at("dev")).some((name) => name.endsWith(".new") || name === "00.a");
      let killed = 0;
      for (const [i, at] of moments(KILLS, whole, writing, 8).entries()) {
        rmSync(p.at("dev"), { recursive: true });
        cpSync(p.at("base"), p.at("dev"), { recursive: true });
        const r = await kill(p, ["install", "new.suit", ...DEVICE], "SIGKILL", at);
        if (r.signal === "SIGKILL") killed++;
        expect(["old", "new"]).toContain(current(p));
        if (r.exit === 0) expect(current(p)).toBe("new");
        await p.ok(["install", "new.suit", ...DEVICE]);
        expect(current(p)).toBe("new");
        expect(files(p.at("dev")).filter((n) => n.endsWith(".new"))).toEqual([]);
        if (i % 8 === 0) expectFailure(await p.run(["install", "old.suit", ...DEVICE]), 1);
      }
      expect(killed).toBeGreaterThan(0);
    },
    PATIENCE,
  );

  it.skipIf(!LONG)(`the first install: the same command again gets there${AT_LENGTH}`, async () => {
    const p = standard();
    p.put("new.suit", newEnvelope);
    const args = ["install", "new.suit", ...DEVICE, ...FACTS];
    const there = (name: string) => () => p.has("dev") && files(p.at("dev")).includes(name);
    for (const at of [...["device.json.new", "device.json", "00.b", "envelope.a.suit.new"].map(there), 100, 150, 200]) {
      rmSync(p.at("dev"), { recursive: true, force: true });
      await kill(p, args, "SIGKILL", at);
      const done = p.has("dev/device.json") && current(p) === "new";
      await p.ok(done ? args.slice(0, -FACTS.length) : args);
      expect(current(p)).toBe("new");
    }
  });

  it("keygen: a whole key or none, and never a public key alone", async () => {
    const p = standard();
    const writing = () => p.names().some((name) => name.endsWith(".tmp"));
    for (const at of LONG ? [60, 90, 120, 150, writing, writing] : [60, 120, writing]) {
      await kill(p, ["keygen", "--out", "k.pem", "--no-passphrase"], "SIGKILL", at);
      if (p.has("k.pem")) {
        expect(statSync(p.at("k.pem")).mode & 0o777).toBe(0o600);
        const { stdout } = await p.ok(["pubkey", "k.pem"]);
        rmSync(p.at("k.pem"));
        if (p.has("k.pub")) expect(p.get("k.pub").toString()).toBe(stdout);
        rmSync(p.at("k.pub"), { force: true });
      }
      expect(p.has("k.pub")).toBe(false);
      for (const name of p.names().filter((n) => n.endsWith(".tmp"))) {
        if (!name.startsWith(".k.pub")) expect(statSync(p.at(name)).mode & 0o077).toBe(0);
        rmSync(p.at(name));
      }
    }
  });
});

describe.concurrent("interrupted", () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    it(`${signal}: the old file or the new one, and no temporary file`, async () => {
      const p = standard();
      p.put("fw.bin", newImage);
      p.put("app.suit", oldEnvelope);
      const args = ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "6", "--out", "app.suit"];
      const begun = performance.now();
      await p.ok([...args.slice(0, -1), "other.suit"]);
      const whole = performance.now() - begun;
      const writing = () => p.names().some((name) => name.endsWith(".tmp"));
      for (const at of moments(LONG ? 6 : 2, whole, writing, signal.length)) {
        const r = await kill(p, args, signal, at);
        expect(r.stderr).not.toContain("    at ");
        expect([oldEnvelope, newEnvelope].some((e) => e.equals(p.get("app.suit")))).toBe(true);
        expect(p.names().filter((n) => n.startsWith("."))).toEqual([]);
      }
    });
  }

  it("while stdin is waited for: at once", async () => {
    const p = standard();
    const direct = await waiting(p, ["sign", "-", "--key", "A.pem", ...FACTS, "--seq", "6", "--out", "app.suit"]);
    expect(direct.signal ?? direct.exit).toBe("SIGINT");
    expect(p.has("app.suit")).toBe(false);
  });
});

/** Runs a program whose stdin stays open, and interrupts it when it has had time to wait for it. */
function waiting(p: Place, args: readonly string[]): Promise<Result> {
  return p.run(args, { openStdin: true, limit: 20_000, started: (pid) => void setTimeout(() => process.kill(pid, "SIGINT"), 1500) });
}

const mounts: string[] = [];
function mounted(p: Place): string | undefined {
  p.folder("small");
  const done = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", p.at("small")]).status === 0;
  if (done) mounts.push(p.at("small"));
  return done ? p.at("small") : undefined;
}
afterAll(() => {
  for (const path of mounts) spawnSync("umount", [path]);
});
// asked once: a folder of its own, and gone again
const canMount = (() => {
  if (process.getuid?.() !== 0) return false;
  const p = standard();
  return mounted(p) !== undefined;
})();

describe.concurrent("a full disk", () => {
  it.skipIf(!canMount)(`a file system of 64 KiB${canMount ? "" : " (skipped: tmpfs cannot be mounted here)"}`, async () => {
    const p = standard();
    mounted(p);
    p.put("fw.bin", image(20_000));
    const sign = (out: string, seq = "1") => ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", seq, "--out", out];
    await p.ok(sign("small/old.suit"));
    await p.ok(sign("v1.suit"));
    await p.ok(["install", "v1.suit", "--dir", "dev", "--key", "A.jwk", ...FACTS]);
    const before = p.tree();
    p.put("fw.bin", image(70_000));
    const tree = () => p.tree().filter((line) => !line.startsWith("fw.bin ") && !line.startsWith("big.suit "));
    const kept = before.filter((line) => !line.startsWith("fw.bin "));
    for (const out of ["small/new.suit", "small/old.suit"]) {
      expect(expectFailure(await p.run(sign(out, "2")), 3)).toContain("disk is full");
      expect((await p.run([...sign(out, "2"), "--json"])).json).toMatchObject({ ok: false, exit: 3, reason: "ENVIRONMENT" });
    }
    await p.ok(sign("big.suit", "2"));
    for (const device of ["small/dev", "small/deep/dev"])
      expect(expectFailure(await p.run(["install", "big.suit", "--dir", device, "--key", "A.jwk", ...FACTS]), 3)).toContain("disk is full");
    expect(tree()).toEqual(kept);
    // to the last byte
    p.folder("small/state");
    spawnSync("dd", ["if=/dev/zero", `of=${p.at("small/filler")}`, "bs=4096"]);
    const full = tree();
    expectFailure(await p.run(["keygen", "--no-passphrase", "--out", "small/k.pem"]), 3);
    expectFailure(await p.run([...sign("v1.suit", "3"), "--log", "small/log"]), 3);
    expectFailure(await p.run(sign("v1.suit", "3"), { env: { FIRMSEAL_STATE: p.at("small/state") } }), 3);
    expectFailure(await p.run(["install", "v1.suit", "--dir", "small/dev", "--key", "A.jwk", ...FACTS]), 3);
    expectFailure(
      await p.run(["create", "--from", "-", "--out", "small/d.suit"], {
        input: '{"$schema":"urn:firmseal:manifest:1","sequence":1,"components":[[]]}',
      }),
      3,
    );
    expect(tree()).toEqual(full);
  });

  it.skipIf(!canMount)(`an installed device keeps what it has${canMount ? "" : " (skipped: tmpfs cannot be mounted here)"}`, async () => {
    const p = standard();
    mounted(p);
    p.put("fw.bin", image(10_000));
    await signImage(p, 1, "one.suit");
    const install = (name: string, ...more: string[]) => p.run(["install", name, "--dir", "small", "--key", "A.jwk", ...more]);
    expectExit(await install("one.suit", ...FACTS), 0);
    // room for the slot and not for the envelope beside it, then for less and less
    for (const [i, n] of [12_000, 20_000, 30_000, 45_000, 70_000].entries()) {
      p.put("fw.bin", image(n, n));
      await signImage(p, 2 + i, "two.suit");
      const before = p.tree().filter((line) => line.startsWith("small"));
      const r = await install("two.suit");
      const now = p.tree().filter((line) => line.startsWith("small"));
      if (r.exit === 0) continue;
      expectFailure(r, 3);
      // the slot that is not current may have been emptied: nothing else has changed
      const other = (lines: string[]) => lines.filter((line) => !/^small\/slots\//.test(line));
      expect(other(now)).toEqual(other(before));
      const state = JSON.parse(p.get("small/device.json").toString()) as { components: { [name: string]: { slot: number; size: number } } };
      const slot = state.components["00"];
      expect(now.filter((line) => line.startsWith("small/slots/")).map((line) => line.split(" ")[0])).toEqual(
        ["small/slots/", `small/slots/00.${slot?.slot ? "b" : "a"}`].slice(now.some((l) => l.startsWith("small/slots/ ")) ? 0 : 1),
      );
    }
  });

  it("a limit on the size of files", async () => {
    const p = standard();
    p.put("fw.bin", image(200_000));
    p.put("old.suit", "the old file");
    await signImage(p, 1, "big.suit");
    const before = p.tree();
    const through = ["/bin/sh", "-c", 'ulimit -f 100; exec "$@"', "-"];
    for (const out of ["new.suit", "old.suit"])
      expect(
        expectFailure(await p.run(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--out", out], { through }), 3),
      ).toContain("limit");
    expectFailure(await p.run(["install", "big.suit", ...DEVICE, ...FACTS], { through }), 3);
    expect(p.tree()).toEqual(before);
  });

  it("stdout that accepts nothing", async () => {
    const p = standard();
    await signImage(p, 1, "fw.suit");
    const before = p.tree();
    for (const args of [
      ["inspect", "fw.suit"],
      ["inspect", "fw.suit", "--diag"],
      ["inspect", "fw.suit", "--json"],
      ["pubkey", "A.pem"],
      ["verify", "fw.suit", "--key", "A.jwk", "--json"],
      ["verify", "fw.suit", "--key", "B.jwk", "--json"],
      ["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--out", "-"],
    ]) {
      const r = await p.run(args, { stdout: "/dev/full" });
      expect(expectFailure(r, 3)).toContain("stdout");
      expect(words(r)).toHaveLength(2);
    }
    expect(p.tree()).toEqual(before);
    // what was done stays done
    expectFailure(await p.run(["install", "fw.suit", ...DEVICE, ...FACTS, "--json"], { stdout: "/dev/full" }), 3);
    await p.ok(["install", "fw.suit", ...DEVICE]);
  });
});
