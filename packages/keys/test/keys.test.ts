// Key files in each format: read back as they were written, also by OpenSSL.

import { execFileSync } from "node:child_process";
import { createCipheriv, createPrivateKey, generateKeyPairSync, type KeyObject, scryptSync } from "node:crypto";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { isPrivate, type KeyAlg, privateKey, publicOf, signer, thumbprint, toPrivateCose, toPrivateJwk } from "@firmseal/signer";
import { ed25519, es256 } from "@firmseal/verifier";
import { toHex } from "@firmseal/verifier/tools";
import { describe, expect, test } from "vitest";
import { utf8 } from "../../test-support/src/bytes.js";
import { temporaryFolder } from "../../test-support/src/environment/folders.js";
import { hasProgram, openssl } from "../../test-support/src/environment/programs.js";
import { KeyFileError } from "../src/errors/key-file.js";
import { formatPublic, publicFormats } from "../src/formats/format.js";
import { encryptedPem, plainPem } from "../src/formats/pkcs8.js";
import { keyOfSpki } from "../src/sources/services/service.js";
import { algs, CANARY, expectPrivate, failure, fromPem, keys, PASS, pem, putIn, read } from "./keys-common.js";

const verifiers = { ed25519, es256 };

const hasOpenssl = hasProgram("openssl", "version");

