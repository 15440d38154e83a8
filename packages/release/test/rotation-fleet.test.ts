import { copyFileSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { program } from "../../test-support/src/command-line/processes.js";
// 10,000 virtual devices with mixed trust files are carried through a planned rotation, lost keys and stolen keys, while an attacker offers
// them what he can make. Devices run open(), install(), boot(), trustFileUnchecked() and nextTrust() as real ones do.
// The answer of a device is kept for all that are in the same state (rotation-states.ts). One of fifty is carried
// beside without that, and must agree.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Anchor } from "@firmseal/verifier";
import { embeddedTrust, trustFileUnchecked } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { AT_LENGTH, LONG } from "../../test-support/src/environment/effort.js";
import { ALGS, Device, host, imageOf, key, release, trustFileOf } from "../../test-support/src/rotation-world.js";
import { devicesByVerdict, planSteps } from "../src/rotation/plan/plan.js";
import type { PlannedRelease } from "../src/rotation/plan/steps.js";
import {
  A,
  at,
  attacks,
  B,
  type Counts,
  cohorts,
  E,
  Judge,
  keys,
  manifestOf,
  mixed,
  planned,
  R1,
  R2,
  R3,
  type Run,
  story,
} from "./rotation-story.js";

const DEVICES = 10_000;
/** The simulation as one module, made of the sources. */
async function carried(): Promise<string> {
  const file = await program(readFileSync(new URL("rotation-program.ts", import.meta.url), "utf8"), import.meta.url);
  // beside it, where the bundler looks for what bundles are made of
  copyFileSync(new URL("../../bundler/dist/parts.json", import.meta.url), join(dirname(file), "parts.json"));
  return file;
}

async function run(file: string, o: Run): Promise<Counts> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--max-semi-space-size=64", file, JSON.stringify(o)], {
    maxBuffer: 1 << 24,
  });
  return JSON.parse(stdout) as Counts;
}

// a machine that is busy with other tests takes its time
describe.skipIf(!LONG)(`a fleet of 10,000${AT_LENGTH}`, { timeout: 1_200_000 }, () => {
  it("comes through a rotation, two lost keys and two stolen ones: none stranded, none fooled", async () => {
    const counts = await run(await carried(), { share: [0, DEVICES], attacks: 20 });
    const { phases, planned, refused, ...total } = counts;
    console.log(
      [
        ...phases.map(
          ({ name, trust }) =>
            `${name}: ${Object.entries(trust)
              .map(([sequence, n]) => `${n} at trust file ${sequence}`)
              .join(", ")}`,
        ),
        `${DEVICES} devices: ${Object.entries(total)
          .map(([name, n]) => `${n} ${name}`)
          .join(", ")}`,
        `refusals by number: ${Object.entries(refused)
          .map(([code, n]) => `${code}: ${n}`)
          .join(", ")}`,
      ].join("\n"),
    );
    expect(total).toMatchObject({ stranded: 0, fooled: 0 });
    // and the tool has said so before
    expect(planned).toEqual({ moved: DEVICES });
    // as many states as devices would be no fleet, and one state no story
    expect([total.beside, total.states > 100, total.states < DEVICES / 5]).toEqual([DEVICES / 50, true, true]);
    expect(total.cuts).toBeGreaterThan(DEVICES / 10);
    expect(phases[0]?.trust["1"]).toBeGreaterThan(DEVICES / 100);
  });
});

