// What inspect and whosigned show of envelopes that devices refuse, and the reasons that refusals tell.

import { sign } from "node:crypto";
import { publicKey, toJwk } from "@firmseal/signer";
import { errors } from "@firmseal/verifier";
import { looksLikeEnvelope } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { encodeCbor as cbor, type Encodable, Tagged } from "../../../signer/src/cbor.js";
import { hex, sha256Hex } from "../../../test-support/src/bytes.js";
import { expectExit, expectFailure, image, type Place, signImage, standard } from "../../../test-support/src/command-line/run.js";
import { haveVectors, SPEC_P256, vectorBytes, vectorHex, vectorNames } from "../../../test-support/src/vectors.js";

interface Element {
  name: string;
  at: number;
  value?: string;
  wrong?: string;
  elements?: Element[];
}

const flat = (all: readonly Element[]): Element[] => all.flatMap((one) => [one, ...flat(one.elements ?? [])]);
const elementsOf = (json: object) => flat((json as { elements: Element[] }).elements);

/** Every different envelope among the third-party vectors, by its name. Text is hexadecimal. */
function thirdPartyEnvelopes(): Map<string, Uint8Array> {
  const all = new Map<string, [string, Uint8Array]>();
  for (const name of vectorNames()) {
    const bytes = vectorBytes(name);
    const text = Buffer.from(bytes).toString("latin1").replace(/\s/g, "");
    const content = /^([0-9a-f]{2})+$/i.test(text) ? hex(text.toLowerCase()) : bytes;
    if (looksLikeEnvelope(content)) all.set(sha256Hex(content), [name, content]);
  }
  return new Map(all.values());
}

const pairs = (...all: [Encodable, Encodable][]) => new Map<Encodable, Encodable>(all);
const withHead = (manifest: Uint8Array) => Buffer.from(cbor(manifest));
const digestOf = (manifest: Uint8Array) => cbor([2, Buffer.from(sha256Hex(withHead(manifest)), "hex")]);

/** An envelope as RIOT makes it: a signature of A.pem with the digest in it. */
function oldEnvelope(p: Place, payloads: (manifest: Uint8Array) => Uint8Array[]): Uint8Array {
  const common = cbor(pairs([2, [[Uint8Array.of(0)]]], [4, cbor([1, 15])]));
  const manifest = cbor(pairs([1, 1], [2, 7], [3, common], [9, cbor([21, 2])], [10, cbor([3, 15])]));
  const header = cbor(pairs([1, -8]));
  const blocks = payloads(manifest).map((payload) => {
    const message = cbor(["Signature1", header, new Uint8Array(), payload]);
    return cbor(new Tagged(18, [header, new Map(), payload, sign(null, message, p.get("A.pem"))]));
  });
  return cbor(pairs([2, cbor(blocks)], [3, manifest]));
}

describe.skipIf(!haveVectors)(`third-party envelopes${haveVectors ? "" : " (skipped: no third-party vectors)"}`, () => {
  it("are all shown, in words, in JSON and as diagnostic notation", async () => {
    const p = standard();
    const all = thirdPartyEnvelopes();
    expect(all.size).toBeGreaterThanOrEqual(33);
    const refused: string[] = [];
    for (const [name, bytes] of all) {
      p.put("x.suit", bytes);
      const shown = await p.run(["inspect", "x.suit"]);
      const json = await p.run(["inspect", "x.suit", "--json"]);
      const diag = await p.run(["inspect", "x.suit", "--diag"]);
      const exits = [shown, json, diag].map(({ exit }) => exit);
      expect([name, exits]).toEqual([name, [shown.exit, shown.exit, shown.exit]]);
      expect([name, shown.stdout.split("\n").length > 8, diag.stdout.length > 100]).toEqual([name, true, true]);
      expect(json.json).toMatchObject({ bytes: bytes.length, verified: false, sequence: expect.any(String) });
      if (shown.exit === 0) continue;
      refused.push(name);
      // the innermost element that the verifier does not take
      expect([name, elementsOf(json.json).filter(({ wrong }) => wrong?.includes("refused: ")).length]).toEqual([name, 1]);
      expect(elementsOf(json.json).map((one) => one.name)).toContain("manifest");
    }
    expect(refused.length).toBeGreaterThanOrEqual(16);
  });

  it("of an old draft name it, and who signed them", async () => {
    const p = standard();
    p.put("riot.pem", vectorBytes("field/keys/TEST-ONLY-ed25519.pub.pem"));
    for (const [name, isCovered] of [
      ["one-ram", true],
      ["two-slots", true],
      ["bad-order", true],
      ["bad-manifest", false],
    ] as const) {
      p.put("x.suit", vectorBytes(`field/riot-suit/${name}.suit`));
      const told = await p.run(["whosigned", "x.suit", "--key", "riot.pem", "--json"]);
      expectExit(told, 1);
      expect([name, told.json]).toEqual([
        name,
        expect.objectContaining({ covered: isCovered, signatures: [expect.objectContaining({ status: "valid", name: "riot.pem" })] }),
      ]);
      const shown = await p.run(["inspect", "x.suit", "--json"]);
      expect(shown.json).toMatchObject({ draft: expect.stringMatching(/^draft -07 to -17/), covered: isCovered });
      const line = expectFailure(await p.run(["verify", "x.suit", "--key", "A.jwk"]), 1);
      expect(line).toContain("it follows an old draft of SUIT, draft -07 to -17");
    }
    p.put("x.suit", vectorBytes("field/riot-suit/bad-signature.suit"));
    expect((await p.run(["whosigned", "x.suit", "--key", "riot.pem", "--json"])).json).toMatchObject({ signers: [] });
  });

  it("show dependencies and the component of the manifest, and a refusal names what is not supported", async () => {
    const p = standard();
    p.put("x.suit", vectorHex("suit/trust-domains/example1_process.hex"));
    p.put("spec.jwk", JSON.stringify(toJwk(publicKey("es256", SPEC_P256))));
    const { json } = await p.ok(["inspect", "x.suit", "--json"]);
    expect(json).toMatchObject({
      dependencies: [{ index: "1", prefix: ["646570656e64656e742e73756974"] }],
      manifestComponent: ["646570656e64696e672e73756974"],
      setVersion: null,
    });
    const { stdout } = await p.ok(["inspect", "x.suit"]);
    expect(stdout).toContain("dependency 1     stored as 646570656e64656e742e73756974\n");
    expect(stdout).toContain("manifest itself  component 646570656e64696e672e73756974\n");
    for (const command of [
      ["explain"],
      ["sign", "--key", "A.pem", "--out", "y.suit"],
      ["verify", "--key", "spec.jwk"],
      ["install", "--dir", "d", "--vendor", "example.com", "--class", "a", "--key", "spec.jwk"],
      ["simulate", "--device", "memory", "--key", "spec.jwk"],
      ["report", "--out", "x.html", "--key", "spec.jwk"],
    ]) {
      const line = expectFailure(await p.run([command[0] as string, "x.suit", ...command.slice(1)]), 1);
      expect([command[0], line]).toEqual([command[0], expect.stringContaining("): manifest / common / dependencies")]);
    }
  });
});

