import { createPrivateKey } from "node:crypto";
import { toCose, toPrivateCose, toPrivateJwk } from "@firmseal/signer";
import { describe, expect, test } from "vitest";
import { utf8 } from "../../test-support/src/bytes.js";
import { SAMPLES } from "../../test-support/src/image-writers.js";
import { drawnPair } from "../../test-support/src/keys/drawn-keys.js";
import { KeyFileError } from "../src/errors/key-file.js";
import { formatPublic } from "../src/formats/format.js";
import { encryptedPem, plainPem } from "../src/formats/pkcs8.js";
import { CANARY, failure, fromPem, keys, PASS, pem, read } from "./keys-common.js";

describe("files that are refused", () => {
  const plain = plainPem(keys.ed25519);
  const jwk = JSON.stringify(toPrivateJwk(keys.ed25519));
  let once: Promise<string> | undefined;
  const sealed = () => (once ??= encryptedPem(keys.ed25519, utf8(PASS), 1));
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
    ["a release", Buffer.from("d86ba2025827815824822f5820", "hex"), "is a SUIT envelope, not a key"],
    ["a release that is too long for a key", Buffer.from("d86ba2".padEnd(140_000, "0"), "hex"), "is a SUIT envelope, not a key"],
    ["a trust file", Buffer.from("d8628440a05865a501010201", "hex"), "is a trust file, not a key"],
    ["an approval", Buffer.from("d28443a10132a0582d83", "hex"), "is an approval or a status, not a key"],
    ["a signing log", '{"v":1,"n":1,"prev":""}\n{"v":1,"n":2}\n', "is a signing log, not a key"],
    ["a product file", '"$schema" = "urn:firmseal:product:1"\nname = "x"\n', "is a product file, not a key"],
    ["a trust description", '{"$schema":"urn:firmseal:trust:1"}', "is a trust description, not a key"],
    ["an ELF file", Buffer.from("\x7fELF\x02\x01\x01".padEnd(70_000, "\0"), "latin1"), "is an ELF file, not a key"],
    ["a UF2 file", Buffer.from("UF2\n\x57\x51\x5d\x9e".padEnd(512, "\0"), "latin1"), "is a UF2 file, not a key"],
    ["Intel HEX", ":020000040800F2\n:00000001FF\n", "is an Intel HEX file, not a key"],
    ["PKCS#12", Buffer.from("3082014a02010330820110", "hex"), "is a PKCS#12 file, not a key"],
    ["a certificate in DER", Buffer.from("308201353081e8a0030201020214", "hex"), "is a certificate, not a key"],
    ["text", "hello, this is not a key at all, it is a letter\n", "not a key"],
    ["hex of a key", `${Buffer.from(CANARY).toString("hex")}\n`, "not a key"],
    ["33 bytes", new Uint8Array(33).fill(2), "not a key"],
    ["32 bytes that are not a point", new Uint8Array(32).fill(255), "not a point"],
    ["65 bytes that are not a point", Uint8Array.of(4, ...new Uint8Array(64).fill(1)), "not a point"],
    ["JSON that is not a JWK", '{"name": "x"}', "kty"],
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
    expect(e.exit, e.message).toBe(2);
    expect(e.message).toMatch(/^KEY(?::| is) /);
    expect(e.message).toContain(words);
  });

  // a format without a row in formats/other-file.ts is refused all the same, and the message does not say what the file is
  test.each(Object.entries(SAMPLES))("an image, %s", async (format, file) => {
    expect((await failure(file)).message, "packages/keys/src/formats/other-file.ts").toMatch(
      new RegExp(`^KEY is an? ${format} file, not a key$`),
    );
  });

  test("encrypted PEM, truncated or not PBES2: the message does not blame the passphrase", async () => {
    const enc = await sealed();
    expect((await failure(enc.replace(/\n.{64}\n/, "\n"), async () => utf8(PASS))).exit).toBe(2);
    const der = fromPem(enc);
    const at = der.indexOf(Buffer.from("2a864886f70d01050d", "hex"));
    der[at + 8] = 0x3f;
    expect(await failure(pem("ENCRYPTED PRIVATE KEY", der), async () => utf8(PASS))).toMatchObject({ exit: 2 });
  });

  test.each([
    ["more memory than OpenSSL allows", "02024000020108", "02024000020120"],
    ["an N that is not a power of two", "02024000", "02024001"],
    ["an unknown key derivation", "2b06010401da47040b", "2b06010401da470477"],
    ["an unknown cipher", "60864801650304012a", "60864801650304017f"],
  ])("encrypted with %s: the passphrase is not to blame", async (_, from, to) => {
    const der = fromPem(await sealed());
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
