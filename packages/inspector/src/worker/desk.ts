// The open files.

import { diagnostic, HASH_FUNCTIONS } from "@firmseal/report";
import { digestInSlices, type OnProgress } from "@firmseal/report/page";
import {
  decodeTrust,
  draftOf,
  isDescription,
  isTrust,
  type PublicKey,
  resolve,
  testKeyName,
  thumbprint,
  toHex,
  trustName,
} from "@firmseal/signer";
import { compareSequence, type Refusal } from "@firmseal/verifier";
import {
  decodeEnvelope,
  formatSequence,
  isRefusal,
  PARAM_CLASS_IDENTIFIER,
  PARAM_COMPONENT_SLOT,
  PARAM_VENDOR_IDENTIFIER,
  type UnverifiedEnvelope,
} from "@firmseal/verifier/tools";
import type { MainFile, OpenFile } from "../protocol.js";
import { TEXTS } from "../texts.js";
import { keyFromJwk, keyOfBytes, keyOfPem, keyOfRaw, keyOfText, MOST_KEY_BYTES } from "./keys.js";
import { fetchesOf } from "./release.js";
import { refusalText, Sentence } from "./sentence.js";
import { Tree } from "./tree.js";

/** Bytes of the largest file that is opened: what the command line takes as an envelope. */
const MOST_BYTES = 257 * 1024 * 1024;
/** Keys at a time, as on the command line. */
const MOST_KEYS = 256;
/** Bytes read at a time. */
const STEP = 1 << 22;
/** Bytes of a byte string that diagnostic notation shows in full. */
const SHOWN_BYTES = 65_536;

export interface OpenKey {
  id: number;
  name: string;
  key: PublicKey;
}

/** An envelope or a trust file. `outline`: if it can be read without trust; `fault`: if not. */
export interface Main {
  id: number;
  name: string;
  kind: "envelope" | "trust";
  bytes: Uint8Array;
  tree: Tree;
  outline?: UnverifiedEnvelope;
  fault?: Refusal;
}

/** A payload outside the envelope, with the digest by which it was recognized, in hex. */
export interface OpenPayload {
  id: number;
  uri: string;
  digest: string;
  bytes: Uint8Array;
}

/** Whether the bytes begin with tag 107 and a map, or with a map whose first key is 2 or 3 (M37 §8.2). */
function looksLikeEnvelope(bytes: Uint8Array): boolean {
  const at = bytes[0] === 0xd8 && bytes[1] === 0x6b ? 2 : 0;
  return (bytes[at] ?? 0) >> 5 === 5 && (at > 0 || bytes[1] === 2 || bytes[1] === 3);
}

export class Desk {
  envelope: Main | undefined;
  trust: Main | undefined;
  /** The trust file before, whose roots must have signed the other one. */
  before: Main | undefined;
  keys: OpenKey[] = [];
  payloads: OpenPayload[] = [];
  private ids = 0;

  /** The file whose items are shown. */
  get main(): Main | undefined {
    return this.envelope ?? this.trust;
  }

  /** Opens a file. Throws Sentence if it is nothing that this page knows. */
  async open(file: Blob, name: string, progress: OnProgress): Promise<OpenFile> {
    if (file.size === 0) throw new Sentence(TEXTS.empty(name));
    if (file.size > MOST_BYTES) throw new Sentence(TEXTS.tooLarge(name, file.size, MOST_BYTES));
    return this.take(await readAll(file, name, progress), name, progress);
  }

  async paste(text: string): Promise<OpenFile> {
    const name = `key ${this.keys.length + 1}`;
    if (text.trimStart().startsWith("{")) return this.takeJson(text, name);
    const key = text.length <= 4 * MOST_KEY_BYTES ? keyOfText(text, name) : undefined;
    if (!key) throw new Sentence(TEXTS.unknown(name));
    return this.addKey(key, name);
  }

