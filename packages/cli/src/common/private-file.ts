// Writes new private keys.

import { formatPrivate, type PrivateFormat } from "@firmseal/keys";
import { canEncrypt, usage, visible, warn } from "@firmseal/keys/internal";
import type { PrivateKey } from "@firmseal/signer";
import { type NewFile, writeAllNew } from "./output.js";

/** A format that cannot be encrypted needs --no-passphrase, so that nobody takes the file for an encrypted one. */
export function refuseToEncrypt(format: PrivateFormat, encrypt: boolean): void {
  if (encrypt && !canEncrypt(format)) throw usage(`--format ${format} is not encrypted`, "add --no-passphrase, or choose pkcs8 or openssh");
}

/**
 * Writes private keys, all of them or none, with mode 0600 from the first byte, never over an existing file, and then
 * the files of `beside`. Wipes the passphrase.
 */
export async function writePrivate(
  keys: ReadonlyMap<string, PrivateKey>,
  format: PrivateFormat,
  secret?: Uint8Array,
  beside: readonly NewFile[] = [],
): Promise<void> {
  const files: NewFile[] = [];
  try {
    for (const [path, key] of keys) {
      files.push({ path, bytes: await formatPrivate(key, format, secret && Uint8Array.from(secret)), mode: 0o600 });
      if (!secret) warn(`${visible(path)} is not encrypted: anybody who can read the file can sign`);
    }
    writeAllNew([...files, ...beside]);
  } finally {
    for (const { bytes } of files) bytes.fill(0);
    secret?.fill(0);
  }
}
