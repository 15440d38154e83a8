// firmseal trust merge: what happens to signatures that roots make on copies of one list.

import { describeTrust, encodeTrust, signer, signTrustWithoutLog, trustSigners } from "@firmseal/signer";
import { embeddedTrust, toHex } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { expectFailure, words } from "../../../test-support/src/command-line/run.js";
import { ALGS, trustFileOf } from "../../../test-support/src/rotation-world.js";
import { K, NAMES, place, T1, T2, U3 } from "./lists-place.js";
import { shortKey } from "./trust-place.js";

const signedBy = (bytes: Uint8Array, ...names: (keyof typeof K)[]) =>
  signTrustWithoutLog(
    bytes,
    names.map((name) => signer(K[name])),
    [embeddedTrust(ALGS, T1), embeddedTrust(ALGS, T2)],
  );
const namesIn = (bytes: Uint8Array) =>
  trustSigners(bytes, Object.values(K)).map((k) => NAMES.find((name) => toHex(K[name].key) === toHex(k.key)));

describe("trust merge", () => {
  it("combines the signatures of copies, and enters them in the logs of their roots", async () => {
    const p = place();
    p.put("anna.trust", await signedBy(U3, "R1"));
    p.put("ben.trust", await signedBy(U3, "R2"));
    p.put("both.trust", await signedBy(U3, "R2", "R4"));
    const r = await p.ok(["trust", "merge", "t3.trust", "anna.trust", "ben.trust", "both.trust", "--previous-trust", "t2.trust"]);
    expect(words(r)[0]).toBe("t3.trust: signed by 3 roots (needed: 2), and by 3 roots (needed: 2) of the previous file");
    expect(namesIn(p.get("t3.trust"))).toEqual(["R1", "R2", "R4"]);
    await p.ok(["trust", "verify", "t3.trust", "--previous-trust", "t2.trust"]);
    expect(words(r).filter((line) => line.includes(": entry 1"))).toHaveLength(3);
    // the log of a root knows the number now, wherever it was signed: no second list
    p.put("fork.trust", await trustFileOf(3, { releases: [K.A, K.S1], roots: [K.R1, K.R2, K.R4] }, T2));
    const before = p.tree();
    const fork = await p.run(["trust", "merge", "fork.trust", "--previous-trust", "t2.trust"]);
    expect(expectFailure(fork, 1)).toContain("sequence number 3 was signed for another trust file");
    expect(p.tree()).toEqual(before);
    // again: all is known
    expect((await p.ok(["trust", "merge", "t3.trust", "anna.trust", "--previous-trust", "t2.trust", "--json"])).json).toMatchObject({
      log: [],
      dropped: [],
    });
  });

  it("enters a signature of a root that was continued by another key, and asks for its approvers", async () => {
    const p = place();
    p.put("anna.trust", await signedBy(U3, "R2"));
    const before = ["--previous-trust", "t2.trust"];
    // R4 has signed the same list, and R2 continues its numbers: that R2 has signed it is not known yet
    p.put("t3.trust", await signedBy(U3, "R1"));
    await p.ok(["approve", "t3.trust", "--key", "A.pem", ...before]);
    await p.ok(["trust", "sign", "t3.trust", "--key", "R4.pem", ...before, "--approver", "A.jwk", "--approval", "t3.approval"]);
    await p.ok(["keys", "move", "R4.pem", "R2.pem"]);
    const merge = ["trust", "merge", "t3.trust", "anna.trust", ...before];
    const refused = await p.run(merge);
    expect(expectFailure(refused, 1)).toContain("signs with the approval of");
    const r = await p.ok([...merge, "--approver", "A.jwk", "--approval", "t3.approval"]);
    expect(words(r).filter((line) => line.includes("R2.pem.log: entry 2"))).toHaveLength(1);
  });

  it("accepts signatures by roots of a chain, and removes and names what nobody needs", async () => {
    const p = place();
    // R3 is a root of the first list alone
    p.put("t3.trust", await signedBy(U3, "R1", "R2", "R3", "R4"));
    const only2 = await p.ok(["trust", "merge", "t3.trust", "--previous-trust", "t2.trust", "--out", "only2.trust", "--json"]);
    expect(only2.json).toMatchObject({
      dropped: [{ from: "t3.trust", thumbprint: null, why: "not by a root of this file or of a previous one" }],
    });
    expect(namesIn(p.get("only2.trust"))).toEqual(["R1", "R2", "R4"]);
    const chain = ["--previous-trust", "t1.trust", "--previous-trust", "t2.trust"];
    const both = await p.ok(["trust", "merge", "t3.trust", ...chain, "--out", "both.trust"]);
    expect(namesIn(p.get("both.trust"))).toEqual(["R1", "R2", "R3", "R4"]);
    expect(words(both)).toContain("for devices with t1.trust: signed by 3 roots (needed: 2)");
    // without a list before, nobody can say whose it is: it stays
    const none = await p.ok(["trust", "merge", "t3.trust", "--allow-no-previous-trust", "--out", "none.trust"]);
    expect(none.stderr).toContain("may be by a root of a previous file: give --previous-trust FILE");
    expect(namesIn(p.get("none.trust"))).toHaveLength(4);
  });

  it("removes what no trust file needs if there are more than eight", async () => {
    const p = place();
    const roots = [K.S1, K.S2, K.S3, K.S4, K.S5, K.S6, K.S7, K.S8, K.R1];
    const unsigned = encodeTrust(
      describeTrust(embeddedTrust(ALGS, await trustFileOf(1, { releases: [K.A, K.B], roots, signers: [K.S1, K.S2] }, undefined, "many"))),
    );
    const eight = await signTrustWithoutLog(unsigned, roots.slice(0, 8).map(signer));
    p.put("eight.trust", eight);
    p.put("ninth.trust", await signTrustWithoutLog(unsigned, [signer(K.R1)]));
    const r = await p.ok(["trust", "merge", "eight.trust", "ninth.trust"]);
    expect(words(r).at(-1)).toBe(
      `removed from ninth.trust: the signature of ${shortKey(K.R1)}: no trust file needs it, and one has at most 8 signatures`,
    );
    expect(p.get("eight.trust")).toEqual(Buffer.from(eight));
  });

  it.each([
    ["other content", ["trust", "merge", "t3.trust", "t2.trust"], 1, "t2.trust has different content from t3.trust"],
    [
      "an unsigned list as the one before",
      ["trust", "merge", "t3.trust", "--previous-trust", "u.trust"],
      1,
      "u.trust: refused: not signed",
    ],
    [
      "the same to sign",
      ["trust", "sign", "t3.trust", "--key", "R1.pem", "--previous-trust", "u.trust"],
      1,
      "u.trust: refused: not signed",
    ],
    [
      "a fork in the chain",
      ["trust", "tbs", "t3.trust", "--key", "R1.jwk", "--previous-trust", "t2.trust", "--previous-trust", "fork.trust"],
      1,
      "two different trust files have the sequence number 2",
    ],
    [
      "the last number",
      ["trust", "sign", "last.trust", "--key", "R1.pem", "--previous-trust", "t2.trust"],
      1,
      "sequence number 18446744073709551615 is the last one",
    ],
    [
      "the last number, whatever is allowed",
      ["trust", "tbs", "last.trust", "--key", "R1.jwk", "--allow-sequence-jump"],
      1,
      "is the last one",
    ],
    ["one file to merge", ["trust", "merge", "last.trust"], 2, "name at least two copies: one file has nothing to merge"],
    ["the last number to merge", ["trust", "merge", "last.trust", "last-signed.trust", "--allow-sequence-jump"], 1, "is the last one"],
    [
      "a successor of the last number",
      ["rotate", "retire", "A.jwk", "--trust", "last-signed.trust", "--fleet", "fleet.json", "--out", "x.trust"],
      1,
      "is the last one",
    ],
    [
      "a signature of another list",
      ["trust", "attach", "t3.trust", "--key", "R1.jwk", "--signature", "t2.sig", "--previous-trust", "t2.trust"],
      1,
      "is not a signature of R1.jwk over t3.trust",
    ],
  ] as const)("refuses %s: one line, one hint, nothing written, nothing signed", async (_, args, exit, line) => {
    const p = place();
    const d = describeTrust(embeddedTrust(ALGS, T2));
    p.put("u.trust", encodeTrust(d));
    const last = encodeTrust({ ...d, sequence: 2n ** 64n - 1n });
    p.put("last.trust", last);
    p.put("last-signed.trust", await signedBy(last, "R1", "R2"));
    p.put("fork.trust", await trustFileOf(2, { releases: [K.A, K.B], roots: [K.R1, K.R2] }, T1));
    const cohort = { name: "all", devices: 1, trust: "last-signed.trust", vendor: "example.com", class: "board-v2", floor: 1 };
    p.put("fleet.json", JSON.stringify({ cohorts: [cohort] }));
    await p.ok(["trust", "tbs", "u.trust", "--key", "R1.jwk", "--previous-trust", "t1.trust", "--out", "t2.tbs", "--log", "apart.log"]);
    p.put("t2.sig", await signer(K.R1).sign(p.get("t2.tbs")));
    const before = p.tree();
    expect(expectFailure(await p.run(args), exit)).toContain(line);
    expect(p.tree()).toEqual(before);
  });
});

describe("a chain of previous lists", () => {
  it("lets the roots of each sign, and says for which devices the list is signed", async () => {
    const p = place();
    const chain = ["--previous-trust", "t1.trust", "--previous-trust", "t2.trust"];
    expectFailure(await p.run(["trust", "sign", "t3.trust", "--key", "R3.pem", "--previous-trust", "t2.trust"]), 1);
    const r = await p.ok(["trust", "sign", "t3.trust", ...chain, "--key", "R1.pem", "--key", "R3.pem"]);
    // against the newest one
    expect(r.stderr).toContain("change: t3.trust: board, sequence number 3; against t2.trust");
    expect(words(r).slice(0, 2)).toEqual([
      "t3.trust: signed by 1 root (needed: 2), and by 1 root (needed: 2) of the previous file",
      "for devices with t1.trust: signed by 2 roots (needed: 2)",
    ]);
    await p.ok(["trust", "verify", "t1.trust"]);
  });
});
