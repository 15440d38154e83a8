// rotate plan, bridge and retire as they are typed, on fleets of a few cohorts.

import { type PrivateKey, thumbprint, toHex, toJwk } from "@firmseal/signer";
import { errors, open } from "@firmseal/verifier";
import { embeddedTrust, policyOf } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it } from "vitest";
import { plainPem } from "../../keys/src/formats/pkcs8.js";
import { ALGS, Device, host, identity, imageOf, key, release, trustFileOf } from "../../test-support/src/rotation-world.js";
import { expectFailure, Place, words } from "../../test-support/src/run.js";

const names = <T extends string>(...list: T[]) => Object.fromEntries(list.map((n) => [n, key(n)])) as { [name in T]: PrivateKey };
const { A, B, C, D, R1, R2, R3, R4 } = names("A", "B", "C", "D", "R1", "R2", "R3", "R4");

interface CohortText {
  name: string;
  devices: number;
  trust: string;
  vendor?: string;
  class?: string;
  floor: number | string;
  algorithms?: string[];
}

const fleetText = (...cohorts: CohortText[]) =>
  JSON.stringify({ cohorts: cohorts.map((c) => ({ vendor: "example.com", class: "board-v2", ...c })) });
const old = { name: "old", devices: 4000, trust: "t1.trust", floor: 10 };
const current = { name: "current", devices: 6000, trust: "t2.trust", floor: 20 };

let p: Place;
beforeAll(async () => {
  p = new Place();
  for (const [name, k] of Object.entries({ A, B, C, D, R1, R2, R3, R4 })) {
    p.put(`${name}.pem`, plainPem(k));
    p.put(`${name}.jwk`, JSON.stringify(toJwk(k)));
  }
  const T1 = await trustFileOf(1, { releases: [A, B], roots: [R1, R2, R3] });
  const T2 = await trustFileOf(2, { releases: [A, B, C], roots: [R1, R2, R3] }, T1);
  // A is retired
  const T3 = await trustFileOf(3, { releases: [B, C], roots: [R1, R2, R3] }, T2);
  p.put("t1.trust", T1);
  p.put("t2.trust", T2);
  p.put("t3.trust", T3);
  p.put("fork.trust", await trustFileOf(2, { releases: [A, B, D], roots: [R1, R2, R3] }, T1));
  p.put("one.trust", await trustFileOf(1, { releases: [A, B, C], threshold: 1, roots: [R1, R2, R3] }));
  p.put("other.trust", await trustFileOf(9, { releases: [A, B], roots: [R1, R2] }, undefined, "another line"));
  p.put("foreign.trust", await trustFileOf(3, { releases: [B, D], roots: [R4, key("R5")] }));
  p.put("app.bin", imageOf("app"));
  const facts = { class: "board-v2", image: imageOf("app") } as const;
  p.put("bridge2.suit", await release({ ...facts, sequence: 20, keys: [A, B], trust: T2 }));
  p.put("bridge3.suit", await release({ ...facts, sequence: 30, keys: [A, B, C], trust: T3 }));
  p.put("r31.suit", await release({ ...facts, sequence: 31, keys: [B, C] }));
  p.put("v3.suit", await release({ ...facts, class: "board-v3", sequence: 31, keys: [B, C] }));
  p.put("fleet.json", fleetText(old, current));
  p.put("weak.json", fleetText({ name: "weak", devices: 7, trust: "one.trust", floor: 10 }));
});

const planOf = (...args: string[]) => p.run(["rotate", "plan", "--fleet", "fleet.json", ...args]);
const steps = (...list: string[]) => list.flatMap((name) => ["--release", name]);