describe("an old draft", () => {
  it("has its signers named, and signatures over another manifest are not taken for these", async () => {
    const p = standard();
    const other = digestOf(Uint8Array.of(0xa0));
    const made: [string, (manifest: Uint8Array) => Uint8Array[], boolean][] = [
      ["good", (manifest) => [digestOf(manifest)], true],
      ["another digest", () => [other], false],
      ["one of two for another manifest", (manifest) => [digestOf(manifest), other], false],
      ["none", () => [], false],
    ];
    for (const [what, payloads, covered] of made) {
      p.put("x.suit", oldEnvelope(p, payloads));
      const told = await p.run(["whosigned", "x.suit", "--key", "A.jwk", "--json"]);
      expectExit(told, 1);
      expect([what, told.json]).toEqual([what, expect.objectContaining({ sequence: "7", covered })]);
      const { stdout } = await p.run(["whosigned", "x.suit", "--key", "A.jwk"]);
      expect([what, stdout.includes("NOT GOOD")]).toEqual([what, !covered]);
      if (what !== "none") expect(told.json).toMatchObject({ signers: [{ name: "A.jwk" }] });
    }
  });

  it.each([
    [
      "-06 or older",
      pairs([1, cbor([cbor(new Tagged(18, [new Uint8Array(), new Map(), null, new Uint8Array(64)]))])], [2, cbor(pairs([1, 1], [2, 3]))]),
      23,
    ],
    ["-18 to -28", pairs([3, cbor(pairs([1, 1], [2, 3], [3, cbor(pairs([2, [[Uint8Array.of(0)]]]))], [17, cbor([21, 2])]))]), 32],
  ])("%s is known by its numbers", async (name, map, code) => {
    const p = standard();
    p.put("x.suit", cbor(map));
    const shown = await p.run(["inspect", "x.suit", "--json"]);
    expect(shown.json).toMatchObject({ draft: expect.stringContaining(`draft ${name}`), sequence: "3", code });
    const before = p.tree();
    expect(expectFailure(await p.run(["sign", "x.suit", "--key", "A.pem"]), 1)).toContain(`draft ${name}`);
    expect(p.tree()).toEqual(before);
  });
});

