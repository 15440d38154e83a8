// tbs and attach, with openssl as the other machine: it has the private key, and nothing of ours.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  attachSignature,
  envelopeToBeSigned,
  foreignSigner,
  publicOf,
  signEnvelopeWithoutLog,
  signer,
  splitEnvelope,
  withKid,
} from "@firmseal/signer";
import { open } from "@firmseal/verifier";
import { toHex } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { rawFromDer } from "../../../keys/src/formats/der/ecdsa.js";
import { parseSignature } from "../../../keys/src/formats/signature-file.js";
import {
  expectFailure,
  FACTS,
  image,
  keyA,
  keyB,
  keyC,
  type Place,
  signImage,
  standard,
  words,
} from "../../../test-support/src/command-line/run.js";
import { deviceBundle as device } from "../../../test-support/src/device-bundle.js";
import { hasProgram } from "../../../test-support/src/environment/programs.js";

const hasOpenssl = hasProgram("openssl", "version");

const why = hasOpenssl ? "" : " (skipped: no openssl)";

/** What a device runs. */
const ed25519 = ["pkeyutl", "-sign", "-rawin", "-inkey", "A.pem", "-in"];

const es256 = ["dgst", "-sha256", "-sign", "B.pem"];

function openssl(p: Place, args: readonly string[], input?: Uint8Array): Buffer {
  const r = spawnSync("openssl", args, { cwd: p.path, ...(input && { input }) });
  expect({ status: r.status, stderr: r.status === 0 ? "" : r.stderr.toString() }).toEqual({ status: 0, stderr: "" });
  return r.stdout;
}

/** An unsigned envelope and what A and B have to sign on it. */
async function ceremony(): Promise<Place> {
  const p = standard();
  await p.ok(["tbs", "fw.bin", ...FACTS, "--seq", "7", "--key", "A.jwk", "--out", "A.tbs"]);
  await p.ok(["tbs", "fw.suit", "--key", "B.jwk", "--out", "B.tbs"]);
  return p;
}