describe.each(algs)("%s in a file", (alg) => {
  const dir = temporaryFolder("firmseal-keys-");
  const put = (name: string, content: string | Uint8Array) => putIn(dir, name, content);
  const key = keys[alg];
  const node = createPrivateKey({ key: { ...toPrivateJwk(key) }, format: "jwk" });
  /** The key under PASS as we encrypt it, made once, for tests that need no fresh one. One algorithm has all of our work: a fifth of a second. */
  let once: Promise<string> | undefined;
  const work = alg === "ed25519" ? 5 : 1;
  const sealed = () => (once ??= encryptedPem(key, utf8(PASS), work === 5 ? undefined : work));

  test("plain PKCS#8", async () => {
    expect(plainPem(key)).toBe(node.export({ format: "pem", type: "pkcs8" }));
    expectPrivate(await read(plainPem(key)), key);
    expectPrivate(await read(`a line before\n${plainPem(key).replaceAll("\n", "\r\n")}\r\nand after`), key);
  });

  test("encrypted PKCS#8: our own, and that of node:crypto", async () => {
    const pem = await sealed();
    expect(pem).toContain("-----BEGIN ENCRYPTED PRIVATE KEY-----");
    expect(pem).not.toBe(await encryptedPem(key, utf8(PASS), 1));
    expect(createPrivateKey({ key: pem, passphrase: PASS }).export({ format: "jwk" })).toEqual(node.export({ format: "jwk" }));
    expectPrivate(await read(pem, async () => utf8(PASS)), key);
    const other = node.export({ format: "pem", type: "pkcs8", cipher: "aes-128-cbc", passphrase: PASS }) as string;
    expectPrivate(await read(other, async () => utf8(PASS)), key);
  });

  test("wrong passphrase", async () => {
    // with our work once: that of node:crypto takes a hundredth of the time
    const quick = node.export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: PASS }) as string;
    for (const [wrong, pem] of [
      ["wrong", await sealed()],
      ["correct horse", quick],
      [" ", quick],
    ] as const) {
      const e = await failure(pem, async () => utf8(wrong));
      expect(e.exit, e.message).toBe(3);
      expect(e.message).toContain("wrong passphrase");
    }
  });

  test("a wrong passphrase that passes the padding, as one in 256 does, is called wrong", async () => {
    // such a passphrase decrypts to bytes that are not a key
    const der = fromPem(await sealed());
    const salt = der.subarray(der.indexOf(Buffer.from("0410", "hex")) + 2).subarray(0, 16);
    const iv = der.subarray(der.lastIndexOf(Buffer.from("0410", "hex")) + 2).subarray(0, 16);
    const cipher = createCipheriv("aes-256-cbc", scryptSync(PASS, salt, 32, { N: 16384, r: 8, p: work }), iv);
    const length = key.alg === "ed25519" ? 48 : 138;
    const content = Buffer.concat([cipher.update(Buffer.alloc(length, "no key")), cipher.final()]);
    der.set(content, der.length - content.length);
    const e = await failure(pem("ENCRYPTED PRIVATE KEY", der), async () => utf8(PASS));
    expect(e).toMatchObject({ exit: 3, message: "KEY: wrong passphrase" });
  });

  test("an interrupted prompt is passed on", async () => {
    const stop = new KeyFileError("stopped", "-", 3);
    await expect(read(await sealed(), () => Promise.reject(stop))).rejects.toBe(stop);
  });

  test("JWK, COSE_Key, private", async () => {
    expectPrivate(await read(JSON.stringify(toPrivateJwk(key))), key);
    expectPrivate(await read(`\ufeff \n${JSON.stringify(toPrivateJwk(key))}\n`), key);
    expectPrivate(await read(toPrivateCose(key)), key);
  });

  test("JWK, COSE_Key, SPKI, raw, public; from a private key too", async () => {
    for (const format of ["jwk", "cose", "pem", "openssh", "raw"] as const) {
      const back = await read(formatPublic(key, format));
      expect(back).toEqual(publicOf(key));
      expect(isPrivate(back)).toBe(false);
    }
  });

  test("a kid stays if the format has one", async () => {
    const named = privateKey(alg, CANARY, thumbprint(key));
    expect((await read(formatPublic(named, "jwk"))).kid).toEqual(thumbprint(key));
    expect((await read(formatPublic(named, "cose"))).kid).toEqual(thumbprint(key));
    expect(JSON.parse(Buffer.from(formatPublic(named, "jwk")).toString())).toMatchObject({
      alg: alg === "ed25519" ? "Ed25519" : "ES256",
      kid: Buffer.from(thumbprint(key)).toString("base64url"),
    });
  });

  test("no public format holds the secret", () => {
    const secret = Buffer.from(CANARY);
    for (const format of publicFormats) {
      const out = Buffer.from(formatPublic(key, format));
      for (const form of [secret, secret.toString("base64url"), [...secret].join(", "), secret.toString("hex")])
        expect(out.includes(form)).toBe(false);
    }
  });

  test("js: ES5 without a module, the verifier's bytes", () => {
    const js = Buffer.from(formatPublic(privateKey(alg, CANARY, utf8("kid")), "js")).toString();
    const scope: { firmsealKey?: { alg: string; key: number[]; kid: number[] } } = {};
    runInNewContext(js, scope);
    expect(scope.firmsealKey?.alg).toBe(alg);
    expect(Uint8Array.from(scope.firmsealKey?.key ?? [])).toEqual(key.key);
    expect(Uint8Array.from(scope.firmsealKey?.kid ?? [])).toEqual(utf8("kid"));
  });

  test.skipIf(!hasProgram("cc", "--version"))("h: compiles, the same bytes (skipped without a C compiler)", () => {
    put(`${alg}.h`, formatPublic(privateKey(alg, CANARY, utf8("kid")), "h"));
    const c = put(
      `${alg}.c`,
      `#include <stdio.h>\n#include "${alg}.h"\nint main(void) { fwrite(firmseal_key, 1, FIRMSEAL_KEY_LENGTH, stdout); fwrite(firmseal_key_kid, 1, sizeof firmseal_key_kid, stdout); printf("%s %d", FIRMSEAL_KEY_ALG, FIRMSEAL_KEY_COSE_ALG); return 0; }\n`,
    );
    execFileSync("cc", ["-std=c89", "-Wall", "-Werror", "-o", join(dir, alg), c]);
    const out = execFileSync(join(dir, alg));
    expect(out).toEqual(Buffer.concat([key.key, utf8(`kid${alg} ${alg === "ed25519" ? -19 : -9}`)]));
  });

  describe.skipIf(!hasOpenssl)("openssl (skipped when it is not installed)", () => {
    test("reads our encrypted PKCS#8 and signs with it what our key verifies", async () => {
      const path = put(`${alg}-enc.pem`, await sealed());
      expect(openssl("pkey", "-in", path, "-passin", `pass:${PASS}`, "-pubout")).toEqual(Buffer.from(formatPublic(key, "pem")));
      const message = put("message", "firmware");
      const digest = alg === "ed25519" ? ["-rawin"] : ["-rawin", "-digest", "sha256"];
      const theirs = openssl("pkeyutl", "-sign", "-inkey", path, "-passin", `pass:${PASS}`, ...digest, "-in", message);
      expect(verifiers[alg].verify(key.key, utf8("firmware"), raw(alg, theirs), {})).toBe(true);
      if (alg === "ed25519") expect(theirs).toEqual(Buffer.from(await signer(key).sign(utf8("firmware"))));
    });

    test("its files are read: scrypt, PBES2, SPKI", async () => {
      const plain = put(`${alg}-plain.pem`, plainPem(key));
      for (const how of [["-scrypt"], ["-v2", "aes-256-cbc"]]) {
        const pem = openssl("pkcs8", "-topk8", ...how, "-in", plain, "-passout", `pass:${PASS}`);
        expectPrivate(await read(pem, async () => utf8(PASS)), key);
      }
      expect(await read(openssl("pkey", "-in", plain, "-pubout"))).toEqual(publicOf(key));
    });
  });
});