describe("what must not pass", { timeout: LONG ? 1_200_000 : 600_000 }, () => {
  /** Devices of a fleet in which some tens are alike: by default a fifth. */
  const SOME = LONG ? 100 : 20;

  it.skipIf(!LONG)(`strands devices if the two rules are not followed and an attacker chooses what they get${AT_LENGTH}`, async () => {
    const { stranded, fooled } = await run(await carried(), { share: [0, 400], attacks: 2, careless: true });
    expect(stranded).toBeGreaterThan(0);
    expect(fooled).toBe(0);
  });

  it("fools a fleet that trusts one key when it is stolen, but not its trust files; the plan calls it exposed", async () => {
    const weak = await trustFileOf(1, { releases: [A, B, E], threshold: 1, roots: [R1, R2, R3] });
    const first = await release({ sequence: 10, class: "board-v2", keys: [A], image: imageOf("10") });
    const fleet = Array.from({ length: SOME }, () => new Device("board-v2", weak));
    for (const d of fleet) expect(d.dryRun(first)).toBe(true);
    const groups = cohorts(fleet);
    const [group] = groups as [(typeof groups)[0]];
    const step: PlannedRelease = {
      name: "11",
      envelope: await release({ sequence: 11, class: "board-v2", keys: [A], image: imageOf("11") }),
      sequence: 11n,
    };
    expect(planSteps([group.cohort], [step], { lost: keys(), stolen: keys(E) })).toMatchObject([
      { devices: SOME, verdict: "exposed", exposed: { release: true, root: false } },
    ]);
    expect(planSteps([group.cohort], [step], { lost: keys(B), stolen: keys() })).toMatchObject([{ devices: SOME, verdict: "moved" }]);

    const mine = await trustFileOf(2, { releases: [key("X1")], threshold: 1, roots: [key("X2"), key("X3")] });
    for (const [sequence, trust] of [
      [12, undefined],
      [13, mine],
      [14, new Uint8Array(99)],
    ] as const) {
      const evil = await release({ sequence, class: "board-v2", keys: [E], image: imageOf("evil"), ...(trust && { trust }) });
      for (const d of fleet) d.dryRun(evil);
    }
    const runs = fleet.filter((d) => d.image() === Buffer.from(imageOf("evil")).toString("latin1"));
    const trusts = fleet.filter((d) => !Buffer.from(d.kept).equals(weak));
    console.log(`threshold 1: ${runs.length} of ${SOME} fooled, ${trusts.length} with another trust file`);
    expect([runs.length, trusts.length]).toEqual([SOME, 0]);
  });

  it("leaves behind devices that get the successor without the bridge; the plan says how many of each cohort", async () => {
    const s = await story(false);
    const bridge = at(s, 30);
    // three in seven of those with trust file 2 have taken the bridge to 3; 31 is signed by D and E, of which 2 lists
    // one and 1 none
    const start = () => {
      const devices = mixed(s, 0, 2 * SOME);
      for (const d of devices.filter((_, i) => i % 2 === 0)) d.dryRun(bridge.envelopes[d.name]);
      return devices;
    };
    const fleet = start();
    const last = at(s, 31);
    const before = planned(fleet, [last]);
    for (const d of fleet) d.dryRun(last.envelopes[d.name]);
    const after = before.map(({ cohort, devices }) => [
      cohort.name,
      devices.filter((d) => manifestOf(d.memory.envelope as Uint8Array) !== manifestOf(last.envelopes[d.name])).length,
    ]);
    expect(after).toEqual(before.map(({ cohort, result }) => [cohort.name, result.verdict === "stranded" ? result.devices : 0]));
    const { stranded, moved } = devicesByVerdict(before.map((p) => p.result));
    console.log(
      `without the bridge: ${stranded} of ${2 * SOME} stranded, as planned: ${after.map(([name, n]) => `${name}: ${n}`).join(", ")}`,
    );
    expect([stranded, moved]).toEqual([1.4 * SOME, 0.6 * SOME]);

    // with the bridges in between nobody is
    const whole = s.releases.filter((r) => [20, 30, 31].includes(r.sequence));
    const again = start();
    const promise = planned(again, whole);
    for (const d of again) for (const r of whole) d.dryRun(r.envelopes[d.name]);
    expect(devicesByVerdict(promise.map((p) => p.result))).toMatchObject({ moved: 2 * SOME, stranded: 0 });
    expect(again.filter((d) => manifestOf(d.memory.envelope as Uint8Array) !== manifestOf(last.envelopes[d.name]))).toEqual([]);
  });

  it("would be seen: a device that asks the file alone who may sign it trusts the attacker", async () => {
    const s = await story(false);
    const hostile = await attacks(s, 61, [E], [R3]);
    const [device] = mixed(s, 0, 1) as [Device];
    const own = embeddedTrust(ALGS, hostile.trusts[0] as Uint8Array);
    const roots = own.anchors.filter((a) => a.alg && a.roles.includes(1)) as Anchor[];
    // what nextTrust() does not do
    expect(trustFileUnchecked(ALGS, hostile.trusts[0] as Uint8Array, { anchors: roots, threshold: 2 }, host).sequence).toEqual([0, 2]);
    device.kept = hostile.trusts[0] as Uint8Array;
    expect(new Judge(s).fooled(device)).toBe(true);
  });
});