describe.concurrent("what must be signed", () => {
  it("is what sign() signs, byte for byte, no matter who has signed before", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    const signed = Uint8Array.from(p.get("fw.suit"));
    const before = splitEnvelope(signed);
    for (const key of [keyB, keyC, withKid(keyC, new TextEncoder().encode("build-7"))]) {
      const seen: Uint8Array[] = [];
      const spy = foreignSigner(publicOf(key), async (message) => {
        seen.push(message);
        return signer(key).sign(message);
      });
      const whole = await signEnvelopeWithoutLog(signed, [spy]);
      expect(seen.map(toHex)).toEqual([toHex(await envelopeToBeSigned(signed, publicOf(key)))]);
      expect(toHex(await attachSignature(signed, publicOf(key), await signer(key).sign(await envelopeToBeSigned(signed, key))))).toBe(
        toHex(whole),
      );
      expect(splitEnvelope(whole).blocks.slice(0, 1)).toEqual(before.blocks);
    }
  });

  it("is the Sig_structure of RFC 9052 over the digest", async () => {
    const p = await ceremony();
    const digest = toHex(splitEnvelope(Uint8Array.from(p.get("fw.suit"))).digest);
    expect(p.get("A.tbs").toString("hex")).toBe(`846a5369676e61747572653143a101324058${"24"}${digest}`);
    expect(p.get("B.tbs").toString("hex")).toBe(`846a5369676e61747572653143a101284058${"24"}${digest}`);
  });

  it("is shown with what it stands for, in words and in JSON", async () => {
    const p = standard();
    const r = await p.ok(["tbs", "fw.bin", ...FACTS, "--seq", "7", "--key", "A.jwk", "--key", "B.jwk", "--json"]);
    const json = r.json as { tbs: { out: string; bytes: number; sha256: string; alg: string; thumbprint: string }[] };
    expect(json).toMatchObject({
      ok: true,
      code: 0,
      envelope: "fw.suit",
      sequence: "7",
      vendor: ["cfbff0d1-9375-5685-968c-48ce8b15ae17"],
      class: ["7ef25e26-57d5-563d-bec7-161eb72060bb"],
      payloads: { inside: ["#firmware"], outside: [] },
      tbs: [
        { alg: "ed25519", bytes: 55, kid: null },
        { alg: "es256", bytes: 55, kid: null },
      ],
    });
    for (const t of json.tbs) {
      expect(t.out).toBe(`fw.${t.thumbprint.slice(0, 16)}.tbs`);
      expect(createHash("sha256").update(p.get(t.out)).digest("hex")).toBe(t.sha256);
    }
    const again = await p.ok(["tbs", "fw.suit", "--key", "A.jwk", "--out", p.folder("out")]);
    expect(words(again)).toEqual([
      expect.stringContaining("fw.suit: sequence number 7, vendor cfbff0d1-9375-5685-968c-48ce8b15ae17, class 7ef25e26"),
      `manifest: sha-256 ${hexOfDigest(p)}`,
      expect.stringContaining(`sha-256 ${json.tbs[0]?.sha256}`),
    ]);
    const toStdout = await p.ok(["tbs", "fw.suit", "--key", "A.jwk", "--out", "-"]);
    expect(toStdout.bytes.equals(p.get(json.tbs[0]?.out as string))).toBe(true);
  });

  function hexOfDigest(p: Place): string {
    return toHex(splitEnvelope(Uint8Array.from(p.get("fw.suit"))).digest).slice(8);
  }

  it("is made from a description too, and from an image that stays outside", async () => {
    const p = standard();
    const description = {
      $schema: "urn:firmseal:manifest:1",
      sequence: 7,
      components: [["app"]],
      "shared-sequence": [
        {
          "directive-override-parameters": {
            "vendor-identifier": { domain: "example.com" },
            "class-identifier": { domain: "example.com", name: "board-v2" },
            image: { payload: "#firmware" },
          },
        },
        "condition-vendor-identifier",
        "condition-class-identifier",
      ],
      install: [{ "directive-override-parameters": { uri: "#firmware" } }, "directive-fetch", "condition-image-match"],
      validate: ["condition-image-match"],
      payloads: { "#firmware": { file: "fw.bin" } },
    };
    p.put("d.json", JSON.stringify(description));
    await p.ok(["create", "--from", "d.json", "--out", "made.suit"]);
    await p.ok(["tbs", "d.json", "--key", "A.jwk", "--out", "d.tbs"]);
    expect(p.get("d.suit").equals(p.get("made.suit"))).toBe(true);
    // what no device would take is refused before anybody is asked to sign
    p.put("d.json", JSON.stringify({ ...description, install: ["directive-fetch"] }));
    expectFailure(await p.run(["tbs", "d.json", "--key", "A.jwk", "--out", "never.tbs", "--envelope", "never.suit"]), 1);
    expect(p.names().filter((name) => name.startsWith("never"))).toEqual([]);
    const outside = [...FACTS, "--seq", "7", "--uri", "https://example.com/fw.bin", "--image-out", "flash.bin", "--envelope", "o.suit"];
    const r = await p.ok(["tbs", "fw.bin", ...outside, "--key", "A.jwk", "--out", "-", "--json"]);
    expect(r.json).toMatchObject({ payloads: { inside: [], outside: ["https://example.com/fw.bin"] } });
    expect(p.get("flash.bin").equals(p.get("fw.bin"))).toBe(true);
    const [t] = (r.json as { tbs: { data: string }[] }).tbs;
    const message = Uint8Array.from(Buffer.from(t?.data ?? "", "base64"));
    p.put("sig", await signer(keyA).sign(message));
    await p.ok(["attach", "o.suit", "--key", "A.jwk", "--signature", "sig"]);
    await p.ok(["verify", "o.suit", "--key", "A.jwk", "--payload", "fw.bin"]);
  });

  it("is refused, and nothing is written, if a signature would be useless", async () => {
    const p = standard();
    await signImage(p, 7, "fw.suit");
    p.put("mine.txt", "not to be replaced");
    p.put("notes.json", "{}");
    const before = p.tree();
    const refused = async (args: readonly string[], exit: number, text: string) =>
      expect(expectFailure(await p.run(["tbs", ...args]), exit)).toContain(text);
    await refused(["fw.suit", "--key", "A.jwk"], 1, "already signed the envelope");
    await refused(["fw.suit", "--key", "B.jwk", "--key", "B.pem"], 2, "given twice");
    await refused(["fw.suit", "--key", "B.jwk", "--key", "C.jwk", "--out", "one.tbs"], 2, "is not a folder");
    await refused(["fw.suit", "--key", "B.jwk", "--out", "mine.txt"], 2, "exists and is not the output of firmseal tbs");
    await refused(["fw.suit", "--key", "B.jwk", "--out", "A.pem"], 2, "is a private key");
    await refused(["fw.suit", "--key", "B.jwk", "--out", "fw.suit"], 2, "which this command uses");
    await refused(["fw.suit", "--key", "B.jwk", "--seq", "8"], 2, "takes no --seq");
    await refused(["fw.suit", "--key", "B.jwk", "--envelope", "x.suit"], 2, "--envelope is for an image");
    await refused(["fw.bin", "--key", "B.jwk"], 2, "--vendor");
    await refused(["A.jwk", "--key", "B.jwk"], 2, "is a public key, not an image");
    await refused(["notes.json", "--key", "B.jwk"], 1, "description");
    expectFailure(await p.run(["tbs", "-", ...FACTS, "--seq", "8", "--key", "B.jwk"], { input: image(10) }), 2);
    // severed bytes that the digest does not cover: sign refuses them, so nobody is asked to sign
    p.put("cut.suit", p.get("fw.suit").subarray(0, 900));
    await refused(["cut.suit", "--key", "B.jwk"], 1, "refused");
    expect(p.tree().filter((line) => !line.startsWith("cut.suit"))).toEqual(before);
  });
});

