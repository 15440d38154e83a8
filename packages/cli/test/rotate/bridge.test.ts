// rotate bridge and rotate retire as they are typed, on fleets of a few cohorts.

import { thumbprint } from "@firmseal/signer";
import { errors, open } from "@firmseal/verifier";
import { embeddedTrust, policyOf, toHex } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it } from "vitest";
import { expectFailure, type Place, words } from "../../../test-support/src/command-line/run.js";
import { ALGS, Device, host, identity, imageOf, release, trustFileOf } from "../../../test-support/src/rotation-world.js";
import { A, B, current, fleetText, old, planIn, R2, R4, rotationPlace, steps } from "./rotation-place.js";

describe("rotate bridge", () => {
  let p: Place;
  beforeAll(async () => {
    p = await rotationPlace();
  });
  const planOf = (...args: string[]) => planIn(p, ...args);

  const facts = ["--vendor", "example.com", "--class", "board-v2"];
  const bridge = (args: string[], next = "t3.trust") =>
    p.run(["rotate", "bridge", "app.bin", "--trust", "t1.trust", "--next", next, ...facts, ...args]);
  const signers = (...list: string[]) => list.flatMap((name) => ["--key", `${name}.pem`]);

  it("makes a release that is valid under both trust files, and that a device follows", async () => {
    const r = await bridge([...signers("A", "B", "C"), "--seq", "30", "--fleet", "fleet.json", "--out", "made.suit"]);
    expect(r.exit, r.stderr).toBe(0);
    expect(words(r)).toEqual([
      expect.stringMatching(/^made\.suit: sequence number 30, with trust file 3, [\d,]+ bytes, good under it and under 1$/),
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

  it("does not fetch an image that is already there", async () => {
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
    // nothing but the envelope
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
    ["a public key", ["--key", "A.jwk", "--seq", "30"], "t3.trust", 2, "A.jwk is a public key"],
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
  let p: Place;
  beforeAll(async () => {
    p = await rotationPlace();
  });

  const retire = (name: string, args: readonly string[], trust = "t2.trust") =>
    p.run(["rotate", "retire", name, "--trust", trust, ...args]);
  const roots = (...list: string[]) => list.flatMap((name) => ["--root", `${name}.pem`]);

  it("removes a key from the list once every cohort can be reached without it", async () => {
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

  it("refuses to leave behind a cohort that only this key reaches, unless it is named", async () => {
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
    // what the tool says comes true: B and C are all that is left, and a device with trust file 1 trusts one of them
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

  it("gives the passphrases of the roots to no plug-in that provides the key", async () => {
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

  it("also retires a root, if devices with the previous list can accept the next one", async () => {
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
    ["a root that the list has not", "A.jwk", roots("R1", "R4"), 2, "R4.pem is not a root key"],
    ["one root twice", "A.jwk", roots("R1", "R1"), 1, "already signed"],
    ["a root with a window", "R1.jwk", [...roots("R1", "R2"), "--until", "9"], 2, "a root key signs no releases"],
    ["a release key as root", "A.jwk", roots("R1", "B"), 2, "B.pem is not a root key"],
    ["a public root", "A.jwk", ["--root", "R1.jwk"], 2, "is a public key"],
  ] as const)("refuses %s, and writes nothing", async (_, name, args, exit, message, trust?: string) => {
    const file = trust ?? "t2.trust";
    p.put("bridged.json", fleetText({ ...current, trust: file }));
    const before = p.tree();
    const line = expectFailure(await retire(name, [...args, "--fleet", "bridged.json", "--out", "never.trust"], file), exit);
    expect(line).toContain(message);
    expect(p.tree()).toEqual(before);
  });

  it("requires the other roots in the same command: they have no file yet to sign", async () => {
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
