// Several people in different places sign one bridge, or one trust file. Each has a folder, a key and a log of their own.

import { copyFileSync } from "node:fs";
import { signer, toJwk } from "@firmseal/signer";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it } from "vitest";
import { plainPem } from "../../../keys/src/formats/pkcs8.js";
import { expectExit, expectFailure, Place, words } from "../../../test-support/src/command-line/run.js";
import { Device, imageOf, keysOf, trustFileOf } from "../../../test-support/src/rotation-world.js";

const KEYS = keysOf("A", "B", "C", "D", "R1", "R2", "R3");
const { A, B, C, D, R1, R2, R3 } = KEYS;
const FACTS = ["--vendor", "example.com", "--class", "board-v2"];
let T1: Uint8Array;
let T2: Uint8Array;

beforeAll(async () => {
  T1 = await trustFileOf(1, { releases: [A, B, C], roots: [R1, R2, R3] });
  T2 = await trustFileOf(2, { releases: [B, C, D], roots: [R1, R2, R3] }, T1);
});

const fleet = (floor: number | string, more: object[] = []) =>
  JSON.stringify({
    cohorts: [{ name: "field", devices: 100, trust: "t1.trust", vendor: "example.com", class: "board-v2", floor }, ...more],
  });

/** The folder of one person: both trust files, every public key, and one private key. */
function person(...own: (keyof typeof KEYS)[]): Place {
  const p = new Place();
  p.keepsLogs = true;
  p.put("t1.trust", T1);
  p.put("t2.trust", T2);
  p.put("app.bin", imageOf("app"));
  for (const [name, k] of Object.entries(KEYS)) p.put(`${name}.jwk`, JSON.stringify(toJwk(k)));
  for (const name of own) p.put(`${name}.pem`, plainPem(KEYS[name]));
  return p;
}

function carry(name: string, from: Place, to: Place): void {
  copyFileSync(from.at(name), to.at(name));
}

const unsigned = (...more: string[]) => [
  ...["rotate", "bridge", "app.bin", "--trust", "t1.trust", "--next-trust", "t2.trust", ...FACTS, "--out", "bridge.suit"],
  ...more,
];

describe("a bridge that is signed in turns", () => {
  it("by sign, tbs and attach of three people with 2-of-3 keys, and devices of both lists take it", async () => {
    const [office, anna, ben, cleo] = [person(), person("A"), person("B"), person("C")];
    office.put("fleet.json", fleet(41));
    const made = await office.ok(unsigned("--seq", "next", "--fleet", "fleet.json"));
    expect(words(made)[0]).toMatch(/^bridge\.suit: sequence number 42, with trust file 2, [\d,]+ bytes, not signed$/);
    expect(made.stderr).toContain("t2.trust: 2 of these must sign: ");
    expect(decodeEnvelope(office.get("bridge.suit")).signatures).toHaveLength(0);
    expect(office.names().filter((name) => name.endsWith(".log"))).toEqual([]);

    // Anna has a key of the first list, Ben one of both
    carry("bridge.suit", office, anna);
    const both = ["--trust", "t1.trust", "--trust", "t2.trust"];
    await anna.ok(["sign", "bridge.suit", "--key", "A.pem", ...both]);
    carry("bridge.suit", anna, ben);
    await ben.ok(["sign", "bridge.suit", "--key", "B.pem", ...both]);
    expectExit(await ben.ok(["verify", "bridge.suit", "--trust", "t1.trust"]), 0);
    expectFailure(await ben.run(["verify", "bridge.suit", "--trust", "t2.trust"]), 1);
    // Cleo's key never sees the envelope
    carry("bridge.suit", ben, office);
    await office.ok(["tbs", "bridge.suit", "--key", "C.jwk", "--out", "c.tbs", ...both]);
    cleo.put("c.sig", await signer(C).sign(office.get("c.tbs")));
    carry("c.sig", cleo, office);
    await office.ok(["attach", "bridge.suit", "--key", "C.jwk", "--signature", "c.sig", ...both]);

    const plan = await office.ok(["rotate", "plan", "--fleet", "fleet.json", "--release", "bridge.suit"]);
    expect(plan.stdout).toMatch(/field +100 +1 -> 2 +installed, trust 2 .* moved$/m);
    const device = new Device("board-v2", T1);
    expect(device.dryRun(office.get("bridge.suit"))).toBe(true);
    expect(Buffer.from(device.kept)).toEqual(Buffer.from(T2));
    for (const [p, name] of [
      [anna, "A"],
      [ben, "B"],
    ] as const) {
      const [entry] = p.get(`${name}.pem.log`).toString().trim().split("\n");
      expect(JSON.parse(entry as string)).toMatchObject({ n: 1, operation: "sign", sequence: "42" });
    }
  });

  it("is checked as if the named people had signed, and says who is missing", async () => {
    const p = person();
    p.put("fleet.json", fleet(41));
    const before = p.tree();
    const line = expectFailure(await p.run(unsigned("--seq", "42", "--signer", "A.jwk", "--signer", "B.jwk")), 1);
    expect(line).toContain("a device with t2.trust would refuse the bridge: 1 of its release keys would have signed, and it needs 2");
    // a key that ends before this number is not counted on
    expectFailure(await p.run([...unsigned("--seq", "42", "--signer", "A.jwk"), "--key", "A.jwk"]), 2);
    expect(expectFailure(await p.run(unsigned("--seq", "next")), 2)).toContain("--seq next: no key is given");
    // devices that no key of this bridge reaches
    const strangers = { name: "strangers", devices: 9, trust: "strange.trust", vendor: "example.com", class: "board-v2", floor: 1 };
    p.put("strange.trust", await trustFileOf(1, { releases: [D, R3], roots: [R1, R2] }, undefined, "strange"));
    p.put("mixed.json", fleet(41, [strangers]));
    expect(expectFailure(await p.run(unsigned("--seq", "next", "--fleet", "mixed.json")), 1)).toContain(
      "9 devices would be left behind: strangers",
    );
    p.put("high.json", fleet("18446744073709551615"));
    expect(expectFailure(await p.run(unsigned("--seq", "next", "--fleet", "high.json")), 1)).toContain("no sequence number is left");
    const extra = ["high.json", "mixed.json", "strange.trust"];
    expect(p.names().filter((name) => !extra.includes(name))).toEqual(before.map((row) => row.split(" ")[0]));
    await p.ok(unsigned("--seq", "42", "--signer", "B.jwk", "--signer", "C.jwk", "--fleet", "fleet.json"));
    // a second one does not replace it: it may have signatures by now
    expectFailure(await p.run(unsigned("--seq", "43")), 2);
  });

  it("uses up nothing for what the fleet refuses: no number, no log entry", async () => {
    const p = person("A", "B", "C");
    const other = { name: "other", devices: 7, trust: "strange.trust", vendor: "example.com", class: "board-v2", floor: 0 };
    p.put("strange.trust", await trustFileOf(1, { releases: [D, R3], roots: [R1, R2] }, undefined, "strange"));
    p.put("fleet.json", fleet(41, [other]));
    const signed = (...more: string[]) => p.run([...unsigned(...more), "--key", "A.pem", "--key", "B.pem", "--key", "C.pem"]);
    for (const seq of ["next", "50"]) {
      const before = p.tree();
      expect(expectFailure(await signed("--seq", seq, "--fleet", "fleet.json"), 1)).toContain("7 devices would be left behind: other");
      expect(p.tree()).toEqual(before);
    }
    // the number is free, and above the floors although the logs know of none
    const done = await signed("--seq", "next", "--fleet", "fleet.json", "--allow-stranded", "other", "--json");
    expectExit(done, 0);
    expect(done.json).toMatchObject({ sequence: "42", needed: [], log: [{ entry: 1 }, { entry: 1 }, { entry: 1 }] });
  });
});

