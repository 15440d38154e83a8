import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createCipheriv, createPrivateKey, scryptSync } from "node:crypto";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { runInNewContext } from "node:vm";
import {
  isPrivate,
  type KeyAlg,
  type PrivateKey,
  type PublicKey,
  privateKey,
  publicOf,
  signer,
  thumbprint,
  toCose,
  toPrivateCose,
  toPrivateJwk,
} from "@firmseal/signer";
import { ed25519, es256 } from "@firmseal/verifier";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drawnPair } from "../../test-support/src/drawn-keys.js";
import { KeyFileError } from "../src/errors/key-file.js";
import { formatPublic, publicFormats } from "../src/formats/format.js";
import { encryptedPem, plainPem } from "../src/formats/pkcs8.js";
import { edit, LONGEST_PASSPHRASE, passphrase } from "../src/secrets/passphrase.js";
import { readKey } from "../src/sources/file.js";

const utf8 = (text: string) => new TextEncoder().encode(text);
const CANARY = utf8("CANARYcanaryCANARYcanaryCANARYca");
const PASS = "correct horse 🔋";
const algs = ["ed25519", "es256"] as const;
const keys = Object.fromEntries(algs.map((alg) => [alg, privateKey(alg, CANARY)])) as Record<(typeof algs)[number], PrivateKey>;
const verifiers = { ed25519, es256 };
const never = () => Promise.reject(new Error("asked for a passphrase"));
const has = (tool: string, ...args: string[]) => spawnSync(tool, args).error === undefined;
const hasOpenssl = has("openssl", "version");

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "firmseal-keys-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

