// Many processes sign with one key at once, and are killed at any moment: no sequence number is given twice, no entry is lost, and what
// is found is the old or the new. FIRMSEAL_LONG: 16 processes that sign 100 times each. FIRMSEAL_KILLS sets how many are killed.

import { createHash } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { isPrivate, publicOf, thumbprint, toHex } from "@firmseal/signer";
import { hsslms, type Manifest, open } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it } from "vitest";
import { readLog } from "../../keys/src/signing-log/log-file.js";
import { readKey } from "../../keys/src/sources/file.js";
import { anchors } from "../../keys/src/sources/reference.js";
import { logDigest } from "../../release/src/signing/authorize.js";
import { ALL, AT_LENGTH, KILLS, LONG, TIMES } from "../../test-support/src/effort.js";
import { claimIn, expectNoLeafTwice } from "../../test-support/src/hss-place.js";
import { massacre, program, startWorker, type Worker } from "../../test-support/src/processes.js";
import { type Place, standard, stateOf } from "../../test-support/src/run.js";

const [PROCESSES, EACH] = ALL ? [16, 100] : LONG ? [8, 25] : [3, 3];

let worker: string;
beforeAll(async () => {
  // an image of its own each time, so that each is a release
  worker = await program(
    `
    import { writeFileSync } from "node:fs";
    import { signInput as sign } from "../src/commands/sign/sign.js";
    const [name, times, ...keys] = process.argv.slice(2);
    for (let i = 0; i < Number(times); i++) {
      const image = "images/" + name + "-" + i + ".bin";
      writeFileSync(image, Buffer.alloc(200, name + " " + i + " "));
      await sign(image, { key: keys, vendor: "example.com", class: "board-v2", seq: "next", first: "known", out: "out/" + name + "-" + i + ".suit", json: true });
      // whoever kills it waits until it is at work
      process.stdout.write("signed\\n");
    }
  `,
    import.meta.url,
  );
});

function place(): Place {
  const p = standard();
  p.keepsLogs = true;
  p.folder("images");
  p.folder("out");
  return p;
}

function start(p: Place, name: string, times: number, keys: readonly string[]): Worker {
  return startWorker(worker, [name, String(times), ...keys], { FIRMSEAL_STATE: stateOf(p.path) }, p.path);
}

/** The envelopes that came out, each opened with the keys: a torn one would not be. */
async function releases(p: Place, keys: readonly string[]): Promise<Map<string, Manifest>> {
  const trusted = [];
  for (const name of keys) {
    const key = await readKey(p.get(name), name, () => Promise.reject(new Error("is encrypted")));
    trusted.push(isPrivate(key) ? publicOf(key) : key);
  }
  const trust = { anchors: anchors(trusted), threshold: trusted.length };
  const names = readdirSync(p.at("out")).filter((name) => name.endsWith(".suit"));
  return new Map(names.map((name) => [name, open(readFileSync(p.at("out", name)), trust)]));
}

/**
 * What must hold whenever one looks: logs whose chains are whole and that agree with their last-seen marks, an entry for every envelope that came
 * out, and no number in two of them. `keys` are what `--key` was given, in files with logs beside them.
 */
async function expectSound(p: Place, keys: readonly string[], audited = true): Promise<{ entries: number; envelopes: number }> {
  const out = await releases(p, keys);
  const numbers = [...out.values()].map((m) => formatSequence(m.sequence));
  expect(new Set(numbers).size).toBe(numbers.length);
  let entries = 0;
  for (const key of keys) {
    const log = readLog(p.at(`${key}.log`));
    expect(log.faults).toEqual([]);
    if (audited) expect((await p.ok(["audit", key, "--json"])).json).toMatchObject({ ok: true });
    // each number stands in the log for one manifest: no two processes had it
    const by = new Map<string, string>();
    for (const { sequence, digest, n } of log.entries) {
      expect(by.get(sequence as string) ?? digest, `entry ${n}`).toBe(digest);
      by.set(sequence as string, digest as string);
    }
    for (const [name, m] of out) expect(by.get(formatSequence(m.sequence)), name).toBe(logDigest(m));
    const seen = readdirSync(stateOf(p.path)).filter((name) => name.endsWith(".log.last-seen"));
    for (const name of seen) {
      const { count, path } = JSON.parse(readFileSync(`${stateOf(p.path)}/${name}`, "utf8"));
      if (path === log.path) expect(Number(count)).toBeLessThanOrEqual(log.entries.length);
    }
    entries = Math.max(entries, log.entries.length);
  }
  return { entries, envelopes: out.size };
}

