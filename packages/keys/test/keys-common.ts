// Keys whose secret is searched for in every message, and files with them, for the tests of key files.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isPrivate, type PrivateKey, type PublicKey, privateKey, publicOf } from "@firmseal/signer";
import { expect } from "vitest";
import { utf8 } from "../../test-support/src/bytes.js";
import { KeyFileError } from "../src/errors/key-file.js";
import { readKey } from "../src/sources/file.js";

export const CANARY = utf8("CANARYcanaryCANARYcanaryCANARYca");

export const PASS = "correct horse 🔋";

export const algs = ["ed25519", "es256"] as const;

export const keys = Object.fromEntries(algs.map((alg) => [alg, privateKey(alg, CANARY)])) as Record<(typeof algs)[number], PrivateKey>;

export const never = () => Promise.reject(new Error("asked for a passphrase"));

/** Writes a file of a test, in its folder. */
export function putIn(dir: string, name: string, content: string | Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

export function read(content: string | Uint8Array, ask: () => Promise<Uint8Array> = never): Promise<PublicKey | PrivateKey> {
  return readKey(typeof content === "string" ? utf8(content) : content, "KEY", ask);
}

// what reading fails with; every message of every test goes through here and is searched for the secret
export async function failure(content: string | Uint8Array, ask?: () => Promise<Uint8Array>): Promise<KeyFileError> {
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

export function expectPrivate(back: PublicKey, key: PrivateKey): void {
  expect(back).toEqual(publicOf(key));
  expect(isPrivate(back) && back.secret).toEqual(key.secret);
}

export function fromPem(text: string): Buffer {
  return Buffer.from(text.split("\n").slice(1, -2).join(""), "base64");
}

export function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(der).toString("base64")}\n-----END ${label}-----\n`;
}