  remove(id: number): void {
    if (this.envelope?.id === id) this.closeEnvelope();
    if (this.trust?.id === id) {
      this.trust = this.before;
      this.before = undefined;
    }
    if (this.before?.id === id) this.before = undefined;
    this.keys = this.keys.filter((key) => key.id !== id);
    this.payloads = this.payloads.filter((payload) => payload.id !== id);
  }

  clear(): void {
    this.closeEnvelope();
    this.trust = undefined;
    this.before = undefined;
    this.keys = [];
  }

  private closeEnvelope(): void {
    this.envelope = undefined;
    this.payloads = [];
  }

  private async take(bytes: Uint8Array, name: string, progress: OnProgress): Promise<OpenFile> {
    if (isTrust(bytes) || name.endsWith(".trust")) return this.takeTrust(bytes, name);
    const key = keyOfBytes(bytes, name);
    if (key) return this.addKey(key, name);
    if (looksLikeEnvelope(bytes) || name.endsWith(".suit")) return this.takeEnvelope(bytes, name);
    const payload = await this.recognized(bytes, progress);
    if (payload) return this.takePayload(payload, name);
    return this.takeText(bytes, name);
  }

  private async takeText(bytes: Uint8Array, name: string): Promise<OpenFile> {
    const raw = keyOfRaw(bytes, name);
    if (raw) return this.addKey(raw, name);
    const text = bytes.length <= 1 << 20 ? textOf(bytes) : undefined;
    if (text?.trimStart().startsWith("{")) return this.takeJson(text, name);
    const key = text && text.length <= 4 * MOST_KEY_BYTES ? (keyOfPem(text, name) ?? keyOfText(text, name)) : undefined;
    if (key) return this.addKey(key, name);
    throw new Sentence((this.envelope ? TEXTS.notPayload : TEXTS.unknown)(name));
  }