describe("SEC1", () => {
  const node = createPrivateKey({ key: { ...toPrivateJwk(keys.es256) }, format: "jwk" });
  const sec1 = node.export({ format: "pem", type: "sec1" }) as string;

  test("with and without EC PARAMETERS before it", async () => {
    expectPrivate(await read(sec1), keys.es256);
    expectPrivate(await read(`-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${sec1}`), keys.es256);
  });

  test("encrypted in the old way of OpenSSL", async () => {
    const old = node.export({ format: "pem", type: "sec1", cipher: "aes-128-cbc", passphrase: PASS }) as string;
    expect(await failure(old)).toMatchObject({ exit: 2, message: expect.stringContaining("old format") });
  });

  test("a public key that does not belong to d", async () => {
    const der = node.export({ format: "der", type: "sec1" });
    const foreign = Buffer.from(privateKey("es256", new Uint8Array(32).fill(1)).key);
    const mixed = Buffer.concat([der.subarray(0, der.length - 65), foreign]);
    expect(await failure(pem("EC PRIVATE KEY", mixed))).toMatchObject({ exit: 2, message: expect.stringContaining("does not match") });
  });

  test.each([
    ["d = 0", Buffer.alloc(32)],
    ["d > n", Buffer.alloc(32, 255)],
  ])("%s", async (_, d) => {
    const der = node.export({ format: "der", type: "sec1" });
    const at = der.indexOf(CANARY);
    const changed = Buffer.concat([der.subarray(0, at), d, der.subarray(at + 32)]);
    expect((await failure(pem("EC PRIVATE KEY", changed))).exit).toBe(2);
  });
});

describe("a curve with parameters in place of its name", () => {
  const named = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const explicit = generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" });
  const REFUSED = "the parameters of its curve in place of the name";

  test("is refused in public keys (RFC 5480 §2.1.1)", async () => {
    const spki = (key: KeyObject) => key.export({ type: "spki", format: "pem" }) as string;
    expect((await read(spki(named.publicKey))).alg).toBe("es256");
    expect((await failure(spki(explicit.publicKey))).message).toContain(REFUSED);
  });

  test("is refused in private keys", async () => {
    for (const type of ["sec1", "pkcs8"] as const) {
      expect((await read(named.privateKey.export({ type, format: "pem" }) as string)).alg).toBe("es256");
      expect((await failure(explicit.privateKey.export({ type, format: "pem" }) as string)).message, type).toContain(REFUSED);
    }
  });

  test("is refused in a key of a service", () => {
    const spki = (key: KeyObject) => key.export({ type: "spki", format: "der" }) as Buffer;
    expect(keyOfSpki("awskms:x", spki(named.publicKey)).alg).toBe("es256");
    expect(() => keyOfSpki("awskms:x", spki(explicit.publicKey))).toThrow();
  });
});

describe("PKCS#8 version 2", () => {
  const v2 = (pub: Uint8Array) =>
    pem("PRIVATE KEY", Buffer.concat([Buffer.from("3051020101300506032b657004220420", "hex"), CANARY, Buffer.from("812100", "hex"), pub]));

  test("with its own public key", async () => expectPrivate(await read(v2(keys.ed25519.key)), keys.ed25519));

  // RFC 8410 §10.3
  const CURDLE = `-----BEGIN PRIVATE KEY-----
MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB
Z9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PRIVATE KEY-----
`;

  test("with attributes", async () => {
    const key = await read(CURDLE);
    expect(toHex(key.key)).toBe("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
    // the public key after them still counts
    const other = Buffer.from(CURDLE.replace(/-----.*-----|\n/g, ""), "base64");
    other[other.length - 1] = (other[other.length - 1] as number) ^ 1;
    expect((await failure(pem("PRIVATE KEY", other))).message).toContain("does not match");
  });

  test("with attributes, of other algorithms and in version 1", async () => {
    const attributes = Buffer.from(CURDLE.replace(/-----.*-----|\n/g, ""), "base64").subarray(48, 48 + 33);
    for (const [alg, key] of Object.entries(keys)) {
      const plain = plainPem(key).replace(/-----.*-----|\n/g, "");
      const der = Buffer.from(plain, "base64");
      // the head of the SEQUENCE has two bytes for these lengths, or three
      const content = der.subarray(der[1] === 0x81 ? 3 : 2);
      const body = Buffer.concat([content, attributes]);
      const head = body.length < 0x80 ? [0x30, body.length] : [0x30, 0x81, body.length];
      const found = await read(pem("PRIVATE KEY", Buffer.concat([Buffer.from(head), body])));
      expect(toHex(found.key), alg).toBe(toHex(key.key));
    }
  });

  test("with a foreign one", async () => {
    expect((await failure(v2(privateKey("ed25519", new Uint8Array(32).fill(1)).key))).message).toContain("does not match");
  });
});

// r and s of a DER signature, which OpenSSL writes for ECDSA
function raw(alg: KeyAlg, signature: Buffer): Uint8Array {
  if (alg === "ed25519") return signature;
  const rLength = signature[3] as number;
  const number = (n: Buffer) => Buffer.concat([Buffer.alloc(32), n]).subarray(-32);
  return Buffer.concat([number(signature.subarray(4, 4 + rLength)), number(signature.subarray(6 + rLength))]);
}