describe("rotate plan", () => {
  it("tells what each step does to each cohort, and adds up the devices", async () => {
    const r = await planOf(...steps("bridge3.suit", "r31.suit"));
    expect(r.exit, r.stderr).toBe(0);
    expect(r.stdout).toBe(
      [
        "cohort   devices  trust   bridge3.suit        r31.suit   keys left             verdict",
        "old        4,000  1 -> 3  installed, trust 3  installed  2 of 2, roots 3 of 3  moved",
        "current    6,000  2 -> 3  installed, trust 3  installed  2 of 2, roots 3 of 3  moved",
        "",
      ].join("\n"),
    );
    expect(words(r)).toEqual(["10,000 devices: 10,000 moved"]);
    const { json } = await planOf(...steps("bridge3.suit", "r31.suit"), "--json");
    expect(json).toMatchObject({
      ok: true,
      code: 0,
      devices: { total: 10000, moved: 10000, stranded: 0, exposed: 0, behind: 0, "roots-lost": 0 },
      cohorts: [
        {
          name: "old",
          devices: 4000,
          trust: { before: "1", after: "3" },
          verdict: "moved",
          releases: [
            { release: "bridge3.suit", installed: true, refused: null, trust: "3" },
            { release: "r31.suit", installed: true, trust: null },
          ],
        },
        { name: "current" },
      ],
      allowedStranded: [],
    });
  });

  it("refuses where a cohort would be stranded, unless it is named, and takes no name of one that would not", async () => {
    const before = p.tree();
    const r = await planOf(...steps("r31.suit"));
    expect(r.exit).toBe(1);
    expect(r.stdout).toMatch(/^old +4,000 +1 +refused: SIGNATURE_THRESHOLD +2 of 2, roots 3 of 3 +stranded$/m);
    expect(r.stdout).toMatch(/^current +6,000 +2 +installed +3 of 3, roots 3 of 3 +moved$/m);
    expect(words(r).at(-2)).toBe(
      "firmseal: 4,000 devices would be left behind: old; old: does not take r31.suit: fewer trusted keys have signed than the threshold requires",
    );
    expect(words(r).at(-1)).toMatch(/^hint: .*--allow-stranded old$/);
    const { json, exit } = await planOf(...steps("r31.suit"), "--json");
    expect([exit, json]).toMatchObject([1, { ok: false, reason: "STRANDED", code: 241, devices: { stranded: 4000, moved: 6000 } }]);

    const allowed = await planOf(...steps("r31.suit"), "--allow-stranded", "old");
    expect(allowed.exit).toBe(0);
    expect(allowed.stderr).toContain("warning: old, 4,000 devices: left behind, as allowed");
    for (const name of ["current", "nobody"])
      expect((await planOf(...steps("r31.suit"), "--allow-stranded", "old", "--allow-stranded", name)).exit).toBe(2);
    expect(p.tree()).toEqual(before);
  });

  it("asks for the device's class and floor as a device does", async () => {
    const { json } = await planOf(...steps("v3.suit"), "--json");
    const other = { verdict: "unaffected", releases: [{ addressed: false, refused: { reason: "CLASS_MISMATCH" } }] };
    expect(json).toMatchObject({ ok: true, cohorts: [{ ...other, verdict: "behind" }, other] });
    p.put("ahead.json", fleetText({ ...current, floor: "18446744073709551615" }));
    const far = await p.run(["rotate", "plan", "--fleet", "ahead.json", ...steps("r31.suit"), "--json"]);
    expect(far.json).toMatchObject({ cohorts: [{ verdict: "stranded", releases: [{ refused: { code: errors.ROLLBACK } }] }] });
    expect((far.json as { message: string }).message).toContain("18446744073709551615 is the last sequence number");
  });

  it("counts the keys that remain: lost, stolen and retired ones sign nothing any more", async () => {
    // the last release is taken, and then B alone is left of the two that trust file 3 wants
    const lost = await planOf(...steps("bridge3.suit", "r31.suit"), "--lost", "C.jwk", "--json");
    expect([lost.exit, lost.json]).toMatchObject([1, { devices: { stranded: 10000 } }]);
    expect((lost.json as { cohorts: { why: string }[] }).cohorts[0]?.why).toBe(
      "no later release can reach it: 1 of its release keys remain, and 2 are needed",
    );
    const byPrint = await planOf(...steps("bridge3.suit", "r31.suit"), "--lost", toHex(thumbprint(C)).slice(0, 40), "--json");
    expect(byPrint.json).toEqual(lost.json);
    // A was retired: who has lost it loses nothing
    expect((await planOf(...steps("bridge3.suit"), "--lost", "A.pem")).exit).toBe(0);
    // two of three roots: no other trust file can come
    const roots = await planOf(...steps("bridge3.suit"), "--lost", "R1.jwk", "--lost", "R2.jwk", "--json");
    expect([roots.exit, roots.json]).toMatchObject([1, { devices: { "roots-lost": 10000 } }]);
    // a key that no trust file lists is a slip
    expect(expectFailure(await planOf(...steps("bridge3.suit"), "--lost", "D.jwk"), 2)).toContain(
      "--lost D.jwk: no trust file here lists this key",
    );
    expect(expectFailure(await planOf(...steps("bridge3.suit"), "--stolen", "0".repeat(64)), 2)).toContain("no trust file here lists");
  });

  it("warns of what a thief can sign alone", async () => {
    p.put("r11.suit", await release({ sequence: 11, class: "board-v2", keys: [A], image: imageOf("app") }));
    const weak = ["rotate", "plan", "--fleet", "weak.json", ...steps("r11.suit"), "--stolen", "B.jwk"];
    const r = await p.run(weak);
    expect(r.exit).toBe(0);
    expect(r.stderr).toContain("warning: weak, 7 devices: the stolen keys alone can sign releases for it");
    expect((await p.run([...weak, "--json"])).json).toMatchObject({
      devices: { exposed: 7 },
      cohorts: [{ verdict: "exposed", exposed: { release: true, root: false } }],
    });
    expect((await p.run([...weak, "--stolen", "R1.jwk", "--stolen", "R3.jwk", "--json"])).json).toMatchObject({
      cohorts: [{ verdict: "exposed", exposed: { release: true, root: true } }],
    });
    // what is lost as well signs for nobody of us
    const both = ["R1.jwk", "R3.jwk"].flatMap((root) => ["--stolen", root, "--lost", root]);
    expect((await p.run([...weak, ...both, "--json"])).json).toMatchObject({
      cohorts: [{ verdict: "roots-lost", exposed: { release: true, root: true } }],
    });
  });

  it("says who still trusts what was retired", async () => {
    const r = await p.run(["rotate", "plan", "--fleet", "fleet.json", ...steps("bridge2.suit"), "--json"]);
    // current has passed that bridge, and stays where it is
    expect(r.json).toMatchObject({ devices: { moved: 10000 } });
    p.put("wide.json", fleetText(current, { ...current, name: "first", trust: "t3.trust", floor: 30 }));
    const wide = await p.run(["rotate", "plan", "--fleet", "wide.json", ...steps("r31.suit")]);
    expect(wide.exit).toBe(0);
    expect(wide.stderr).toContain("warning: current, 6,000 devices: it keeps trust file 2, and 3 is the newest");
  });

  it.each([
    ["no JSON", "{", "not JSON (line 1, column"],
    ["no list", "{}", 'the file lacks "cohorts"'],
    ["another member", '{"cohorts":[],"x":1}', 'the file has the unknown member "x"'],
    ["an empty list", '{"cohorts":[]}', "is not a list of cohorts, at least one"],
    ["a cohort that is none", '{"cohorts":[7]}', "cohort 1 is not an object"],
    ["a cohort without a floor", fleetText({ ...old, floor: undefined as never }), 'cohort 1 lacks "floor"'],
    ["a floor that is no number", fleetText({ ...old, floor: -1 }), '"floor" is not a sequence number'],
    ["a floor that a double cannot hold", fleetText({ ...old, floor: 2 ** 53 }), '"floor" is not a sequence number'],
    ["a floor of 65 bits", fleetText({ ...old, floor: "18446744073709551616" }), '"floor" is not a sequence number'],
    ["half a device", fleetText({ ...old, devices: 0.5 }), '"devices" is not a whole number'],
    ["no device", fleetText({ ...old, devices: 0 }), '"devices" is not a number from 1'],
    ["a name that drives a terminal", fleetText({ ...old, name: "\u001b[31m" }), '"name" is not a name'],
    ["a name twice", fleetText(old, old), "two cohorts have the name old"],
    ["a class that is half a UUID", fleetText({ ...old, class: "7ef25e26-57d5-563d-bec7-161eb720" }), "is neither a UUID nor a name"],
    [
      "two files of one number",
      fleetText(old, { ...current, name: "fork", trust: "fork.trust" }, current),
      "two different trust files of the same name have the sequence number 2",
    ],
    ["a trust file that is none", fleetText({ ...old, trust: "app.bin" }), "app.bin: not a trust file"],
  ])("refuses a fleet with %s", async (_, text, message) => {
    p.put("bad.json", text);
    const before = p.tree();
    const line = expectFailure(await p.run(["rotate", "plan", "--fleet", "bad.json", ...steps("r31.suit")]), 1);
    expect(line).toContain(message);
    expect(p.tree()).toEqual(before);
  });

  it("refuses a step that is none", async () => {
    expectFailure(await planOf(...steps("app.bin")), 1);
    expectFailure(await planOf(...steps("missing.suit")), 3);
    const damaged = Uint8Array.from(p.get("bridge3.suit"));
    const last = damaged.length - 1;
    damaged[last] = (damaged[last] as number) ^ 1;
    p.put("damaged.suit", damaged);
    expect(expectFailure(await planOf(...steps("damaged.suit")), 1)).toContain("an image does not match its signed digest");
    expectFailure(await planOf(), 2);
    p.put("missing.json", fleetText({ ...old, trust: "nowhere.trust" }));
    expectFailure(await p.run(["rotate", "plan", "--fleet", "missing.json", ...steps("r31.suit")]), 3);
  });
});

