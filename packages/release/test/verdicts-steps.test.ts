import { bridge, encode, encodeTrust, signEnvelopeWithoutLog, signer, signTrustWithoutLog, type TrustEntry } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { parseSequence } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { LONG } from "../../test-support/src/environment/effort.js";
import { randoms } from "../../test-support/src/randoms.js";
import { CLASSES, Device, identity, imageOf, release, trustFileOf, VENDOR } from "../../test-support/src/rotation-world.js";
import { LAST } from "../src/input/sequence.js";
import { type Cohort, type DeviceModel, modelOf } from "../src/rotation/model.js";
import { whatNext } from "../src/rotation/next.js";
import { planSteps } from "../src/rotation/plan/plan.js";
import { type PlannedStep, stepOf } from "../src/rotation/plan/steps.js";
import { A, all, B, C, cohort, D, facts, fileOf, hex, NOBODY, only, R1, R2, R3, R4, step, withKeys } from "./verdicts-fleet.js";

describe("a harmful step", () => {
  it("strands devices that start the release that they keep, if it has no image", async () => {
    const { T1, T2 } = all();
    const bytes = bridge({ sequence: 20, vendor: VENDOR, class: "board-v2", trust: T2 });
    const alone = await step("alone", signEnvelopeWithoutLog(encode(bytes), [signer(A), signer(B)]));
    const dark = only(planSteps([cohort("old", T1, 10)], [alone], NOBODY));
    expect(dark).toMatchObject({
      verdict: "stranded",
      trust: { after: "2" },
      why: "it has nothing to start after alone: the release has no image",
    });
    expect(only(planSteps([cohort("own", T1, 10, { start: "own" })], [alone], NOBODY)).verdict).toBe("moved");
  });

  it("is a release that no later one can follow, with its true reason", async () => {
    const { T1 } = all();
    const last = await step("last", release({ ...facts, sequence: String(LAST), keys: [A, B] }));
    // by default, a device refuses a jump of 2^63 and more
    const result = only(planSteps([cohort("old", T1, LAST - 2n ** 62n)], [last], NOBODY));
    expect(result).toMatchObject({ verdict: "stranded", steps: [{ code: 0 }] });
    expect(result.why).toBe(`no later release can reach it: ${LAST} is the last sequence number, and no release has a higher one`);
    const r = await step("r", release({ ...facts, sequence: 11, keys: [A, B] }));
    const far = only(planSteps([cohort("far", T1, LAST)], [r], NOBODY));
    expect(far.why).toContain("is the last sequence number");
    expect(far.next).toContain("a trust file that begins a new epoch");
    // without the roots, or without a list, nothing takes the floor back
    for (const lost of [
      only(planSteps([cohort("far", T1, LAST)], [r], { ...NOBODY, lost: hex(R1, R2) })),
      only(
        planSteps(
          [withKeys("keys", [A, B], 2, 1)].map((c) => ({ ...c, floor: parseSequence(String(LAST)) })),
          [r],
          NOBODY,
        ),
      ),
    ])
      expect(lost.next).toBe("replace the firmware of these devices by hand");
  });

  it("is a release that freezes trust: its list has the last number, or is one that the device refuses", async () => {
    const { T1 } = all();
    const roots = [R1, R2, R3];
    const d = { name: "board", sequence: LAST, thresholds: { root: 2, release: 2 } };
    const anchors: TrustEntry[] = [
      ...roots.map((k): TrustEntry => ({ key: k, roles: ["root"] })),
      { key: A, roles: ["release"] },
      { key: B, roles: ["release"] },
    ];
    const lastList = await signTrustWithoutLog(encodeTrust({ ...d, anchors }), roots.map(signer));
    const frozen = await step("frozen", release({ ...facts, sequence: 20, keys: [A, B], trust: lastList }));
    const result = only(planSteps([cohort("old", T1, 10)], [frozen], NOBODY));
    expect(result).toMatchObject({ verdict: "roots-lost", trust: { before: "1", after: String(LAST) } });
    expect(result.why).toContain("the last number");
    // one root of the two that the device wants has signed
    const few = await trustFileOf(2, { releases: [A, B, C], roots: [R1, R4], signers: [R1, R4] }, T1);
    const kept = await step("kept", release({ ...facts, sequence: 20, keys: [A, B], trust: few }));
    const late = only(planSteps([cohort("old", T1, 10)], [kept], { ...NOBODY, have: hex(R2, R3) }));
    expect(late).toMatchObject({ verdict: "behind", steps: [{ code: 0, trust: null, trustCode: errors.TRUST_PREVIOUS }] });
    // the release is not good under the list that it brings
    const dropped = await trustFileOf(2, { releases: [C, D], roots }, T1);
    const own = await step("own", release({ ...facts, sequence: 20, keys: [A, B], trust: dropped }));
    const stays = only(planSteps([cohort("old", T1, 10)], [own], { ...NOBODY, have: hex(A, B) }));
    expect(stays).toMatchObject({ verdict: "behind", steps: [{ trustCode: errors.SIGNATURE_INVALID }] });
    expect(stays.why).toContain("own brings one that it refuses");
  });
});

