// What the tests of key files share.

import { isPrivate, type PrivateKey, type PublicKey, publicOf, toPrivateCose } from "@firmseal/signer";
import { expect } from "vitest";
import { utf8 } from "../../test-support/src/bytes.js";
import { keyA, keyB, quicklyEncrypted } from "../../test-support/src/command-line/run.js";
import { minisignSecret } from "../../test-support/src/keys/minisign.js";
import { KeyFileError } from "../src/errors/key-file.js";
import { formatPrivate, privateFormats } from "../src/formats/format.js";
import { openSshPrivate } from "../src/formats/openssh.js";
import { readKey } from "../src/sources/file.js";
import { never } from "./keys-common.js";

export const PASS = "correct horse battery";
export const ask = async () => utf8(PASS);
export const read = (content: string | Uint8Array, passphrase: () => Promise<Uint8Array> = never) =>
  readKey(typeof content === "string" ? Buffer.from(content) : Buffer.from(content), "KEY", passphrase);
export const algs: readonly PrivateKey[] = [keyA, keyB];

export function expectSame(back: PublicKey, key: PrivateKey): void {
  expect(publicOf(back)).toEqual(publicOf(key));
  expect(isPrivate(back) && Buffer.from(back.secret).equals(Buffer.from(key.secret))).toBe(true);
}

export async function refusal(content: string | Uint8Array, passphrase: () => Promise<Uint8Array> = never): Promise<KeyFileError> {
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
export async function forms(key: PrivateKey): Promise<{ [name: string]: Uint8Array }> {
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