describe("rotate bridge", () => {
  const facts = ["--vendor", "example.com", "--class", "board-v2"];
  const bridge = (args: string[], next = "t3.trust") =>
    p.run(["rotate", "bridge", "app.bin", "--trust", "t1.trust", "--next", next, ...facts, ...args]);
  const signers = (...list: string[]) => list.flatMap((name) => ["--key", `${name}.pem`]);

  it("makes a release that both trust files believe, and that a device follows", async () => {
    const r = await bridge([...signers("A", "B", "C"), "--seq", "30", "--fleet", "fleet.json", "--out", "made.suit"]);
    expect(r.exit, r.stderr).toBe(0);
    expect(words(r)).toEqual([
      expect.stringMatching(/^made\.suit: sequence number 30, with trust file 3, \d+ bytes, good under it and under 1$/),
      ...["A", "B", "C"].map((name) => expect.stringMatching(new RegExp(`${name}\\.pem\\.log: entry 1$`))),
    ]);
    for (const name of ["t1.trust", "t2.trust", "t3.trust"]) {
      const store = embeddedTrust(ALGS, p.get(name));
      expect(open(p.get("made.suit"), policyOf(store, 2, identity("board-v2")), host).sequence).toEqual([0, 30]);
    }
    const device = new Device("board-v2", p.get("t1.trust"));
    expect(device.dryRun(p.get("made.suit"))).toBe(true);
    expect(Buffer.from(device.kept)).toEqual(p.get("t3.trust"));
    expect(device.image()).toBe(Buffer.from(imageOf("app")).toString("latin1"));
    expect(device.memory.invoked).toHaveLength(1);
    expect((await planOf(...steps("made.suit", "r31.suit"))).exit).toBe(0);
  });

  it("does not fetch an image that is there already", async () => {
    const device = new Device("board-v2", p.get("t1.trust"));
    expect(device.dryRun(await release({ sequence: 10, class: "board-v2", keys: [A, B], image: imageOf("app") }))).toBe(true);
    await p.ok([
      "rotate",
      "bridge",
      "app.bin",
      "--trust",
      "t1.trust",
      "--next",
      "t3.trust",
      ...facts,
      ...signers("A", "B", "C"),
      "--seq",
      "11",
      "--uri",
      "https://example.com/app.bin",
      "--out",
      "outside.suit",
    ]);
    const slot = device.memory.parts[0]?.current;
    // nothing at hand but the envelope
    expect(device.dryRun(p.get("outside.suit"))).toBe(true);
    expect(device.memory.parts[0]?.current).toBe(slot);
    expect(Buffer.from(device.kept)).toEqual(p.get("t3.trust"));
    // one that has another image asks for it
    const other = new Device("board-v2", p.get("t1.trust"));
    expect(other.dryRun(p.get("outside.suit"))).toBe(true);
    expect(other.memory.sequence).toEqual([0, 0]);
  });

  it("holds a trust file alone, with a warning, and the trust file of the day with a later release", async () => {
    const alone = await p.run([
      "rotate",
      "bridge",
      "--trust",
      "t1.trust",
      "--next",
      "t3.trust",
      ...facts,
      ...signers("A", "B", "C"),
      "--seq",
      "30",
      "--out",
      "alone.suit",
      "--json",
    ]);
    expect(alone.exit, alone.stderr).toBe(0);
    expect(alone.stderr).toContain("warning: the bridge has no image");
    expect(alone.json).toMatchObject({
      ok: true,
      sequence: "30",
      trust: { before: "1", after: "3" },
      payloads: { inside: ["#trust"], outside: [] },
    });
    const device = new Device("board-v2", p.get("t1.trust"));
    expect(device.dryRun(p.get("alone.suit"))).toBe(true);
    expect(Buffer.from(device.kept)).toEqual(p.get("t3.trust"));
    await p.ok([
      "rotate",
      "bridge",
      "app.bin",
      "--trust",
      "t3.trust",
      "--next",
      "t3.trust",
      ...facts,
      ...signers("B", "C"),
      "--seq",
      "31",
      "--out",
      "later.suit",
    ]);
  });

  it.each([
    [
      "too few keys of the old",
      [...signers("B", "C"), "--seq", "30"],
      "t3.trust",
      1,
      "a device with t1.trust would refuse the bridge: 1 of its release keys would have signed, and it needs 2",
    ],
    [
      "too few keys of the new",
      [...signers("A", "B"), "--seq", "30"],
      "t3.trust",
      1,
      "a device with t3.trust would refuse the bridge: 1 of its release keys would have signed, and it needs 2",
    ],
    ["another one's trust file", [...signers("A", "B"), "--seq", "30"], "foreign.trust", 1, "foreign.trust: refused"],
    ["a trust file of another line", [...signers("A", "B"), "--seq", "30"], "other.trust", 1, "other.trust: refused"],
    ["a public key", ["--key", "A.jwk", "--seq", "30"], "t3.trust", 2, "A.jwk: is a public key"],
    [
      "an override and no fleet",
      [...signers("A", "B", "C"), "--seq", "30", "--allow-stranded", "old"],
      "t3.trust",
      2,
      "--allow-stranded needs a fleet",
    ],
    [
      "an output that is an input",
      [...signers("A", "B", "C"), "--seq", "30", "--out", "t1.trust"],
      "t3.trust",
      2,
      "would replace t1.trust",
    ],
  ] as const)("refuses %s, and writes nothing", async (_, args, next, exit, message) => {
    const before = p.tree();
    const line = expectFailure(
      await bridge([...(args.some((one) => one === "--out") ? [] : ["--out", "never.suit"]), ...args], next),
      exit,
    );
    expect(line).toContain(message);
    expect(p.tree()).toEqual(before);
  });

  it("refuses an old trust file as the next, a bridge that strands a cohort, and published keys", async () => {
    const back = [
      "rotate",
      "bridge",
      "app.bin",
      "--trust",
      "t2.trust",
      "--next",
      "t1.trust",
      ...facts,
      ...signers("A", "B"),
      "--seq",
      "30",
      "--out",
      "never.suit",
    ];
    expect(expectFailure(await p.run(back), 1)).toContain("t1.trust: refused");
    const other = { ...current, name: "of another algorithm", algorithms: ["es256"] };
    p.put("v3.json", fleetText(old, other, { ...current, name: "of another class", class: "board-v3" }));
    const fleet = [...signers("A", "B", "C"), "--seq", "30", "--out", "never.suit", "--fleet", "v3.json"];
    expect(expectFailure(await bridge(fleet), 1)).toContain("6,000 devices would be left behind: of another algorithm");
    expect(p.has("never.suit")).toBe(false);
    expect((await bridge([...fleet.map((f) => f.replace("never", "allowed")), "--allow-stranded", other.name])).exit).toBe(0);
  });
});