describe("a trust file alone", () => {
  it("is taken over if the release that runs is good under it", async () => {
    const { T1, T2 } = all();
    const T2only = await step("t2.trust", T2);
    const running = await release({ ...facts, sequence: 10, keys: [A, B] });
    expect(only(planSteps([cohort("old", T1, 10, { release: running })], [T2only], NOBODY))).toMatchObject({
      verdict: "moved",
      why: null,
      trust: { before: "1", after: "2" },
    });
    const dropped = await step("dropped", trustFileOf(2, { releases: [C, D], roots: [R1, R2, R3] }, T1));
    expect(only(planSteps([cohort("old", T1, 10, { release: running })], [dropped], { ...NOBODY, have: hex(A, B) }))).toMatchObject({
      verdict: "behind",
      trust: { after: "1" },
      steps: [{ code: errors.SIGNATURE_INVALID }],
    });
    // nobody has said what runs
    expect(only(planSteps([cohort("old", T1, 10)], [T2only], NOBODY)).assumes).toContain("if the release that they run is good under it");
    // a list of another line, or one that it has passed
    const other = await step("other", trustFileOf(9, { releases: [A, B], roots: [R1, R2] }, undefined, "another line"));
    expect(only(planSteps([cohort("old", T1, 10)], [other], NOBODY)).verdict).toBe("unaffected");
    expect(only(planSteps([cohort("new", T2, 20)], [await step("t1.trust", T1)], NOBODY)).verdict).toBe("ahead");
  });
});

describe("what a device needs next", () => {
  it("is the shortest way to the newest trust file, and then to the newest release", () => {
    const { T1, T2, T3, bridge2, bridge3, r31 } = all();
    const fleet = [cohort("old", T1, 10), cohort("passed", T2, 30), cohort("new", T3, 31)];
    const [old, passed, done] = whatNext(fleet, [bridge2, bridge3, r31]);
    expect(old).toMatchObject({ path: ["bridge3", "r31"], complete: true, trust: { before: "1", after: "3" } });
    expect(done).toMatchObject({ path: [], complete: true });
    expect(passed).toMatchObject({ name: "passed" });
    // without the bridge there is no way
    const [stuck] = whatNext([cohort("old", T1, 10), cohort("new", T3, 31)], [r31]);
    expect(stuck).toMatchObject({ path: [], complete: false });
    expect(stuck?.why).toBe(
      "the archive has no way to trust file 3; it refuses r31: fewer trusted keys have signed than the threshold requires",
    );
  });
});

describe("a limit on jumps", () => {
  /** The list that limits jumps of releases to 1,000, and the one after it. */
  async function limited() {
    const d = { name: "board", thresholds: { root: 2, release: 2 }, jumps: { release: 1000n } };
    const anchors: TrustEntry[] = [
      ...[R1, R2].map((k): TrustEntry => ({ key: k, roles: ["root"] })),
      ...[A, B].map((k): TrustEntry => ({ key: k, roles: ["release"] })),
    ];
    const [one, two] = [1n, 2n].map((sequence) => signTrustWithoutLog(encodeTrust({ ...d, sequence, anchors }), [R1, R2].map(signer)));
    const trust = (await two) as Uint8Array;
    const bridgeAt = (sequence: number) => step(`${sequence}`, release({ ...facts, sequence, keys: [A, B], trust }));
    return { first: (await one) as Uint8Array, bridgeAt };
  }

  it("strands devices below it, unless each step is within reach of the one before", async () => {
    const { first, bridgeAt } = await limited();
    const fleet = [cohort("new", first, 4600), cohort("old", first, 3000)];
    const last = await bridgeAt(4601);
    const [, far] = planSteps(fleet, [last], NOBODY);
    expect(far).toMatchObject({ name: "old", verdict: "stranded", trust: { after: "1" }, steps: [{ code: errors.SEQUENCE_JUMP }] });
    const steps = [await bridgeAt(4000), last];
    expect(planSteps(fleet, steps, NOBODY)).toMatchObject([
      { name: "new", verdict: "moved", steps: [{ fit: "passed" }, { code: 0 }] },
      { name: "old", verdict: "moved", steps: [{ code: 0 }, { code: 0 }] },
    ]);
    // 3,000 and 1,000 are 4,000, and not more
    expect(only(planSteps([cohort("old", first, 2999)], steps, NOBODY)).verdict).toBe("stranded");
    expect(only(planSteps([cohort("born", first, 0)], [last], NOBODY)).verdict).toBe("moved");
  });

  it("gives devices at different floors paths of their own, in any order of rows", async () => {
    const { first, bridgeAt } = await limited();
    // 4,400 and 1,000 are fewer than 5,500
    const archive = [await bridgeAt(5400), await bridgeAt(5500)];
    const fleet = [cohort("a", first, 4600), cohort("b", first, 4400)];
    const paths = { a: ["5500"], b: ["5400", "5500"] };
    for (const rows of [fleet, [...fleet].reverse()])
      expect(Object.fromEntries(whatNext(rows, archive).map((r) => [r.name, r.path]))).toEqual(paths);
    expect(whatNext(fleet, archive.slice(1))).toMatchObject([
      { name: "a", complete: true },
      { name: "b", complete: false, path: [] },
    ]);
  });
});

