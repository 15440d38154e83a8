// Recognizes keys among files that are about to be published, or to be replaced. A mistyped name must not publish a
// private key or cost one, and a public key is not firmware.

import { createPrivateKey, createPublicKey } from "node:crypto";
import { existsSync } from "node:fs";
import { isPrivate, isSecretCose, wipePrivateKey } from "@firmseal/signer";
import { usage } from "../errors/failure.js";
import { inputName, isSameFile, readAll, readFirstBytes, STDIO, sizeOf } from "../files/read.js";
import { decodeBase64 } from "../formats/base64.js";
import { SEQUENCE, singleTlv } from "../formats/der/strict.js";
import { tooLongForKey } from "../formats/other-file.js";
import { PBES2 } from "../formats/pbes2.js";
import { KEY_LIMITS } from "../limits.js";
import { readGuarded } from "../secrets/private-file.js";
import { keyIn } from "./file.js";
import { schemeOf } from "./key-sources.js";

/** The beginnings of private keys and their states, also of keys that firmseal cannot use, or that are damaged. */
const BEGINS =
  /^\s*(-----BEGIN ([A-Z0-9 ]+ )?PRIVATE KEY|-----BEGIN FIRMSEAL HSS KEY|---- BEGIN SSH2 (ENCRYPTED )?PRIVATE KEY|untrusted comment: .*secret key|firmseal hss |PuTTY-User-Key-File-\d|(#[^\n]*\n)*AGE-SECRET-KEY-)/;
/** In text, a PEM block may follow other text (RFC 7468 §2). An image may hold these words as data of a parser. */
const BLOCK = /^-----BEGIN ([A-Z0-9 ]+ )?(PRIVATE KEY|FIRMSEAL HSS KEY)/m;
/** What looks like a private key has one of these. */
const WORDS = ["PRIVATE KEY", "FIRMSEAL HSS KEY", "secret key", "firmseal hss ", '"kty"', "PuTTY-User-Key-File-", "AGE-SECRET-KEY-"];

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
  return (
    BLOCK.test(text) || (/"kty"\s*:/.test(text) && /"(d|priv)"\s*:/.test(text)) || (/"kty"\s*:\s*"oct"/.test(text) && /"k"\s*:/.test(text))
  );
}

/** Whether DER without PEM around it is a key, which keyIn() refuses for all kinds of keys. */
function keyInDer(bytes: Uint8Array): KeyKind | undefined {
  if (!singleTlv(bytes, SEQUENCE)) return undefined;
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (
    key.includes(PBES2) ||
    ["pkcs8", "sec1", "pkcs1"].some((type) => isRead(() => createPrivateKey({ key, format: "der", type } as never)))
  )
    return "private";
  return ["spki", "pkcs1"].some((type) => isRead(() => createPublicKey({ key, format: "der", type } as never))) ? "public" : undefined;
}

function isRead(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

class NeedsPassphrase extends Error {}

type KeyKind = "private" | "public";

/** The beginnings of public keys in text, also of keys that firmseal cannot use. */
const PUBLIC_BEGINS =
  /^\s*(-----BEGIN ([A-Z0-9 ]+ )?PUBLIC KEY-----[ \t]*\r?\n|---- BEGIN SSH2 PUBLIC KEY ----|(ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w.@-]+ AAAA)/;

/** A page or a program may have words of keys further on. */
const BEGINNING = 1024;

/**
 * Returns whether a file is a private key in any form, without loading an algorithm. `bytes`: of a file that is not
 * longer than a key, or the first bytes of a longer one.
 */
export function isPrivateFile(bytes: Uint8Array): boolean {
  const isJson = /^\s*[{[]/.test(Buffer.from(bytes.subarray(0, BEGINNING)).toString("latin1"));
  return looksPrivate(isJson ? bytes : bytes.subarray(0, BEGINNING)) || hasSecretCose(bytes) || keyInDer(bytes) === "private";
}

const hasSecretCose = (bytes: Uint8Array) => isSecretCose(bytes) || isSecretCose(base64In(bytes));

const NOTHING = new Uint8Array();

/** What a COSE_Key in base64 or base64url decodes to. */
function base64In(bytes: Uint8Array): Uint8Array {
  // every COSE_Key is a map of a few members: a0 to b7 in the first byte
  if (!/^\s*[o-t]/.test(Buffer.from(bytes.subarray(0, 64)).toString("latin1"))) return NOTHING;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1").trim();
  return decodeBase64(text) ?? decodeBase64(text, "base64url") ?? NOTHING;
}

/**
 * Whether bytes are a key in any form that firmseal reads, encrypted or not. A raw public key is not recognized: any
 * bytes of its length may be one.
 */
async function keyKind(bytes: Uint8Array): Promise<KeyKind | undefined> {
  const head = bytes.subarray(0, KEY_LIMITS.keyFile);
  if (looksPrivate(head)) return "private";
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (PUBLIC_BEGINS.test(view.toString("latin1", 0, 256))) return "public";
  if (bytes.length > KEY_LIMITS.keyFile) return undefined;
  const der = keyInDer(bytes);
  if (der !== undefined) return der;
  if (hasSecretCose(bytes)) return "private";
  try {
    const key = await keyIn(bytes, "", () => Promise.reject(new NeedsPassphrase()));
    if (key === undefined) return undefined;
    if (isPrivate(key)) {
      wipePrivateKey(key);
      return "private";
    }
    // a program may have a public key among its texts
    return key.key.length >= bytes.length || view.includes("-----BEGIN ") ? undefined : "public";
  } catch (e) {
    return e instanceof NeedsPassphrase ? "private" : undefined;
  }
}

/**
 * Refuses an input that would be published although it is a private key, or one of the files in `keys`. `bytes`: the
 * content, if it came from stdin. Throws a usage Failure.
 */
export async function refuseKeyAsInput(path: string, keys: readonly string[] = [], bytes?: Uint8Array, o: KeyAsInput = {}): Promise<void> {
  if (path !== STDIO && keys.some((key) => key !== STDIO && isSameFile(path, key)))
    throw usage(`${path} is the signing key (\`key\`); it cannot also be the input`, "name the image, the description or the envelope");
  const large = bytes === undefined && sizeOf(path) > KEY_LIMITS.keyFile;
  const content = bytes ?? (large ? readFirstBytes(path, KEY_LIMITS.keyFile) : readAll(path, KEY_LIMITS.keyFile));
  const kind = large ? (looksPrivate(content) ? "private" : undefined) : await keyKind(content);
  const name = inputName(path);
  const { isFirmware, hint = "name another file; if devices really need this key as a payload: `allowKeyAsImage`" } = o;
  if (kind === "private") throw usage(`${name} is a private key, and would be published`, hint);
  if (kind === "public" && isFirmware) throw usage(`${name} is a public key, not an image`, hint);
}

interface KeyAsInput {
  /** Devices would start the input, so a public key is refused too. */
  isFirmware?: boolean;
  /** What to do instead. */
  hint?: string;
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