describe("rotate retire", () => {
  const retire = (name: string, args: readonly string[], trust = "t2.trust") =>
    p.run(["rotate", "retire", name, "--trust", trust, ...args]);
  const roots = (...list: string[]) => list.flatMap((name) => ["--root", `${name}.pem`]);

  it("takes a key off the list, once every cohort can be reached without it", async () => {
    p.put("bridged.json", fleetText(current));
    const r = await retire("A.jwk", [...roots("R1", "R2"), "--fleet", "bridged.json", "--out", "next.trust"]);
    expect(r.exit, r.stderr).toBe(0);
    expect(words(r)).toEqual([
      `next.trust: trust file 3, without key ${toHex(thumbprint(A)).slice(0, 16)}…, ${p.get("next.trust").length} bytes`,
      ...["R1", "R2"].map((root) => expect.stringMatching(new RegExp(`${root}\\.pem\\.log: entry \\d+$`))),
    ]);
    const store = embeddedTrust(ALGS, p.get("next.trust"));
    expect(store.sequence).toEqual([0, 3]);
    expect(store.thresholds).toEqual([0, 2, 2, 0, 0]);
    expect(store.anchors).toHaveLength(5);
    // the way on: a bridge from the list before
    await p.ok([
      "rotate",
      "bridge",
      "app.bin",
      "--trust",
      "t2.trust",
      "--next",
      "next.trust",
      "--vendor",
      "example.com",
      "--class",
      "board-v2",
      "--key",
      "B.pem",
      "--key",
      "C.pem",
      "--seq",
      "30",
      "--fleet",
      "bridged.json",
      "--out",
      "to-next.suit",
    ]);
  });

  it("refuses to leave a cohort that only this key reaches, unless it is named", async () => {
    const args = [...roots("R1", "R2"), "--fleet", "fleet.json", "--out", "stranding.trust"];
    expect(expectFailure(await retire("A.jwk", args), 1)).toBe(
      "firmseal: 4,000 devices would be left behind: old; old: no later release can reach it: 1 of its release keys remain, and 2 are needed",
    );
    expect(p.has("stranding.trust")).toBe(false);
    expect((await retire("A.jwk", [...args, "--json"])).json).toMatchObject({
      reason: "STRANDED",
      devices: { stranded: 4000, moved: 6000 },
    });
    const r = await retire("A.jwk", [...args, "--allow-stranded", "old"]);
    expect(r.exit).toBe(0);
    expect(r.stderr).toContain("left behind, as allowed");
    // what the tool says comes true: B and C are all that is left, and a device with trust file 1 believes one of them
    const left = new Device("board-v2", p.get("t1.trust"));
    expect(left.dryRun(p.get("r31.suit"))).toBe(false);
    expect(left.refused).toEqual([errors.SIGNATURE_THRESHOLD]);
  });

  it("ends the window of a key, so that what it signed before stays good", async () => {
    p.put("bridged.json", fleetText(current));
    const r = await retire("A.jwk", [...roots("R1", "R2"), "--fleet", "bridged.json", "--until", "25", "--out", "until.trust", "--json"]);
    expect(r.exit, r.stderr).toBe(0);
    expect(r.json).toMatchObject({ sequence: "3", retired: { until: "25" }, devices: { moved: 6000 }, log: [{}, {}] });
    const policy = policyOf(embeddedTrust(ALGS, p.get("until.trust")), 2, identity("board-v2"));
    expect(open(p.get("bridge2.suit"), policy, host).sequence).toEqual([0, 20]);
    const late = await release({ sequence: 26, class: "board-v2", keys: [A, B], image: imageOf("late") });
    expect(() => open(late, policy, host)).toThrow(expect.objectContaining({ code: errors.ANCHOR_WINDOW }));
    // up to its last number it can sign for those who have the list before: they are not counted on
    const strands = await retire("A.jwk", [...roots("R1", "R2"), "--fleet", "fleet.json", "--until", "25", "--out", "never.trust"]);
    expect(expectFailure(strands, 1)).toContain("4,000 devices would be left behind: old");
  });

  it("gives the passphrases of the roots to no plug-in that is asked for the key", async () => {
    p.put("told.txt", "");
    p.put("bridged.json", fleetText(current));
    const answer = JSON.stringify({ contractVersion: 1, alg: A.alg, publicKey: Buffer.from(A.key).toString("base64") });
    p.put("plug-in", `#!/bin/sh\nenv > told.txt\necho '${answer}'\n`, 0o755);
    const args = [...roots("R1", "R2"), "--fleet", "bridged.json", "--passphrase-env", "ROOTS", "--out", "by-plug-in.trust"];
    const r = await p.run(["rotate", "retire", "exec:./plug-in", "--trust", "t2.trust", ...args], {
      env: { ROOTS: "canary-of-the-roots" },
    });
    expect(r.exit, r.stderr).toBe(0);
    expect(p.get("told.txt").toString()).toContain("PATH=");
    expect(p.get("told.txt").toString()).not.toContain("canary");
  });

  it("retires a root as well, if those who have the list before can take the next", async () => {
    p.put("bridged.json", fleetText(current));
    const r = await retire("R2.jwk", [...roots("R1", "R3"), "--fleet", "bridged.json", "--out", "root.trust"]);
    expect(r.exit, r.stderr).toBe(0);
    expect(embeddedTrust(ALGS, p.get("root.trust")).anchors).toHaveLength(5);
    // a cohort whose roots are others can take releases, and never this list
    p.put("t0.trust", await trustFileOf(1, { releases: [A, B], roots: [R2, R4] }));
    p.put("frozen.json", fleetText({ ...old, trust: "t0.trust" }));
    // unless those sign as well
    const older = await retire("R2.jwk", [...roots("R1", "R3", "R2", "R4"), "--fleet", "frozen.json", "--out", "older.trust"]);
    expect(older.exit, older.stderr).toBe(0);
    const frozen = await retire("R2.jwk", [...roots("R1", "R3"), "--fleet", "frozen.json", "--out", "never.trust"]);
    expect(expectFailure(frozen, 1)).toContain("no later trust file can reach it: 0 of its root keys remain, and 2 are needed");
  });

  it.each([
    ["a key that the list has not", "D.jwk", roots("R1", "R2"), 2, "KEY D.jwk: no trust file here lists this key"],
    ["the last but the threshold", "B.jwk", roots("R1", "R2"), 1, "without this key 1 release key is left, and 2 are needed", "t3.trust"],
    ["one root where two are wanted", "A.jwk", roots("R1"), 1, "1 of the roots of t2.trust would have signed, and it needs 2"],
    ["a root that the list has not", "A.jwk", roots("R1", "R4"), 2, "R4.pem: is not a root key"],
    ["one root twice", "A.jwk", roots("R1", "R1"), 1, "already signed"],
    ["a root with a window", "R1.jwk", [...roots("R1", "R2"), "--until", "9"], 2, "a root key signs no releases"],
    ["a release key as root", "A.jwk", roots("R1", "B"), 2, "B.pem: is not a root key"],
    ["a public root", "A.jwk", ["--root", "R1.jwk"], 2, "is a public key"],
  ] as const)("refuses %s, and writes nothing", async (_, name, args, exit, message, trust?: string) => {
    const file = trust ?? "t2.trust";
    p.put("bridged.json", fleetText({ ...current, trust: file }));
    const before = p.tree();
    const line = expectFailure(await retire(name, [...args, "--fleet", "bridged.json", "--out", "never.trust"], file), exit);
    expect(line).toContain(message);
    expect(p.tree()).toEqual(before);
  });

  it("asks for the other roots in the same command, for there is no file yet that they could sign", async () => {
    p.put("bridged.json", fleetText({ ...current, trust: "t2.trust" }));
    const r = await retire("A.jwk", [...roots("R1"), "--fleet", "bridged.json", "--out", "never.trust"]);
    expectFailure(r, 1);
    expect(r.stderr).toContain("hint: give --root for each root that must sign");
  });

  it("refuses a list that is not the newest of the fleet", async () => {
    p.put("ahead.json", fleetText({ ...current, trust: "t3.trust" }));
    const r = await retire("C.jwk", [...roots("R1", "R2"), "--fleet", "ahead.json", "--out", "never.trust"]);
    expect(expectFailure(r, 1)).toMatch(/cohort current has a newer trust file|two different trust files of the same name/);
  });
});