  private async takeJson(text: string, name: string): Promise<OpenFile> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new Sentence(TEXTS.notJson(name));
    }
    if (typeof value !== "object" || value === null) throw new Sentence(TEXTS.otherJson(name));
    if ("kty" in value) return this.addKey(keyFromJwk(value, name), name);
    const schema = "$schema" in value ? value.$schema : undefined;
    if (schema === "urn:firmseal:trust:1") throw new Sentence(TEXTS.isTrustDescription);
    if (!isDescription(value)) throw new Sentence(TEXTS.otherJson(name));
    return this.takeDescription(value, name);
  }

  /** A description becomes the envelope without signatures that it describes. */
  private async takeDescription(value: unknown, name: string): Promise<OpenFile> {
    const noFiles = () => Promise.reject(new Sentence(TEXTS.needsFiles(name)));
    let bytes: Uint8Array;
    try {
      bytes = draftOf(await resolve(value, { hash: noFiles, read: noFiles })).bytes;
    } catch (e) {
      if (e instanceof Sentence) throw e;
      throw new Sentence(TEXTS.badDescription(name, isRefusal(e) ? refusalText(e) : (e as Error).message));
    }
    return { ...this.takeEnvelope(bytes, name), kind: "description", words: TEXTS.isDescription(bytes.length) };
  }

  private takeEnvelope(bytes: Uint8Array, name: string): OpenFile {
    this.closeEnvelope();
    const main: Main = { id: this.ids++, name, kind: "envelope", bytes, tree: new Tree(bytes, "envelope") };
    try {
      main.outline = decodeEnvelope(bytes);
    } catch (e) {
      if (!isRefusal(e)) throw e;
      main.fault = e;
    }
    this.envelope = main;
    return { id: main.id, kind: "envelope", name, words: (main.fault ? TEXTS.isDamaged : TEXTS.isEnvelope)(bytes.length) };
  }

  private takeTrust(bytes: Uint8Array, name: string): OpenFile {
    const now: Main = { id: this.ids++, name, kind: "trust", bytes, tree: new Tree(bytes, "trust") };
    const open = [this.trust, this.before].filter((one) => one !== undefined);
    // of three, the first one is closed
    const other = this.trust;
    const order = other && orderOf(now, other);
    this.trust = order !== undefined && order < 0 ? other : now;
    this.before = order === undefined ? undefined : order < 0 ? now : other;
    const closes = open.filter((one) => one !== this.trust && one !== this.before).map(({ id }) => id);
    const words = (now === this.trust ? TEXTS.isTrust : TEXTS.trustBefore)(bytes.length);
    return { id: now.id, kind: "trust", name, words, closes };
  }

  private addKey(key: PublicKey, name: string): OpenFile {
    const hex = toHex(thumbprint(key));
    if (this.keys.some((one) => toHex(thumbprint(one.key)) === hex)) throw new Sentence(TEXTS.keyTwice(name));
    if (this.keys.length >= MOST_KEYS) throw new Sentence(TEXTS.tooManyKeys(MOST_KEYS));
    const id = this.ids++;
    this.keys.push({ id, name, key });
    const test = testKeyName(key);
    const words = TEXTS.isKey(key.alg, hex);
    return { id, kind: "key", name, words: test === undefined ? words : `${words}; ${TEXTS.isTestKey(test)}` };
  }

  /** The payload outside the envelope that these bytes are. */
  private async recognized(bytes: Uint8Array, progress: OnProgress): Promise<Omit<OpenPayload, "id"> | undefined> {
    if (!this.envelope?.outline) return undefined;
    const hashed = new Map<string, string>();
    for (const { uri, digest, bytes: size } of await fetchesOf(this.envelope).catch(() => [])) {
      const hash = digest && HASH_FUNCTIONS[digest.algorithm];
      if (!hash || (size !== undefined && size !== bytes.length)) continue;
      const hex = hashed.get(digest.algorithm) ?? toHex(await digestInSlices(hash, bytes, progress));
      hashed.set(digest.algorithm, hex);
      if (hex === digest.hex) return { uri, digest: hex, bytes };
    }
    return undefined;
  }

  private takePayload(payload: Omit<OpenPayload, "id">, name: string): OpenFile {
    const id = this.ids++;
    this.payloads.push({ id, ...payload });
    return { id, kind: "payload", name, words: TEXTS.isPayload(payload.uri) };
  }

  /** What the views of the main file need. */
  mainFile(): MainFile | undefined {
    const { main } = this;
    if (!main) return undefined;
    const { tree, outline } = main;
    const ids = (code: number) =>
      outline
        ? [
            ...new Set(
              [...tree.values("parameters", code)].map((item) =>
                toHex(main.bytes.subarray(item.kind === "bytes" ? item.body : item.at, item.end)),
              ),
            ),
          ]
        : [];
    const slots = outline ? [...new Set([...tree.values("parameters", PARAM_COMPONENT_SLOT)].map(({ value }) => value))] : [];
    return {
      name: main.name,
      kind: main.kind,
      length: main.bytes.length,
      bytes: new Blob([main.bytes as Uint8Array<ArrayBuffer>]),
      ...(tree.root && { root: tree.root }),
      vendors: ids(PARAM_VENDOR_IDENTIFIER),
      classes: ids(PARAM_CLASS_IDENTIFIER),
      slots,
      ...(outline && { sequence: formatSequence(outline.manifest.sequence) }),
    };
  }

  /** Diagnostic notation of the main file. Throws Sentence if its structure is damaged. */
  diagnostic(): string {
    const { main } = this;
    if (!main) return "";
    if (main.fault) throw new Sentence(TEXTS.damaged(main.name, refusalText(main.fault)));
    try {
      return diagnostic(main.bytes, SHOWN_BYTES, main.kind);
    } catch (e) {
      if (!isRefusal(e)) throw e;
      throw new Sentence(TEXTS.damaged(main.name, refusalText(e)));
    }
  }
}

/** Above 0: the first trust file follows the second one. Undefined: they are not of one line, or one cannot be read. */
function orderOf(a: Main, b: Main): number | undefined {
  try {
    const [one, other] = [decodeTrust(a.bytes).store, decodeTrust(b.bytes).store];
    if (trustName(one) !== trustName(other)) return undefined;
    return compareSequence(one.sequence, other.sequence) || undefined;
  } catch {
    return undefined;
  }
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
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
