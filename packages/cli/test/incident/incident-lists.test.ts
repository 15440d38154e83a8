// Incidents in fleets with older trust files: none of the roots that some devices know signs today, so the bridges bring a chain.

import { decodeTrust, describeTrust, encodeTrust } from "@firmseal/signer";
import { beforeAll, describe, expect, it } from "vitest";
import { expectExit, expectFailure, Place } from "../../../test-support/src/command-line/run.js";
import { Device, imageOf, keysOf, release, trustFileOf } from "../../../test-support/src/rotation-world.js";

const K = keysOf("A", "B", "C", "D", "E", "R1", "R2", "R3", "R4", "R5", "R6");

let lists: { [name: string]: Uint8Array };
let running: Uint8Array;
beforeAll(async () => {
  const T1 = await trustFileOf(1, { releases: [K.A, K.B, K.C], roots: [K.R1, K.R2] });
  const T2 = await trustFileOf(2, { releases: [K.B, K.C, K.D], roots: [K.R3, K.R4], signers: [K.R1, K.R2, K.R3, K.R4] }, T1);
  const T3 = await trustFileOf(3, { releases: [K.B, K.C, K.D], roots: [K.R5, K.R6], signers: [K.R3, K.R4, K.R5, K.R6] }, T2);
  lists = { t1: T1, t2: T2, t3: T3 };
  running = await release({ sequence: 10, class: "board-v2", keys: [K.B, K.C], image: imageOf("app") });
});

const row = (name: string, trust: string, floor: number) => ({ name, devices: 50, trust, vendor: "example.com", class: "board-v2", floor });

function place(...cohorts: object[]): Place {
  const p = new Place();
  p.keepsLogs = true;
  p.putKeys(K);
  for (const [name, bytes] of Object.entries(lists)) p.put(`${name}.trust`, bytes);
  p.put("app.bin", imageOf("app"));
  p.put("running.suit", running);
  p.put("fleet.json", JSON.stringify({ cohorts }));
  return p;
}

function away(): Device {
  const out = new Device("board-v2", lists["t1"] as Uint8Array);
  expect(out.dryRun(running)).toBe(true);
  return out;
}

const numberOf = (d: Device) => d.store.sequence[1];
const incident = async (p: Place, exit = 0) => {
  const given = ["--key", "D.jwk", "--replacement", "E.jwk", "--trust", "t3.trust", "--fleet", "fleet.json", "--image", "app.bin"];
  const r = await p.run(["incident", "lost", ...given, "--dir", "night", "--json"]);
  expect(r.exit, r.stderr).toBe(exit);
  return r.json as { [member: string]: unknown };
};

describe("an incident in a fleet with older lists", () => {
  it("brings the lists in between to devices that do not have the current one", async () => {
    const p = place({ ...row("away", "t1.trust", 10), release: "running.suit" }, row("late", "t2.trust", 11), row("new", "t3.trust", 12));
    const begun = await incident(p);
    expect(begun["cohorts"]).toMatchObject(["away", "late", "new"].map((name) => ({ name, verdict: "moved" })));
    const previous = ["t3", "t1", "t2"].map((name) => `--previous-trust ${name}.trust`).join(" ");
    expect((begun["todo"] as string[])[1]).toBe(`each root, where it is: firmseal trust sign night/next.trust ${previous} --key ROOT`);
    // the roots of today alone
    for (const root of ["R5", "R6"])
      await p.ok(["trust", "sign", "night/next.trust", "--previous-trust", "t3.trust", "--key", `${root}.pem`]);
    await incident(p);
    for (const one of ["B", "C"])
      await p.ok(["sign", "night/bridge-1.suit", "--key", `${one}.pem`, "--trust", "t3.trust", "--trust", "night/next.trust"]);
    expect(await incident(p)).toMatchObject({ stage: "roll-out", unsafe: [] });
    const device = away();
    expect([device.dryRun(p.get("night/bridge-1.suit")), numberOf(device)]).toEqual([true, 4]);
  });

  it("brings no chain if a list in between is unknown, and says which devices stay behind", async () => {
    const p = place({ ...row("away", "t1.trust", 10), release: "running.suit" }, row("new", "t3.trust", 12));
    const told = await incident(p, 1);
    expect(told["cohorts"]).toMatchObject([
      { name: "away", verdict: "roots-lost" },
      { name: "new", verdict: "moved" },
    ]);
    expect((told["unsafe"] as string[])[0]).toContain("away, 50 devices: no later trust file can reach it");
  });
});

describe("the list in the folder of an incident", () => {
  /** The list that keeps the lost key, in which it counts up to `until`. */
  function keptUntil(bytes: Uint8Array, until: bigint | undefined): Uint8Array {
    const { anchors, ...rest } = describeTrust(decodeTrust(bytes).store);
    return encodeTrust({
      ...rest,
      anchors: anchors.map(({ until: was, ...one }) => (was === undefined || until === undefined ? one : { ...one, until })),
    });
  }

  it("keeps a lost key no longer than the floors of the fleet allow, even if an attacker wrote it", async () => {
    const p = place({ ...row("field", "one.trust", 20), release: "one.suit" });
    p.put("one.trust", await trustFileOf(1, { releases: [K.A], threshold: 1, roots: [K.R1, K.R2] }));
    p.put("one.suit", await release({ sequence: 20, class: "board-v2", keys: [K.A], image: imageOf("app") }));
    const args = ["incident", "lost", "--key", "A.jwk", "--replacement", "D.jwk", "--trust", "one.trust", "--fleet", "fleet.json"];
    const run = () => p.run([...args, "--image", "app.bin", "--dir", "night"]);
    expectExit(await run(), 0);
    const made = Uint8Array.from(p.get("night/next.trust"));
    expect(describeTrust(decodeTrust(made).store).anchors.map(({ until }) => until)).toContain(20n);
    // a thief, or a mistake: later, forever, or a damaged list
    for (const until of [21n, 2n ** 63n, undefined, 0n]) {
      p.put(
        "night/next.trust",
        until === 0n ? made.map((octet, i) => (i === made.length - 1 ? octet ^ 1 : octet)) : keptUntil(made, until),
      );
      const before = p.tree();
      const failed = await run();
      expect([String(until), failed.exit], failed.stderr).toEqual([String(until), 1]);
      if (until !== 0n) expect(expectFailure(failed, 1)).toContain("is not the next trust file of this incident");
      expect(p.tree()).toEqual(before);
    }
    // below what the devices run, they could not start it
    p.put("night/next.trust", keptUntil(made, 15n));
    expectExit(await run(), 1);
    p.put("night/next.trust", made);
    expectExit(await run(), 0);
  });
});
