// rotate plan as it is typed, on fleets of a few cohorts.

import { thumbprint } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { toHex } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it } from "vitest";
import { expectExit, expectFailure, type Place, words } from "../../../test-support/src/command-line/run.js";
import { imageOf, release } from "../../../test-support/src/rotation-world.js";
import { A, C, current, fleetText, old, planIn, rotationPlace, steps } from "./rotation-place.js";

describe("rotate plan", () => {
  let p: Place;
  beforeAll(async () => {
    p = await rotationPlace();
  });
  const planOf = (...args: string[]) => planIn(p, ...args);

  it("shows what each step does to each cohort, and adds up the devices", async () => {
    const r = await planOf(...steps("bridge3.suit", "r31.suit"));
    expectExit(r, 0);
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

  it("refuses if a cohort would be stranded, unless it is named, and refuses the name of one that would not", async () => {
    const before = p.tree();
    const r = await planOf(...steps("r31.suit"));
    expectExit(r, 1);
    expect(r.stdout).toMatch(/^old +4,000 +1 +refused: SIGNATURE_THRESHOLD +2 of 2, roots 3 of 3 +stranded$/m);
    expect(r.stdout).toMatch(/^current +6,000 +2 +installed +3 of 3, roots 3 of 3 +moved$/m);
    expect(words(r).at(-2)).toBe(
      "firmseal: 4,000 devices would be left behind: old; old: it does not accept r31.suit: fewer trusted keys have signed than the threshold requires",
    );
    expect(words(r).at(-1)).toMatch(/^hint: .*--allow-stranded old$/);
    const { json, exit } = await planOf(...steps("r31.suit"), "--json");
    expect([exit, json]).toMatchObject([1, { ok: false, reason: "STRANDED", code: 241, devices: { stranded: 4000, moved: 6000 } }]);

    const allowed = await planOf(...steps("r31.suit"), "--allow-stranded", "old");
    expectExit(allowed, 0);
    expect(allowed.stderr).toContain("warning: old, 4,000 devices: left behind, as allowed");
    for (const name of ["current", "nobody"])
      expectExit(await planOf(...steps("r31.suit"), "--allow-stranded", "old", "--allow-stranded", name), 2);
    expect(p.tree()).toEqual(before);
  });

  it("checks the class and the floor as a device does", async () => {
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
    expectExit(lost, 1);
    expect(lost.json).toMatchObject({ devices: { stranded: 10000 } });
    expect((lost.json as { cohorts: { why: string }[] }).cohorts[0]?.why).toBe(
      "no later release can reach it: 1 of its release keys remain, and 2 are needed",
    );
    const byPrint = await planOf(...steps("bridge3.suit", "r31.suit"), "--lost", toHex(thumbprint(C)).slice(0, 40), "--json");
    expect(byPrint.json).toEqual(lost.json);
    // A was retired: who has lost it loses nothing
    expectExit(await planOf(...steps("bridge3.suit"), "--lost", "A.pem"), 0);
    // two of three roots: no other trust file can come
    const roots = await planOf(...steps("bridge3.suit"), "--lost", "R1.jwk", "--lost", "R2.jwk", "--json");
    expectExit(roots, 1);
    expect(roots.json).toMatchObject({ devices: { "roots-lost": 10000 } });
    // a key that no trust file lists is a slip
    expect(expectFailure(await planOf(...steps("bridge3.suit"), "--lost", "D.jwk"), 2)).toContain(
      "--lost D.jwk: no trust file here lists this key",
    );
    expect(expectFailure(await planOf(...steps("bridge3.suit"), "--stolen", "0".repeat(64)), 2)).toContain("no trust file here lists");
  });

  it("warns about what a thief can sign alone", async () => {
    p.put("r11.suit", await release({ sequence: 11, class: "board-v2", keys: [A], image: imageOf("app") }));
    const weak = ["rotate", "plan", "--fleet", "weak.json", ...steps("r11.suit"), "--stolen", "B.jwk"];
    const r = await p.run(weak);
    expectExit(r, 0);
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
    expectExit(wide, 0);
    expect(wide.stderr).toContain("warning: current, 6,000 devices: it keeps trust file 2, and 3 is the newest");
  });

  it.each([
    ["no JSON", "{", "not JSON (line 1, column"],
    ["no list", "{}", 'the file lacks "cohorts"'],
    ["another member", '{"cohorts":[],"x":1}', 'the file has the unknown member "x"'],
    ["an empty list", '{"cohorts":[]}', "is not a list of cohorts, at least one"],
    ["a cohort that is not an object", '{"cohorts":[7]}', "cohort 1 is not an object"],
    ["a cohort without a floor", fleetText({ ...old, floor: undefined as never }), 'cohort 1 lacks "floor"'],
    ["a floor that is not a number", fleetText({ ...old, floor: -1 }), '"floor" is not a sequence number'],
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
    ["a trust file that is an image", fleetText({ ...old, trust: "app.bin" }), "app.bin: not a trust file"],
  ])("refuses a fleet with %s", async (_, text, message) => {
    p.put("bad.json", text);
    const before = p.tree();
    const line = expectFailure(await p.run(["rotate", "plan", "--fleet", "bad.json", ...steps("r31.suit")]), 1);
    expect(line).toContain(message);
    expect(p.tree()).toEqual(before);
  });

  it("refuses a step that is not one", async () => {
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