async function inParallel(keys: readonly string[]): Promise<void> {
  const p = place();
  const before = keys.map((key) => p.get(key));
  const ends = await Promise.all(Array.from({ length: PROCESSES }, (_, i) => start(p, `p${i}`, EACH, keys).end));
  expect(ends.filter((e) => e.exit !== 0).map((e) => e.stderr)).toEqual([]);
  const all = PROCESSES * EACH;
  expect(await expectSound(p, keys)).toEqual({ entries: all, envelopes: all });
  const out = await releases(p, keys);
  // none was left out either
  expect([...out.values()].map((m) => Number(formatSequence(m.sequence))).sort((a, b) => a - b)).toEqual(
    Array.from({ length: all }, (_, i) => i + 1),
  );
  expect(keys.map((key) => p.get(key))).toEqual(before);
  expect(p.names().filter((name) => name.includes("lock"))).toEqual([]);
}

async function killed(keys: readonly string[], kills: number): Promise<void> {
  const p = place();
  const before = keys.map((key) => createHash("sha256").update(p.get(key)).digest("hex"));
  let looked = 0;
  const ends = await massacre(kills, 4, 100, (i) => start(p, `k${i}`, 1_000_000, keys));
  expect(ends.map((e) => e.stderr)).toEqual([]);
  for (const key of keys) {
    const log = readLog(p.at(`${key}.log`));
    const name = toHex(thumbprint(await readKey(p.get(key), key, async () => new Uint8Array())));
    const seen = JSON.parse(readFileSync(`${stateOf(p.path)}/${name}.log.last-seen`, "utf8"));
    // the mark is the old or the new: of the last entry, or of the one before, which was killed on its way there
    expect(log.entries.filter((e) => e.n === Number(seen.count) && e.hash === seen.hash)).toHaveLength(1);
    looked++;
  }
  const found = await expectSound(p, keys);
  expect([looked, found.entries > 0]).toEqual([keys.length, true]);
  expect(keys.map((key) => createHash("sha256").update(p.get(key)).digest("hex"))).toEqual(before);
  // the next one goes on
  const [next] = await Promise.all([start(p, "after", 3, keys).end]);
  expect([next.exit, next.exit === 0 ? "" : next.stderr]).toEqual([0, ""]);
  const after = await expectSound(p, keys);
  expect(after.entries).toBe(found.entries + 3);
  for (const key of keys) expect(existsSync(p.at(`${key}.log.lock`))).toBe(false);
}

describe("many processes that sign with one key", () => {
  it(`${PROCESSES} × ${EACH}: as many numbers, one for each, and a log of all of them`, () => inParallel(["A.pem"]), 600_000);

  it(`${PROCESSES} × ${EACH} with a key of HSS/LMS: as many leaves as numbers, and none signs twice`, async () => {
    const p = place();
    // lower trees of 32 leaves, so that their borders are crossed all the while
    await p.ok(["keygen", "--alg", "hsslms", "--hss", "10/2,5/1", "--out", "k.hss", "--no-passphrase"]);
    const ends = await Promise.all(Array.from({ length: PROCESSES }, (_, i) => start(p, `p${i}`, EACH, ["k.hss"]).end));
    expect(ends.filter((e) => e.exit !== 0).map((e) => e.stderr)).toEqual([]);
    const key = (await p.ok(["pubkey", "k.hss", "--format", "raw"])).bytes;
    const envelopes = readdirSync(p.at("out")).map((name) => readFileSync(p.at("out", name)));
    const all = PROCESSES * EACH;
    expect(
      expectNoLeafTwice(
        key,
        envelopes.map((envelope) => claimIn(envelope, key).signature),
      ),
    ).toBe(all);
    const numbers = envelopes.map((envelope) => formatSequence(open(envelope, { anchors: [{ alg: hsslms, key }] }).sequence));
    expect(new Set(numbers).size).toBe(all);
    expect((await p.ok(["audit", "k.hss", "--json"])).json).toMatchObject({ ok: true });
    expect(readLog(p.at("k.hss.log")).entries).toHaveLength(all);
    expect((await p.ok(["hss", "status", "k.hss", "--json"])).json).toMatchObject({ used: String(all) });
  }, 900_000);

  it("also with two keys in the one order and in the other", async () => {
    const p = place();
    const orders = [
      ["A.pem", "B.pem"],
      ["B.pem", "A.pem"],
    ];
    const ends = await Promise.all([0, 1, 2, 3].map((i) => start(p, `p${i}`, 4, orders[i % 2] as string[]).end));
    expect(ends.filter((e) => e.exit !== 0).map((e) => e.stderr)).toEqual([]);
    expect(await expectSound(p, ["A.pem", "B.pem"])).toEqual({ entries: 16, envelopes: 16 });
  });

  it("also with copies of the key, and of its log, in workspaces of their own: one goes on, the others are refused", async () => {
    const p = place();
    await start(p, "first", 1, ["A.pem"]).end;
    const copies = Array.from({ length: 6 }, (_, i) => `copy-${i}.pem`);
    for (const name of copies) for (const end of ["", ".log"]) cpSync(p.at(`A.pem${end}`), p.at(`${name}${end}`));
    const ends = await Promise.all(copies.map((name, i) => start(p, `p${i}`, 3, [name]).end));
    expect(ends.filter((e) => e.exit === 0)).toHaveLength(1);
    for (const { exit, stderr } of ends) if (exit !== 0) expect(stderr).toContain("the log of the key has changed");
    const numbers = [...(await releases(p, ["A.pem"])).values()].map((m) => Number(formatSequence(m.sequence)));
    expect(numbers.sort()).toEqual([1, 2, 3, 4]);
  });

  it.skipIf(KILLS === 0)(
    `and are killed: key, logs and mark are the old or the new, and no number is in two envelopes, ${TIMES}`,
    () => killed(["A.pem"], KILLS),
    120_000 + 2_000 * KILLS,
  );
});

