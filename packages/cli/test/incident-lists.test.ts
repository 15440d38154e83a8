// Incidents in fleets with older trust files: none of the roots that some devices know signs today, so the bridges bring a chain.

import { beforeAll, describe, expect, it } from "vitest";
import { Place } from "../../test-support/src/command-line/run.js";
import { Device, imageOf, keysOf, release, trustFileOf } from "../../test-support/src/rotation-world.js";

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
const incident = async (p: Place) => {
  const given = ["--key", "D.jwk", "--replacement", "E.jwk", "--trust", "t3.trust", "--fleet", "fleet.json", "--image", "app.bin"];
  return (await p.ok(["incident", "lost", ...given, "--dir", "night", "--json"])).json as { [member: string]: unknown };
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
    const told = await incident(p);
    expect(told["cohorts"]).toMatchObject([
      { name: "away", verdict: "roots-lost" },
      { name: "new", verdict: "moved" },
    ]);
    expect((told["unsafe"] as string[])[0]).toContain("away, 50 devices: no later trust file can reach it");
  });
});