describe.skipIf(!hasOpenssl).concurrent(`openssl on another machine${why}`, () => {
  it("signs with Ed25519 and P-256; the command line and the device bundle accept it", async () => {
    const p = await ceremony();
    p.put("A.sig", openssl(p, [...ed25519, "A.tbs"]));
    p.put("B.sig", openssl(p, es256, p.get("B.tbs")));
    expect(p.get("A.sig").length).toBe(64);
    expect(p.get("B.sig")[0]).toBe(0x30);
    const unsigned = p.get("fw.suit");
    await p.ok(["attach", "fw.suit", "--key", "A.jwk", "--signature", "A.sig", "--out", "one.suit"]);
    expect(p.get("fw.suit").equals(unsigned)).toBe(true);
    const r = await p.ok(["attach", "one.suit", "--key", "B.jwk", "--signature", "B.sig", "--json"]);
    expect(r.json).toMatchObject({ ok: true, out: "one.suit", sequence: "7", signers: [{ alg: "es256" }] });
    await p.ok(["verify", "one.suit", "--key", "A.jwk", "--key", "B.jwk", "--threshold", "2"]);
    const trust = (n: number) => ({
      anchors: [device.anchor("ed25519", keyA.key), device.anchor("es256", keyB.key)],
      threshold: n,
    });
    expect(device.open(p.get("one.suit"), trust(2)).sequence).toEqual([0, 7]);
    // in the other order the same signatures are good, for neither covers the other
    await p.ok(["attach", "fw.suit", "--key", "B.jwk", "--signature", "B.sig"]);
    await p.ok(["attach", "fw.suit", "--key", "A.jwk", "--signature", "A.sig"]);
    expect(device.open(p.get("fw.suit"), trust(2)).sequence).toEqual([0, 7]);
    const twice = await p.run(["attach", "fw.suit", "--key", "A.jwk", "--signature", "A.sig", "--json"]);
    expect(twice.json).toMatchObject({ code: 203, reason: "ALREADY_SIGNED", exit: 1 });
    // without --out, nothing is said of it
    const image = await p.run(["attach", "fw.bin", "--key", "A.jwk", "--signature", "A.sig"]);
    expect(image.stderr).toMatch(/^firmseal: fw\.bin: not a SUIT envelope/);
  });

  it("gives its signature in any of the forms", async () => {
    const p = await ceremony();
    const a = openssl(p, [...ed25519, "A.tbs"]);
    const der = openssl(p, es256, p.get("B.tbs"));
    const raw = rawFromDer(der) as Uint8Array;
    const lines = (text: string) => text.replace(/.{40}/g, "$&\n");
    const forms: [string, string | Uint8Array][] = [
      ["A", a.toString("hex")],
      ["A", `${lines(a.toString("hex").toUpperCase())}\n`],
      ["A", a.toString("base64")],
      ["A", a.toString("base64url")],
      ["B", raw],
      ["B", `${lines(der.toString("base64"))}\r\n`],
      ["B", der.toString("hex")],
      ["B", toHex(raw)],
    ];
    const unsigned = Uint8Array.from(p.get("fw.suit"));
    for (const [name, form] of forms) {
      const key = publicOf(name === "A" ? keyA : keyB);
      const signed = await attachSignature(unsigned, key, parseSignature(Buffer.from(form), key.alg, "sig"));
      expect(device.open(signed, { anchors: [device.anchor(key.alg, key.key)] }).sequence).toEqual([0, 7]);
    }
    p.put("sig", forms[5]?.[1] as string);
    await p.ok(["attach", "fw.suit", "--key", "B.jwk", "--signature", "sig", "--out", "out.suit"]);
    await p.ok(["verify", "out.suit", "--key", "B.jwk"]);
    const piped = await p.ok(["attach", "fw.suit", "--key", "A.jwk", "--signature", "-", "--out", "-"], { input: a });
    expect(open(Uint8Array.from(piped.bytes), { anchors: [device.anchor("ed25519", keyA.key)] }).sequence).toEqual([0, 7]);
  });

  it("is not accepted if it signed something else", async () => {
    const p = await ceremony();
    p.put("A.sig", openssl(p, [...ed25519, "A.tbs"]));
    p.put("B.sig", openssl(p, es256, p.get("B.tbs")));
    await p.ok(["tbs", "fw.bin", ...FACTS, "--seq", "8", "--key", "A.jwk", "--envelope", "next.suit", "--out", "next.tbs"]);
    p.put("A-id.jwk", JSON.stringify({ ...JSON.parse(p.get("A.jwk").toString()), kid: "build-7" }));
    const bit = p.get("A.sig");
    bit[40] = (bit[40] as number) ^ 1;
    p.put("bit.sig", bit);
    p.put("A.image.sig", openssl(p, [...ed25519, "fw.bin"]));
    // the digest in the wrapper, and the manifest, each changed after tbs had been written
    const unsigned = p.get("fw.suit");
    const { digest, manifest } = splitEnvelope(Uint8Array.from(unsigned));
    const changed = (part: Uint8Array) => {
      const out = Buffer.from(unsigned);
      const at = out.indexOf(part) + part.length - 1;
      out[at] = (out[at] as number) ^ 1;
      return out;
    };
    p.put("digest.suit", changed(digest));
    p.put("manifest.suit", changed(manifest));
    const before = p.tree();
    for (const [envelope, key, signature, reason] of [
      ["next.suit", "A.jwk", "A.sig", "SIGNATURE_INVALID"],
      ["fw.suit", "A.jwk", "bit.sig", "SIGNATURE_INVALID"],
      ["fw.suit", "A.jwk", "A.image.sig", "SIGNATURE_INVALID"],
      ["fw.suit", "A-id.jwk", "A.sig", "SIGNATURE_INVALID"],
      ["fw.suit", "C.jwk", "A.sig", "SIGNATURE_INVALID"],
      ["fw.suit", "B.jwk", "A.sig", "SIGNATURE_INVALID"],
      ["fw.suit", "A.jwk", "B.sig", "SIGNATURE_INVALID"],
      ["fw.suit", "A.jwk", "A.pem", "SIGNATURE_INVALID"],
      ["digest.suit", "A.jwk", "A.sig", "DIGEST_MANIFEST"],
      ["manifest.suit", "A.jwk", "A.sig", "DIGEST_MANIFEST"],
    ] as const) {
      const r = await p.run(["attach", envelope, "--key", key, "--signature", signature, "--json"]);
      expect({ ...r.json, signature }).toMatchObject({ ok: false, exit: 1, reason, signature });
    }
    expectFailure(await p.run(["attach", "next.suit", "--key", "A.jwk", "--signature", "A.sig", "--out", "never.suit"]), 1);
    expectFailure(await p.run(["attach", "fw.suit", "--key", "A.jwk", "--signature", "no.sig"]), 3);
    expectFailure(await p.run(["attach", "-", "--key", "A.jwk", "--signature", "-"]), 2);
    expectFailure(await p.run(["attach", "fw.suit", "--key", "A.jwk", "--signature", "A.sig", "--out", "A.sig"]), 2);
    expectFailure(await p.run(["attach", "fw.suit", "--key", "A.jwk", "--signature", "A.sig", "--out", "A.jwk"]), 2);
    expect(p.tree()).toEqual(before);
  });
});

