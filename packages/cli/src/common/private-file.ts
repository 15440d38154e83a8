// Writes new private keys.

import { unlinkSync } from "node:fs";
import { formatPrivate, type PrivateFormat } from "@firmseal/keys";
import { canEncrypt, usage, visible, warn } from "@firmseal/keys/internal";
import type { PrivateKey } from "@firmseal/signer";
import { writeOut } from "./output.js";

/** A format that cannot be encrypted needs --no-passphrase, so that nobody takes the file for an encrypted one. */
export function refuseToEncrypt(format: PrivateFormat, encrypt: boolean): void {
  if (encrypt && !canEncrypt(format)) throw usage(`--format ${format} is not encrypted`, "add --no-passphrase, or choose pkcs8 or openssh");
}

/**
 * Writes private keys, all of them or none, with mode 0600 from the first byte, never over an existing file. Wipes the
 * passphrase.
 */
export async function writePrivate(keys: ReadonlyMap<string, PrivateKey>, format: PrivateFormat, secret?: Uint8Array): Promise<void> {
  const written: string[] = [];
  try {
    for (const [path, key] of keys) {
      const content = await formatPrivate(key, format, secret && Uint8Array.from(secret));
      if (!secret) warn(`${visible(path)} is not encrypted: anybody who can read the file can sign`);
      try {
        writeOut(path, content, { mode: 0o600, fresh: true });
      } finally {
        content.fill(0);
      }
      written.push(path);
    }
  } catch (e) {
    for (const path of written) unlinkSync(path);
    throw e;
  } finally {
    secret?.fill(0);
  }
}
