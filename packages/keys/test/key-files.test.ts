// Private keys in files, variables and descriptors: where they may lie, and every form that is read and written, against the programs whose
// forms they are.

import { execFileSync, spawnSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { isPrivate, type PublicKey, privateKey, publicOf } from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../test-support/src/bytes.js";
import { keyA, keyB, standard } from "../../test-support/src/command-line/run.js";
import { LONG, OF_SOME } from "../../test-support/src/environment/effort.js";
import { drawnPair } from "../../test-support/src/keys/drawn-keys.js";
import { minisignPublic, minisignSecret } from "../../test-support/src/keys/minisign.js";
import { KeyFileError } from "../src/errors/key-file.js";
import { octetString, SEQUENCE, tlv } from "../src/formats/der/strict.js";
import { canEncrypt, formatPrivate, formatPublic, privateFormats } from "../src/formats/format.js";
import { openSshPrivate, openSshPublic } from "../src/formats/openssh.js";
import { secondsOf } from "../src/formats/pbes2.js";
import { plainPem } from "../src/formats/pkcs8.js";
import { algs, ask, expectSame, forms, PASS, read, refusal } from "./key-files-common.js";
import { never } from "./keys-common.js";

describe("forms", () => {
  it.each(algs)("$alg: each is read, also with other line endings and after a byte-order mark", async (key) => {
    const ours = await formatPrivate(key, "pkcs8", utf8(PASS));
    for (const [name, content] of Object.entries({ ...(await forms(key)), "our encrypted pkcs8": ours })) {
      expectSame(await read(content, ask), key);
      if (name === "cose") continue;
      const text = Buffer.from(content).toString();
      const others = [text.replaceAll("\n", "\r\n"), `\ufeff${text}`, `${text}\n\n`];
      // what we encrypt takes a tenth of a second each time
      for (const other of LONG || content !== ours ? others : others.slice(1, 2)) expectSame(await read(other, ask), key);
      expect((await refusal(Buffer.from(`\ufeff${text}`, "utf16le"))).message, name).toContain("UTF-16");
    }
    for (const format of ["pem", "openssh", "jwk", "cose", "raw"] as const)
      expect(await read(formatPublic(key, format))).toEqual(publicOf(key));
  });

  it("public keys of minisign, in their file and alone", async () => {
    const text = minisignPublic(keyA);
    expect(await read(text)).toEqual(publicOf(keyA));
    expect(await read(text.split("\n")[1] as string)).toEqual(publicOf(keyA));
  });

  it.each(algs)(`$alg: cut at every byte, a form is refused, or already holds the whole key${OF_SOME}`, async (key) => {
    for (const [name, content] of Object.entries(await forms(key)))
      for (let n = 0; n < content.length; n += LONG ? 1 : 4) {
        const back = await read(content.subarray(0, n), ask).catch((e: unknown) => e);
        if (!(back instanceof KeyFileError)) expectSame(back as PublicKey, key);
        else expect([2, 3], `${name} at ${n}`).toContain(back.exit);
      }
    for (const format of ["pem", "openssh", "jwk", "cose"] as const) {
      const content = formatPublic(key, format);
      for (let n = 0; n < content.length; n += LONG ? 1 : 4) {
        const back = await read(content.subarray(0, n)).catch((e: unknown) => e);
        if (!(back instanceof KeyFileError)) expect(back).toEqual(publicOf(key));
      }
    }
  });

  it.each(algs)("$alg: with any byte changed, nothing becomes another key", async (key) => {
    for (const [name, content] of Object.entries(await forms(key))) {
      // PKCS#8 of Ed25519 holds nothing but the seed, and its encryption no checksum
      if (name.endsWith("pkcs8") && key.alg === "ed25519") continue;
      // of those whose derivation takes long a few
      const step = /^encrypted (openssh|minisign)$/.test(name) ? (LONG ? 29 : 131) : LONG ? 1 : 5;
      for (let n = 0; n < content.length; n += step) {
        const changed = Uint8Array.from(content);
        changed[n] = (changed[n] as number) ^ 0x01;
        const back = await read(changed, ask).catch((e: unknown) => e);
        if (!(back instanceof KeyFileError) && isPrivate(back as PublicKey))
          expect({ name, n, key: publicOf(back as PublicKey).key }).toEqual({ name, n, key: key.key });
        else if (!(back instanceof KeyFileError)) expect(back, `${name} at ${n}`).not.toBeInstanceOf(Error);
      }
    }
  });

  it("text after a key, and two keys in one file, in the same form or in two", async () => {
    const f = await forms(keyA);
    const g = await forms(keyB);
    const text = (of: typeof f, name: string) => Buffer.from(of[name] as Uint8Array).toString();
    const textual = ["pkcs8", "openssh", "jwk", "minisign", "cose in base64", "encrypted pkcs8", "encrypted openssh"];
    for (const name of textual) {
      for (const other of textual) if (g[other]) expect((await refusal(`${text(f, name)}\n${text(g, other)}`, ask)).exit).toBe(2);
      // RFC 7468 lets text stand around PEM
      if (!/pkcs8|openssh/.test(name)) expect((await refusal(`${text(f, name)}\nand more`)).exit).toBe(2);
    }
    expect((await refusal(Buffer.concat([f["cose"] as Uint8Array, Buffer.from("x")]))).exit).toBe(2);
    expect((await refusal(openSshPublic(keyA) + openSshPublic(keyB))).message).toContain("2 lines");
    expect((await refusal(minisignPublic(keyA) + minisignPublic(keyA))).message).toContain("more than one minisign key");
    expect((await refusal(`${minisignPublic(keyA)}trusted comment: x\nAAAA\n`)).message).toContain("minisign signature");
  });

  it("wrong passphrases", async () => {
    for (const [name, content] of Object.entries(await forms(keyA)))
      if (name.startsWith("encrypted")) {
        const e = await refusal(content, async () => utf8("wrong"));
        expect(e, name).toMatchObject({ exit: 3, message: "KEY: wrong passphrase" });
      }
  });

  it("a public key that does not belong to the private one", async () => {
    const other = privateKey("ed25519", utf8("another key for this test alone.".slice(0, 32)));
    const swap = (content: Uint8Array, to: Uint8Array, which: (b: Buffer) => number) => {
      const b = Buffer.from(content);
      b.set(to, which(b));
      return b;
    };
    const pem = await openSshPrivate(keyA);
    const body = fromPem(pem);
    const wrap = (b: Buffer) => `-----BEGIN OPENSSH PRIVATE KEY-----\n${b.toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`;
    for (const which of [
      (b: Buffer) => b.indexOf(keyA.key),
      (b: Buffer) => b.lastIndexOf(keyA.key),
      (b: Buffer) => b.indexOf(keyA.key, b.indexOf(keyA.key) + 1),
    ])
      expect((await refusal(wrap(swap(body, other.key, which)))).message).toContain("does not match");
    const mini = Buffer.from(minisignSecret(keyA).split("\n")[1] as string, "base64");
    const mixed = swap(mini, other.key, (b) => b.indexOf(keyA.key)).fill(0, 126);
    expect((await refusal(`untrusted comment: x\n${mixed.toString("base64")}\n`)).message).toContain("does not match");
  });

  it("work that a file asks for has a limit", async () => {
    const raised = Buffer.from(minisignSecret(keyA, PASS).split("\n")[1] as string, "base64");
    raised.writeBigUInt64LE(2n ** 32n, 38);
    raised.writeBigUInt64LE(2n ** 32n, 46);
    expect((await refusal(`untrusted comment: x\n${raised.toString("base64")}\n`)).message).toContain("more than 1024 MiB");
    raised.writeBigUInt64LE(2n ** 40n, 38);
    raised.writeBigUInt64LE(2n ** 24n, 46);
    expect((await refusal(`untrusted comment: x\n${raised.toString("base64")}\n`)).message).toContain("the limit is 2");
    // N = 2^14, p = 64
    raised.writeBigUInt64LE(2n ** 25n, 38);
    expect((await refusal(`untrusted comment: x\n${raised.toString("base64")}\n`)).message).toContain("takes about 4 seconds");
    const pem = fromPem(await openSshPrivate(keyA, utf8(PASS), 1));
    const at = pem.indexOf(Buffer.from([0, 0, 0, 1]), pem.indexOf("bcrypt") + 10);
    for (const [rounds, seconds] of [
      [106, 3],
      [512, 10],
      [100_000, 1900],
    ] as const) {
      pem.writeUInt32BE(rounds, at);
      const e = await refusal(`-----BEGIN OPENSSH PRIVATE KEY-----\n${pem.toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`);
      expect(e.message).toBe(`KEY: checking its passphrase takes about ${seconds} seconds, and the limit is 2`);
    }
  });

  it("rounds of PBKDF2 and work of scrypt in PKCS#8 have a limit too", async () => {
    const node = createPrivateKey(plainPem(keyA));
    const pem = node.export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: PASS }) as string;
    const der = fromPem(pem);
    const wrap = (b: Buffer) => `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${b.toString("base64")}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
    // 2,048 rounds in two bytes; the salt, of 8 bytes or of 16 from newer versions of OpenSSL, gives two of its own to the number
    const at = der.indexOf(Buffer.from("02020800", "hex"));
    const salt = [8, 16].find((n) => der[at - n - 2] === 4 && der[at - n - 1] === n) ?? 0;
    expect(salt).toBeGreaterThan(0);
    const many = Buffer.concat([
      der.subarray(0, at - salt - 2),
      Buffer.from([4, salt - 2]),
      der.subarray(at - salt, at - 2),
      Buffer.from("02047fffffff", "hex"),
      der.subarray(at + 4),
    ]);
    expect(many).toHaveLength(der.length);
    // nobody is asked for a passphrase in vain
    expect((await refusal(wrap(many), never)).message).toMatch(/^KEY: checking its passphrase takes about [0-9]{4} seconds, /);
    const ours = await formatPrivate(keyA, "pkcs8", utf8(PASS));
    const scrypt = fromPem(ours);
    scrypt[scrypt.indexOf(Buffer.from("020108020105", "hex")) + 5] = 0x7f;
    // N = 2^14, p = 127, and that of OpenSSL and ssh-keygen with rounds as people choose them
    expect((await refusal(wrap(scrypt), never)).message).toContain("takes about 7 seconds");
    for (const quick of [der, fromPem(ours)]) expect(secondsOf(quick)).toBeLessThan(0.5);
    for (const whole of [der, scrypt]) for (let n = 0; n < whole.length; n++) secondsOf(whole.subarray(0, n));
    const long = Buffer.concat([
      Buffer.from("06092b06010401da47040b", "hex"),
      Buffer.from("30140402aaaa02030080000201080203010000", "hex"),
    ]);
    expect(secondsOf(long)).toBeNaN();
    const hex = (text: string) => Buffer.from(text, "hex");
    const limits = (rounds: string) => tlv(SEQUENCE, octetString(Buffer.alloc(8)), hex(rounds));
    // the scheme of PKCS#12, which OpenSSL reads, has rounds as well: 1.2.840.113549.1.12.1.3
    const pkcs12 = (rounds: string) =>
      tlv(SEQUENCE, tlv(SEQUENCE, hex("060a2a864886f70d010c0103"), limits(rounds)), octetString(Buffer.alloc(16)));
    expect(secondsOf(pkcs12("02020800"))).toBeLessThan(0.1);
    expect(secondsOf(pkcs12("02047fffffff"))).toBeGreaterThan(2000);
    // so it does the length of an identifier in two bytes where one is enough
    const pbes2 = (kdf: string, rounds = "02047fffffff") =>
      tlv(
        SEQUENCE,
        tlv(SEQUENCE, hex("06092a864886f70d01050d"), tlv(SEQUENCE, tlv(SEQUENCE, hex(kdf), limits(rounds)))),
        octetString(Buffer.alloc(16)),
      );
    const PBKDF2 = "06092a864886f70d01050c";
    expect(secondsOf(pbes2(PBKDF2))).toBeGreaterThan(2000);
    expect(secondsOf(pbes2("0681092a864886f70d01050c"))).toBeNaN();
    // 10^7 rounds, with each hash that is known, and with one that is not (SHA3-256, which OpenSSL knows)
    for (const hash of ["07", "08", "09", "0a", "0b"]) {
      const prf = `300c06082a864886f70d02${hash}0500`;
      expect((await refusal(wrap(pbes2(PBKDF2, `020400989680${prf}`)), never)).message).toMatch(/takes about (6|11) seconds/);
      expect((await refusal(wrap(pbes2(PBKDF2, `020400989680020120${prf}`)), never)).message).toMatch(/takes about (6|11) seconds/);
      // what today's advice asks for is read
      expect(secondsOf(pbes2(PBKDF2, `02030f4240${prf}`))).toBeLessThan(2);
    }
    expect((await refusal(wrap(pbes2(PBKDF2, "02030f4240300d0609608648016503040" + "20e0500")), never)).message).toContain(
      "unsupported encryption",
    );
    // an indefinite length, which OpenSSL reads
    const indefinite = Buffer.concat([
      Buffer.from("06092a864886f70d01050c", "hex"),
      Buffer.from("308024800402aaaa000002040000ffff0000", "hex"),
    ]);
    expect(secondsOf(indefinite)).toBeNaN();
  });

  it("what a form cannot hold is not written", async () => {
    for (const format of privateFormats)
      if (!canEncrypt(format)) await expect(formatPrivate(keyA, format, utf8(PASS))).rejects.toThrow(RangeError);
    const foreign = { ...publicOf(keyA), alg: "none" as "ed25519" };
    expect(() => openSshPublic(foreign)).toThrow("OpenSSH has no format for none keys");
  });
});
describe("keys of kinds that sign nothing here: one line, one hint, in every form", () => {
  const pairs = (["p384", "secp256k1", "ed448", "x25519", "rsa"] as const).map(drawnPair);

  it("PKCS#8, SPKI, JWK", async () => {
    for (const { privateKey: secret, publicKey: pub } of pairs) {
      const contents = [
        secret.export({ format: "pem", type: "pkcs8" }) as string,
        pub.export({ format: "pem", type: "spki" }) as string,
        JSON.stringify(secret.export({ format: "jwk" })),
        JSON.stringify(pub.export({ format: "jwk" })),
      ];
      const cipher = { format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: PASS } as const;
      expect((await refusal(secret.export(cipher) as string, ask)).exit).toBe(2);
      for (const content of contents) expect(await refusal(content)).toMatchObject({ exit: 2, hint: expect.stringContaining("P-256") });
    }
  });

  it("COSE_Key", async () => {
    // kty, crv: Ed448, X25519, P-384, secp256k1, and RSA (RFC 9053 §7.1, RFC 8230 §4)
    for (const head of ["a3010120072158", "a3010120042158", "a4010220022158", "a4010220082158", "a301032042"]) {
      const key = Buffer.from(`${head}2000000000000000000000000000000000000000000000000000000000000000002258200000`, "hex");
      expect((await refusal(key)).exit).toBe(2);
    }
    const okp = Buffer.concat([Buffer.from("a30101200721583 9".replace(" ", ""), "hex"), Buffer.alloc(57)]);
    expect(await refusal(okp)).toMatchObject({ exit: 2, hint: expect.stringContaining("P-256") });
    expect(await refusal(okp.toString("base64"))).toMatchObject({ exit: 2, hint: expect.stringContaining("P-256") });
  });

  const hasKeygen = spawnSync("ssh-keygen", ["-?"]).error === undefined;
  it.skipIf(!hasKeygen)(`OpenSSH${hasKeygen ? "" : " (skipped: no ssh-keygen)"}`, async () => {
    const p = standard();
    for (const args of [
      ["-t", "rsa", "-b", "2048"],
      ["-t", "ecdsa", "-b", "384"],
      ["-t", "ecdsa", "-b", "521"],
    ]) {
      const name = args.join("");
      execFileSync("ssh-keygen", ["-q", ...args, "-N", "", "-f", p.at(name)]);
      for (const file of [name, `${name}.pub`]) expect((await refusal(p.get(file))).message).toContain("an OpenSSH key of the type");
    }
    const sk = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAA";
    expect((await refusal(sk)).message).toContain("sk-ssh-ed25519@openssh.com");
  });
});
function fromPem(text: string | Uint8Array): Buffer {
  return Buffer.from(
    Buffer.from(text)
      .toString()
      .replace(/-----.*-----/g, ""),
    "base64",
  );
}