const mlDsa = hasOpenssl && spawnSync("openssl", ["list", "-signature-algorithms"], { encoding: "utf8" }).stdout.includes("ML-DSA-65");

const hasBotan = hasProgram("botan", "version");

describe.concurrent("keys against quantum computers", () => {
  const withoutMlDsa = mlDsa ? "" : " (skipped: no openssl 3.5)";
  it.skipIf(!mlDsa).each([
    ["ML-DSA-44", 2420],
    ["ML-DSA-65", 3309],
    ["ML-DSA-87", 4627],
  ])(`openssl signs with %s${withoutMlDsa}`, async (algorithm, length) => {
    const p = standard();
    openssl(p, ["genpkey", "-algorithm", algorithm, "-out", "pq.key"]);
    p.put("pq.pub", openssl(p, ["pkey", "-in", "pq.key", "-pubout"]));
    await p.ok(["tbs", "fw.bin", ...FACTS, "--seq", "7", "--key", "pq.pub", "--out", "pq.tbs"]);
    p.put("sig", openssl(p, ["pkeyutl", "-sign", "-rawin", "-inkey", "pq.key", "-in", "pq.tbs"]));
    expect(p.get("sig").length).toBe(length);
    p.put("short.sig", p.get("sig").subarray(1));
    p.put("A.sig", await signer(keyA).sign(p.get("pq.tbs")));
    const before = p.get("fw.suit");
    for (const wrong of ["short.sig", "A.sig"])
      expectFailure(await p.run(["attach", "fw.suit", "--key", "pq.pub", "--signature", wrong]), 1);
    expect(p.get("fw.suit").equals(before)).toBe(true);
    p.put("sig", p.get("sig").toString("base64"));
    await p.ok(["attach", "fw.suit", "--key", "pq.pub", "--signature", "sig"]);
    await p.ok(["verify", "fw.suit", "--key", "pq.pub"]);
  });

  it.skipIf(!hasBotan)(`botan signs with HSS/LMS${hasBotan ? "" : " (skipped: no botan)"}`, async () => {
    const p = standard();
    const botan = (...args: string[]) => {
      const r = spawnSync("botan", args, { cwd: p.path });
      expect({ status: r.status, stderr: r.stderr.toString() }).toEqual({ status: 0, stderr: "" });
      return r.stdout;
    };
    p.put("hss.key", botan("keygen", "--algo=HSS-LMS", "--params=SHA-256,HW(5,8)"));
    p.put("hss.pub", botan("pkcs8", "--pub-out", "hss.key"));
    await p.ok(["tbs", "fw.bin", ...FACTS, "--seq", "7", "--key", "hss.pub", "--out", "hss.tbs"]);
    // base64, as botan prints it
    p.put("sig", botan("sign", "--hash=", "hss.key", "hss.tbs"));
    const raw = Buffer.from(p.get("sig").toString(), "base64");
    p.put("short.sig", raw.subarray(0, -1));
    expectFailure(await p.run(["attach", "fw.suit", "--key", "hss.pub", "--signature", "short.sig"]), 1);
    p.put("raw.sig", raw);
    await p.ok(["attach", "fw.suit", "--key", "hss.pub", "--signature", "raw.sig", "--out", "raw.suit"]);
    await p.ok(["attach", "fw.suit", "--key", "hss.pub", "--signature", "sig"]);
    expect(p.get("raw.suit").equals(p.get("fw.suit"))).toBe(true);
    await p.ok(["verify", "fw.suit", "--key", "hss.pub"]);
    const key = (await p.ok(["pubkey", "hss.pub", "--format", "raw"])).bytes;
    expect(device.open(p.get("fw.suit"), { anchors: [device.anchor("hsslms", key)] }).sequence).toEqual([0, 7]);
  });
});
