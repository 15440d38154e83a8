// What a file is: an envelope, a trust file, a description, a key, or a payload of the open envelope.

import { HASH_FUNCTIONS } from "@firmseal/behaviour";
import { digestInSlices, type OnProgress } from "@firmseal/report/page";
import { decodeUtf8, draftOf, isDescription, type PublicKey, resolve } from "@firmseal/signer";
import { isRefusal, looksLikeEnvelope, looksLikeTrustFile, taggedKind, toHex } from "@firmseal/verifier/tools";
import { TEXTS } from "../texts.js";
import { keyFromJwk, keyOfBytes, keyOfPem, keyOfRaw, keyOfText, MOST_KEY_BYTES } from "./keys.js";
import type { Main } from "./main-file.js";
import { fetchesOf } from "./release.js";
import { refusalText, Sentence } from "./sentence.js";

/** Bytes of the largest file that is opened: what the command line takes as an envelope. */
const MOST_BYTES = 257 * 1024 * 1024;
/** Bytes read at a time. */
const STEP = 1 << 22;

/** The bytes of a payload outside the envelope, with the digest by which it was recognized, in hex. */
export interface OutsidePayload {
  uri: string;
  digest: string;
  bytes: Uint8Array;
}

/** The bytes of a description are the envelope without signatures that it describes. */
export type Content =
  | { kind: "envelope" | "trust" | "description"; bytes: Uint8Array }
  | { kind: "key"; key: PublicKey }
  | { kind: "payload"; payload: OutsidePayload };

const keyContent = (key: PublicKey | undefined): Content | undefined => key && { kind: "key", key };

/** What a file is. `envelope`: whose payload it may be. Throws Sentence if it is nothing that this page knows. */
export async function contentOf(file: Blob, name: string, envelope: Main | undefined, progress: OnProgress): Promise<Content> {
  if (file.size === 0) throw new Sentence(TEXTS.empty(name));
  if (file.size > MOST_BYTES) throw new Sentence(TEXTS.tooLarge(name, file.size, MOST_BYTES));
  const bytes = await readAll(file, name, progress);
  if (looksLikeTrustFile(bytes) || name.endsWith(".trust")) return { kind: "trust", bytes };
  const key = keyContent(keyOfBytes(bytes, name));
  if (key) return key;
  if (looksLikeEnvelope(bytes) || name.endsWith(".suit")) return { kind: "envelope", bytes };
  const payload = envelope && (await payloadOf(envelope, bytes, progress));
  if (payload) return { kind: "payload", payload };
  const content = keyContent(keyOfRaw(bytes, name)) ?? (await textContent(bytes, name));
  if (content) return content;
  if (taggedKind(bytes) === "message") throw new Sentence(TEXTS.isMessage(name));
  throw new Sentence((envelope ? TEXTS.notPayload : TEXTS.unknown)(name));
}

/** What a pasted text is. Throws Sentence if it is nothing that this page knows. */
export async function pastedContent(text: string, name: string): Promise<Content> {
  if (text.trimStart().startsWith("{")) return jsonContent(text, name);
  const key = text.length <= 4 * MOST_KEY_BYTES ? keyContent(keyOfText(text, name)) : undefined;
  if (!key) throw new Sentence(TEXTS.unknown(name));
  return key;
}

async function readAll(file: Blob, name: string, progress: OnProgress): Promise<Uint8Array> {
  const bytes = new Uint8Array(file.size);
  try {
    for (let at = 0; at < file.size; at += STEP) {
      bytes.set(new Uint8Array(await file.slice(at, at + STEP).arrayBuffer()), at);
      progress(at, file.size);
    }
  } catch {
    throw new Sentence(TEXTS.unreadable(name));
  }
  return bytes;
}

/** The payload outside the envelope that these bytes are. */
async function payloadOf(envelope: Main, bytes: Uint8Array, progress: OnProgress): Promise<OutsidePayload | undefined> {
  if (!envelope.outline) return undefined;
  const hashed = new Map<string, string>();
  for (const { uri, digest, bytes: size } of await fetchesOf(envelope).catch(() => [])) {
    const hash = digest && HASH_FUNCTIONS[digest.algorithm];
    if (!hash || (size !== undefined && size !== bytes.length)) continue;
    const hex = hashed.get(digest.algorithm) ?? toHex(await digestInSlices(hash, bytes, progress));
    hashed.set(digest.algorithm, hex);
    if (hex === digest.hex) return { uri, digest: hex, bytes };
  }
  return undefined;
}

async function textContent(bytes: Uint8Array, name: string): Promise<Content | undefined> {
  const text = bytes.length <= 1 << 20 ? decodeUtf8(bytes) : undefined;
  if (text?.trimStart().startsWith("{")) return jsonContent(text, name);
  return text && text.length <= 4 * MOST_KEY_BYTES ? keyContent(keyOfPem(text, name) ?? keyOfText(text, name)) : undefined;
}

async function jsonContent(text: string, name: string): Promise<Content> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Sentence(TEXTS.notJson(name));
  }
  if (typeof value !== "object" || value === null) throw new Sentence(TEXTS.otherJson(name));
  if ("kty" in value) return { kind: "key", key: keyFromJwk(value, name) };
  const schema = "$schema" in value ? value.$schema : undefined;
  if (schema === "urn:firmseal:trust:1") throw new Sentence(TEXTS.isTrustDescription);
  if (!isDescription(value)) throw new Sentence(TEXTS.otherJson(name));
  return { kind: "description", bytes: await describedEnvelope(value, name) };
}

async function describedEnvelope(value: unknown, name: string): Promise<Uint8Array> {
  const noFiles = () => Promise.reject(new Sentence(TEXTS.needsFiles(name)));
  try {
    return draftOf(await resolve(value, { hash: noFiles, read: noFiles })).bytes;
  } catch (e) {
    if (e instanceof Sentence) throw e;
    throw new Sentence(TEXTS.badDescription(name, isRefusal(e) ? refusalText(e) : (e as Error).message));
  }
}
