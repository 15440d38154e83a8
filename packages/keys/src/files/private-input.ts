// Recognizes private keys among files that are about to be published, or to be replaced. A mistyped name must not
// publish a key, and must not cost one.

import { createPrivateKey } from "node:crypto";
import { existsSync } from "node:fs";
import { isPrivate, wipePrivateKey } from "@firmseal/signer";
import { usage } from "../errors/failure.js";
import { SEQUENCE, singleTlv } from "../formats/der/strict.js";
import { tooLongForKey } from "../formats/other-file.js";
import { PBES2 } from "../formats/pbes2.js";
import { KEY_LIMITS } from "../limits.js";
import { readGuarded } from "../secrets/private-file.js";
import { keyIn } from "../sources/file.js";
import { schemeOf } from "../sources/key-sources.js";
import { isSameFile, readAll, readFirstBytes, STDIO, sizeOf } from "./read.js";

/** The beginnings of private keys and their states, also of keys that firmseal cannot use, or that are damaged. */
const BEGINS = /^\s*(-----BEGIN ([A-Z0-9 ]+ )?PRIVATE KEY|-----BEGIN FIRMSEAL HSS KEY|untrusted comment: .*secret key|firmseal hss )/;
/** In text, a PEM block may follow other text (RFC 7468 §2). An image may hold these words as data of a parser. */
const BLOCK = /^-----BEGIN ([A-Z0-9 ]+ )?(PRIVATE KEY|FIRMSEAL HSS KEY)/m;
/** What looks like a private key has one of these. */
const WORDS = ["PRIVATE KEY", "FIRMSEAL HSS KEY", "secret key", "firmseal hss ", '"kty"'];

/** Returns whether bytes, or the first bytes of a file, look like a private key or the state of a key. */
export function looksPrivate(head: Uint8Array): boolean {
  const wide = head[0] === 0xff && head[1] === 0xfe;
  const text = Buffer.from(head)
    .toString(wide ? "utf16le" : "latin1")
    .replace(/^(\ufeff|\xef\xbb\xbf)/, "");
  // most files are images: finding no word takes less than preparing the expressions
  if (!WORDS.some((word) => text.includes(word))) return false;
  if (BEGINS.test(text)) return true;
  if (text.includes("\0")) return false;
  // the members of a JWK have any order
  return BLOCK.test(text) || (/"kty"\s*:/.test(text) && /"(d|priv)"\s*:/.test(text));
}

/** DER without PEM around it, which keyIn() refuses for all kinds of keys. */
function isPrivateDer(bytes: Uint8Array): boolean {
  if (!singleTlv(bytes, SEQUENCE)) return false;
  const key = Buffer.from(bytes);
  if (key.includes(PBES2)) return true;
  for (const type of ["pkcs8", "sec1", "pkcs1"] as const) {
    try {
      createPrivateKey({ key, format: "der", type });
      return true;
    } catch {
      // not of this type
    }
  }
  return false;
}

class NeedsPassphrase extends Error {}

/** Whether bytes are a private key in any form that firmseal reads, encrypted or not. */
async function isPrivateKey(bytes: Uint8Array): Promise<boolean> {
  if (looksPrivate(bytes.subarray(0, KEY_LIMITS.keyFile))) return true;
  if (bytes.length > KEY_LIMITS.keyFile) return false;
  if (isPrivateDer(bytes)) return true;
  try {
    const key = await keyIn(bytes, "", () => Promise.reject(new NeedsPassphrase()));
    if (key === undefined || !isPrivate(key)) return false;
    wipePrivateKey(key);
    return true;
  } catch (e) {
    return e instanceof NeedsPassphrase;
  }
}

/**
 * Refuses an input that would be published although it is a private key, or one of the files in `keys`. `bytes`: the
 * content, if it came from stdin.
 */
export async function refuseKeyAsInput(path: string, keys: readonly string[] = [], bytes?: Uint8Array): Promise<void> {
  if (path !== STDIO && keys.some((key) => key !== STDIO && isSameFile(path, key)))
    throw usage(`${path} is the signing key (--key); it cannot also be the input`, "name the image, the description or the envelope");
  const large = bytes === undefined && sizeOf(path) > KEY_LIMITS.keyFile;
  const content = bytes ?? (large ? readFirstBytes(path, KEY_LIMITS.keyFile) : readAll(path, KEY_LIMITS.keyFile));
  if (large ? looksPrivate(content) : await isPrivateKey(content))
    throw usage(
      `${path === STDIO ? "stdin" : path} is a private key, and would be published`,
      "name another file; if devices really need this key as a payload: --allow-key-as-image",
    );
}

/**
 * Throws KeyFileError for a private key in a file that must not hold one. For several keys, before the first of them
 * asks for its passphrase.
 */
export function guardKeyFiles(refs: readonly string[]): void {
  for (const ref of refs) {
    if (ref === STDIO || schemeOf(ref) !== undefined || !existsSync(ref)) continue;
    // as in file.ts
    const { bytes, guard } = readGuarded(ref, KEY_LIMITS.keyFile, undefined, (path, size) => tooLongForKey(path, size));
    try {
      if (looksPrivate(bytes)) guard();
    } finally {
      bytes.fill(0);
    }
  }
}
