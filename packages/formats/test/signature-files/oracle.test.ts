// Content that must not be signed as it is: its signature would be one of another format.

import { sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ESP32 } from "../../src/esp32/esp32.js";
import { formatKey, whyNotSigned } from "../../src/index.js";
import { MINISIGN } from "../../src/signature-files/minisign.js";
import { AWS_SIGNATURE, DER_SIGNATURE, RAW_SIGNATURE } from "../../src/signature-files/plain.js";
import { SIGNIFY } from "../../src/signature-files/signify.js";
import { SSHSIG } from "../../src/signature-files/sshsig.js";
import { reasonOf } from "../common.js";
import { espImage } from "../esp32/compose.js";
import { KEYS as ESP_KEYS, signWith } from "../esp32/image.js";
import { KEYS, signed } from "./common.js";

const sigStructure = (context: string, body = "\x43\xa1\x01\x27\x40\x58\x20") =>
  Buffer.from(`\x84${context}${body}${"\0".repeat(32)}`, "latin1");

function mcuboot(rest: number): Uint8Array {
  const out = Buffer.alloc(64 + 100 + 24 + rest);
  out.writeUInt32LE(0x96f3b83d, 0);
  out.writeUInt16LE(64, 8);
  out.writeUInt16LE(24, 10);
  out.writeUInt32LE(100, 12);
  return out;
}

const esp = ESP32.read(espImage()).toBeSigned(formatKey(ESP_KEYS.rsa)).message;

/** 4 KiB that a chip with Secure Boot v2 starts, and that no tool makes. */
function espChanged(change: (bytes: Buffer) => void, image = espImage({ hash: false })): Uint8Array {
  const out = Buffer.alloc(4096, 0xff);
  out.set(image);
  change(out);
  return out;
}

const minisigned = signed(MINISIGN.draft(Buffer.from("x"), { trustedComment: "version 1" }), KEYS.ed25519).bytes;
/** A signature of minisign, and another trusted comment. */
const comment = (text: string) => {
  const [, line = ""] = Buffer.from(minisigned).toString().split("\n");
  return Buffer.concat([Buffer.from(line, "base64").subarray(10), Buffer.from(text)]);
};

const REFUSED: readonly (readonly [what: string, content: Uint8Array])[] = [
  ["a Sig_structure of COSE_Sign1", sigStructure("\x6aSignature1")],
  ["a Sig_structure of COSE_Sign", sigStructure("\x69Signature")],
  ["a countersignature", sigStructure("\x70CounterSignature")],
  ["a Sig_structure with longer lengths", Buffer.from("\x9f\x79\0\x0aSignature1", "latin1")],
  ["a PAE of DSSE", Buffer.from("DSSEv1 29 http://example.com/HelloWorld 11 hello world")],
  ["what sshsig signs", SSHSIG.draft(Buffer.from("x"), { namespace: "file" }).toBeSigned(formatKey(KEYS.ed25519)).message],
  ["a checkpoint", Buffer.from(`example.com/log\n1234\n${Buffer.alloc(32).toString("base64")}\n`)],
  ["a signed note", Buffer.from("text\n\n— example.com/log AAAAAAAA\n")],
  ["a cosignature", Buffer.from("cosignature/v1\ntime 1700000000\nexample.com/log\n")],
  ["what a JSON Web Signature signs", Buffer.from("eyJhbGciOiJFUzI1NiJ9.e30")],
  ["what MCUboot verifies", mcuboot(0)],
  ["what Secure Boot v2 verifies", esp],
  ["an image of ESP32 with zeros up to 4 KiB", espChanged((b) => b.fill(0, espImage({ hash: false }).length))],
  ["an image of ESP32 with a wrong hash, which Secure Boot does not compare", espChanged((b) => b.fill(0, 610, 620), espImage())],
  ["an image of a chip that is not known", espChanged((b) => b.writeUInt16LE(0x7fff, 12))],
  ["an image of ESP32 with another flag of the hash", espChanged((b) => b.fill(2, 23, 24))],
  ["an image of ESP32 with a version that is not text", espChanged(() => undefined, espImage({ hash: false, version: "1\n" }))],
  ["an image of ESP32 without segments", espChanged((b) => b.fill(0, 1, 2).fill(0xef, 31, 32))],
  ["what a JSON Web Signature with a detached payload signs", Buffer.from("eyJiNjQiOmZhbHNlfQ.\0firmware")],
];