describe("cohorts in the same state", () => {
  it("are reported once, and as they would be alone", async () => {
    const { bridge3, r31 } = all();
    const roots = [R1, R2, R3];
    const windowed = await trustFileOf(2, { releases: [A, B, C], roots, until: { 0: 25n, 2: 33n } });
    const { T1 } = all();
    const random = randoms(5);
    const lists = [T1, windowed].map(fileOf);
    const models = lists.map((trust) => modelOf({ trust, identity: identity("board-v2") }));
    const fleet = Array.from({ length: 24 }, (_, i): Cohort => {
      const floor = parseSequence(String(Math.floor(random() * 45)));
      return { name: `c${i}`, devices: 1, model: models[i % 2] as DeviceModel, floor, floors: { debug: floor, recovery: floor } };
    });
    const gone = { lost: hex(R1), stolen: hex(A, C) };
    const middle = await step("r25", release({ ...facts, sequence: 25, keys: [A, B] }));
    const steps = [middle, bridge3, r31];
    const results = planSteps(fleet, steps, gone);
    expect(results.length).toBeLessThan(fleet.length);
    expect(results.reduce((n, r) => n + r.devices, 0)).toBe(24);
    const rivals = lists.map(({ store }) => store);
    for (const r of results)
      for (const name of r.names) {
        const alone = only(planSteps([fleet.find((c) => c.name === name) as Cohort], steps, gone, rivals));
        for (const member of ["verdict", "why", "steps", "left", "exposed", "trust"] as const)
          expect({ name, [member]: alone[member] }).toEqual({ name, [member]: r[member] });
      }
  });
});

describe("what is planned", () => {
  it("is what devices do that are offered the same", async () => {
    const random = randoms(11);
    const one = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
    const some = <T>(list: readonly T[], least: number) => {
      const left = [...list];
      while (left.length > least && random() < 0.6) left.splice(Math.floor(random() * left.length), 1);
      return left;
    };
    const roots = [R1, R2, R3];
    const lists: Uint8Array[] = [await trustFileOf(1, { releases: [A, B, C], roots })];
    for (let n = 2; n <= 4; n++) {
      const signers = random() < 0.8 ? roots : some(roots, 1);
      const windows = random() < 0.5 ? { until: { 0: BigInt(20 + 5 * n) } } : {};
      lists.push(await trustFileOf(n, { releases: some([A, B, C, D], 3), roots, signers, ...windows }, lists[0]));
    }
    const steps: { name: string; bytes: Uint8Array; planned: PlannedStep }[] = [];
    for (let i = 0; i < 14; i++) {
      const sequence = 11 + Math.floor(random() * 30);
      const brings = random() < 0.7 ? { trust: one(lists) } : {};
      const image = imageOf(`${i}`);
      const bytes = await release({ sequence, class: one(CLASSES), keys: some([A, B, C, D], 2), image, ...brings });
      steps.push({ name: `${i}`, bytes, planned: await stepOf(`${i}`, bytes) });
    }
    let installed = 0;
    let moved = 0;
    const first = await release({ sequence: 10, class: "board-v2", keys: [A, B], image: imageOf("first") });
    const fleet = [cohort("device", lists[0] as Uint8Array, 10, { release: first })];
    for (let i = 0; i < (LONG ? 60 : 14); i++) {
      const device = new Device("board-v2", lists[0] as Uint8Array);
      expect(device.dryRun(first)).toBe(true);
      const offered = Array.from({ length: 4 }, () => one(steps));
      const result = only(
        planSteps(
          fleet,
          offered.map(({ planned }) => planned),
          NOBODY,
        ),
      );
      for (const [k, { bytes, name }] of offered.entries()) {
        const before = device.store.sequence;
        const took = device.dryRun(bytes);
        const told = result.steps[k];
        expect({ i, name, took: told?.fit === "addressed" && told.code === 0 }).toEqual({ i, name, took });
        const trust = `${device.store.sequence}` === `${before}` ? null : String(device.store.sequence[1]);
        expect({ i, name, trust: told?.trust }).toEqual({ i, name, trust });
        if (took) installed++;
        if (trust !== null) moved++;
      }
      expect(result.trust.after).toBe(String(device.store.sequence[1]));
    }
    expect(installed).toBeGreaterThan(10);
    expect(moved).toBeGreaterThan(2);
  });
});
