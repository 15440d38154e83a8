// Private keys in files, variables and descriptors: where they may lie, and every form that is read and written, against the programs whose
// forms they are.

import { execFileSync, spawnSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { chmodSync, chownSync, statSync, symlinkSync } from "node:fs";
import {
  fromCose,
  fromJwk,
  isPrivate,
  type PrivateKey,
  type PublicKey,
  privateKey,
  publicOf,
  signer,
  toCose,
  toJwk,
  toPrivateCose,
  toPrivateJwk,
} from "@firmseal/signer";
import { describe, expect, it } from "vitest";
import { drawnPair } from "../../test-support/src/drawn-keys.js";
import { LONG } from "../../test-support/src/effort.js";
import { minisignPublic, minisignSecret } from "../../test-support/src/minisign.js";
import { bin, expectFailure, FACTS, keyA, keyB, type Place, privateJwk, quicklyEncrypted, standard } from "../../test-support/src/run.js";
import { KeyFileError } from "../src/errors/key-file.js";
import { octetString, SEQUENCE, tlv } from "../src/formats/der-strict.js";
import { canEncrypt, formatPrivate, formatPublic, privateFormats } from "../src/formats/format.js";
import { openSshPrivate, openSshPublic } from "../src/formats/openssh.js";
import { secondsOf } from "../src/formats/pbes2.js";
import { plainPem } from "../src/formats/pkcs8.js";
import { checkPrivate } from "../src/secrets/private-file.js";
import { openVariable as openEnv } from "../src/sources/env.js";
import { openDescriptor as openFd } from "../src/sources/fd.js";
import { readKey } from "../src/sources/file.js";

const PASS = "correct horse battery";
const utf8 = (text: string) => new TextEncoder().encode(text);
const ask = async () => utf8(PASS);
const never = () => Promise.reject(new Error("asked for a passphrase"));
const read = (content: string | Uint8Array, passphrase: () => Promise<Uint8Array> = never) =>
  readKey(typeof content === "string" ? Buffer.from(content) : Buffer.from(content), "KEY", passphrase);
const algs: readonly PrivateKey[] = [keyA, keyB];

function expectSame(back: PublicKey, key: PrivateKey): void {
  expect(publicOf(back)).toEqual(publicOf(key));
  expect(isPrivate(back) && Buffer.from(back.secret).equals(Buffer.from(key.secret))).toBe(true);
}

async function refusal(content: string | Uint8Array, passphrase: () => Promise<Uint8Array> = never): Promise<KeyFileError> {
  const e = await read(content, passphrase).then(
    () => new Error("accepted"),
    (e: unknown) => e,
  );
  if (!(e instanceof KeyFileError)) throw e;
  expect([2, 3]).toContain(e.exit);
  for (const line of [e.message, e.hint]) expect(line).toMatch(/^\S.*\S$/);
  return e;
}

/** Every form of a key, under PASS where a form is encrypted: with little work, for what is tried hundreds of times. */
async function forms(key: PrivateKey): Promise<{ [name: string]: Uint8Array }> {
  const plain = Object.fromEntries(await Promise.all(privateFormats.map(async (f) => [f, await formatPrivate(key, f)] as const)));
  return {
    ...plain,
    "encrypted pkcs8": Buffer.from(quicklyEncrypted(key, PASS)),
    "encrypted openssh": Buffer.from(await openSshPrivate(key, utf8(PASS), 1)),
    "cose in base64": Buffer.from(Buffer.from(toPrivateCose(key)).toString("base64")),
    "cose in base64url": Buffer.from(Buffer.from(toPrivateCose(key)).toString("base64url")),
    ...(key.alg === "ed25519" && {
      minisign: Buffer.from(minisignSecret(key)),
      "encrypted minisign": Buffer.from(minisignSecret(key, PASS)),
    }),
  };
}

describe("forms", () => {
  it.each(algs)("$alg: each is read, and under other line ends and behind a byte-order mark too", async (key) => {
    const ours = await formatPrivate(key, "pkcs8", utf8(PASS));
    for (const [name, content] of Object.entries({ ...(await forms(key)), "our encrypted pkcs8": ours })) {
      expectSame(await read(content, ask), key);
      if (name === "cose") continue;
      const text = Buffer.from(content).toString();
      for (const other of [text.replaceAll("\n", "\r\n"), `\ufeff${text}`, `${text}\n\n`]) expectSame(await read(other, ask), key);
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

  it.each(algs)("$alg: cut at every byte, a form is refused, or holds the whole key already", async (key) => {
    for (const [name, content] of Object.entries(await forms(key)))
      for (let n = 0; n < content.length; n++) {
        const back = await read(content.subarray(0, n), ask).catch((e: unknown) => e);
        if (!(back instanceof KeyFileError)) expectSame(back as PublicKey, key);
        else expect([2, 3], `${name} at ${n}`).toContain(back.exit);
      }
    for (const format of ["pem", "openssh", "jwk", "cose"] as const) {
      const content = formatPublic(key, format);
      for (let n = 0; n < content.length; n++) {
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
      const step = /^encrypted (openssh|minisign)$/.test(name) ? (LONG ? 29 : 67) : LONG ? 1 : 3;
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

  it("text behind a key, and two keys in one file, in the same form or in two", async () => {
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

  it("a public key that is not the private one's", async () => {
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
    const never = async () => Promise.reject(new Error("asked for a passphrase"));
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
      expect((await refusal(wrap(pbes2(PBKDF2, `0203989680${prf}`)), never)).message).toMatch(/takes about (6|11) seconds/);
      expect((await refusal(wrap(pbes2(PBKDF2, `0203989680020120${prf}`)), never)).message).toMatch(/takes about (6|11) seconds/);
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

describe.concurrent("where a private key may lie", () => {
  const sign = (p: Place, ref: string, o: object = {}) => p.run(["sign", "fw.bin", "--key", ref, ...FACTS, "--seq", "1"], o);

  it("not where others can read or change it", async () => {
    const p = standard();
    p.put("e.pem", await formatPrivate(keyA, "pkcs8", utf8(PASS)));
    for (const [name, mode] of [
      ["A.pem", 0o640],
      ["A.pem", 0o602],
      ["e.pem", 0o644],
    ] as const) {
      chmodSync(p.at(name), mode);
      const r = await sign(p, name);
      expect(expectFailure(r, 3)).toContain(`${name}: a private key that others can read or change (mode 0${mode.toString(8)})`);
      expect(r.stderr).toContain(`hint: chmod 600 ${name}\n`);
      expect(p.has("fw.suit")).toBe(false);
    }
    chmodSync(p.at("A.pem"), 0o400);
    expect((await sign(p, "A.pem")).exit).toBe(0);
    chmodSync(p.at("A.pem"), 0o444);
    expectFailure(await p.run(["verify", "fw.suit", "--key", "A.pem"]), 3);
    expectFailure(await p.run(["pubkey", "A.pem"]), 3);
    chmodSync(p.at("A.jwk"), 0o666);
    await p.ok(["verify", "fw.suit", "--key", "A.jwk"]);
  });

  it("not behind a symbolic link; a public key may", async () => {
    const p = standard();
    symlinkSync("A.pem", p.at("link.pem"));
    symlinkSync("A.jwk", p.at("link.jwk"));
    symlinkSync("loop", p.at("loop"));
    p.folder("real");
    p.put("real/k.pem", p.get("A.pem"));
    symlinkSync("real", p.at("folder"));
    const r = await sign(p, "link.pem");
    expect(expectFailure(r, 3)).toContain("link.pem: a private key behind a symbolic link");
    expectFailure(await sign(p, "loop"), 3);
    expect((await sign(p, "folder/k.pem")).exit).toBe(0);
    await p.ok(["verify", "fw.suit", "--key", "link.jwk"]);
  });

  const isRoot = process.getuid?.() === 0;
  const canDrop = isRoot && spawnSync(process.execPath, [bin, "--version"], { uid: 65534, gid: 65534 }).status === 0;
  it.skipIf(!canDrop)(`not in a file of another user${canDrop ? "" : " (skipped: needs root)"}`, async () => {
    const p = standard();
    chownSync(p.at("A.pem"), 65534, 65534);
    expect(expectFailure(await sign(p, "A.pem"), 3)).toContain("another user");
    chownSync(p.at("A.jwk"), 65534, 65534);
    await p.ok(["pubkey", "A.jwk"]);
  });

  it("the check alone", () => {
    const stat = (mode: number, uid: number) => ({ mode: 0o100000 | mode, uid });
    for (const [mode, uid] of [
      [0o600, 7],
      [0o400, 7],
      [0o700, 7],
      [0o600, 0],
    ] as const)
      checkPrivate("k", stat(mode, uid), false, 7);
    for (const [mode, uid] of [
      [0o600, 8],
      [0o640, 7],
      [0o601, 0],
    ] as const)
      expect(() => checkPrivate("k", stat(mode, uid), false, 7)).toThrow(KeyFileError);
    expect(() => checkPrivate("k", stat(0o600, 7), true, 7)).toThrow(KeyFileError);
  });

  it("env: a key in each form that is text, which is gone from the environment afterwards", async () => {
    for (const [name, content] of Object.entries(await forms(keyA))) {
      if (name === "cose") continue;
      const text = Buffer.from(content).toString();
      for (const value of name === "jwk" ? [text] : [text, text.replaceAll("\n", "\\n"), text.replaceAll("\n", "\\r\\n")]) {
        process.env["FIRMSEAL_TEST_KEY"] = value;
        const key = await openEnv("env:FIRMSEAL_TEST_KEY", { publicOnly: false, secret: ask });
        expectSame(key.private as PrivateKey, keyA);
        expect(key.name).toBe("env:FIRMSEAL_TEST_KEY");
        expect(process.env["FIRMSEAL_TEST_KEY"]).toBeUndefined();
      }
    }
  });

  it("env: on the command line", async () => {
    const p = standard();
    const f = await forms(keyA);
    const args = ["sign", "fw.bin", "--key", "env:KEY", ...FACTS, "--seq", "1", "--passphrase-env", "P", "--json"];
    const r = await p.ok(args, { env: { KEY: Buffer.from(f["encrypted pkcs8"] as Uint8Array).toString(), P: PASS } });
    expect(r.json).toMatchObject({ signers: [{ alg: "ed25519" }] });
    expect(expectFailure(await sign(p, "env:NOT_THERE"), 3)).toContain("NOT_THERE");
    for (const name of ["__proto__", "constructor"]) expect(expectFailure(await sign(p, `env:${name}`), 3)).toContain(name);
    expectFailure(await sign(p, "env:KEY", { env: { KEY: "" } }), 2);
    expectFailure(await sign(p, "env:KEY", { env: { KEY: "x".repeat(100_000) } }), 2);
    for (const ref of [`env:${privateJwk(keyA)}`, "env:", "env:A B", privateJwk(keyA), plainPem(keyA)]) {
      const bad = await sign(p, ref);
      expectFailure(bad, 2);
      expect(bad.stderr).not.toContain(Buffer.from(keyA.secret).toString("base64url").slice(0, 20));
      expect(bad.stderr).not.toContain(Buffer.from(keyA.secret).toString("base64").slice(8, 30));
    }
  });

  it("fd: a key through a descriptor, of any mode", async () => {
    const p = standard();
    expect((await sign(p, "fd:3", { fds: [toPrivateCose(keyA)] })).exit).toBe(0);
    expect((await sign(p, "fd:0", { input: plainPem(keyA) })).exit).toBe(0);
    const piped = ["sh", "-c", 'cat A.pem | "$@" 3<&0', "sh"];
    expect((await sign(p, "fd:3", { through: piped })).exit).toBe(0);
    const two = await p.run(["sign", "fw.bin", "--key", "fd:3", "--key", "fd:4", ...FACTS, "--seq", "1", "--json"], {
      fds: [plainPem(keyA), plainPem(keyB)],
    });
    expect((two.json as { signers: unknown[] }).signers).toHaveLength(2);
    for (const ref of ["fd:x", "fd:1"]) expectFailure(await sign(p, ref), 2);
    for (const ref of ["fd:", "fd:2", "fd:-3", "fd:99999"])
      await expect(openFd(ref, { publicOnly: false, secret: ask })).rejects.toMatchObject({ name: "KeyFileError", exit: 2 });
    await expect(openFd("fd:987", { publicOnly: false, secret: ask })).rejects.toMatchObject({ exit: 3 });
    // Node has these open for itself: a poll, and both ends of a pipe
    for (const fd of [3, 4, 5]) expect(expectFailure(await sign(p, `fd:${fd}`, { program: true }), 3)).toContain("EBADF");
    p.put("e.pem", await formatPrivate(keyA, "pkcs8", utf8(PASS)));
    const hangs = ["sign", "fw.bin", "--key", "e.pem", ...FACTS, "--seq", "1", "--passphrase-fd"];
    expect(expectFailure(await p.run([...hangs, "4"], { program: true }), 3)).toContain("EBADF");
    expectFailure(await sign(p, "fd:3", { fds: [""] }), 2);
    expect(expectFailure(await sign(p, "fd:3", { fds: [new Uint8Array(200_000)] }), 2)).toContain("too long");
    expectFailure(await sign(p, "fd:3", { through: ["sh", "-c", '"$@" 3</', "sh"] }), 3);
  });
});

describe.concurrent("keygen and convert", () => {
  it("keygen --format", async () => {
    const p = standard();
    for (const alg of ["ed25519", "es256"]) {
      for (const format of alg === "es256" ? ["openssh"] : ["pkcs8"]) {
        const name = `${alg}.${format}`;
        const args = ["keygen", "--alg", alg, "--format", format, "--out", name, "--passphrase-env", "P", "--json"];
        const r = await p.ok(args, { env: { P: PASS } });
        expect(r.json).toMatchObject({ format, encrypted: true, alg });
        const key = await read(p.get(name), ask);
        expect(isPrivate(key) && key.alg).toBe(alg);
        expect(statSync(p.at(name)).mode & 0o777).toBe(0o600);
      }
      for (const format of alg === "es256" ? ["jwk"] : ["openssh", "cose"]) {
        const name = `${alg}.plain.${format}`;
        await p.ok(["keygen", "--alg", alg, "--format", format, "--out", name, "--no-passphrase"]);
        expect(isPrivate(await read(p.get(name)))).toBe(true);
        expect(statSync(p.at(name)).mode & 0o777).toBe(0o600);
      }
    }
    for (const format of ["jwk", "cose"]) {
      const r = await p.run(["keygen", "--format", format, "--out", "no", "--passphrase-env", "P"], { env: { P: PASS } });
      expect(expectFailure(r, 2)).toContain("is not encrypted");
      expect(r.stderr).toContain("--no-passphrase");
      expect(p.has("no")).toBe(false);
    }
  });

  it("convert: from forms that others write, to each", async () => {
    const p = standard();
    const env = { OLD: PASS, NEW: "another passphrase" };
    for (const key of algs)
      for (const [from, content] of Object.entries(await forms(key))) {
        if (!(from.startsWith("encrypted") || from === "pkcs8")) continue;
        p.put("in", content);
        const old = from.startsWith("encrypted") ? ["--passphrase-env", "OLD"] : [];
        for (const to of from === "encrypted pkcs8" ? privateFormats : (["jwk"] as const)) {
          const out = `${key.alg} ${from} ${to}`;
          const how = canEncrypt(to) ? ["--new-passphrase-env", "NEW"] : ["--no-passphrase"];
          const r = await p.ok(["convert", "in", "--format", to, "--out", out, ...old, ...how, "--json"], { env });
          expect(r.json).toMatchObject({ ok: true, format: to, private: true, encrypted: canEncrypt(to), alg: key.alg });
          expect(statSync(p.at(out)).mode & 0o777).toBe(0o600);
          expectSame(await read(p.get(out), async () => utf8(env.NEW)), key);
        }
      }
  });

  it("convert: public keys", async () => {
    const p = standard();
    for (const format of ["openssh", "raw"] as const) {
      await p.ok(["convert", "B.jwk", "--format", format, "--out", `B.${format}.out`]);
      expect(p.get(`B.${format}.out`)).toEqual(Buffer.from(formatPublic(keyB, format)));
    }
  });

  it("convert: what is refused, with nothing written", async () => {
    const p = standard();
    p.put("taken", "x");
    p.put("e.pem", await formatPrivate(keyA, "pkcs8", utf8(PASS)));
    const before = p.tree();
    const env = { P: PASS, Q: "wrong", EMPTY: "", BOM: "\ufeffx", CR: "x\r" };
    const run = (...args: string[]) => p.run(["convert", ...args], { env });
    const to = (format: string, out = "new") => ["--format", format, "--out", out];
    expect(expectFailure(await run("A.pem", ...to("jwk")), 2)).toContain("is not encrypted");
    expectFailure(await run("A.pem", ...to("jwk"), "--new-passphrase-env", "P"), 2);
    expect(expectFailure(await run("A.pem", ...to("openssh")), 3)).toContain("terminal");
    expectFailure(await run("A.pem", ...to("pkcs8", "taken"), "--no-passphrase"), 2);
    expectFailure(await run("A.pem", ...to("pkcs8", "A.pem"), "--no-passphrase"), 2);
    expectFailure(await run("A.pem", ...to("pkcs8", "-"), "--no-passphrase"), 2);
    expectFailure(await run("A.pem", ...to("pem")), 2);
    expectFailure(await run("A.pem", ...to("raw"), "--no-passphrase"), 2);
    expectFailure(await run("A.jwk", ...to("pkcs8"), "--no-passphrase"), 2);
    expectFailure(await run("A.jwk", ...to("pem"), "--no-passphrase"), 2);
    expectFailure(await run("A.jwk", ...to("jwk"), "--new-passphrase-env", "P"), 2);
    expectFailure(await run("A.pem", ...to("pkcs8"), "--no-passphrase", "--new-passphrase-env", "P"), 2);
    expectFailure(await run("A.pem", ...to("pkcs8"), "--new-passphrase-fd", "3", "--new-passphrase-env", "P"), 2);
    for (const name of ["EMPTY", "BOM", "CR", "NOT_THERE"])
      expectFailure(await run("A.pem", ...to("pkcs8"), "--new-passphrase-env", name), 3);
    expectFailure(await run("e.pem", ...to("pkcs8"), "--passphrase-env", "Q", "--new-passphrase-env", "P"), 3);
    expectFailure(await run("gone.pem", ...to("pkcs8"), "--new-passphrase-env", "P"), 3);
    expectFailure(await run("A.pem", "--out", "new"), 2);
    expectFailure(await run("A.pem", "--format", "jwk"), 2);
    expect(p.tree()).toEqual(before);
    const e = p.get("e.pem");
    for (const n of [0, 1, 27, 60, 150, e.length - 30]) {
      p.put("cut", e.subarray(0, n));
      expectFailure(await run("cut", ...to("pkcs8"), "--passphrase-env", "P", "--new-passphrase-env", "P"), 2);
    }
    expect(p.has("new")).toBe(false);
    p.put("kid.jwk", JSON.stringify({ ...toPrivateJwk(keyA), kid: "release" }));
    const r = await p.ok(["convert", "kid.jwk", ...to("pkcs8", "no-kid.pem"), "--new-passphrase-env", "P"], { env });
    expect(r.stderr).toContain("has no place for it");
  });
});

describe("other programs", () => {
  const has = (tool: string, arg: string) => spawnSync(tool, [arg]).error === undefined;
  const skip = (there: boolean, tool: string) => (there ? "" : ` (skipped: no ${tool})`);

  const openssl = has("openssl", "version");
  it.skipIf(!openssl)(`openssl reads our encrypted PKCS#8 and verifies our signatures${skip(openssl, "openssl")}`, async () => {
    const p = standard();
    p.put("message", "firmware");
    for (const key of algs) {
      p.put("k.pem", await formatPrivate(key, "pkcs8", utf8(PASS)));
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

  const keygen = has("ssh-keygen", "-?");
  const ssh = (p: Place, ...args: string[]) => execFileSync("ssh-keygen", args, { cwd: p.path }).toString();
  it.skipIf(!keygen)(`ssh-keygen reads our private and public keys${skip(keygen, "ssh-keygen")}`, async () => {
    const p = standard();
    for (const key of algs) {
      p.put("plain", await openSshPrivate(key));
      expect(ssh(p, "-y", "-P", "", "-f", "plain")).toBe(openSshPublic(key));
      p.put("enc", await openSshPrivate(key, utf8(PASS)));
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

  const minisign = has("minisign", "-v");
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

function fromPem(text: string | Uint8Array): Buffer {
  return Buffer.from(
    Buffer.from(text)
      .toString()
      .replace(/-----.*-----/g, ""),
    "base64",
  );
}

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
