// Many processes sign with one key at once, and are killed at any moment: no sequence number is given twice, no entry is lost, and what
// is found is the old or the new. FIRMSEAL_LONG=2: 16 processes that sign 100 times each.

import { createHash } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isPrivate, publicOf, thumbprint } from "@firmseal/signer";
import { hsslms, type Manifest, open, type Trust } from "@firmseal/verifier";
import { formatSequence, toHex } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it } from "vitest";
import { readLog } from "../../../../keys/src/signing-log/log-file.js";
import { readKey } from "../../../../keys/src/sources/file.js";
import { anchors } from "../../../../keys/src/sources/reference.js";
import { logDigest } from "../../../../release/src/signing/scope.js";
import { massacre, program, startWorker, type Worker } from "../../../../test-support/src/command-line/processes.js";
import { FACTS, type Place, standard, stateOf } from "../../../../test-support/src/command-line/run.js";
import { ALL, AT_LENGTH, KILLS, LONG, TIMES } from "../../../../test-support/src/environment/effort.js";
import { temporaryFolder } from "../../../../test-support/src/environment/folders.js";
import { claimIn, expectNoLeafTwice } from "../../../../test-support/src/keys/hss-place.js";
import { copyFolder } from "./cut-calls.mjs";

/** Of the calls at which a use is killed, one in this many is tried with a kill of the next use too. */
const STEP = ALL ? 1 : 4;
const [PROCESSES, EACH] = ALL ? [16, 100] : LONG ? [8, 25] : [2, 4];
/** How many have copies of a key of their own. */
const COPIES = LONG ? 6 : 2;

