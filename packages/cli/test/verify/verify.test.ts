// firmseal verify.

import { rmSync, truncateSync } from "node:fs";
import { sever } from "@firmseal/signer";
import { MAN_INSTALL } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { expectFailure, FACTS, image } from "../../../test-support/src/command-line/run.js";
import { description, place, signed } from "../all/command-place.js";
import { changedManifest } from "./lint-place.js";

describe("an envelope whose section of the installation was cut out, for which nobody needs a key", () => {
  /** { whole.suit, cut.suit, old.suit }: signed by A.jwk. Every device refuses cut.suit. */
  async function severedPlace() {
    const p = place();
    p.put("fw.json", description({ sever: ["install"], payloads: { "#fw": { file: "fw.bin" } } }));
    await p.ok(["create", "--from", "fw.json", "--out", "whole.suit"]);
    await p.ok(["sign", "whole.suit", "--key", "A.pem"]);
    p.put("cut.suit", sever(p.get("whole.suit"), [MAN_INSTALL]));
    return p;
  }

  it.each([
    ["verify", ["--key", "A.jwk"]],
    ["verify", ["--key", "A.jwk", "--without-payloads"]],
    ["lint", []],
    ["explain", []],
    ["report", ["--key", "A.jwk", "--out", "cut.html"]],
    ["diff", ["whole.suit"]],
    ["simulate", ["--device", "flash", "--key", "A.jwk"]],
    ["sign", ["--key", "C.pem"]],
    ["approve", ["--key", "C.pem"]],
  ])("is refused by %s %j", async (command, more) => {
    const p = await severedPlace();
    const cut = p.get("cut.suit");
    const { exit, stdout, stderr } = await p.run([command, "cut.suit", ...more, "--json"]);
    expect(exit, stderr).toBe(1);
    expect(`${stdout}${stderr}`).toContain("SEVERED_ABSENT");
    expect(["C.pem.log", "cut.approval", "cut.html"].filter((name) => p.has(name))).toEqual([]);
    expect(p.get("cut.suit").equals(cut)).toBe(true);
    expect((await p.run([command, "whole.suit", ...more, "--json"])).stdout).not.toContain("SEVERED_ABSENT");
  });
});

describe("an envelope with a text whose number belongs to an application", () => {
  it.each([
    ["inspect", [], "-1: faster!"],
    ["explain", [], ""],
    ["lint", [], "note: text -1 (en)"],
    ["diff", ["fw.suit"], ""],
    ["whosigned", ["--key", "A.jwk"], ""],
    ["verify", ["--key", "A.jwk"], "good"],
    ["report", ["--key", "A.jwk", "--out", "page.html"], ""],
    ["sign", ["--key", "C.pem"], ""],
    ["approve", ["--key", "C.pem"], ""],
    ["simulate", ["--device", "memory", "--key", "A.jwk", "--second-cuts", "0"], ""],
  ])("is read by %s %j", async (command, more, words) => {
    const p = place();
    p.put("d.json", description({ payloads: { "#fw": { file: "fw.bin" } }, text: { en: { "update-description": "faster!" } } }));
    await p.ok(["create", "--from", "d.json", "--out", "text.suit"]);
    // number 2 becomes -1, and devices do not read texts
    p.put("text.suit", changedManifest(p.get("text.suit"), "\x02gfaster!", "\x20gfaster!"));
    await p.ok(["sign", "text.suit", "--key", "A.pem"]);
    expect(String(await p.ok([command, "text.suit", ...more]))).toContain(words);
  });
});

