// Bridges that bring a chain of trust files, for devices that were away: none of the roots that they know signs today.

import { type PrivateKey, toJwk } from "@firmseal/signer";
import { beforeAll, describe, expect, it } from "vitest";
import { plainPem } from "../../keys/src/formats/pkcs8.js";
import { Device, imageOf, key, release, trustFileOf } from "../../test-support/src/rotation-world.js";
import { Place } from "../../test-support/src/run.js";

const NAMES = ["A", "B", "C", "D", "E", "R1", "R2", "R3", "R4", "R5", "R6"] as const;
const K = Object.fromEntries(NAMES.map((name) => [name, key(name)])) as { [name in (typeof NAMES)[number]]: PrivateKey };

let lists: { [name: string]: Uint8Array };
let running: Uint8Array;
beforeAll(async () => {
  const T1 = await trustFileOf(1, { releases: [K.A, K.B, K.C], roots: [K.R1, K.R2] });
  const T2 = await trustFileOf(2, { releases: [K.B, K.C, K.D], roots: [K.R3, K.R4], signers: [K.R1, K.R2, K.R3, K.R4] }, T1);
  const T3 = await trustFileOf(3, { releases: [K.B, K.C, K.D], roots: [K.R5, K.R6], signers: [K.R3, K.R4, K.R5, K.R6] }, T2);
  const T4 = await trustFileOf(4, { releases: [K.B, K.C, K.D], roots: [K.R5, K.R6], signers: [K.R3, K.R4, K.R5, K.R6] }, T2);
  lists = {
    t1: T1,
    t2: T2,
    t3: T3,
    t4: T4,
    other: await trustFileOf(2, { releases: [K.B, K.C], roots: [K.R1, K.R2] }, undefined, "other"),
  };
  running = await release({ sequence: 10, class: "board-v2", keys: [K.B, K.C], image: imageOf("app") });
});

const row = (name: string, trust: string, floor: number) => ({ name, devices: 50, trust, vendor: "example.com", class: "board-v2", floor });

function place(...cohorts: object[]): Place {
  const p = new Place();
  p.keepsLogs = true;
  for (const [name, k] of Object.entries(K)) {
    p.put(`${name}.pem`, plainPem(k));
    p.put(`${name}.jwk`, JSON.stringify(toJwk(k)));
  }
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
const bridge = (p: Place, ...next: string[]) =>
  p.run([
    ...["rotate", "bridge", "app.bin", "--trust", "t1.trust", "--vendor", "example.com", "--class", "board-v2", "--seq", "20"],
    ...next.flatMap((name) => ["--next", `${name}.trust`]),
    ...["--key", "B.pem", "--key", "C.pem", "--out", "chain.suit", "--fleet", "fleet.json", "--json"],
  ]);

describe("a bridge with a chain of trust files", () => {
  it("takes a device that was away to the newest one in one step, as planned", async () => {
    const p = place(row("away", "t1.trust", 10), row("late", "t2.trust", 11), row("new", "t3.trust", 12));
    const made = await bridge(p, "t2", "t3");
    expect(made.exit, made.stderr).toBe(0);
    expect(made.json).toMatchObject({ trust: { before: "1", after: "3" }, devices: { total: 150, moved: 150 } });
    const device = away();
    expect([device.dryRun(p.get("chain.suit")), numberOf(device)]).toEqual([true, 3]);
    // the plan knows the lists of the chain, although nothing else here has them
    p.put("fleet.json", JSON.stringify({ cohorts: [row("away", "t1.trust", 10)] }));
    const plan = ["rotate", "plan", "--fleet", "fleet.json", "--release"];
    const told = await p.run([...plan, "chain.suit", "--json"]);
    const left = { release: { left: 3, needed: 2, of: 3 }, root: { left: 2, needed: 2, of: 2 } };
    expect(told.json).toMatchObject({ cohorts: [{ verdict: "moved", trust: { before: "1", after: "3" }, left }] });
  });

  it("is planned by itself too", async () => {
    const p = place({ ...row("away", "t1.trust", 10), release: "running.suit" });
    p.put("chain.trust", Buffer.concat([lists["t2"] as Uint8Array, lists["t3"] as Uint8Array]));
    const told = await p.run(["rotate", "plan", "--fleet", "fleet.json", "--release", "chain.trust", "--json"]);
    expect(told.json).toMatchObject({ cohorts: [{ verdict: "moved", trust: { before: "1", after: "3" } }] });
    const device = away();
    expect([device.offerTrust(p.get("chain.trust")), numberOf(device)]).toEqual([true, 3]);
  });

  it.each([
    ["without the list between", ["t3"], "t3.trust: refused: fewer roots of the previous trust file have signed"],
    ["in another order", ["t3", "t2"], "t3.trust: refused"],
    ["with a gap", ["t2", "t4"], "t2.trust, t4.trust: refused"],
    ["with a file twice", ["t2", "t2", "t3"], "t2.trust, t2.trust, t3.trust: refused"],
    ["with a list of another line", ["t2", "other"], "other.trust: refused"],
  ])("is refused %s: nothing written, nothing signed", async (_, next, expected) => {
    const p = place(row("away", "t1.trust", 10));
    const before = p.tree();
    const r = await bridge(p, ...next);
    expect([r.exit, (r.json as { message: string }).message]).toEqual([1, expect.stringContaining(expected)]);
    expect(p.tree()).toEqual(before);
  });
});

const incident = async (p: Place) => {
  const given = ["--key", "D.jwk", "--replacement", "E.jwk", "--trust", "t3.trust", "--fleet", "fleet.json", "--image", "app.bin"];
  return (await p.ok(["incident", "lost", ...given, "--dir", "night", "--json"])).json as { [member: string]: unknown };
};

describe("an incident in a fleet with older lists", () => {
  it("brings the lists between to devices that have not heard of today's", async () => {
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

  it("brings no chain where a list between is unknown, and says who stays behind", async () => {
    const p = place({ ...row("away", "t1.trust", 10), release: "running.suit" }, row("new", "t3.trust", 12));
    const told = await incident(p);
    expect(told["cohorts"]).toMatchObject([
      { name: "away", verdict: "roots-lost" },
      { name: "new", verdict: "moved" },
    ]);
    expect((told["unsafe"] as string[])[0]).toContain("away, 50 devices: no later trust file can reach it");
  });
});
