// Approvals of a second person, and audits over trust files and the logs of several machines.

import { type PublicKey, signer, thumbprint, toJwk, twinsOf } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it } from "vitest";
import { expectExit, expectFailure, FACTS, logEntries, Place, words } from "../../../test-support/src/command-line/run.js";
import { imageOf, keysOf, release, trustFileOf } from "../../../test-support/src/rotation-world.js";

const K = keysOf("A", "B", "anna", "ben", "R1", "R2");
let bridge: Uint8Array;
let list: Uint8Array;
let fork: Uint8Array;

beforeAll(async () => {
  bridge = await release({ sequence: 7, class: "board-v2", keys: [K.B], image: imageOf("app") });
  list = await trustFileOf(1, { releases: [K.A, K.B], roots: [K.R1, K.R2] });
  fork = await trustFileOf(1, { releases: [K.A, K.anna], roots: [K.R1, K.R2], signers: [K.R1, K.R2] });
});

function place(): Place {
  const p = new Place();
  p.keepsLogs = true;
  p.putKeys(K);
  p.put("app.suit", bridge);
  p.put("list.trust", list);
  p.put("fork.trust", fork);
  p.put("app.bin", imageOf("app"));
  return p;
}

describe("an approval", () => {
  it("is required by --approver, and from then on by the log of the key", async () => {
    const p = place();
    const sign = (...more: string[]) => p.run(["sign", "app.suit", "--key", "A.pem", "--out", "out.suit", ...more]);
    const made = await p.ok(["approve", "app.suit", "--key", "anna.pem"]);
    expect(words(made)[0]).toMatch(/^app\.approval: envelope 7, sha-256:[0-9a-f]{64}, approved by ed25519 /);
    expect(logEntries(p, "anna.pem.log")).toMatchObject([{ operation: "approve" }]);
    expect(logEntries(p, "anna.pem.log")[0]).not.toHaveProperty("sequence");

    const before = p.tree();
    expect(expectFailure(await sign("--approver", "anna.jwk"), 1)).toContain("is missing");
    expect(expectFailure(await sign("--approver", "ben.jwk", "--approval", "app.approval"), 1)).toContain("is not signed by an approver");
    expect(expectFailure(await sign("--approval", "app.approval"), 2)).toContain("--approver is missing");
    expect(p.tree()).toEqual(before);

    const done = await sign("--approver", "anna.jwk", "--approval", "app.approval");
    expectExit(done, 0);
    expect(logEntries(p, "A.pem.log")).toMatchObject([{ operation: "sign", approvers: [expect.stringMatching(/^[0-9a-f]{64}$/)] }]);
    // an attacker who leaves the option out is asked all the same
    const image = ["sign", "app.bin", "--key", "A.pem", ...FACTS, "--seq", "8", "--out", "next.suit"];
    const later = await p.run(image);
    expect(expectFailure(later, 1)).toContain("this key signs with the approval of");
    const allowed = await p.ok([...image, "--allow-no-approval"]);
    expect(allowed.stderr).toContain("is signed because of --allow-no-approval");
    expect(logEntries(p, "A.pem.log").at(-1)).toMatchObject({ overrides: ["allow-no-approval"] });
  });

  it("comes from everybody whom the log requires: nobody is replaced or left out, and nobody counts twice", async () => {
    const p = place();
    const by = (...names: string[]) => names.flatMap((name) => ["--approver", `${name}.jwk`, "--approval", `${name}.approval`]);
    for (const name of ["anna", "ben", "R1"]) await p.ok(["approve", "app.suit", "--key", `${name}.pem`, "--out", `${name}.approval`]);
    const sign = (...more: string[]) => p.run(["sign", "app.suit", "--key", "A.pem", "--out", "out.suit", "--replace", ...more]);
    expectExit(await sign(...by("anna", "ben")), 0);
    for (const names of [["R1"], ["anna"], ["anna", "R1"]]) {
      const before = p.tree();
      expect(expectFailure(await sign(...by(...names)), 1)).toMatch(
        /this key signs with the approval of [0-9a-f]{16}… \(entry 1 of its log\)/,
      );
      expect(p.tree()).toEqual(before);
    }
    expect(expectFailure(await sign(...by("anna", "anna", "ben")), 1)).toContain("two of the approvers are one person");
    expectExit(await sign(...by("anna", "ben", "R1")), 0);
    // an exception is for one signature: nobody is replaced by it
    for (const names of [["R1"], ["anna"], []]) {
      expectExit(await sign(...by(...names), "--allow-no-approval"), 0);
      expect(logEntries(p, "A.pem.log").at(-1)).toMatchObject({ overrides: ["allow-no-approval"] });
      expect(expectFailure(await sign(...by(...(names.length > 0 ? names : ["ben"]))), 1)).toContain("this key signs with the approval of");
    }
  });

  it("counts once for a person with two public keys of one secret, and not at all if that person signs", async () => {
    const p = place();
    for (const name of ["A", "anna"] as const) p.put(`${name}-negative.jwk`, JSON.stringify(toJwk(twinsOf(K[name])[0] as PublicKey)));
    await p.ok(["approve", "app.suit", "--key", "anna.pem", "--out", "anna.approval"]);
    const before = p.tree();
    const sign = (...approvers: string[]) => {
      const by = approvers.flatMap((name) => ["--approver", `${name}.jwk`]);
      return p.run(["sign", "app.suit", "--key", "A.pem", "--out", "out.suit", ...by, "--approval", "anna.approval"]);
    };
    for (const both of [
      ["anna", "anna-negative"],
      ["anna-negative", "anna"],
    ])
      expect(expectFailure(await sign(...both), 1)).toContain("two of the approvers are one person");
    expect(expectFailure(await sign("anna", "A-negative"), 1)).toContain("an approver also signs, so no other person has checked it");
    expect(p.tree()).toEqual(before);
    expectExit(await sign("anna"), 0);
  });

  it("is not required from a person who was removed by name, and from nobody else who was not", async () => {
    const p = place();
    const by = (...names: string[]) => names.flatMap((name) => ["--approver", `${name}.jwk`, "--approval", `${name}.approval`]);
    for (const name of ["anna", "ben"]) await p.ok(["approve", "app.suit", "--key", `${name}.pem`, "--out", `${name}.approval`]);
    const sign = (...more: string[]) => p.run(["sign", "app.suit", "--key", "A.pem", "--out", "out.suit", "--replace", ...more]);
    expectExit(await sign(...by("anna", "ben")), 0);
    const ben = toHex(thumbprint(K.ben));
    const remove = (name: string) => ["--remove-approver", name];
    const before = p.tree();
    expect(expectFailure(await sign(...by("anna"), ...remove(ben.slice(0, 15))), 2)).toContain("is not a thumbprint");
    expect(expectFailure(await sign(...by("anna"), ...remove("ben.jwk")), 2)).toContain('--remove-approver: "ben.jwk" is not a thumbprint');
    expect(expectFailure(await sign(...by("anna", "ben"), ...remove(ben)), 2)).toContain("is to approve this, and to be removed");
    expect(expectFailure(await sign(...by("anna"), ...remove("0".repeat(16))), 1)).toContain(
      "no log of these keys requires the approval of",
    );
    expect(expectFailure(await sign(...remove(ben)), 1)).toContain("this key signs with the approval of");
    expect(p.tree()).toEqual(before);
    const done = await sign(...by("anna"), ...remove(ben.slice(0, 16).toUpperCase()));
    expectExit(done, 0);
    expect(done.stderr).toContain(`from now on, the approval of ${ben.slice(0, 16)}… is not required`);
    expect(logEntries(p, "A.pem.log").at(-1)).toMatchObject({
      overrides: ["remove-approver"],
      removed: [ben],
      approvers: [expect.any(String)],
    });
    expectExit(await sign(...by("anna")), 0);
    expectExit(await p.run(["audit", "A.pem"]), 0);
    expect(expectFailure(await sign(), 1)).toContain("this key signs with the approval of");
  });

  it("ends in the logs that named the removed person, and in no other log", async () => {
    const p = place();
    await p.ok(["approve", "app.suit", "--key", "anna.pem", "--out", "anna.approval"]);
    const anna = toHex(thumbprint(K.anna));
    const on = (machine: string) => ({ env: { FIRMSEAL_STATE: p.at(p.folder(`state-${machine}`)) } });
    const sign = (keys: readonly string[], machine: string, ...more: string[]) =>
      p.run(
        ["sign", "app.bin", ...FACTS, "--seq", "7", ...keys.flatMap((key) => ["--key", key]), "--out", "out.suit", "--replace", ...more],
        on(machine),
      );
    const by = ["--approver", "anna.jwk", "--approval", "anna.approval"];
    const reSign = (key: string, machine: string, ...more: string[]) =>
      p.run(["sign", "app.suit", "--key", key, "--out", "out.suit", "--replace", ...more], on(machine));
    p.put("ben2.pem", p.get("ben.pem"));
    expectExit(await reSign("ben.pem", "1", ...by), 0);
    expectExit(await reSign("A.pem", "2", ...by), 0);
    // on the second machine, only the log of A has named her
    expectExit(await sign(["A.pem", "ben2.pem"], "2", "--remove-approver", anna), 0);
    expect(logEntries(p, "A.pem.log").at(-1)).toMatchObject({ removed: [anna], overrides: ["remove-approver"] });
    expect(logEntries(p, "ben2.pem.log").at(-1)).not.toHaveProperty("removed");
    for (const [i, logs] of [
      ["ben.pem.log", "ben2.pem.log"],
      ["ben2.pem.log", "ben.pem.log"],
    ].entries()) {
      await p.run(["audit", ...logs, "--merge-out", `joined-${i}.log`]);
      p.put(`new-${i}.pem`, p.get("ben.pem"));
      p.put(`new-${i}.pem.log`, p.get(`joined-${i}.log`));
      expect(expectFailure(await reSign(`new-${i}.pem`, `3-${i}`), 1)).toContain(`the approval of ${anna.slice(0, 16)}…`);
    }
  });

  it("cannot be removed where nothing is entered", async () => {
    const p = place();
    await p.ok(["approve", "app.suit", "--key", "anna.pem", "--out", "anna.approval"]);
    await p.ok(["sign", "app.suit", "--key", "A.pem", "--out", "out.suit", "--approver", "anna.jwk", "--approval", "anna.approval"]);
    const before = p.tree();
    const remove = ["--remove-approver", toHex(thumbprint(K.anna))];
    expect(expectFailure(await p.run(["tbs", "app.suit", "--key", "A.jwk", "--out", "a.tbs", ...remove]), 2)).toContain("unknown option");
    expect(p.tree()).toEqual(before);
    const { stdout } = await p.run(["audit", "A.pem"]);
    expect(stdout).not.toContain("remove-approver");
  });

  it("is required by a joined log from everybody whom one of its machines required, whatever another machine allowed", async () => {
    const p = place();
    for (const name of ["anna", "ben", "R1"]) await p.ok(["approve", "app.suit", "--key", `${name}.pem`, "--out", `${name}.approval`]);
    const by = (...names: string[]) => names.flatMap((name) => ["--approver", `${name}.jwk`, "--approval", `${name}.approval`]);
    const sign = (machine: string, ...more: string[]) =>
      p.run(["sign", "app.suit", "--key", `${machine}.pem`, "--out", `${machine}.suit`, "--replace", ...more], {
        env: { FIRMSEAL_STATE: p.at(p.folder(`state-${machine}`)) },
      });
    p.put("copy.pem", p.get("A.pem"));
    expectExit(await sign("A", ...by("anna")), 0);
    p.put("copy.pem.log", p.get("A.pem.log"));
    expectExit(await sign("A", ...by("anna", "ben")), 0);
    expectExit(await sign("copy", ...by("R1"), "--allow-no-approval"), 0);
    await p.ok(["audit", "A.pem.log", "copy.pem.log", "--merge-out", "joined.log"]);
    p.put("new.pem", p.get("A.pem"));
    p.put("new.pem.log", p.get("joined.log"));
    const needed = ["anna", "ben", "R1"] as const;
    for (const name of needed) {
      const others = needed.filter((other) => other !== name);
      expect(expectFailure(await sign("new", ...by(...others)), 1)).toContain(
        `the approval of ${toHex(thumbprint(K[name])).slice(0, 16)}…`,
      );
    }
    expectExit(await sign("new", ...by(...needed)), 0);
  });

  it("stays required after another key was moved to this one, which had another approver", async () => {
    const p = place();
    const approved = async (key: string, sequence: number, name: string) => {
      p.put("fw.suit", await release({ sequence, class: "board-v2", keys: [K.R2], image: imageOf("app") }));
      await p.ok(["approve", "fw.suit", "--key", `${name}.pem`, "--out", `${name}.approval`]);
      return p.run([
        ...["sign", "fw.suit", "--key", `${key}.pem`, "--out", `${key}-${sequence}.suit`],
        ...["--approver", `${name}.jwk`, "--approval", `${name}.approval`],
      ]);
    };
    expect((await approved("A", 1, "anna")).exit).toBe(0);
    expect((await approved("B", 2, "ben")).exit).toBe(0);
    await p.ok(["keys", "move", "B.pem", "A.pem"]);
    const later = await approved("A", 3, "ben");
    expect(expectFailure(later, 1)).toMatch(/this key signs with the approval of [0-9a-f]{16}… \(entry 1 of its log\)/);
    expect(p.tree()).not.toHaveProperty("A-3.suit");
    // those of both keys are needed now
    expect(expectFailure(await approved("A", 3, "anna"), 1)).toContain("(entry 2 of its log)");
  });

  it("that a key needs and did not get is reported by audit, in the joined log too", async () => {
    const p = place();
    p.put("copy.pem", p.get("A.pem"));
    for (const name of ["anna", "ben"]) await p.ok(["approve", "app.suit", "--key", `${name}.pem`, "--out", `${name}.approval`]);
    const sign = (key: string, name: string, state: string) =>
      p.ok(["sign", "app.suit", "--key", key, "--out", `${name}.suit`, "--approver", `${name}.jwk`, "--approval", `${name}.approval`], {
        env: { FIRMSEAL_STATE: p.at(p.folder(state)) },
      });
    await sign("A.pem", "anna", "machine-1");
    await sign("copy.pem", "ben", "machine-2");
    const says =
      /key [0-9a-f]{16}… signed without the approval of [0-9a-f]{16}…: entry 1 of copy\.pem\.log; required by entry 1 of A\.pem\.log/;
    for (const more of [[], ["--merge-out", "joined.log"]]) {
      const r = await p.run(["audit", "A.pem.log", "copy.pem.log", ...more]);
      expect(r.exit, r.stderr).toBe(1);
      expect(r.stderr).toMatch(
        more.length === 0 ? says : /without the approval of .*: entry 1 of joined\.log .*; required by entry 1 of joined\.log/,
      );
    }
  });

  it("is for this file, by another person, and for a trust file as well", async () => {
    const p = place();
    await p.ok(["approve", "app.suit", "--key", "A.pem", "--out", "own.approval"]);
    const own = ["sign", "app.suit", "--key", "A.pem", "--out", "out.suit", "--approver", "A.jwk", "--approval", "own.approval"];
    expect(expectFailure(await p.run(own), 1)).toContain("an approver also signs, so no other person has checked it");
    await p.ok(["approve", "list.trust", "--key", "anna.pem"]);
    const other = ["sign", "app.suit", "--key", "A.pem", "--out", "out.suit", "--approver", "anna.jwk", "--approval", "list.approval"];
    expect(expectFailure(await p.run(other), 1)).toContain("list.approval approves something else");
    p.put("broken.approval", p.get("list.approval").subarray(0, 40));
    expect(expectFailure(await p.run([...other.slice(0, -1), "broken.approval"]), 1)).toContain("is not an approval");
    p.put("junk.approval", "d2");
    expect(expectFailure(await p.run([...other.slice(0, -1), "junk.approval"]), 1)).toContain("is not an approval");

    p.put(
      "d.json",
      JSON.stringify({
        $schema: "urn:firmseal:trust:1",
        name: "x",
        sequence: 1,
        anchors: [
          { key: "R1.jwk", roles: ["root"] },
          { key: "A.jwk", roles: ["release"] },
        ],
        thresholds: { root: 1, release: 1 },
      }),
    );
    await p.ok(["trust", "create", "--from", "d.json", "--out", "x.trust"]);
    await p.ok(["approve", "x.trust", "--key", "anna.pem"]);
    const root = ["trust", "sign", "x.trust", "--key", "R1.pem", "--approver", "anna.jwk", "--approval"];
    expectFailure(await p.run([...root, "list.approval"]), 1);
    await p.ok([...root, "x.approval"]);
    expect(logEntries(p, "R1.pem.log")).toMatchObject([{ operation: "trust sign", approvers: [expect.any(String)] }]);
  });
});

