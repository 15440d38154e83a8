// ML-DSA keys in files, and against the command line of OpenSSL 3.5, both ways.

import { spawnSync } from "node:child_process";
import { createCipheriv, pbkdf2Sync, scryptSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  anchorOf,
  expandedKey,
  isPrivate,
  loadAlg,
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
import { beforeAll, describe, expect, test } from "vitest";
import { utf8 } from "../../test-support/src/bytes.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { openssl } from "../../test-support/src/environment/programs.js";
import { ownPkcs8, ownSpki } from "../src/formats/der/own.js";
import { bitString, derInteger, octetString, SEQUENCE, tlv } from "../src/formats/der/strict.js";
import { formatPublic } from "../src/formats/format.js";
import { decryptPkcs8 } from "../src/formats/pbes2.js";
import { pem } from "../src/formats/pem.js";
import { encryptedPem, plainPem } from "../src/formats/pkcs8.js";
import { KeyFileError, readKey } from "../src/sources/file.js";

const algs = ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87"] as const;
const CANARY = utf8("CANARYcanaryCANARYcanaryCANARYca");
const PASS = "correct horse 🔋";
const keys = {} as Record<(typeof algs)[number], PrivateKey>;
let dir: string;
beforeAll(async () => {
  dir = temporaryFolder("firmseal-mldsa-");
  for (const alg of algs) {
    await loadAlg(alg);
    keys[alg] = privateKey(alg, CANARY);
  }
});

const sealedOnes = new Map<string, Promise<string>>();

/** A key under PASS as we encrypt it, made once for each. The first one takes a fifth of a second, the others have a fifth of its work. */
function sealed(alg: (typeof algs)[number]): Promise<string> {
  const made = sealedOnes.get(alg) ?? encryptedPem(keys[alg], utf8(PASS), alg === algs[0] ? undefined : 1);
  sealedOnes.set(alg, made);
  return made;
}

function put(name: string, content: string | Uint8Array): string {
  writeFileSync(join(dir, name), content);
  return join(dir, name);
}

function read(content: string | Uint8Array, passphrase?: string): Promise<PublicKey | PrivateKey> {
  const ask = () => (passphrase === undefined ? Promise.reject(new Error("asked for a passphrase")) : Promise.resolve(utf8(passphrase)));
  return readKey(typeof content === "string" ? utf8(content) : content, "KEY", ask);
}

/** Why a file is refused, and with which exit code; the seed is nowhere in it. */
async function refused(content: string | Uint8Array, passphrase?: string): Promise<string> {
  const e = await read(content, passphrase).then(
    () => ({ message: "accepted", hint: "", exit: 0 }),
    (e) => e as { message: string; hint: string; exit: number },
  );
  const all = `${e.message} ${e.hint}`;
  for (const form of ["utf8", "hex", "base64"] as const) expect(all).not.toContain(Buffer.from(CANARY).toString(form).slice(0, 12));
  return `${e.exit} ${e.message}`;
}

describe.each(algs)("%s in a file", (alg) => {
  const identifier = Buffer.from(`300b0609608648016503040${{ "ml-dsa-44": "311", "ml-dsa-65": "312", "ml-dsa-87": "313" }[alg]}`, "hex");
  const pkcs8 = (key: Uint8Array, ...more: Uint8Array[]) =>
    pem("PRIVATE KEY", tlv(SEQUENCE, derInteger(0), identifier, octetString(key), ...more));

  test("private: PKCS#8 plain and encrypted, JWK, COSE_Key; public: SPKI, JWK, COSE_Key, raw", async () => {
    const key = keys[alg];
    const whole = { alg, key: key.key };
    const encrypted = await sealed(alg);
    for (const [content, words] of [
      [plainPem(key)],
      [encrypted, PASS],
      [JSON.stringify(toPrivateJwk(key))],
      [toPrivateCose(key)],
    ] as const) {
      const back = await read(content, words);
      expect(back).toEqual(whole);
      expect(isPrivate(back) && Buffer.from(back.secret).toString()).toBe(Buffer.from(CANARY).toString());
    }
    for (const content of [formatPublic(key, "pem"), JSON.stringify(toJwk(key)), toCose(key), formatPublic(key, "raw")]) {
      const back = await read(content);
      expect(back).toEqual(whole);
      expect(isPrivate(back)).toBe(false);
    }
    expect(await refused(encrypted, "wrong")).toBe("3 KEY: wrong passphrase");
  });

  test("seed followed by the expanded key: the two must match, or it is refused", async () => {
    const key = keys[alg];
    const expanded = expandedKey(key);
    const both = (e: Uint8Array) => pkcs8(tlv(SEQUENCE, octetString(key.secret), octetString(e)));
    expect(await read(both(expanded))).toEqual({ alg, key: key.key });
    for (const at of [0, 70, expanded.length - 1]) {
      const changed = expanded.map((b, i) => (i === at ? b ^ 1 : b));
      expect(await refused(both(changed))).toBe("2 KEY: the expanded private key in the file does not match its seed");
    }
    expect(await refused(both(expanded.subarray(1)))).toContain("does not match");
    expect(await refused(pkcs8(octetString(expanded)))).toBe(`2 KEY: the file has only the expanded form of the ${alg} private key`);
  });

  test("damaged structures are refused and named", async () => {
    const key = keys[alg];
    const damaged = `2 KEY: a damaged ${alg} private key`;
    const seed = tlv(0x80, key.secret);
    expect(await refused(pkcs8(seed))).toBe("0 accepted");
    expect(await refused(pkcs8(tlv(0x80, key.secret.subarray(1))))).toBe(damaged);
    expect(await refused(pkcs8(Buffer.concat([seed, Buffer.of(0)])))).toBe(damaged);
    expect(await refused(pkcs8(key.secret))).toBe(damaged);
    expect(await refused(pkcs8(new Uint8Array()))).toBe(damaged);
    expect(await refused(pkcs8(seed, tlv(0x81, Buffer.of(0))))).toBe(damaged);
    expect(await refused(pem("PRIVATE KEY", tlv(SEQUENCE, derInteger(1), identifier, octetString(seed))))).toBe(damaged);
    expect(await refused(pkcs8(tlv(SEQUENCE, octetString(key.secret))))).toBe(damaged);
    // parameters of an algorithm that has none (RFC 9881 §2)
    const withNull = tlv(SEQUENCE, identifier.subarray(2), Buffer.of(5, 0));
    expect(await refused(pem("PRIVATE KEY", tlv(SEQUENCE, derInteger(0), withNull, octetString(seed))))).toMatch(
      /^2 .*damaged or of an unknown kind/,
    );
    const spki = (...parts: Uint8Array[]) => pem("PUBLIC KEY", tlv(SEQUENCE, identifier, ...parts));
    expect(await refused(spki(bitString(key.key)))).toBe("0 accepted");
    expect(await refused(spki(bitString(key.key.subarray(1))))).toMatch(/^2 .*a public key of .* has/);
    expect(await refused(spki(tlv(3, Buffer.of(1), key.key)))).toBe(`2 KEY: a damaged ${alg} public key`);
    expect(await refused(spki(bitString(key.key), Buffer.of(5, 0)))).toBe(`2 KEY: a damaged ${alg} public key`);
  });

  test("every cut of the DER is refused", async () => {
    for (const der of [ownPkcs8(keys[alg]), ownSpki(keys[alg])] as Buffer[]) {
      const label = der.length < 100 ? "PRIVATE KEY" : "PUBLIC KEY";
      for (let n = 0; n < der.length; n += n < 60 ? 1 : 97) expect(await refused(pem(label, der.subarray(0, n)))).toMatch(/^2 /);
    }
  });
});

test("a changed byte of the DER is refused, or is another key; only documented errors are thrown", async () => {
  const key = keys["ml-dsa-44"];
  const pkcs = ownPkcs8(key) as Buffer;
  const spki = ownSpki(key) as Buffer;
  for (const [label, der, head] of [
    ["PRIVATE KEY", pkcs, pkcs.length - 32],
    ["PUBLIC KEY", spki, spki.length - 1312],
  ] as const)
    for (let at = 0; at < head + 2; at++)
      for (const flip of [1, 2, 0x20, 0x80]) {
        const changed = Buffer.from(der);
        changed[at] = (changed[at] as number) ^ flip;
        const back = await read(pem(label, changed)).catch((e: unknown) => {
          expect(e).toBeInstanceOf(KeyFileError);
          return undefined;
        });
        // the last byte of the identifier names the algorithm, 17 to 19: another one is another private key
        if (back && at < head) expect(label === "PRIVATE KEY" && back.alg !== key.alg, `byte ${at}`).toBe(true);
        if (back && at >= head) expect(Buffer.from(back.key).equals(key.key)).toBe(false);
      }
});

describe("what openssl decrypts and does not know", () => {
  const oid = (text: string) => Buffer.from(text, "hex");
  const salt = Buffer.alloc(16, 1);
  const iv = Buffer.alloc(16, 2);
  const plain = Buffer.from("what is inside, whatever it is");
  const sealed = (key: Buffer, kdf: Buffer) => {
    const cipher = createCipheriv("aes-256-cbc", key, iv);
    const content = Buffer.concat([cipher.update(plain), cipher.final()]);
    const encryption = tlv(SEQUENCE, oid("060960864801650304012a"), octetString(iv));
    return tlv(SEQUENCE, tlv(SEQUENCE, oid("06092a864886f70d01050d"), tlv(SEQUENCE, kdf, encryption)), octetString(content));
  };
  const prf = tlv(SEQUENCE, oid("06082a864886f70d0209"), Buffer.of(5, 0));
  const pbkdf2Of = (...parameters: Buffer[]) =>
    tlv(SEQUENCE, oid("06092a864886f70d01050c"), tlv(SEQUENCE, octetString(salt), ...parameters));
  const scryptOf = (...parameters: Buffer[]) =>
    tlv(SEQUENCE, oid("06092b06010401da47040b"), tlv(SEQUENCE, octetString(salt), ...parameters));
  const open = (der: Uint8Array) => decryptPkcs8(der, utf8(PASS));

  test("every changed byte and every cut gives different content, or none; nothing is thrown", async () => {
    const der = sealed(pbkdf2Sync(PASS, salt, 2, 32, "sha256"), pbkdf2Of(derInteger(2), prf));
    expect(await open(der)).toEqual(plain);
    expect(await decryptPkcs8(der, utf8("wrong"))).not.toEqual(plain);
    let same = 0;
    for (let at = 0; at < der.length; at++)
      for (const flip of [1, 2, 0x20, 0x80]) {
        const changed = Buffer.from(der);
        changed[at] = (changed[at] as number) ^ flip;
        if ((await open(changed))?.equals(plain)) same++;
      }
    // the NULL behind the name of the hash, four times two: nobody reads it
    expect(same).toBeLessThanOrEqual(8);
    for (let n = 0; n < der.length; n++) expect(await open(der.subarray(0, n))).toBeUndefined();
  });

  test("impossible parameters, or those that would keep the machine busy, are refused", async () => {
    const number = (...bytes: number[]) => tlv(2, Buffer.from(bytes));
    const key = scryptSync(PASS, salt, 32, { N: 16, r: 8, p: 1 });
    expect(await open(sealed(key, scryptOf(derInteger(16), derInteger(8), derInteger(1))))).toEqual(plain);
    for (const kdf of [
      scryptOf(derInteger(15), derInteger(8), derInteger(1)),
      scryptOf(number(), derInteger(8), derInteger(1)),
      scryptOf(number(0), derInteger(8), derInteger(1)),
      scryptOf(number(0xff, 0xff), derInteger(8), derInteger(1)),
      scryptOf(number(2, 0, 0), derInteger(8), derInteger(1)),
      scryptOf(number(1, 0, 0, 0, 0, 0, 0), derInteger(8), derInteger(1)),
      scryptOf(derInteger(16), derInteger(8), derInteger(65)),
      scryptOf(derInteger(16), derInteger(8)),
      scryptOf(),
      pbkdf2Of(),
      pbkdf2Of(number(0), prf),
      pbkdf2Of(number(0x7f, 0xff, 0xff, 0xff), prf),
      pbkdf2Of(derInteger(2), tlv(SEQUENCE, oid("06082a864886f70d0205"), Buffer.of(5, 0))),
      tlv(SEQUENCE),
    ])
      expect((await open(sealed(key, kdf))) ?? undefined).toBeUndefined();
  });
});

test("there is no literal for a device in JavaScript: no bundle has the algorithm", () => {
  expect(() => formatPublic(keys["ml-dsa-65"], "js")).toThrow("no device bundle verifies ml-dsa-65");
  expect(Buffer.from(formatPublic(keys["ml-dsa-65"], "h")).toString()).toContain("#define FIRMSEAL_KEY_COSE_ALG (-49)");
});

function whyNoOpenssl(): string | undefined {
  const { stdout, error } = spawnSync("openssl", ["list", "-signature-algorithms"], { encoding: "utf8" });
  if (error) return "(skipped: openssl is not installed)";
  return stdout.includes("ML-DSA-65") ? undefined : "(skipped: this openssl has no ML-DSA; 3.5 has it)";
}
const missing = whyNoOpenssl();

describe.skipIf(missing !== undefined && !process.env["CI"]).each(algs)(`%s and openssl ${missing ?? ""}`, (alg) => {
  test("it reads our PKCS#8, plain and encrypted, and signs with it what we verify", async () => {
    const key = keys[alg];
    const message = put("message", "firmware");
    const { alg: ours } = anchorOf(publicOf(key));
    for (const content of [plainPem(key), await sealed(alg)]) {
      const path = put(`${alg}.pem`, content);
      expect(openssl("pkey", "-in", path, "-passin", `pass:${PASS}`, "-pubout")).toEqual(Buffer.from(formatPublic(key, "pem")));
      const theirs = openssl("pkeyutl", "-sign", "-inkey", path, "-passin", `pass:${PASS}`, "-rawin", "-in", message);
      expect(ours.verify(key.key, utf8("firmware"), theirs, {})).toBe(true);
      expect(ours.verify(key.key, utf8("firmwarf"), theirs, {})).toBe(false);
    }
  });

  test("it verifies what we sign, with an empty context and with no other", async () => {
    const key = keys[alg];
    const message = put("tbs", "what is to be signed");
    const signature = put("signature", await signer(key).sign(utf8("what is to be signed")));
    const pub = put(`${alg}.pub.pem`, formatPublic(key, "pem"));
    const args = ["pkeyutl", "-verify", "-pubin", "-inkey", pub, "-rawin", "-in", message, "-sigfile", signature];
    expect(openssl(...args).toString()).toContain("Verified Successfully");
    expect(spawnSync("openssl", [...args, "-pkeyopt", "context-string:x"]).status).not.toBe(0);
    const theirs = openssl(
      "pkeyutl",
      "-sign",
      "-inkey",
      put("k.pem", plainPem(key)),
      "-rawin",
      "-in",
      message,
      "-pkeyopt",
      "context-string:x",
    );
    expect(anchorOf(publicOf(key)).alg.verify(key.key, utf8("what is to be signed"), theirs, {})).toBe(false);
  });

  test("what it generates is read: seed and expanded key, seed alone, encrypted with PBKDF2 and scrypt, public", async () => {
    const path = join(dir, `theirs-${alg}.pem`);
    openssl("genpkey", "-algorithm", alg.toUpperCase(), "-out", path);
    const both = await read(readFileSync(path));
    expect(isPrivate(both)).toBe(true);
    expect(await read(openssl("pkey", "-in", path, "-pubout"))).toEqual({ alg, key: both.key });
    const seedOnly = join(dir, "seed.pem");
    openssl("genpkey", "-algorithm", alg.toUpperCase(), "-provparam", "ml-dsa.output_formats=seed-only", "-out", seedOnly);
    expect(plainPem((await read(readFileSync(seedOnly))) as PrivateKey)).toBe(readFileSync(seedOnly, "utf8"));
    for (const how of [["-scrypt"], ["-v2", "aes-256-cbc"], ["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512", "-iter", "1000"]]) {
      const sealed = openssl("pkcs8", "-topk8", "-in", path, "-passout", `pass:${PASS}`, ...how);
      expect((await read(sealed, PASS)).key).toEqual(both.key);
      expect(await refused(sealed, "wrong")).toBe("3 KEY: wrong passphrase");
    }
    const expandedOnly = openssl("genpkey", "-algorithm", alg.toUpperCase(), "-provparam", "ml-dsa.output_formats=priv-only");
    expect(await refused(expandedOnly)).toContain("only the expanded form");
  });
});
