// The difference that a root sees is the one from the list that its own log entered last, whatever file is given as the
// previous one.

import { describeTrust, encodeTrust, signer } from "@firmseal/signer";
import { embeddedTrust } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it } from "vitest";
import { logEntries, Place } from "../../../test-support/src/command-line/run.js";
import { ALGS, keysOf, type Trusts, trustFileOf } from "../../../test-support/src/rotation-world.js";
import { refused, shortKey } from "./trust-place.js";

const K = keysOf("A", "thief", "anna", "R1", "R2", "evil");
const files: { [name: string]: Uint8Array } = {};

/** A list that nobody has signed. */
async function unsigned(sequence: number, t: Trusts): Promise<Uint8Array> {
  return encodeTrust(describeTrust(embeddedTrust(ALGS, await trustFileOf(sequence, t))));
}

beforeAll(async () => {
  const roots = [K.R1, K.R2];
  const by = { threshold: 1, roots };
  files["one.trust"] = await trustFileOf(1, { ...by, releases: [K.A] });
  // what an attacker gives as the previous file: the thief's key is in it, so the next file does not seem to add it
  files["evil.trust"] = await trustFileOf(2, {
    threshold: 1,
    releases: [K.A, K.thief],
    roots: [...roots, K.evil],
    signers: [K.evil],
    rootNeed: 1,
  });
  files["evil-one.trust"] = await trustFileOf(1, { threshold: 1, releases: [K.A, K.thief], roots: [K.evil], rootNeed: 1 });
  files["two.trust"] = await unsigned(2, { ...by, releases: [K.A] });
  files["three.trust"] = await unsigned(3, { ...by, releases: [K.A, K.thief] });
  files["four.trust"] = await trustFileOf(4, {
    threshold: 1,
    releases: [K.A, K.thief],
    roots: [...roots, K.evil],
    signers: [K.evil],
    rootNeed: 1,
  });
});

function place(): Place {
  const p = new Place();
  p.keepsLogs = true;
  p.putKeys(K);
  for (const [name, bytes] of Object.entries(files)) p.put(name, bytes);
  return p;
}

/** A place in which R1 has signed the first file, as anna has approved it. */
async function begun(): Promise<Place> {
  const p = place();
  p.put("copy.trust", await unsigned(1, { threshold: 1, releases: [K.A], roots: [K.R1, K.R2] }));
  await p.ok(["trust", "sign", "copy.trust", "--key", "R1.pem"]);
  await p.ok(["approve", "copy.trust", "--key", "anna.pem"]);
  return p;
}

const previous = (...names: string[]) => names.flatMap((name) => ["--previous-trust", name]);
const ADDS = `adds ${shortKey(K.thief)}: gains release`;