function put(name: string, content: string | Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

function read(content: string | Uint8Array, ask: () => Promise<Uint8Array> = never): Promise<PublicKey | PrivateKey> {
  return readKey(typeof content === "string" ? utf8(content) : content, "KEY", ask);
}

// what reading fails with; every message of every test goes through here and is searched for the secret
async function failure(content: string | Uint8Array, ask?: () => Promise<Uint8Array>): Promise<KeyFileError> {
  const e = await read(content, ask).then(
    () => new Error("accepted"),
    (e: unknown) => e,
  );
  if (!(e instanceof KeyFileError)) throw e;
  const shown = [e.message, e.hint, e.stack, JSON.stringify(e), String(e.cause)].join("\n");
  const secret = Buffer.from(CANARY);
  for (const form of [
    secret.toString("latin1"),
    secret.toString("hex"),
    secret.toString("base64").slice(4, 36),
    secret.toString("base64url").slice(4, 36),
    PASS,
  ]) {
    expect(shown).not.toContain(form);
  }
  expect(e.message.split("\n")).toHaveLength(1);
  expect(e.hint.split("\n")).toHaveLength(1);
  return e;
}

function expectPrivate(back: PublicKey, key: PrivateKey): void {
  expect(back).toEqual(publicOf(key));
  expect(isPrivate(back) && back.secret).toEqual(key.secret);
}

describe.each(algs)("%s in a file", (alg) => {
  const key = keys[alg];
  const node = createPrivateKey({ key: { ...toPrivateJwk(key) }, format: "jwk" });

  test("plain PKCS#8", async () => {
    expect(plainPem(key)).toBe(node.export({ format: "pem", type: "pkcs8" }));
    expectPrivate(await read(plainPem(key)), key);
    expectPrivate(await read(`a line before\n${plainPem(key).replaceAll("\n", "\r\n")}\r\nand after`), key);
  });

  test("encrypted PKCS#8: our own, and that of node:crypto", async () => {
    const pem = await encryptedPem(key, utf8(PASS));
    expect(pem).toContain("-----BEGIN ENCRYPTED PRIVATE KEY-----");
    expect(pem).not.toBe(await encryptedPem(key, utf8(PASS)));
    expect(createPrivateKey({ key: pem, passphrase: PASS }).export({ format: "jwk" })).toEqual(node.export({ format: "jwk" }));
    expectPrivate(await read(pem, async () => utf8(PASS)), key);
    const other = node.export({ format: "pem", type: "pkcs8", cipher: "aes-128-cbc", passphrase: PASS }) as string;
    expectPrivate(await read(other, async () => utf8(PASS)), key);
  });

  test("wrong passphrase", async () => {
    const pem = await encryptedPem(key, utf8(PASS));
    for (const wrong of ["wrong", "correct horse", " "]) {
      const e = await failure(pem, async () => utf8(wrong));
      expect(e.exit).toBe(3);
      expect(e.message).toContain("wrong passphrase");
    }
  });

  test("a wrong passphrase that passes the padding, as one in 256 does, is called nothing else", async () => {
    // what decrypts well and is no key is what such a passphrase yields
    const der = fromPem(await encryptedPem(key, utf8(PASS)));
    const salt = der.subarray(der.indexOf(Buffer.from("0410", "hex")) + 2).subarray(0, 16);
    const iv = der.subarray(der.lastIndexOf(Buffer.from("0410", "hex")) + 2).subarray(0, 16);
    const cipher = createCipheriv("aes-256-cbc", scryptSync(PASS, salt, 32, { N: 16384, r: 8, p: 5 }), iv);
    const length = key.alg === "ed25519" ? 48 : 138;
    const content = Buffer.concat([cipher.update(Buffer.alloc(length, "no key")), cipher.final()]);
    der.set(content, der.length - content.length);
    const e = await failure(pem("ENCRYPTED PRIVATE KEY", der), async () => utf8(PASS));
    expect(e).toMatchObject({ exit: 3, message: "KEY: wrong passphrase" });
  });

  test("an interrupted prompt is handed on", async () => {
    const stop = new KeyFileError("stopped", "-", 3);
    await expect(read(await encryptedPem(key, utf8(PASS)), () => Promise.reject(stop))).rejects.toBe(stop);
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

  test("a kid stays where the format has one", async () => {
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

  test.skipIf(!has("cc", "--version"))("h: compiles, the same bytes (skipped without a C compiler)", () => {
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
    const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: ["ignore", "pipe", "pipe"] });

    test("reads our encrypted PKCS#8 and signs with it what our key verifies", async () => {
      const path = put(`${alg}-enc.pem`, await encryptedPem(key, utf8(PASS)));
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

  test("a public key that is not d's own", async () => {
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

describe("PKCS#8 version 2", () => {
  const v2 = (pub: Uint8Array) =>
    pem("PRIVATE KEY", Buffer.concat([Buffer.from("3051020101300506032b657004220420", "hex"), CANARY, Buffer.from("812100", "hex"), pub]));

  test("with its own public key", async () => expectPrivate(await read(v2(keys.ed25519.key)), keys.ed25519));

  test("with a foreign one", async () => {
    expect((await failure(v2(privateKey("ed25519", new Uint8Array(32).fill(1)).key))).message).toContain("does not match");
  });
});

describe("files that are refused", () => {
  const plain = plainPem(keys.ed25519);
  const jwk = JSON.stringify(toPrivateJwk(keys.ed25519));
  const spki = (kind: "p384" | "rsa of 1,024 bits" | "x25519" | "ed448"): string[] => {
    const pair = drawnPair(kind);
    return [
      pair.privateKey.export({ format: "pem", type: "pkcs8" }) as string,
      pair.publicKey.export({ format: "pem", type: "spki" }) as string,
    ];
  };

  test.each<[string, string | Uint8Array, string]>([
    ["empty", "", "empty"],
    ["an image", new Uint8Array(70_000).fill(0xff), "too long"],
    ["text", "hello, this is not a key at all, it is a letter\n", "not a key"],
    ["hex of a key", `${Buffer.from(CANARY).toString("hex")}\n`, "not a key"],
    ["33 bytes", new Uint8Array(33).fill(2), "not a key"],
    ["32 bytes that are no point", new Uint8Array(32).fill(255), "not a point"],
    ["65 bytes that are no point", Uint8Array.of(4, ...new Uint8Array(64).fill(1)), "not a point"],
    ["JSON that is no JWK", '{"name": "x"}', "kty"],
    ["broken JSON", jwk.slice(0, -9), "not JSON"],
    ["JSON with the secret where it breaks", jwk.replace('"d":"', '"d":'), "not JSON"],
    ["a JWK Set", `{"keys":[${jwk},${jwk}]}`, "JWK Set"],
    ["JWKs in an array", `[${jwk}]`, "object"],
    [
      "JWK on P-256 without y",
      jwk
        .replace('"OKP"', '"EC"')
        .replace('"Ed25519"', '"P-256"')
        .replace(/"alg":"[^"]*",?/, ""),
      "only one of the coordinates",
    ],
    ["a COSE_KeySet", Buffer.concat([Buffer.from([0x81]), toCose(keys.ed25519)]), "COSE_KeySet"],
    ["COSE_Key, cut", toPrivateCose(keys.ed25519).subarray(0, -3), "well-formed"],
    ["DER", createPrivateKey(plain).export({ format: "der", type: "pkcs8" }), "DER"],
    ["two keys", plain + plain, "2 PEM blocks"],
    ["private and public", plain + Buffer.from(formatPublic(keys.ed25519, "pem")).toString(), "2 PEM blocks"],
    ["no end", plain.slice(0, -20), "no beginning or no end"],
    ["no beginning", plain.slice(20), "no beginning or no end"],
    ["wrong end", plain.replace("END PRIVATE", "END PUBLIC"), "no beginning or no end"],
    ["content cut", plain.replace(/(.{8})\n-----END/, "\n-----END"), "damaged"],
    ["content not base64", plain.replace("MC4", "M#4"), "damaged"],
    ["curve only", "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n", "no key"],
    ["a certificate", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "certificate"],
    ["an OpenSSH key", "-----BEGIN OPENSSH PRIVATE KEY-----\nMAA=\n-----END OPENSSH PRIVATE KEY-----\n", "cut short or damaged"],
    [
      "SPKI as a private key",
      Buffer.from(formatPublic(keys.es256, "pem")).toString().replaceAll("PUBLIC", "PRIVATE"),
      "damaged or of an unknown kind",
    ],
    ["private as SPKI", plain.replaceAll("PRIVATE", "PUBLIC"), "damaged or of an unknown kind"],
    ["P-384", spki("p384")[0] as string, "secp384r1"],
    ["P-384, public", spki("p384")[1] as string, "secp384r1"],
    ["RSA", spki("rsa of 1,024 bits")[0] as string, "RSA"],
    ["RSA, public", spki("rsa of 1,024 bits")[1] as string, "RSA"],
    ["X25519", spki("x25519")[0] as string, "X25519"],
    ["Ed448", spki("ed448")[1] as string, "ED448"],
  ])("%s", async (_, content, words) => {
    const e = await failure(content);
    expect(e.exit).toBe(2);
    expect(e.message).toMatch(/^KEY: /);
    expect(e.message).toContain(words);
  });

  test("encrypted PEM, cut or not by PBES2: the passphrase is not to blame", async () => {
    const enc = await encryptedPem(keys.ed25519, utf8(PASS));
    expect((await failure(enc.replace(/\n.{64}\n/, "\n"), async () => utf8(PASS))).exit).toBe(2);
    const der = fromPem(enc);
    const at = der.indexOf(Buffer.from("2a864886f70d01050d", "hex"));
    der[at + 8] = 0x3f;
    expect(await failure(pem("ENCRYPTED PRIVATE KEY", der), async () => utf8(PASS))).toMatchObject({ exit: 2 });
  });

  test.each([
    ["more memory than OpenSSL allows", "02024000020108", "02024000020120"],
    ["an N that is no power of two", "02024000", "02024001"],
    ["an unknown key derivation", "2b06010401da47040b", "2b06010401da470477"],
    ["an unknown cipher", "60864801650304012a", "60864801650304017f"],
  ])("encrypted with %s: the passphrase is not to blame", async (_, from, to) => {
    const der = fromPem(await encryptedPem(keys.ed25519, utf8(PASS)));
    der.set(Buffer.from(to, "hex"), der.indexOf(Buffer.from(from, "hex")));
    const e = await failure(pem("ENCRYPTED PRIVATE KEY", der), async () => utf8(PASS));
    expect(e).toMatchObject({ exit: 2, message: "KEY: unsupported encryption" });
  });

  test("every cut of every form is refused or read, with no other error", async () => {
    for (const form of [utf8(plain), utf8(jwk), toPrivateCose(keys.es256)]) {
      for (let n = 0; n < form.length; n++)
        if (n !== 32) await read(form.subarray(0, n)).catch((e) => expect(e).toBeInstanceOf(KeyFileError));
    }
  });
});

describe("passphrases", () => {
  const fromFile = async (content: string | Uint8Array, times = 1) => {
    const fd = openSync(put("pass", content), "r");
    try {
      const out: string[] = [];
      for (let i = 0; i < times; i++) out.push(Buffer.from(await passphrase({ fd, prompt: "" })).toString());
      return out;
    } finally {
      closeSync(fd);
    }
  };

  test("from a file descriptor: one line each time", async () => {
    expect(await fromFile(PASS)).toEqual([PASS]);
    expect(await fromFile(`${PASS}\nsecond\r\nthird`, 3)).toEqual([PASS, "second", "third"]);
    expect(await fromFile("a".repeat(LONGEST_PASSPHRASE))).toEqual(["a".repeat(LONGEST_PASSPHRASE)]);
  });

  test.each([
    ["empty", ""],
    ["an empty line", "\nx"],
    ["too long", "a".repeat(LONGEST_PASSPHRASE + 1)],
    ["a device without end", "\x01".repeat(100_000)],
  ])("from a file descriptor: %s", async (_, content) => {
    await expect(fromFile(content)).rejects.toMatchObject({ name: "KeyFileError", exit: 3 });
  });

  test("from a descriptor that is not open", async () => {
    await expect(passphrase({ fd: 987, prompt: "" })).rejects.toMatchObject({ exit: 3, message: expect.stringContaining("987") });
  });

  test("from the environment", async () => {
    process.env.FIRMSEAL_TEST_PASS = PASS;
    expect(Buffer.from(await passphrase({ env: "FIRMSEAL_TEST_PASS", prompt: "" })).toString()).toBe(PASS);
    process.env.FIRMSEAL_TEST_PASS = "";
    await expect(passphrase({ env: "FIRMSEAL_TEST_PASS", prompt: "" })).rejects.toMatchObject({ exit: 3 });
    delete process.env.FIRMSEAL_TEST_PASS;
    await expect(passphrase({ env: "FIRMSEAL_TEST_PASS", prompt: "" })).rejects.toMatchObject({ exit: 3 });
  });

  test("what is typed", () => {
    const type = (...bytes: (string | number)[]) => {
      const line: number[] = [];
      let end = "more";
      for (const b of bytes.flatMap((x) => (typeof x === "string" ? [...utf8(x)] : [x]))) if (end === "more") end = edit(line, b);
      return [end, Buffer.from(line).toString()];
    };
    expect(type("ab\rc")).toEqual(["done", "ab"]);
    expect(type("a🔋", 0x7f, "b\n")).toEqual(["done", "ab"]);
    expect(type(0x7f, 0x08, "x\n")).toEqual(["done", "x"]);
    expect(type("wrong", 0x15, "right\r")).toEqual(["done", "right"]);
    expect(type("a", 3)).toEqual(["abort", "a"]);
    expect(type(4)[0]).toBe("abort");
    expect(type("a", 4)).toEqual(["done", "a"]);
    expect(type("a\t\x00b\r")).toEqual(["done", "ab"]);
  });

  // the module alone, as a program that prints what it was given
  beforeAll(async () => {
    const entry = join(import.meta.dirname, "../src/secrets/passphrase.ts");
    await build({ entryPoints: [entry], bundle: true, platform: "node", format: "esm", outfile: join(dir, "passphrase.mjs") });
    put(
      "main.mjs",
      `import { passphrase } from "./passphrase.mjs";
       passphrase({ prompt: "Passphrase: ", confirm: process.argv[2] === "true" }).then(
         (p) => console.log("GOT " + Buffer.from(p).toString("hex")),
         (e) => console.log("ERR " + e.exit + " " + e.message + "; " + e.hint));`,
    );
  });

  test("without a terminal", async () => {
    // a session of its own has none
    const child = spawn(process.execPath, [join(dir, "main.mjs")], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
    const out = await text(child.stdout);
    expect(out).toContain("ERR 3");
    expect(out).toContain("--passphrase-env");
    expect(out).toContain("--passphrase-fd");
  });

  describe.skipIf(!has("python3", "--version"))("at a terminal (skipped without python3)", () => {
    // a child on a terminal of its own; `typed` is sent an entry at a time, whenever the child has written a prompt
    const atTerminal = (confirm: boolean, typed: string[]) => {
      const args = [join(dir, "terminal.py"), JSON.stringify(typed), process.execPath, join(dir, "main.mjs"), String(confirm)];
      return execFileSync("python3", args, { timeout: 20_000 }).toString();
    };
    beforeAll(() => {
      put(
        "terminal.py",
        `import os, pty, sys, termios, json, signal
typed = json.loads(sys.argv[1]); seen = b""
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[2], sys.argv[2:])
while True:
    try: data = os.read(fd, 4096)
    except OSError: break
    if not data: break
    seen += data
    if typed and seen.endswith((b"Passphrase: ", b"Once more: ")):
        entry = typed.pop(0)
        if entry == "SIGTERM": os.kill(pid, signal.SIGTERM)
        else: os.write(fd, entry.encode())
status = os.waitpid(pid, 0)[1]
print(seen.decode(), "ECHO", bool(termios.tcgetattr(fd)[3] & termios.ECHO), "SIGNAL", os.WTERMSIG(status))
`,
      );
    });
    const got = `GOT ${Buffer.from(PASS).toString("hex")}`;

    test("is read without echo, and the terminal echoes again afterwards", () => {
      const seen = atTerminal(false, [`${PASS}\r`]);
      expect(seen).toContain(got);
      expect(seen).not.toContain(PASS);
      expect(seen).toContain("ECHO True");
    });

    test("twice for a new key; again when the two differ", () => {
      expect(atTerminal(true, [`${PASS}\r`, `${PASS}\r`])).toContain(got);
      expect(atTerminal(true, ["a\r", "b\r", `${PASS}\r`, `${PASS}\r`])).toContain(got);
      expect(atTerminal(true, [`${PASS}\r${PASS}\r`])).toContain(got);
      expect(atTerminal(true, ["a\r", "b\r", "a\r", "b\r", "a\r", "b\r"])).toContain("ERR 3");
    });

    test("empty, and stopped", () => {
      expect(atTerminal(false, ["\r"])).toContain("ERR 3 terminal: the passphrase is empty");
      const stopped = atTerminal(false, ["abc\x03"]);
      expect(stopped).toContain("ERR 3 stopped");
      expect(stopped).toContain("ECHO True");
    });

    test("ended by a signal: the terminal echoes again", () => {
      const seen = atTerminal(false, ["SIGTERM"]);
      expect(seen).toContain("ECHO True SIGNAL 15");
      expect(seen).not.toContain("ERR");
    });
  });

  test("an empty one encrypts nothing", async () => {
    await expect(encryptedPem(keys.ed25519, new Uint8Array())).rejects.toThrow(RangeError);
  });
});

// r and s of a DER signature, which OpenSSL writes for ECDSA
function raw(alg: KeyAlg, signature: Buffer): Uint8Array {
  if (alg === "ed25519") return signature;
  const rLength = signature[3] as number;
  const number = (n: Buffer) => Buffer.concat([Buffer.alloc(32), n]).subarray(-32);
  return Buffer.concat([number(signature.subarray(4, 4 + rLength)), number(signature.subarray(6 + rLength))]);
}

function fromPem(text: string): Buffer {
  return Buffer.from(text.split("\n").slice(1, -2).join(""), "base64");
}

function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(der).toString("base64")}\n-----END ${label}-----\n`;
}
