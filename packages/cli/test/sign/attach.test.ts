// firmseal attach, with openssl as the other machine: it has the private key, and nothing of ours.

import { spawnSync } from "node:child_process";
import { attachSignature, publicOf, signer, splitEnvelope } from "@firmseal/signer";
import { open } from "@firmseal/verifier";
import { toHex } from "@firmseal/verifier/tools";
import { describe, expect, it } from "vitest";
import { rawFromDer } from "../../../keys/src/formats/der/ecdsa.js";
import { parseSignature } from "../../../keys/src/formats/signature-file.js";
import { expectFailure, FACTS, keyA, keyB, type Place, standard } from "../../../test-support/src/command-line/run.js";
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
    await p.ok(["tbs", "fw.bin", ...FACTS, "--seq", "8", "--key", "A.jwk", "--envelope-out", "next.suit", "--out", "next.tbs"]);
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
