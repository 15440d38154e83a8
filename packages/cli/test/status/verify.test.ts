// firmseal status verify: answers that devices give to a server, and what a server must not take.

import { readFileSync } from "node:fs";
import { anchor, type Device, install, type Manifest, macAttester, status } from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import { VERIFIER_VERSION } from "@firmseal/verifier/tools";
import { beforeAll, describe, expect, it } from "vitest";
import { utf8 } from "../../../test-support/src/bytes.js";
import { expectExit, expectFailure, keyA, type Place, signImage, standard, words } from "../../../test-support/src/command-line/run.js";

const secret = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const other = secret.map((b) => b ^ 1);
const NONCE = "00112233445566778899aabbccddeeff";
const nonce = Uint8Array.from(Buffer.from(NONCE, "hex"));
const b64 = (key: Uint8Array) => Buffer.from(key).toString("base64url");
const jwk = (key: Uint8Array, kid?: string) => ({ kty: "oct", k: b64(key), ...(kid !== undefined && { kid }) });
const uuid = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll("-", ""), "hex"));
const identity = { vendor: [uuid("cfbff0d1-9375-5685-968c-48ce8b15ae17")], class: [uuid("7ef25e26-57d5-563d-bec7-161eb72060bb")] };

let p: Place;
let device: Device;
let manifest: Manifest;
const answer = (kid: string, key = secret) => Uint8Array.from(status(nonce, device, manifest, null, macAttester(key, utf8(kid))));

beforeAll(async () => {
  p = standard();
  expectExit(await signImage(p, 5, "five.suit"), 0);
  device = memoryDevice(identity, [[Uint8Array.of(0)]], 65536);
  const progress = install(new Uint8Array(readFileSync(p.at("five.suit"))), { anchors: [anchor("ed25519", keyA.key)] }, device);
  progress.next();
  manifest = progress.manifest;
  p.put("answer.cbor", answer("serial-7"));
  p.put("one.jwk", JSON.stringify(jwk(secret, "serial-7")));
  p.put("all.jwks", JSON.stringify({ keys: [jwk(other, "serial-6"), jwk(secret, "serial-7")] }));
});

const verify = (...args: string[]) => p.run(["status", "verify", ...args]);

describe("firmseal status verify", () => {
  it("warns if the ledger of the product, which knows withdrawn releases, is away", async () => {
    const board = '[boards.b]\nclass = "board-v2"\nimage = "fw.bin"\n';
    p.put("away.toml", `name = "p"\nvendor = "example.com"\n[sequence]\nledger = "postgres://127.0.0.2:1/db"\n${board}`);
    const r = await verify("answer.cbor", "--nonce", NONCE, "--secret", "one.jwk", "--product", "away.toml");
    expectExit(r, 0);
    expect(r.stderr).toMatch(/^warning: postgres:.* cannot be reached: what other machines have withdrawn/m);
  });

  it("shows what the device runs, in words and as JSON", async () => {
    for (const file of ["one.jwk", "all.jwks"]) {
      const r = await verify("answer.cbor", "--nonce", NONCE, "--secret", file, "--json");
      expect(r.json).toMatchObject({
        ok: true,
        kid: Buffer.from("serial-7").toString("hex"),
        device: "serial-7",
        alg: "hmac-256-256",
        verifier: VERIFIER_VERSION,
        state: "confirmed",
        floors: { release: "5" },
        manifest: {
          digest: { algorithm: "sha-256", hex: Buffer.from(manifest.digest.bytes as Uint8Array).toString("hex") },
          sequence: "5",
        },
        trust: null,
      });
    }
    const r = await verify("answer.cbor", "--nonce", NONCE, "--secret", "one.jwk");
    expectExit(r, 0);
    expect([words(r).length, r.stdout.includes("sequence number 5")]).toEqual([1, true]);
  });

  it("refuses an old answer, another device's, and a changed one", async () => {
    const old = await verify("answer.cbor", "--nonce", NONCE.replace("00", "01"), "--secret", "one.jwk");
    expect(expectFailure(old, 1)).toContain("the status answers another nonce");
    p.put("foreign.cbor", answer("serial-7", other));
    expect(expectFailure(await verify("foreign.cbor", "--nonce", NONCE, "--secret", "all.jwks"), 1)).toContain("signature");
    // the secret of serial-6 is in the set, and counts for serial-6 alone
    p.put("stranger.cbor", answer("serial-9", other));
    expect(expectFailure(await verify("stranger.cbor", "--nonce", NONCE, "--secret", "all.jwks"), 1)).toContain("signature");
    p.put("short.cbor", answer("serial-7").subarray(0, 40));
    expectFailure(await verify("short.cbor", "--nonce", NONCE, "--secret", "one.jwk"), 1);
    expectFailure(await verify("five.suit", "--nonce", NONCE, "--secret", "one.jwk"), 1);
  });

  const WRONG: [string, unknown, string][] = [
    ["no JSON", "{", "not JSON"],
    ["null", "null", "not a symmetric key"],
    ["a public key", { kty: "OKP", crv: "Ed25519", x: b64(secret) }, "not a symmetric key"],
    ["31 bytes", { kty: "oct", k: b64(secret.subarray(1)) }, "not 32 bytes"],
    ["bits behind the last byte", { kty: "oct", k: `${b64(secret).slice(0, 42)}B` }, "not 32 bytes"],
    ["a kid that is not text", { ...jwk(secret), kid: 7 }, '"kid"'],
    ["a kid of 65 bytes", jwk(secret, "x".repeat(65)), '"kid"'],
    ["keys that are not an array", { keys: {} }, '"keys"'],
    ["one secret for two devices", { keys: [jwk(secret, "a"), jwk(secret, "b")] }, "two entries have the same secret"],
    ["one kid for two devices", { keys: [jwk(secret, "a"), jwk(other, "a")] }, "two entries have the same kid"],
  ];
  it.each(WRONG)("refuses as a secret: %s", async (_, content, expected) => {
    p.put("wrong.jwk", typeof content === "string" ? content : JSON.stringify(content));
    expect(expectFailure(await verify("answer.cbor", "--nonce", NONCE, "--secret", "wrong.jwk"), 2)).toContain(expected);
  });

  it("refuses a secret that others can read", async () => {
    p.put("open.jwk", JSON.stringify(jwk(secret)), 0o644);
    expect(expectFailure(await verify("answer.cbor", "--nonce", NONCE, "--secret", "open.jwk"), 3)).toContain("others can read");
  });

  it("refuses wrong options", async () => {
    expectFailure(await verify("answer.cbor", "--nonce", NONCE), 2);
    expectFailure(await verify("answer.cbor", "--nonce", NONCE, "--secret", "one.jwk", "--key", "A.jwk"), 2);
    for (const bad of ["", "00", "0".repeat(15), "zz".repeat(8), "00".repeat(65)])
      expectFailure(await verify("answer.cbor", "--nonce", bad, "--secret", "one.jwk"), 2);
    expectFailure(await verify("answer.cbor", "--secret", "one.jwk"), 2);
  });
});
