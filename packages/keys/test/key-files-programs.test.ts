// Key files of other programs, and what the functions of the signer give.

import { execFileSync, spawnSync } from "node:child_process";
import { fromCose, fromJwk, isPrivate, type PrivateKey, publicOf, signer, toCose, toJwk } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../test-support/src/bytes.js";
import { type Place, standard } from "../../test-support/src/command-line/run.js";
import { LONG } from "../../test-support/src/environment/effort.js";
import { hasProgram } from "../../test-support/src/environment/programs.js";
import { formatPrivate, formatPublic } from "../src/formats/format.js";
import { openSshPrivate, openSshPublic } from "../src/formats/openssh.js";
import { encryptedPem } from "../src/formats/pkcs8.js";
import { algs, ask, expectSame, PASS, read, refusal } from "./key-files-common.js";
import { never } from "./keys-common.js";

describe("other programs", () => {
  const skip = (there: boolean, tool: string) => (there ? "" : ` (skipped: no ${tool})`);

  const openssl = hasProgram("openssl", "version");
  it.skipIf(!openssl)(`openssl reads our encrypted PKCS#8 and verifies our signatures${skip(openssl, "openssl")}`, async () => {
    const p = standard();
    p.put("message", "firmware");
    for (const key of algs) {
      // with all of our work for one of them
      p.put("k.pem", await (key === algs[0] ? formatPrivate(key, "pkcs8", utf8(PASS)) : encryptedPem(key, utf8(PASS), 1)));
      const pub = execFileSync("openssl", ["pkey", "-in", "k.pem", "-passin", `pass:${PASS}`, "-pubout"], { cwd: p.path });
      expect(pub).toEqual(Buffer.from(formatPublic(key, "pem")));
      p.put("pub.pem", pub);
      const raw = await signer(key).sign(utf8("firmware"));
      p.put("signature", key.alg === "ed25519" ? raw : derSignature(raw));
      const digest = key.alg === "ed25519" ? [] : ["-digest", "sha256"];
      const args = ["pkeyutl", "-verify", "-pubin", "-inkey", "pub.pem", "-rawin", ...digest, "-in", "message", "-sigfile", "signature"];
      expect(execFileSync("openssl", args, { cwd: p.path }).toString()).toContain("Verified Successfully");
    }
  });

  const keygen = hasProgram("ssh-keygen", "-?");
  const ssh = (p: Place, ...args: string[]) => execFileSync("ssh-keygen", args, { cwd: p.path }).toString();
  it.skipIf(!keygen)(`ssh-keygen reads our private and public keys${skip(keygen, "ssh-keygen")}`, async () => {
    const p = standard();
    for (const key of algs) {
      p.put("plain", await openSshPrivate(key));
      expect(ssh(p, "-y", "-P", "", "-f", "plain")).toBe(openSshPublic(key));
      p.put("enc", await openSshPrivate(key, utf8(PASS), key === algs[0] ? undefined : 2));
      expect(ssh(p, "-y", "-P", PASS, "-f", "enc")).toBe(openSshPublic(key));
      expect(spawnSync("ssh-keygen", ["-y", "-P", "wrong", "-f", p.at("enc")]).status).not.toBe(0);
      p.put("pub", openSshPublic(key));
      expect(ssh(p, "-l", "-f", "pub")).toContain("SHA256:");
    }
  });

  it.skipIf(!keygen)(`what ssh-keygen makes is read${skip(keygen, "ssh-keygen")}`, async () => {
    const p = standard();
    for (const [type, alg] of [
      ["ed25519", "ed25519"],
      ["ecdsa", "es256"],
    ] as const) {
      ssh(p, "-q", "-t", type, "-N", "", "-C", "a comment", "-f", type);
      const key = await read(p.get(type));
      expect(isPrivate(key) && key.alg).toBe(alg);
      expect(await read(p.get(`${type}.pub`))).toEqual(publicOf(key));
      for (const cipher of ["aes256-ctr", "aes128-cbc"]) {
        ssh(p, "-q", "-p", "-P", cipher === "aes256-ctr" ? "" : PASS, "-N", PASS, "-Z", cipher, "-a", "2", "-f", type);
        expectSame(await read(p.get(type), ask), key as PrivateKey);
      }
      ssh(p, "-q", "-p", "-P", PASS, "-N", PASS, "-Z", "chacha20-poly1305@openssh.com", "-a", "1", "-f", type);
      expect(await refusal(p.get(type), never)).toMatchObject({ exit: 2, hint: expect.stringContaining("ssh-keygen -p") });
    }
  });

  const minisign = hasProgram("minisign", "-v");
  it.skipIf(!minisign)(`what minisign makes is read${skip(minisign, "minisign")}`, async () => {
    const p = standard();
    execFileSync("minisign", ["-G", "-W", "-p", "w.pub", "-s", "w.key"], { cwd: p.path });
    const plain = await read(p.get("w.key"));
    expect(await read(p.get("w.pub"))).toEqual(publicOf(plain));
    expect(isPrivate(plain)).toBe(true);
    // with little memory it takes less than the 1 GiB that it asks for
    const little = ["-c", "ulimit -v 120000; exec minisign -G -p e.pub -s e.key"];
    execFileSync("sh", little, { cwd: p.path, input: `${PASS}\n${PASS}\n`, stdio: ["pipe", "ignore", "ignore"] });
    const key = await read(p.get("e.key"), ask);
    expect(await read(p.get("e.pub"))).toEqual(publicOf(key));
    expect(await refusal(p.get("e.key"), async () => utf8("wrong"))).toMatchObject({ exit: 3, message: "KEY: wrong passphrase" });
  });

  const long = LONG && minisign;
  it.skipIf(!long)(`a key of minisign under 1 GiB of scrypt${long ? "" : " (skipped: takes 1 GiB, FIRMSEAL_LONG=1 runs it)"}`, async () => {
    const p = standard();
    execFileSync("minisign", ["-G", "-p", "e.pub", "-s", "e.key"], { cwd: p.path, input: `${PASS}\n${PASS}\n`, stdio: "pipe" });
    expect(await read(p.get("e.pub"))).toEqual(publicOf(await read(p.get("e.key"), ask)));
  });
});
describe("what is written is what the signer's functions give", () => {
  it.each(algs)("$alg", async (key) => {
    expect(fromJwk(JSON.parse((await formatPrivate(key, "jwk")).toString()))).toEqual(key);
    expect(fromCose(await formatPrivate(key, "cose"))).toEqual(key);
    expect(await read(Buffer.from(toCose(key)).toString("base64"))).toEqual(publicOf(key));
    expect(await read(JSON.stringify(toJwk(key)))).toEqual(publicOf(key));
  });
});
// SEQUENCE of two INTEGERs, as OpenSSL wants ECDSA signatures
function derSignature(raw: Uint8Array): Buffer {
  const integer = (b: Uint8Array) => {
    const at = b.findIndex((byte) => byte !== 0);
    const n = Buffer.concat([(b[at] as number) >= 0x80 ? Buffer.alloc(1) : Buffer.alloc(0), b.subarray(at)]);
    return Buffer.concat([Buffer.from([2, n.length]), n]);
  };
  const body = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}