describe.concurrent("a root is shown what changes since the file that its log has last", () => {
  it("and every command that signs or approves refuses another file in its place", async () => {
    const [p, q] = [await begun(), place()];
    await q.ok(["trust", "tbs", "three.trust", "--key", "R1.jwk", "--out", "3.tbs"]);
    p.put("3.sig", await signer(K.R1).sign(q.get("3.tbs")));
    await q.ok(["trust", "sign", "three.trust", "--key", "R1.pem"]);
    p.put("signed.trust", q.get("three.trust"));
    const cohort = { name: "all", devices: 3, trust: "one.trust", vendor: "example.com", class: "board-v2", floor: 0 };
    p.put("fleet.json", JSON.stringify({ cohorts: [cohort] }));
    const out = ["--out", "new"];
    const signed = /trust file 1 was signed last with this key \(.*, sha-256:[0-9a-f]{16}…\), and no file that is given says the same/;
    const approved = /a trust file was approved last with this key \(.*\), and no file that is given says the same/;
    for (const evil of ["evil.trust", "evil-one.trust"])
      for (const [args, line] of [
        [["trust", "sign", "three.trust", "--key", "R1.pem", ...previous(evil)], signed],
        [["trust", "tbs", "three.trust", "--key", "R1.jwk", ...out, ...previous(evil)], signed],
        [["trust", "attach", "three.trust", "--key", "R1.jwk", "--signature", "3.sig", ...previous(evil)], signed],
        [["trust", "merge", "three.trust", "signed.trust", ...previous(evil)], signed],
        [["approve", "three.trust", "--key", "anna.pem", ...out, ...previous(evil)], approved],
      ] as const) {
        await refused(p, args, 212, line);
        expect((await p.run(args)).stderr).toContain("--allow-no-previous-trust");
      }
    await refused(p, ["approve", "three.trust", "--key", "anna.pem", ...out], 212, /approved last with this key \(.*\), and the changes/);
    const retire = ["rotate", "retire", "A.jwk", "--trust", "evil.trust", "--fleet", "fleet.json", ...out, "--allow-stranded", "all"];
    await refused(p, [...retire, "--key", "R1.pem", "--key", "R2.pem"], 212, signed);
  });

  it("and sees it as well if a newer file is given, which this root has not signed", async () => {
    const p = await begun();
    const args = ["--key", "R1.pem", ...previous("evil.trust", "one.trust")];
    const r = await p.ok(["trust", "sign", "three.trust", ...args, "--json"]);
    expect(r.stderr.split("\n").filter((line) => line.includes("; against ") || line.includes(ADDS))).toEqual([
      "change: three.trust: board, sequence number 3; against evil.trust",
      "change: three.trust: board, sequence number 3; against one.trust",
      `change: ${ADDS}`,
    ]);
    expect(r.json["changes"]).not.toContainEqual(expect.objectContaining({ what: "added" }));
    expect(r.json["previous"]).toMatchObject([{ trust: "evil.trust" }, { trust: "one.trust", changes: [{ what: "added" }, {}, {}] }]);
    expect(logEntries(p, "R1.pem.log").at(-1)).not.toHaveProperty("overrides");
    const told = await p.ok(["trust", "tbs", "three.trust", ...args, "--out", "3.tbs", "--json"]);
    expect(told.json["previous"]).toMatchObject([{ trust: "evil.trust" }, { trust: "one.trust", changes: [{ what: "added" }, {}, {}] }]);
  });

  it("and continues without it only by an override, which the log has", async () => {
    const p = await begun();
    await p.ok(["trust", "sign", "three.trust", "--key", "R1.pem", ...previous("evil.trust"), "--allow-no-previous-trust"]);
    const r = await p.ok(["approve", "three.trust", "--key", "anna.pem", ...previous("evil.trust"), "--allow-no-previous-trust"]);
    expect(r.stderr).toContain("approved because of --allow-no-previous-trust");
    for (const name of ["R1", "anna"])
      expect(logEntries(p, `${name}.pem.log`).at(-1)).toMatchObject({ scope: ["trust:board"], overrides: ["allow-no-previous-trust"] });
  });

  it("and needs no file to sign the same one again, which does not become the last one", async () => {
    const p = await begun();
    await p.ok(["trust", "sign", "two.trust", "--key", "R1.pem", ...previous("one.trust")]);
    await p.ok(["trust", "sign", "two.trust", "--key", "R2.pem", ...previous("one.trust")]);
    p.put("again.trust", await unsigned(1, { threshold: 1, releases: [K.A], roots: [K.R1, K.R2] }));
    await p.ok(["trust", "sign", "again.trust", "--key", "R1.pem"]);
    await refused(p, ["trust", "sign", "three.trust", "--key", "R1.pem", ...previous("one.trust")], 212, /trust file 2 was signed last/);
    await p.ok(["trust", "sign", "three.trust", "--key", "R1.pem", ...previous("two.trust")]);
  });

  it("and each of several roots by its own log: one has not seen what the other has signed", async () => {
    const p = await begun();
    await p.ok(["trust", "sign", "two.trust", "--key", "R1.pem", ...previous("one.trust")]);
    p.put("first.trust", await unsigned(1, { threshold: 1, releases: [K.A], roots: [K.R1, K.R2] }));
    await p.ok(["trust", "sign", "first.trust", "--key", "R2.pem"]);
    p.put("two-both.trust", await trustFileOf(2, { threshold: 1, releases: [K.A], roots: [K.R1, K.R2] }));
    const both = ["trust", "sign", "three.trust", "--key", "R1.pem", "--key", "R2.pem", ...previous("two-both.trust")];
    await refused(p, both, 212, /trust file 1 was signed last/);
    await p.ok([...both, ...previous("one.trust")]);
  });
});

describe("trust verify and trust export", () => {
  it("refuse a file and a previous one that a root whose log is here knows nothing of", async () => {
    const p = await begun();
    const line = /a root of it has its log here, in which trust file 1 is the last \(.*\), and neither this file nor evil\.trust is in it/;
    await refused(p, ["trust", "verify", "four.trust", ...previous("evil.trust")], 212, line);
    await refused(p, ["trust", "export", "four.trust", ...previous("evil.trust"), "--out", "four.js"], 212, line);
    // it is not known elsewhere
    await place().ok(["trust", "verify", "four.trust", ...previous("evil.trust")]);
    await p.ok(["trust", "sign", "two.trust", "--key", "R1.pem", "--key", "R2.pem", ...previous("one.trust")]);
    await p.ok(["trust", "verify", "two.trust", ...previous("one.trust")]);
    await p.ok(["trust", "sign", "three.trust", "--key", "R1.pem", "--key", "R2.pem", ...previous("two.trust")]);
    await p.ok(["trust", "verify", "three.trust", ...previous("two.trust")]);
  });
});