describe("verify", () => {
  it("shows who has signed", async () => {
    const p = place();
    const r = await p.ok(["verify", "fw.suit", "--key", "A.jwk", "--key", "B.jwk", "--json"]);
    expect(r.stderr).toBe("");
    expect(r.json).toEqual({
      ok: true,
      code: 0,
      reason: "OK",
      sequence: "7",
      signers: [{ kid: null, alg: "ed25519", thumbprint: expect.stringMatching(/^[0-9a-f]{64}$/) }],
      testKeys: [],
      signedByTestKeys: [],
      otherSignatures: [],
      refusing: [],
      payloadsChecked: ["#firmware"],
      payloadsNotChecked: [],
      severedAbsent: [],
      keysFrom: ["A.jwk", "B.jwk"],
    });
    const plain = await p.ok(["verify", "fw.suit", "--key", "A.jwk"]);
    expect(plain.stdout).toBe("");
    expect(plain.stderr).toContain("sequence number 7");
  });

  it("names the reason of a refusal", async () => {
    const p = place();
    const refused = async (...more: string[]) => (await p.run(["verify", ...more, "--json"])).json;
    expect(await refused("fw.suit", "--key", "C.jwk")).toMatchObject({
      ok: false,
      code: 60,
      reason: "SIGNATURE_INVALID",
      exit: 1,
      sequence: null,
      signers: [],
      testKeys: [],
    });
    expect(await refused("fw.suit", "--key", "B.jwk")).toMatchObject({ ok: false, code: 61, reason: "SIGNATURE_NO_ANCHOR" });
    expect(await refused("fw.suit", "--key", "A.jwk", "--floor", "8")).toMatchObject({
      code: 38,
      reason: "ROLLBACK",
      message: "fw.suit: refused: sequence number 7 is lower than 8, the lowest that is accepted",
    });
    expect(await refused("fw.suit", "--key", "A.jwk", "--key", "B.jwk", "--threshold", "2")).toMatchObject({
      code: 62,
      reason: "SIGNATURE_THRESHOLD",
      exit: 1,
    });
    expect(await refused("fw.suit", "--key", "A.jwk", "--threshold", "0")).toMatchObject({ code: 50, reason: "TRUST_POLICY", exit: 2 });
    expect(await refused("fw.bin", "--key", "A.jwk")).toMatchObject({ exit: 1, ok: false });
    p.put("cut.suit", signed.subarray(0, signed.length - 1));
    expect(await refused("cut.suit", "--key", "A.jwk")).toMatchObject({ code: 1, reason: "CBOR_TRUNCATED" });
    p.put("more.suit", Buffer.concat([signed, Buffer.of(0)]));
    expect(await refused("more.suit", "--key", "A.jwk")).toMatchObject({ code: 10, reason: "CBOR_TRAILING" });
  });

  it("checks given payloads", async () => {
    const p = place();
    await p.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "1", "--uri", "http://x/fw", "--out", "o.suit"]);
    const other = image(5000, 2);
    p.put("other.bin", other);
    p.put("short.bin", p.get("fw.bin").subarray(1));
    const verify = async (...more: string[]) => (await p.run(["verify", "o.suit", "--key", "A.jwk", ...more, "--json"])).json;
    expect(await verify("--payload", "other.bin")).toMatchObject({ ok: false, code: 78, reason: "IMAGE_MISMATCH" });
    expect(await verify("--payload", "short.bin")).toMatchObject({
      ok: false,
      code: 92,
      reason: "PAYLOAD_SIZE",
      message: "o.suit: refused: payload http://x/fw (short.bin): it has 4,999 bytes, and the manifest says 5,000",
    });
    // beside the envelope, so that nobody has named it
    p.put("fw", other);
    expect(await verify()).toMatchObject({
      code: 78,
      message: "o.suit: refused: payload http://x/fw (fw): an image does not match its signed digest",
    });
    rmSync(p.at("fw"));
    // hashing 64 GiB takes minutes
    p.put("long.bin", p.get("fw.bin"));
    truncateSync(p.at("long.bin"), 2 ** 36);
    expect(await verify("--payload", "long.bin")).toMatchObject({ ok: false, code: 92, reason: "PAYLOAD_SIZE" });
    expect(await verify("--payload", "gone.bin")).toMatchObject({ ok: false, exit: 3 });
    expect(await verify("--payload", "fw.bin", "--payload", "http://y=fw.bin")).toMatchObject({
      ok: false,
      code: 30,
      reason: "PAYLOAD_UNREFERENCED",
    });
    expect(await verify("--payload", "http://y=fw.bin")).toMatchObject({
      code: 30,
      message: "--payload http://y=fw.bin: the release fetches no URI of this name",
      hint: "name the payload: --payload URI=FILE; the release fetches http://x/fw",
    });
    expect((await p.run(["verify", "fw.suit", "--key", "A.jwk", "--payload", "fw.bin", "--json"])).json).toMatchObject({
      code: 30,
      message: "--payload fw.bin: the release fetches nothing from outside the envelope",
      hint: "drop --payload",
    });
    expect(await verify("--payload", "http://x/fw=other.bin")).toMatchObject({ code: 78 });
    // a payload that the envelope holds, changed in place
    const bad = Buffer.from(signed);
    bad[bad.length - 1] = (bad[bad.length - 1] as number) ^ 1;
    p.put("bad.suit", bad);
    expect((await p.run(["verify", "bad.suit", "--key", "A.jwk", "--json"])).json).toMatchObject({ ok: false, code: 78 });
  });
});

it("a refusal names the file, whichever of several it is", async () => {
  const p = place();
  p.put("cut.suit", signed.subarray(0, signed.length - 1));
  await p.ok(["sign", "fw.bin", "--key", "B.pem", ...FACTS, "--seq", "1", "--out", "old.suit"]);
  const simulate = ["simulate", "fw.suit", "--device", "flash", "--key", "A.jwk", "--previous-release", "old.suit"];
  for (const [args, file] of [
    [["verify", "fw.suit", "--key", "C.jwk"], "fw.suit"],
    [["install", "fw.suit", "--key", "C.jwk", "--dir", "dev", ...FACTS], "fw.suit"],
    [["explain", "cut.suit"], "cut.suit"],
    [["diff", "fw.suit", "cut.suit"], "cut.suit"],
    [["diff", "cut.suit", "fw.suit"], "cut.suit"],
    [simulate, "old.suit"],
  ] as const)
    expect(expectFailure(await p.run(args), 1), args.join(" ")).toMatch(
      new RegExp(`^firmseal: (?:--previous-release )?${file.replace(".", "\\.")}: refused: `),
    );
  const { stderr } = await p.run(["verify", "-", "--key", "C.jwk"], { input: p.get("fw.suit") });
  expect(stderr).toMatch(/^firmseal: stdin: refused: /);
});
