// The open files.

import type { OnProgress } from "@firmseal/report/page";
import { decodeTrust, type PublicKey, testKeyName, thumbprint, trustName } from "@firmseal/signer";
import { compareSequence } from "@firmseal/verifier";
import { toHex } from "@firmseal/verifier/tools";
import type { OpenFile } from "../protocol.js";
import { TEXTS } from "../texts.js";
import { type Content, contentOf, type OutsidePayload, pastedContent } from "./content.js";
import { type Main, openEnvelope } from "./main-file.js";
import { Sentence } from "./sentence.js";
import { Tree } from "./tree.js";

/** Keys at a time, as on the command line. */
const MOST_KEYS = 256;

export interface OpenKey {
  id: number;
  name: string;
  key: PublicKey;
}

export interface OpenPayload extends OutsidePayload {
  id: number;
}

export class Desk {
  envelope: Main | undefined;
  trust: Main | undefined;
  /** The previous trust file, whose roots must have signed the other one. */
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
    return this.take(await contentOf(file, name, this.envelope, progress), name);
  }

  async paste(text: string): Promise<OpenFile> {
    const name = `key ${this.keys.length + 1}`;
    return this.take(await pastedContent(text, name), name);
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

  private take(content: Content, name: string): OpenFile {
    switch (content.kind) {
      case "envelope":
        return this.takeEnvelope(content.bytes, name);
      case "trust":
        return this.takeTrust(content.bytes, name);
      case "key":
        return this.takeKey(content.key, name);
      case "payload":
        return this.takePayload(content.payload, name);
      default:
        return { ...this.takeEnvelope(content.bytes, name), kind: "description", words: TEXTS.isDescription(content.bytes.length) };
    }
  }

  private takeEnvelope(bytes: Uint8Array, name: string): OpenFile {
    this.closeEnvelope();
    const main = openEnvelope(this.ids++, name, bytes);
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

  private takeKey(key: PublicKey, name: string): OpenFile {
    const hex = toHex(thumbprint(key));
    if (this.keys.some((one) => toHex(thumbprint(one.key)) === hex)) throw new Sentence(TEXTS.keyTwice(name));
    if (this.keys.length >= MOST_KEYS) throw new Sentence(TEXTS.tooManyKeys(MOST_KEYS));
    const id = this.ids++;
    this.keys.push({ id, name, key });
    const test = testKeyName(key);
    const words = TEXTS.isKey(key.alg, hex);
    return { id, kind: "key", name, words: test === undefined ? words : `${words}; ${TEXTS.isTestKey(test)}` };
  }

  private takePayload(payload: OutsidePayload, name: string): OpenFile {
    const id = this.ids++;
    this.payloads.push({ id, ...payload });
    return { id, kind: "payload", name, words: TEXTS.isPayload(payload.uri) };
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
