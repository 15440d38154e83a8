import { readdirSync, rmSync } from "node:fs";
import { parseHss } from "@firmseal/signer";
import { describe, expect, it, vi } from "vitest";
import { expectFailure } from "../../test-support/src/command-line/run.js";
import { KILLS, TIMES } from "../../test-support/src/environment/effort.js";
import { expectNoLeafTwice, HssPlace, LEAVES_MARK, leavesOf, recordOf } from "../../test-support/src/keys/hss-place.js";
import { openHss } from "../src/hss/hss.js";
import { hssKeygen } from "../src/hss/keygen.js";
import { HssPlaceOnDisk } from "../src/hss/state.js";
import { thisProcess } from "../src/locks/process.js";
import { goTo } from "./hss-common.js";

describe("no leaf signs twice", () => {
  it("when sixteen processes sign at once, across the border of a lower tree", async () => {
    const p = new HssPlace();
    p.keepsLogs = true;
    await p.keygen("5/2,5/1");
    await p.ok(["hss", "skip", "k.hss", "--to", "24"]);
    const names = Array.from({ length: 16 }, (_, i) => `${i}.suit`);
    await Promise.all(names.map((name) => p.ok(p.signArgs(name))));
    const signatures = await p.signatures(names);
    const key = await p.raw();
    expect(expectNoLeafTwice(key, signatures)).toBe(16);
    const numbers = signatures.map((s) => leavesOf(key, s)).map(([upper, lower]) => (upper?.leaf ?? 0) * 32 + (lower?.leaf ?? 0));
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => 24 + i));
    expect(p.next()).toBe(40);
    expect(readdirSync(p.path).filter((name) => name.includes(".lock") || name.endsWith(".tmp"))).toEqual([]);
  });

  it.skipIf(KILLS === 0)(
    `when signers are killed, ${TIMES}`,
    async () => {
      const p = new HssPlace();
      p.keepsLogs = true;
      await p.keygen("10/2,5/1");
      await p.ok(p.signArgs("first.suit"));
      const names = ["first.suit"];
      let before = 1;
      // several at once, so that a killed one leaves its lock to others
      for (let done = 0; done < KILLS; done += 5) {
        const batch = Array.from({ length: 5 }, (_, i) => `${done + i}.suit`);
        await Promise.all(
          batch.map((name, i) => {
            const state = p.next();
            // one anywhere in its course, the others about where they get the lock, write the state, have written it; the last one comes to its end
            const moments = [
              () => true,
              () => there("k.hss.state.lock"),
              () => there(".k.hss.state."),
              () => p.next() > state,
              () => p.has(name),
            ];
            const within = [900, 100, 5, 300, 5][i] as number;
            const there = (part: string) => readdirSync(p.path).some((other) => other.includes(part));
            let ended = false;
            const running = p.run(p.signArgs(name), {
              started: (pid) => {
                const kill = () => void (ended || process.kill(pid, "SIGKILL"));
                const look = () => {
                  if (moments[i]?.()) setTimeout(kill, Math.random() * within);
                  else if (!ended) setTimeout(look, 1);
                };
                look();
              },
            });
            return running.finally(() => {
              ended = true;
            });
          }),
        );
        const status = await p.ok(["hss", "status", "k.hss", "--json"]);
        const used = Number(status.json["used"]);
        expect(used).toBeGreaterThanOrEqual(before);
        before = used;
        names.push(...batch.filter((name) => p.has(name)));
      }
      await p.ok(p.signArgs("last.suit"));
      const signatures = await p.signatures([...names, "last.suit"]);
      expect(expectNoLeafTwice(await p.raw(), signatures)).toBe(names.length + 1);
      // some came to their end
      expect(names.length).toBeGreaterThan(KILLS / 10);
      expect(before).toBeGreaterThanOrEqual(names.length);
    },
    60_000 + KILLS * 5_000,
  );

  it("when a person removes the locks of a running process", async () => {
    const p = new HssPlace();
    await p.keygen("5/2,5/1");
    const record = recordOf(p);
    const place = new HssPlaceOnDisk(p.at("k.hss"), "k.hss", record.replace(LEAVES_MARK, ""));
    vi.stubEnv("FIRMSEAL_STATE", p.at("machine"));
    try {
      const held = await openHss(p.at("k.hss"), p.get("k.hss").toString(), { publicOnly: false, secret: () => Promise.reject() });
      const signature = held.signer?.sign(Uint8Array.of(1));
      // while the lower tree is made
      setImmediate(() => {
        for (const lock of [place.state, place.lastSeen.file]) rmSync(`${lock}.lock`);
        goTo(place, 7n);
      });
      await expect(signature).rejects.toThrow("the locks of the key were removed");
      expect([place.checked().next, place.readSeen()]).toEqual([7n, 7n]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("when a signer is delayed at its write while others remove its locks, sign and skip", async () => {
    const p = new HssPlace();
    p.keepsLogs = true;
    await p.keygen("5/2,5/1");
    p.put(
      "hold.mjs",
      `import fs from "node:fs";
       import { syncBuiltinESMExports } from "node:module";
       const real = fs.openSync;
       const cell = new Int32Array(new SharedArrayBuffer(4));
       fs.openSync = (path, flags, ...rest) => {
         if (flags === "wx" && /k\\.hss\\.state/.test(path) && !/lock/.test(path) && !fs.existsSync("held")) {
           fs.closeSync(real("held", "w"));
           while (!fs.existsSync("go")) Atomics.wait(cell, 0, 0, 20);
         }
         return real(path, flags, ...rest);
       };
       syncBuiltinESMExports();`,
    );
    const takeLocks = () => {
      for (const folder of [p.path, p.at("machine")])
        for (const name of readdirSync(folder)) if (name.endsWith(".lock")) rmSync(`${folder}/${name}`);
    };
    await p.ok(p.signArgs("0.suit"));
    const signNext = (out: string) => p.signArgs(out).map((arg, i, all) => (all[i - 1] === "--seq" ? "next" : arg));
    const held = p.run(signNext("held.suit"), { env: { NODE_OPTIONS: `--import=${p.at("hold.mjs")}` } });
    while (!p.has("held")) await new Promise((done) => setTimeout(done, 20));
    for (const name of ["1.suit", "2.suit", "3.suit"]) {
      takeLocks();
      await p.ok(signNext(name));
    }
    takeLocks();
    await p.ok(["hss", "skip", "k.hss", "--to", "9"]);
    p.put("go", "");
    expectFailure(await held, 3);
    for (const name of ["4.suit", "5.suit", "6.suit"]) await p.ok(signNext(name));
    const names = ["0.suit", "1.suit", "2.suit", "3.suit", "4.suit", "5.suit", "6.suit"];
    expect(p.names().filter((name) => name.endsWith(".suit"))).toEqual(names);
    const key = await p.raw();
    const signatures = await p.signatures(names);
    expect(expectNoLeafTwice(key, signatures)).toBe(names.length);
    expect(signatures.map((s) => leavesOf(key, s)[1]?.leaf).slice(4)).toEqual([9, 10, 11]);
    expect(p.next()).toBe(12);
    await p.ok(["audit", "k.hss"]);
  });

  it("when two processes make keys of the same name at once: one is complete, and the other leaves it alone", async () => {
    const p = new HssPlace();
    vi.stubEnv("FIRMSEAL_STATE", p.env.FIRMSEAL_STATE);
    try {
      const make = () => hssKeygen(p.at("k.hss"), parseHss("5/2"), async () => undefined);
      const made = await Promise.allSettled([make(), make()]);
      expect(made.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(String((made.find(({ status }) => status === "rejected") as PromiseRejectedResult).reason)).toContain("exists already");
    } finally {
      vi.unstubAllEnvs();
    }
    await p.ok(p.signArgs("0.suit"));
    expect(p.next()).toBe(1);
  });

  it("when a killed process has left its locks", async () => {
    const p = new HssPlace();
    await p.keygen("5/4");
    const record = recordOf(p);
    const note = JSON.stringify({ nonce: "00", ...thisProcess(), start: "1" });
    for (const name of ["k.hss.state.lock", `machine/${record}.lock`]) p.put(name, note);
    await p.ok(p.signArgs("0.suit"));
    expect([...p.names(), ...readdirSync(p.at("machine"))].filter((name) => name.includes(".lock"))).toEqual([]);
  });
});
