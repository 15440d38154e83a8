// Safety must not rest on locks: signers are held at every call of the file system while others take the locks away, sign and skip, and are
// run under random schedules with kills. No leaf, sequence number or log entry is used twice, nothing is lost, and no state goes back.

import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHss } from "@firmseal/signer";
import { hsslms, open } from "@firmseal/verifier";
import { decodeEnvelope, formatSequence } from "@firmseal/verifier/tools";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { hssKeygen } from "../../../../keys/src/hss/keygen.js";
import { highest } from "../../../../keys/src/hss/state.js";
import { readLog } from "../../../../keys/src/signing-log/log-file.js";
import { logDigest } from "../../../../release/src/signing/scope.js";
import { ALL, LONG, SCHEDULES } from "../../../../test-support/src/environment/effort.js";
import { expectNoLeafTwice, leavesOf } from "../../../../test-support/src/keys/hss-place.js";
import { draws } from "../../../../test-support/src/randoms.js";
import { type Actor, actors, type Task } from "./schedules.js";

// in RAM where that is: nothing here is to outlive the power
const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "firmseal-schedules-"));
let crew: Actor[];
let key: Uint8Array;
let thumbprint: string;

beforeAll(async () => {
  crew = await actors(4, root);
  mkdirSync(join(root, "template/copy"), { recursive: true });
  vi.stubEnv("FIRMSEAL_STATE", join(root, "template/one"));
  key = (await hssKeygen(join(root, "template/k.hss"), parseHss("5/2,5/1"), async () => undefined)).key;
  vi.unstubAllEnvs();
  // a second machine that has the folder of the key mounted, and a copy of the key on the first
  cpSync(join(root, "template/one"), join(root, "template/two"), { recursive: true });
  for (const name of ["k.hss", "k.hss.state", "k.hss.tree0"]) cpSync(join(root, "template", name), join(root, "template/copy", name));
  const [record = ""] = readdirSync(join(root, "template/one"));
  thumbprint = record.replace(".leaves.last-seen", "");
});
afterAll(async () => {
  for (const actor of crew ?? []) await actor.end();
  rmSync(root, { recursive: true, force: true });
});

