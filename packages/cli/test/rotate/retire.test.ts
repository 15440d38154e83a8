// firmseal rotate retire, on fleets of a few cohorts.

import { thumbprint } from "@firmseal/signer";
import { errors, open } from "@firmseal/verifier";
import { embeddedTrust, policyOf, toHex } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it } from "vitest";
import { expectExit, expectFailure, type Place, words } from "../../../test-support/src/command-line/run.js";
import { ALGS, Device, host, identity, imageOf, release, trustFileOf } from "../../../test-support/src/rotation-world.js";
import { A, B, current, fleetText, old, R2, R4, rotationPlace } from "./rotation-place.js";

describe("rotate retire", () => {
  let p: Place;
  beforeAll(async () => {
    p = await rotationPlace();
  });

  const retire = (name: string, args: readonly string[], trust = "t2.trust") =>
    p.run(["rotate", "retire", name, "--trust", trust, ...args]);
  const roots = (...list: string[]) => list.flatMap((name) => ["--key", `${name}.pem`]);

  it("removes a key from the list once every cohort can be reached without it", async () => {
    p.put("bridged.json", fleetText(current));
    const r = await retire("A.jwk", [...roots("R1", "R2"), "--fleet", "bridged.json", "--out", "next.trust"]);
    expectExit(r, 0);
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
      "--next-trust",
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
    expectExit(r, 0);
    expect(r.stderr).toContain("left behind, as allowed");
    // what the tool says comes true: B and C are all that is left, and a device with trust file 1 trusts one of them
    const left = new Device("board-v2", p.get("t1.trust"));
    expect(left.dryRun(p.get("r31.suit"))).toBe(false);
    expect(left.refused).toEqual([errors.SIGNATURE_THRESHOLD]);
  });

  it("ends the window of a key, so that what it signed before stays good", async () => {
    p.put("bridged.json", fleetText(current));
    const r = await retire("A.jwk", [...roots("R1", "R2"), "--fleet", "bridged.json", "--until", "25", "--out", "until.trust", "--json"]);
    expectExit(r, 0);
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
    expectExit(r, 0);
    expect(p.get("told.txt").toString()).toContain("PATH=");
    expect(p.get("told.txt").toString()).not.toContain("canary");
  });

  it("also retires a root, if devices with the previous list can accept the next one", async () => {
    p.put("bridged.json", fleetText(current));
    const r = await retire("R2.jwk", [...roots("R1", "R3"), "--fleet", "bridged.json", "--out", "root.trust"]);
    expectExit(r, 0);
    expect(embeddedTrust(ALGS, p.get("root.trust")).anchors).toHaveLength(5);
    // a cohort whose roots are others can take releases, and never this list
    p.put("t0.trust", await trustFileOf(1, { releases: [A, B], roots: [R2, R4] }));
    p.put("frozen.json", fleetText({ ...old, trust: "t0.trust" }));
    // unless those sign as well
    const older = await retire("R2.jwk", [...roots("R1", "R3", "R2", "R4"), "--fleet", "frozen.json", "--out", "older.trust"]);
    expectExit(older, 0);
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
    ["a public root", "A.jwk", ["--key", "R1.jwk"], 2, "is a public key"],
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
    expect(r.stderr).toContain("hint: give --key for each root that must sign");
  });

  it("refuses a list that is not the newest of the fleet", async () => {
    p.put("ahead.json", fleetText({ ...current, trust: "t3.trust" }));
    const r = await retire("C.jwk", [...roots("R1", "R2"), "--fleet", "ahead.json", "--out", "never.trust"]);
    expect(expectFailure(r, 1)).toMatch(/cohort current has a newer trust file|two different trust files of the same name/);
  });
});