describe("an audit of trust files", () => {
  it("finds one key with two lists of the same number, even without a log", async () => {
    const p = place();
    await p.ok(["audit", "list.trust"]);
    const r = await p.run(["audit", "list.trust", "fork.trust"]);
    expect(r.stderr.split("\n")[0]).toMatch(
      /^firmseal: trust file number 1 of key [0-9a-f]{16}… was used twice: list\.trust, list\.trust, fork\.trust, and 1 more$/,
    );
    const { json } = await p.run(["audit", "list.trust", "fork.trust", "--json"]);
    expect(json).toMatchObject({
      ok: false,
      reason: "LOG",
      conflicts: [{ what: "trust", number: "1", scope: ["trust:board"] }],
      trust: [{ file: "list.trust", signed: [{}, {}] }, {}],
    });
  });

  it("finds a signature that the log of its root does not know, and none if a log of another machine knows it", async () => {
    const [p, q] = [place(), place()];
    await p.ok(["approve", "list.trust", "--key", "R1.pem"]);
    p.put(
      "d.json",
      JSON.stringify({
        $schema: "urn:firmseal:trust:1",
        name: "board",
        sequence: 2,
        anchors: [
          { key: "R1.jwk", roles: ["root"] },
          { key: "R2.jwk", roles: ["root"] },
          { key: "A.jwk", roles: ["release"] },
        ],
        thresholds: { root: 2, release: 1 },
      }),
    );
    await p.ok(["trust", "create", "--from", "d.json", "--out", "two.trust"]);
    q.put("two.trust", p.get("two.trust"));
    await p.ok(["trust", "sign", "two.trust", "--key", "R1.pem", "--previous-trust", "list.trust"]);
    await p.ok(["audit", "R1.pem.log", "two.trust"]);
    // the first list was signed where no log of this place is
    expect((await p.run(["audit", "R1.pem.log", "two.trust", "list.trust"])).stderr).toMatch(
      /^firmseal: list\.trust: key [0-9a-f]{16}… has signed it, and no log here has an entry for that$/m,
    );
    await q.ok(["trust", "tbs", "two.trust", "--key", "R2.jwk", "--previous-trust", "list.trust", "--out", "r2.tbs", "--log", "r2.log"]);
    q.put("r2.sig", await signer(K.R2).sign(q.get("r2.tbs")));
    p.put("r2.log", q.get("r2.log"));
    p.put("r2.sig", q.get("r2.sig"));
    await p.ok([
      "trust",
      "attach",
      "two.trust",
      "--key",
      "R2.jwk",
      "--signature",
      "r2.sig",
      "--previous-trust",
      "list.trust",
      "--log",
      "other.log",
    ]);
    await p.ok(["audit", "R1.pem.log", "r2.log", "other.log", "two.trust"]);
  });
});