let worker: string;
beforeAll(async () => {
  // an image of its own each time, so that each is a release
  worker = await program(
    `
    import { writeFileSync } from "node:fs";
    import { signInput as sign } from "../../../src/commands/sign/sign.js";
    const [name, times, ...keys] = process.argv.slice(2);
    for (let i = 0; i < Number(times); i++) {
      const image = "images/" + name + "-" + i + ".bin";
      writeFileSync(image, Buffer.alloc(200, name + " " + i + " "));
      await sign(image, { key: keys, vendor: "example.com", class: "board-v2", seq: "next", first: "known", out: "out/" + name + "-" + i + ".suit", json: true });
      // the test waits until it is at work, and kills it then
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

/** By their bytes, and those of the keys: what was found good is not verified again. */
const opened = new Map<string, Manifest>();
const trusts = new Map<string, Promise<Trust>>();
const hashOf = (...parts: readonly (Uint8Array | string)[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

async function trustIn(p: Place, keys: readonly string[]): Promise<Trust> {
  const trusted = [];
  for (const name of keys) {
    const key = await readKey(p.get(name), name, () => Promise.reject(new Error("is encrypted")));
    trusted.push(isPrivate(key) ? publicOf(key) : key);
  }
  return { anchors: anchors(trusted), threshold: trusted.length };
}

/** The envelopes that came out, each opened with the keys: a torn one would not be. */
async function releases(p: Place, keys: readonly string[]): Promise<Map<string, Manifest>> {
  const who = hashOf(...keys.map((key) => p.get(key)));
  const known = trusts.get(who) ?? trustIn(p, keys);
  trusts.set(who, known);
  const trust = await known;
  const names = readdirSync(p.at("out")).filter((name) => name.endsWith(".suit"));
  return new Map(
    names.map((name) => {
      const bytes = readFileSync(p.at("out", name));
      const what = hashOf(who, bytes);
      const manifest = opened.get(what) ?? open(bytes, trust);
      opened.set(what, manifest);
      return [name, manifest];
    }),
  );
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
    // each number is in the log for one manifest: no two processes had it
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

  it("also with two keys in either order", async () => {
    const p = place();
    const orders = [
      ["A.pem", "B.pem"],
      ["B.pem", "A.pem"],
    ];
    const ends = await Promise.all((LONG ? [0, 1, 2, 3] : [0, 1]).map((i) => start(p, `p${i}`, 4, orders[i % 2] as string[]).end));
    expect(ends.filter((e) => e.exit !== 0).map((e) => e.stderr)).toEqual([]);
    expect(await expectSound(p, ["A.pem", "B.pem"])).toEqual(LONG ? { entries: 16, envelopes: 16 } : { entries: 8, envelopes: 8 });
  });

  it("also with copies of the key, and of its log, in separate workspaces: one continues, the others are refused", async () => {
    const p = place();
    await start(p, "first", 1, ["A.pem"]).end;
    const copies = Array.from({ length: COPIES }, (_, i) => `copy-${i}.pem`);
    for (const name of copies) for (const end of ["", ".log"]) cpSync(p.at(`A.pem${end}`), p.at(`${name}${end}`));
    const ends = await Promise.all(copies.map((name, i) => start(p, `p${i}`, 3, [name]).end));
    expect(ends.filter((e) => e.exit === 0)).toHaveLength(1);
    for (const { exit, stderr } of ends) if (exit !== 0) expect(stderr).toContain("the log of the key has changed");
    const numbers = [...(await releases(p, ["A.pem"])).values()].map((m) => Number(formatSequence(m.sequence)));
    expect(numbers.sort()).toEqual([1, 2, 3, 4]);
  });

  it.skipIf(KILLS === 0)(
    `and are killed: key, logs and mark are the old or the new ones, and no number is in two envelopes, ${TIMES}`,
    () => killed(["A.pem"], KILLS),
    120_000 + 2_000 * KILLS,
  );
});

describe("a use of a key that is killed at each call that changes a file", () => {
  const keys = ["A.pem", "B.pem"];
  const CUTS = pathToFileURL(fileURLToPath(new URL("cut-calls.mjs", import.meta.url))).href;

  /** Signs once; `env`: where it is cut. */
  async function signCut(p: Place, name: string, env: { [name: string]: string }): Promise<Awaited<Worker["end"]>> {
    const end = await startWorker(
      worker,
      [name, "1", ...keys],
      { FIRMSEAL_STATE: stateOf(p.path), NODE_OPTIONS: `--import=${CUTS}`, ...env },
      p.path,
    ).end;
    const isKilled = end.signal === "SIGKILL" && env["CUT_AT"] !== undefined;
    expect([end.signal ?? end.exit, end.exit === 1 ? end.stderr : ""]).toEqual([isKilled ? "SIGKILL" : 0, ""]);
    return end;
  }

  /** Signs, is killed at call `at`, and returns whether it got so far. */
  const cut = async (p: Place, name: string, at: number) =>
    (await signCut(p, name, { CUT_AT: `${at}`, CUT_TORN: "0" })).signal === "SIGKILL";

  const foldersOf = (p: Place) => [p.path, stateOf(p.path)];

  /** Signs once, and returns for each call the folder with what a kill at it would have left. */
  async function cuts(p: Place, name: string, torn: string): Promise<string[]> {
    const kept = temporaryFolder("firmseal-cuts-");
    await signCut(p, name, { CUT_KEEP: kept, CUT_OF: foldersOf(p).join(":"), CUT_TORN: torn });
    return readdirSync(kept)
      .sort((a, b) => Number(a) - Number(b))
      .map((n) => join(kept, n));
  }

  function restore(p: Place, kept: string): void {
    for (const [i, folder] of foldersOf(p).entries()) {
      for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
      copyFolder(join(kept, `${i}`), folder);
    }
  }

  async function fresh(): Promise<Place> {
    const p = place();
    const first = await start(p, "first", 2, keys).end;
    expect(first.exit, first.stderr).toBe(0);
    return p;
  }

  /** The next use of the key goes on, in this process. */
  async function next(p: Place, name: string): Promise<void> {
    p.put("images/next.bin", Buffer.alloc(200, `${name} `));
    const args = ["sign", "images/next.bin", "--out", `out/${name}.suit`, ...FACTS, "--seq", "next"];
    await p.ok([...args, ...keys.flatMap((key) => ["--key", key])]);
  }

  it.skipIf(!LONG)(
    `leaves the old or the new one, and the next use continues${AT_LENGTH}`,
    async () => {
      const p = await fresh();
      let at = 1;
      for (; await cut(p, `cut${at}`, at); at++) {
        // with whatever the cuts before have left
        if (at % 5 === 0) await next(p, `next${at}`);
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
    `even when the use after it is killed as well${AT_LENGTH}`,
    async () => {
      const p = await fresh();
      const states = await cuts(p, "one", "2");
      expect(states.length).toBeGreaterThan(25);
      let looked = 0;
      for (let first = 0; first < states.length; first += STEP) {
        restore(p, states[first] as string);
        const after = await cuts(p, "two", `${first % 2}`);
        expect(after.length, `call ${first}`).toBeGreaterThan(25);
        for (let second = first % 5; second < after.length; second += 5, looked++) {
          restore(p, after[second] as string);
          await expectSound(p, keys, false);
          await next(p, "last");
          await expectSound(p, keys, second < 5);
          expect(p.names().filter((name) => /\.lock$/.test(name))).toEqual([]);
        }
        for (const state of after) rmSync(state, { recursive: true });
      }
      expect(looked).toBeGreaterThan((states.length / STEP) * 5);
    },
    3_000_000,
  );
});
