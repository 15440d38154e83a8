// What `verify` and `report` say about a release that enough trusted keys have signed, and that is not simply good.

import { privateKey } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { FACTS, privateJwk, signImage, standard } from "../../../test-support/src/command-line/run.js";
import { FOR_BOTH_CLASSES, forSlot, REFUSED_BY_ONE_CLASS } from "../../../test-support/src/refused-by-one-class.js";

/** The private key of RFC 8032 §7.1, test 1. */
const TEST_1 = privateKey("ed25519", Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex"));

describe("verify", () => {
  it("names the signatures of unknown keys, also in JSON", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit", ["--key", "B.pem"]);
    const one = await p.ok(["verify", "fw.suit", "--key", "A.jwk"]);
    expect(one.stderr).toMatch(/^fw\.suit: good, .*\nanother signature: esp256, of an unknown key\n$/m);
    const { otherSignatures } = (await p.ok(["verify", "fw.suit", "--key", "A.jwk", "--json"])).json;
    expect(otherSignatures).toEqual([{ alg: "esp256", kid: null, testKey: null }]);
    const both = ["--key", "A.jwk", "--key", "B.jwk"];
    expect((await p.ok(["verify", "fw.suit", ...both, "--json"])).json).toMatchObject({ otherSignatures: [] });
    // a report counts up to the threshold, and no further
    expect((await p.ok(["report", "fw.suit", ...both, "--out", "fw.html", "--json"])).json).toMatchObject({
      boards: [{ otherSignatures: [] }],
    });
    expect((await p.ok(["report", "fw.suit", "--key", "A.jwk", "--out", "fw.html"])).stderr).toContain(
      "fw.suit: another signature: esp256",
    );
  });

  it("names a published test key, and never says good of its signature", async () => {
    const p = standard();
    p.put("test.jwk", privateJwk(TEST_1));
    const allow = ["--allow-test-key", "rfc8032-test-1"];
    await signImage(p, 7, "fw.suit", ["--key", "test.jwk", ...allow]);
    const beside = await p.ok(["verify", "fw.suit", "--key", "A.jwk"]);
    expect(beside.stderr).toContain("another signature: ed25519, of the published test key rfc8032-test-1");
    expect(beside.stderr).toContain("fw.suit: signed, and also with a published test key (rfc8032-test-1), ");
    expect(beside.stderr).not.toContain("good");
    await p.ok(["sign", "fw.bin", "--key", "test.jwk", ...FACTS, "--seq", "8", "--out", "test.suit", ...allow]);
    await p.ok(["pubkey", "test.jwk", "--format", "jwk", "--out", "test.pub"]);
    const r = await p.ok(["verify", "test.suit", "--key", "test.pub"]);
    expect(r.stderr).toContain("test.suit: signed with a published test key (rfc8032-test-1), ");
    expect(r.stderr).not.toContain("good");
    expect((await p.ok(["verify", "test.suit", "--key", "test.pub", "--json"])).json).toMatchObject({
      signedByTestKeys: ["rfc8032-test-1"],
    });
  });

  it("names the devices that refuse it, although those of the first class take it", async () => {
    const p = standard();
    p.put("two.json", JSON.stringify(REFUSED_BY_ONE_CLASS));
    await p.ok(["sign", "two.json", "--key", "A.pem", "--out", "two.suit"]);
    const r = await p.ok(["verify", "two.suit", "--key", "A.jwk"]);
    expect(r.stderr).toMatch(/^warning: devices of class d041272d-\S+ will refuse this release: /m);
    expect(r.stderr).toContain("two.suit: signed, but some devices refuse it, sequence number 3");
    expect((await p.ok(["verify", "two.suit", "--key", "A.jwk", "--json"])).json).toMatchObject({
      refusing: [{ class: "d041272d-edb5-558c-998f-144424bbea1f", during: "install", code: expect.any(Number) }],
    });
  });

  it.each([
    [0, [1]],
    [1, [0]],
    [7, [0, 1]],
  ])("names the slots that refuse a release for slot %s alone, and so does sign", async (slot, refusing) => {
    const p = standard();
    p.put("slot.json", JSON.stringify(forSlot(slot)));
    const signed = await p.ok(["sign", "slot.json", "--key", "A.pem", "--out", "slot.suit"]);
    const r = await p.ok(["verify", "slot.suit", "--key", "A.jwk"]);
    for (const { stderr } of [signed, r])
      expect(stderr.match(/^warning: devices of class \S+, slot \d will refuse this release: .*\(SLOT_MISMATCH\)$/gm)).toHaveLength(
        refusing.length,
      );
    expect(r.stderr).toContain("slot.suit: signed, but some devices refuse it, sequence number 3");
    expect((await p.ok(["verify", "slot.suit", "--key", "A.jwk", "--json"])).json).toMatchObject({
      refusing: refusing.map((one) => expect.objectContaining({ slot: one, during: "install", reason: "SLOT_MISMATCH" })),
    });
    const { json } = await p.ok(["explain", "slot.suit", "--slot", "1", "--json"]);
    const [{ refused }] = json["behaviours"] as [{ refused?: { reason: string } }];
    expect(refused?.reason).toBe(slot === 1 ? undefined : "SLOT_MISMATCH");
  });

  it("names the classes that refuse a release for devices with two of them, and so do sign, explain and lint", async () => {
    const p = standard();
    p.put("both.json", JSON.stringify(FOR_BOTH_CLASSES));
    const signed = await p.ok(["sign", "both.json", "--key", "A.pem", "--out", "both.suit"]);
    const r = await p.ok(["verify", "both.suit", "--key", "A.jwk"]);
    for (const { stderr } of [signed, r])
      expect(stderr).toMatch(/^warning: devices will refuse this release, unless they have all its identities: .*\(CLASS_MISMATCH\)$/m);
    expect(r.stderr).toContain("both.suit: signed, but some devices refuse it, sequence number 3");
    const { json } = await p.ok(["verify", "both.suit", "--key", "A.jwk", "--json"]);
    const classes = ["7ef25e26-57d5-563d-bec7-161eb72060bb", "d041272d-edb5-558c-998f-144424bbea1f"];
    expect(json["refusing"]).toEqual(classes.map((one) => expect.objectContaining({ class: one, reason: "CLASS_MISMATCH" })));
    const explained = (await p.ok(["explain", "both.suit", "--json"])).json as { behaviours: { refused?: object }[] };
    expect(explained.behaviours.every(({ refused }) => refused)).toBe(true);
    expect(explained.behaviours).not.toEqual([]);
    const linted = await p.run(["lint", "both.suit", "--json"]);
    expect(linted.json).toMatchObject({ findings: expect.arrayContaining([expect.objectContaining({ rule: "L30" })]) });
  });
});