describe("content is refused", () => {
  it.each(REFUSED)("that is %s", (_, content) => {
    const tries = [RAW_SIGNATURE, SIGNIFY].map((format) => [format.draft(content), "ed25519"] as const);
    const all = [
      ...tries,
      [DER_SIGNATURE.draft(content), "rsa"],
      [AWS_SIGNATURE.draft(content), "p256"],
      [MINISIGN.draft(content, { prehashed: false }), "ed25519"],
    ] as const;
    for (const [draft, key] of all) expect(reasonOf(() => draft.toBeSigned(formatKey(KEYS[key])))).toBe("SIGNATURE_FILE_ORACLE");
    // nor is such a signature believed, wherever it comes from
    const secret = KEYS.ed25519;
    const key25519 = formatKey(secret);
    const bytes = sign(null, content, secret);
    const line = Buffer.concat([Buffer.from("Ed12345678"), bytes]).toString("base64");
    const global = sign(null, Buffer.concat([bytes, Buffer.from("c")]), secret).toString("base64");
    const signify = Buffer.from(`untrusted comment: c\n${line}\n`);
    const legacy = Buffer.from(`untrusted comment: c\n${line}\ntrusted comment: c\n${global}\n`);
    for (const file of [RAW_SIGNATURE.read(bytes, content), SIGNIFY.read(signify, content), MINISIGN.read(legacy, content)])
      expect(reasonOf(() => file.verify([key25519]))).toBe("SIGNATURE_FILE_ORACLE");
    const der = sign("sha256", content, KEYS.p256);
    for (const file of [DER_SIGNATURE.read(der, content), AWS_SIGNATURE.read(Buffer.from(der.toString("base64")), content)])
      expect(reasonOf(() => file.verify([formatKey(KEYS.p256)]))).toBe("SIGNATURE_FILE_ORACLE");
    // these sign a hash of it
    expect(signed(MINISIGN.draft(content), KEYS.ed25519).verify([formatKey(KEYS.ed25519)])).toHaveLength(1);
    expect(signed(SSHSIG.draft(content, { namespace: "file" }), KEYS.ed25519).bytes.length).toBeGreaterThan(0);
  });

  it.each(["version 2, für Geräte\tnew", ""])("that is a signature of minisign with the trusted comment %j, by Ed25519 only", (text) => {
    for (const draft of [RAW_SIGNATURE, SIGNIFY].map((format) => format.draft(comment(text))))
      expect(reasonOf(() => draft.toBeSigned(formatKey(KEYS.ed25519)))).toBe("SIGNATURE_FILE_ORACLE");
    expect(whyNotSigned(comment(text), { type: "ecdsa", hash: "sha256" })).toBeUndefined();
  });

  it.each([32, 48, 64])("that is as long as a digest of %i bytes, by Ed25519 only", (n) => {
    expect(whyNotSigned(Buffer.alloc(n, 1), { type: "ed25519" })).toContain("digest");
    expect(whyNotSigned(Buffer.alloc(n, 1), { type: "ecdsa", hash: "sha256" })).toBeUndefined();
  });
});

describe("content is signed", () => {
  it.each([
    ["nothing", new Uint8Array(0)],
    ["64 characters, and more text", Buffer.from(`${"x".repeat(63)}\nand more text`)],
    ["a signature of minisign with something that is not a comment", comment("\0")],
    ["a text", Buffer.from("A text, about a Signature1.\n")],
    ["an image of MCUboot with its signature", mcuboot(40)],
    ["an image of ESP32 that is not padded", espImage()],
    ["an image of ESP32 with its signature", signWith(ESP32.read(espImage()), ESP_KEYS.rsa).bytes],
    ["4 KiB that begin like an image of ESP32", Buffer.concat([espImage().slice(0, 100), Buffer.alloc(3996)])],
  ])("that is %s", (_, content) => {
    expect(whyNotSigned(content, { type: "ed25519" })).toBeUndefined();
  });
});
