// Secrets that the tests look for, in each form in which they could show.

import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { privateKey } from "@firmseal/signer";
import { expect } from "vitest";
import { type Place, quicklyEncrypted, type Result } from "../../../../test-support/src/command-line/run.js";

export const CANARY = "canary-passphrase-Zq9";

export const WRONG = "another-canary-Xw3";

export const secretBytes = new TextEncoder().encode("canary key bytes, 32 of them, ok");

export const canaryKey = privateKey("ed25519", secretBytes);

export const inside = privateKey("ed25519", randomBytes(32));

export const encrypted = Buffer.from(quicklyEncrypted(inside, CANARY));

/** A secret as it could show: itself, hexadecimal, base64 at each of the three offsets. */
export function forms(secret: Uint8Array): Buffer[] {
  const b = Buffer.from(secret);
  const base64 = [0, 1, 2].flatMap((skip) => {
    const text = b.subarray(skip, skip + 3 * Math.floor((b.length - skip) / 3)).toString("base64");
    return [text, text.replaceAll("+", "-").replaceAll("/", "_")];
  });
  return [
    b,
    ...[b.toString("hex"), b.toString("hex").toUpperCase(), [...b].join(","), [...b].join(", "), ...base64].map((t) => Buffer.from(t)),
  ];
}

export const passphrases = [CANARY, WRONG].flatMap((t) => forms(Buffer.from(t)));

export function expectNone(where: string, content: Uint8Array, secrets: readonly Uint8Array[]): void {
  const b = Buffer.from(content);
  for (const s of secrets) expect(b.indexOf(Buffer.from(s)), where).toBe(-1);
}

export function expectSilent(r: Result, secrets: readonly Uint8Array[]): void {
  expectNone("stdout", r.bytes, secrets);
  expectNone("stderr", Buffer.from(r.stderr), secrets);
}

export function expectFilesSilent(p: Place, secrets: readonly Uint8Array[], except: readonly string[]): void {
  const walk = (folder: string) => {
    for (const entry of readdirSync(p.at(folder), { withFileTypes: true })) {
      const name = folder === "." ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(name);
      else if (!except.includes(name)) expectNone(name, p.get(name), secrets);
    }
  };
  walk(".");
}
