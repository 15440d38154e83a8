// firmseal rotate bridge, on fleets of a few cohorts.

import { open } from "@firmseal/verifier";
import { embeddedTrust, policyOf } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it } from "vitest";
import { expectExit, expectFailure, type Place, words } from "../../../test-support/src/command-line/run.js";
import { ALGS, Device, host, identity, imageOf, release } from "../../../test-support/src/rotation-world.js";
import { A, B, current, fleetText, old, planIn, rotationPlace, steps } from "./rotation-place.js";

describe("rotate bridge", () => {
  let p: Place;
  beforeAll(async () => {
    p = await rotationPlace();
  });
  const planOf = (...args: string[]) => planIn(p, ...args);

  const facts = ["--vendor", "example.com", "--class", "board-v2"];
  const bridge = (args: string[], next = "t3.trust") =>
    p.run(["rotate", "bridge", "app.bin", "--trust", "t1.trust", "--next-trust", next, ...facts, ...args]);
  const signers = (...list: string[]) => list.flatMap((name) => ["--key", `${name}.pem`]);

  it("makes a release that is valid under both trust files, and that a device follows", async () => {
    const r = await bridge([...signers("A", "B", "C"), "--seq", "30", "--fleet", "fleet.json", "--out", "made.suit"]);
    expectExit(r, 0);
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
    expectExit(await planOf(...steps("made.suit", "r31.suit")), 0);
  });

  it("above releases with the numbers of versions gives no alarm about room", async () => {
    // 1.0.0
    p.put("released.json", fleetText({ ...old, floor: "281474976743424" }));
    const made = await bridge(["--seq", "next", "--fleet", "released.json", "--out", "versions.suit"]);
    expectExit(made, 0);
    expect(made.stderr).not.toMatch(/warning: .*room/);
    const found = await p.run(["lint", "versions.suit", "--trust", "t1.trust", "--json"]);
    expect(JSON.stringify(found.json?.["findings"])).not.toContain("number-jump");
    // no minor version is left
    p.put("released.json", fleetText({ ...old, floor: String(2n ** 64n - 2n ** 32n - 1n) }));
    const last = await bridge(["--seq", "next", "--fleet", "released.json", "--out", "versions.suit"]);
    expect(last.stderr).toMatch(/^warning: sequence number 18446744069414584320 leaves little room: /m);
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
      "--next-trust",
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
      "--next-trust",
      "t3.trust",
      ...facts,
      ...signers("A", "B", "C"),
      "--seq",
      "30",
      "--out",
      "alone.suit",
      "--json",
    ]);
    expectExit(alone, 0);
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
      "--next-trust",
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
      "--next-trust",
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
    expectExit(await bridge([...fleet.map((f) => f.replace("never", "allowed")), "--allow-stranded", other.name]), 0);
  });
});