describe("a use of a key that is killed at each call that changes a file", () => {
  /** Kills its own process at the nth such call: before it, or in the middle of it where it writes. */
  const KILLER = `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    let left = Number(process.env.KILL_AT);
    for (const name of ["openSync", "writeSync", "fsyncSync", "ftruncateSync", "linkSync", "renameSync", "unlinkSync", "rmSync", "mkdirSync"]) {
      const real = fs[name];
      fs[name] = (...args) => {
        const changes = name !== "openSync" || (args[1] !== undefined && args[1] !== "r" && (args[1] === "wx" || (args[1] & 3) !== 0));
        if (changes && --left === 0) {
          if (name === "writeSync" && process.env.KILL_TORN) real(args[0], args[1], args[2] ?? 0, Math.ceil((args[3] ?? args[1].length) / 2), args[4]);
          process.kill(process.pid, "SIGKILL");
          for (;;);
        }
        return real(...args);
      };
    }
    syncBuiltinESMExports();
  `;
  const keys = ["A.pem", "B.pem"];

  /** Signs, is killed at call `at`, and tells whether it got so far. */
  async function cut(p: Place, name: string, at: number, torn: boolean): Promise<boolean> {
    const env = { NODE_OPTIONS: `--import=${p.at("killer.mjs")}`, KILL_AT: String(at), ...(torn && { KILL_TORN: "1" }) };
    const end = await startWorker(worker, [name, "1", ...keys], { FIRMSEAL_STATE: stateOf(p.path), ...env }, p.path).end;
    expect([end.signal ?? end.exit, end.exit === 1 ? end.stderr : ""]).toEqual([end.signal === "SIGKILL" ? "SIGKILL" : 0, ""]);
    return end.signal === "SIGKILL";
  }

  async function fresh(): Promise<Place> {
    const p = place();
    p.put("killer.mjs", KILLER);
    expect((await start(p, "first", 2, keys).end).exit).toBe(0);
    return p;
  }

  it.skipIf(!LONG)(
    `leaves the old or the new, and the next use goes on${AT_LENGTH}`,
    async () => {
      const p = await fresh();
      let at = 1;
      for (; await cut(p, `cut${at}`, at, at % 2 === 0); at++) {
        // with whatever the cuts before have left
        if (at % 5 === 0) expect((await start(p, `next${at}`, 1, keys).end).exit, `call ${at}`).toBe(0);
        await expectSound(p, keys, false);
      }
      // locks, entries, marks, and the envelope
      expect(at).toBeGreaterThan(25);
      expect(p.names().filter((name) => /\.lock$/.test(name))).toEqual([]);
      await expectSound(p, keys);
    },
    900_000,
  );

  it.skipIf(!LONG)(
    `also when the use after it is killed as well${AT_LENGTH}`,
    async () => {
      let first = 1;
      for (let more = true; more; first += 4) {
        const p = await fresh();
        more = await cut(p, "one", first, true);
        for (let second = 1 + (first % 5); await cut(p, `two${second}`, second, second % 2 === 1); second += 5)
          await expectSound(p, keys, false);
        expect((await start(p, "last", 1, keys).end).exit).toBe(0);
        await expectSound(p, keys);
      }
      expect(first).toBeGreaterThan(25);
    },
    3_000_000,
  );
});