let folder: string;
let made = 0;
let lowest: bigint[];
beforeEach(() => {
  folder = "";
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function begin(): void {
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
  folder = join(root, String(made++));
  cpSync(join(root, "template"), folder, { recursive: true });
  mkdirSync(join(folder, "out"));
  lowest = [];
}

const at = (name: string) => join(folder, name);

let images = 0;
/** A release of its own, so that each needs a number of its own. */
function signing(o: { key?: string; state?: string } = {}): Task {
  const name = String(images++);
  writeFileSync(at(`${name}.bin`), `image ${name}`);
  const options = {
    key: [at(o.key ?? "k.hss")],
    vendor: "example.com",
    class: "board",
    seq: "next",
    first: "known",
    out: at(`out/${name}.suit`),
    json: true,
  };
  // one log for all copies, as the page on logs asks for
  return { state: at(o.state ?? "one"), what: "sign", args: [at(`${name}.bin`), { ...options, log: at("the.log") }] };
}

const skipping = (to: number): Task => ({
  state: at("one"),
  what: "hss",
  args: ["skip", at("k.hss"), { to: String(to), otherCopySigns: true, json: true }],
});

/** What a person does who thinks that a signer is gone. */
function takeLocks(): void {
  for (const name of readdirSync(folder, { recursive: true }) as string[]) if (/\.lock~*$/.test(name)) rmSync(at(name), { force: true });
}

function nextIn(name: string): bigint {
  return BigInt(/^next (\d+)$/m.exec(readFileSync(at(name), "utf8"))?.[1] as string);
}

/** The calls after which a file may be another. */
const MAKES_NAMES = /^(rename|link|unlink|rm|writeFile)/;

/** No number in a file goes down. */
function look(): void {
  const now = ["k.hss.state", "copy/k.hss.state"].map(nextIn);
  for (const counted of ["leaves", "log"])
    for (const machine of ["one", "two"]) {
      const seen = at(`${machine}/${thumbprint}.${counted}.last-seen`);
      now.push(existsSync(seen) ? BigInt(JSON.parse(readFileSync(seen, "utf8")).count) : 0n);
    }
  for (const [i, n] of now.entries()) if (n < (lowest[i] ?? 0n)) throw new Error(`number ${i} went from ${lowest[i]} to ${n}`);
  lowest = now;
}

/** Returns how many signatures came out. */
function expectSound(): number {
  const log = readLog(at("the.log"));
  expect(log.faults, log.faults.length > 0 ? readFileSync(at("the.log"), "latin1") : "").toEqual([]);
  const out = readdirSync(at("out")).filter((name) => name.endsWith(".suit"));
  const signatures: Uint8Array[] = [];
  const numbers = new Set<string>();
  for (const name of out) {
    const envelope = readFileSync(at(`out/${name}`));
    const m = open(envelope, { anchors: [{ alg: hsslms, key }] });
    numbers.add(formatSequence(m.sequence));
    signatures.push(Uint8Array.from(decodeEnvelope(envelope).signatures[0]?.signature as Uint8Array));
    // nothing is lost: each is in the chain, with its number, once
    const entries = log.entries.filter((e) => e.digest === logDigest(m));
    expect(entries.map((e) => e.sequence)).toEqual([formatSequence(m.sequence)]);
  }
  expect(numbers.size).toBe(out.length);
  expect(expectNoLeafTwice(key, signatures)).toBe(out.length);
  const used = signatures.map((s) => leavesOf(key, s)).map(([upper, lower]) => (upper?.leaf ?? 0) * 32 + (lower?.leaf ?? 0));
  const next = highest(nextIn("k.hss.state"), nextIn("copy/k.hss.state"));
  for (const leaf of used) expect(BigInt(leaf)).toBeLessThan(next);
  look();
  return out.length;
}

function run(actor: Actor, task: Task): string {
  actor.begin(task);
  actor.finish();
  return actor.words;
}

/** Calls from one that a signer is held at to the next. */
const STEP = ALL ? 1 : LONG ? 5 : 47;

describe("a signer that is paused at each call of the file system", () => {
  it.each([
    ["signs", 150],
    ["skips", 60],
  ])(
    "and %s: with nothing that others have used, who took its locks, signed and skipped meanwhile",
    (what, least) => {
      const [held, other] = crew as [Actor, Actor];
      let calls = 0;
      let refused = 0;
      for (let ended = false; !ended; calls += STEP) {
        begin();
        // at the border of a lower tree, too
        expect(run(other, skipping(calls % 2 === 0 ? 31 : 5))).toBe("");
        expect(run(other, signing())).toBe("");
        held.begin(what === "skips" ? skipping(60) : signing());
        for (let i = 0; i < calls && !held.ended; i++) held.step();
        ended = held.ended;
        const others = ["k.hss", "k.hss", calls % 3 === 0 ? "skip" : "k.hss"];
        for (const one of others) {
          takeLocks();
          expect(run(other, one === "skip" ? skipping(90) : signing({ key: one })), `held before call ${calls}`).toBe("");
          look();
        }
        while (!held.ended) {
          const { words } = held;
          held.step();
          if (MAKES_NAMES.test(words)) look();
        }
        if (held.words !== "") refused++;
        const signed = expectSound();
        expect(signed, held.words).toBe(
          1 + others.filter((one) => one !== "skip").length + (held.words === "" && what === "signs" ? 1 : 0),
        );
        takeLocks();
        // what it has left is in nobody's way
        expect(run(other, signing())).toBe("");
        expect(expectSound()).toBe(signed + 1);
      }
      expect(calls).toBeGreaterThan(least);
      expect(refused).toBeGreaterThan(least / STEP / 4);
    },
    300_000,
  );
});

describe("random schedules", () => {
  /** Which keys and machines take part: one folder, one that two machines share, copies on one machine. */
  const WORLDS = [[{}], [{}, { state: "two" }], [{}, { key: "copy/k.hss" }]];

  it(`${SCHEDULES} of them: no leaf, number or entry twice, and nothing lost`, () => {
    let signed = 0;
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const pick = draws(seed);
      begin();
      const world = WORLDS[seed % WORLDS.length] as { key?: string; state?: string }[];
      const log: string[] = [];
      try {
        let left = 3;
        while (true) {
          const busy = crew.filter((actor) => !actor.ended);
          if (left > 0 && (busy.length === 0 || (busy.length < crew.length && pick(40) === 0))) {
            const actor = crew.find((one) => one.ended) as Actor;
            left--;
            actor.begin(pick(6) === 0 ? skipping(Number(nextIn("k.hss.state")) + pick(40)) : signing(world[pick(world.length)]));
            continue;
          }
          if (busy.length === 0) break;
          const actor = busy[pick(busy.length)] as Actor;
          if (pick(30) === 0) takeLocks();
          if (pick(400) === 0) actor.kill();
          // some go on for long while others are held
          else
            for (let n = pick(8) === 0 ? pick(60) : 1; n > 0 && !actor.ended; n--) {
              const { words } = actor;
              log.push(`${crew.indexOf(actor)} ${words}`);
              actor.step();
              if (MAKES_NAMES.test(words)) look();
            }
          if (actor.ended && actor.words.includes("    at ")) throw new Error(actor.words);
        }
        signed += expectSound();
      } catch (e) {
        throw new Error(`schedule ${seed}: ${(e as Error).message}\n${log.slice(-200).join("\n")}`, { cause: e });
      } finally {
        for (const actor of crew) while (!actor.ended) actor.kill();
      }
    }
    // four of five on average: where locks are taken and signers killed, some schedules sign nothing
    expect(signed).toBeGreaterThan(SCHEDULES / 4);
  }, 1_200_000);
});