describe("a one-time key", () => {
  it("loses no leaf to a bridge that the fleet refuses", async () => {
    const p = person("A", "R1", "R2");
    await p.ok(["keygen", "--alg", "hsslms", "--hss", "5/2", "--out", "h.hss", "--no-passphrase"]);
    p.put("h.pub", (await p.ok(["pubkey", "h.hss"])).stdout);
    const root = (name: string) => ({ key: `${name}.jwk`, roles: ["root"] });
    const anchors = [root("R1"), root("R2"), ...["A.jwk", "h.pub"].map((one) => ({ key: one, roles: ["release"] }))];
    p.put(
      "h.json",
      JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "board", sequence: 1, anchors, thresholds: { root: 2, release: 2 } }),
    );
    await p.ok(["trust", "create", "--from", "h.json"]);
    await p.ok(["trust", "sign", "h.trust", "--key", "R1.pem", "--key", "R2.pem"]);
    const cohort = { devices: 7, vendor: "example.com", class: "board-v2", floor: 0 };
    p.put(
      "mixed.json",
      JSON.stringify({
        cohorts: [
          { ...cohort, name: "ours", trust: "h.trust" },
          { ...cohort, name: "strangers", trust: "t1.trust" },
        ],
      }),
    );
    p.put("t1.trust", await trustFileOf(1, { releases: [C, D], roots: [R1, R3] }, undefined, "strange"));
    const bridge = [
      "rotate",
      "bridge",
      "app.bin",
      "--trust",
      "h.trust",
      "--next-trust",
      "h.trust",
      ...FACTS,
      "--seq",
      "next",
      "--fleet",
      "mixed.json",
    ];
    const keys = ["--key", "A.pem", "--key", "h.hss", "--out", "bridge.suit"];
    const used = async () => (await p.ok(["hss", "status", "h.hss", "--json"])).json["used"];
    expect(expectFailure(await p.run([...bridge, ...keys]), 1)).toContain("left behind: strangers");
    expect([await used(), p.has("h.hss.log"), p.has("A.pem.log")]).toEqual(["0", false, false]);
    await p.ok([...bridge, ...keys, "--allow-stranded", "strangers"]);
    expect([await used(), p.has("h.hss.log"), p.has("A.pem.log")]).toEqual(["1", true, true]);
  });
});

describe("a list without a key, whose roots sign in turns", () => {
  it("is made unsigned, and checked against the fleet", async () => {
    const [office, one, two] = [person(), person("R1"), person("R2")];
    const more = { name: "newer", devices: 5, trust: "t2.trust", vendor: "example.com", class: "board-v2", floor: 42 };
    office.put("newer.json", JSON.stringify({ cohorts: [more] }));
    const retire = ["rotate", "retire", "B.jwk", "--trust", "t2.trust", "--fleet", "newer.json", "--out", "t3.trust"];
    const made = await office.ok(retire);
    expect(words(made)[0]).toMatch(/^t3\.trust: trust file 3, without key [0-9a-f]{16}…, [\d,]+ bytes, not signed$/);
    expect(words(made)[1]).toContain("firmseal trust sign t3.trust --previous-trust t2.trust --key ROOT");
    carry("t3.trust", office, one);
    await one.ok(["trust", "sign", "t3.trust", "--previous-trust", "t2.trust", "--key", "R1.pem"]);
    carry("t3.trust", one, two);
    await two.ok(["trust", "sign", "t3.trust", "--previous-trust", "t2.trust", "--key", "R2.pem"]);
    await two.ok(["trust", "verify", "t3.trust", "--previous-trust", "t2.trust"]);
    // it may have signatures by now
    expectFailure(await office.run(retire), 2);
  });
});