describe("an envelope that is refused", () => {
  it("because of the order of its keys is not said to have no manifest", async () => {
    const p = standard();
    const [wrapper, manifest] = [Uint8Array.of(0x41, 0x00), cbor(pairs([1, 1], [2, 7]))];
    // as the generator of Nordic writes it: the payload where it is listed
    p.put("x.suit", Buffer.concat([hex("d86ba3"), cbor(2), cbor(wrapper), cbor("#a"), cbor(Uint8Array.of(1)), cbor(3), cbor(manifest)]));
    const line = expectFailure(await p.run(["verify", "x.suit", "--key", "A.jwk"]), 1);
    expect(line).toContain("the manifest is there (its content is at byte 13), but the keys before it are out of order");
    const { json } = await p.run(["inspect", "x.suit", "--json"]);
    expect(json).toMatchObject({ code: errors.ENVELOPE_NO_MANIFEST, sequence: "7" });
    expect(elementsOf(json).find(({ name }) => name === "manifest")?.wrong).toContain("out of order");
  });

  it("because of its digest is shown, and its signature is not taken for one over its manifest", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const bytes = p.get("fw.suit");
    // the last digit of the sequence number: manifest version, sequence number, common
    const at = bytes.indexOf(hex("0101020703"));
    bytes[at + 3] = 8;
    p.put("x.suit", bytes);
    const { json, exit } = await p.run(["inspect", "x.suit", "--json"]);
    expect(exit).toBe(1);
    expect(json).toMatchObject({ code: errors.DIGEST_MANIFEST, sequence: "8", covered: false, signatures: [{ alg: "ed25519" }] });
    const { stdout } = await p.run(["inspect", "x.suit"]);
    expect(stdout).toContain("(NOT that of the manifest)");
    const told = await p.run(["whosigned", "x.suit", "--key", "A.jwk"]);
    expectExit(told, 1);
    expect(told.stdout).toContain("NOT GOOD: the signatures do not cover this manifest");
  });

  it("has the offset of what is not supported in the file that was given, and nothing is signed", async () => {
    const p = standard();
    const common = cbor(pairs([2, [[Uint8Array.of(0)]]]));
    const parts: [string, Uint8Array, string][] = [
      ["a command", cbor([33, 0]), "manifest / install / directive-unlink"],
      ["a parameter", cbor([20, pairs([26, cbor(0)])]), "manifest / install / directive-override-parameters / "],
    ];
    for (const [what, install, path] of parts) {
      const manifest = cbor(pairs([1, 1], [2, 7], [3, common], [20, install]));
      p.put("x.suit", cbor(pairs([3, manifest])));
      const before = p.tree();
      const line = expectFailure(await p.run(["sign", "x.suit", "--key", "A.pem", "--out", "y.suit"]), 1);
      expect([what, line]).toEqual([what, expect.stringContaining(path)]);
      const at = Number(/\(at byte (\d+)\)/.exec(line)?.[1]);
      const number = what === "a command" ? cbor(33) : cbor(26);
      expect([what, [...p.get("x.suit").subarray(at, at + number.length)]]).toEqual([what, [...number]]);
      expect(p.tree()).toEqual(before);
    }
  });

  it.each([
    ["a map of indefinite length", "bf0341a0ff"],
    ["an array", "8301f6f5"],
    ["another tag", "d9042ea10101"],
    ["no map in its tag", "d86b80"],
  ])("as %s is shown", async (_, bytes) => {
    const p = standard();
    p.put("x.suit", hex(bytes));
    const { json, exit } = await p.run(["inspect", "x.suit", "--json"]);
    expect(exit).toBe(1);
    expect(json).toMatchObject({ elements: [{ at: 0, bytes: bytes.length / 2 }] });
    expectFailure(await p.run(["verify", "x.suit", "--key", "A.jwk"]), 1);
  });

  it("because it is not CBOR is refused in one line, as before", async () => {
    const p = standard();
    p.put("short.suit", hex("d86ba2024100"));
    p.put("image.suit", Buffer.concat([hex("9f"), image(4_000)]));
    for (const name of ["short.suit", "image.suit"]) {
      const shown = await p.run(["inspect", name]);
      expectFailure(shown, 1);
      expect(shown.stdout).toBe("");
    }
  });

  it("shows the version and the dependencies that a manifest has, however they are formed", async () => {
    const p = standard();
    const own = (dependencies: Encodable, component: Encodable, version: Encodable) => {
      const common = cbor(pairs([1, dependencies], [2, [[Uint8Array.of(0)]]]));
      p.put("x.suit", cbor(pairs([3, cbor(pairs([1, 1], [2, 7], [3, common], [5, component], [6, version]))])));
      return p.ok(["inspect", "x.suit", "--json"]);
    };
    const whole = await own(
      pairs([0, new Map()], [1, pairs([1, [Uint8Array.of(2), Uint8Array.of(3)]])]),
      [Uint8Array.of(4)],
      cbor([2, 0, -1, 1]),
    );
    expect(whole.json).toMatchObject({
      dependencies: [
        { index: "0", prefix: null },
        { index: "1", prefix: ["02", "03"] },
      ],
      manifestComponent: ["04"],
      setVersion: "2.0-rc.1",
    });
    expect((await p.ok(["inspect", "x.suit"])).stdout).toMatch(/^set version {6}2\.0-rc\.1$/m);
    const odd = await own(pairs([-1, 7]), "x", 8);
    expect(odd.json).toMatchObject({
      dependencies: [{ index: "cbor 20", prefix: ["cbor 07"] }],
      manifestComponent: ["cbor 6178"],
      setVersion: "cbor 08",
    });
  });
});
