// What to sign: an existing envelope, or one made from a description or an image; and the final review. `sign` and
// `tbs` share it.

import { basename, extname } from "node:path";
import { DETECT_BYTES, detectFormat } from "@firmseal/images";
import { type Entry, type SequenceOverrides, versionNumber } from "@firmseal/keys";
import {
  byteWords,
  inputName,
  readAll,
  readFirstBytes,
  refusedInput,
  refuseKeyAsInput,
  STDIO,
  scopeOfImage,
  sha256Hex,
  sizeOf,
  usage,
  visible,
  warn,
} from "@firmseal/keys/internal";
import {
  type Description,
  draftOf,
  EnvelopeDraft,
  isUuid,
  LANGUAGE_TAG,
  type SignedWith,
  type SingleImage,
  singleImage,
} from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import type { Manifest } from "@firmseal/verifier";
import { formatSequence, looksLikeEnvelope, readSlice, toHex, type UnverifiedEnvelope } from "@firmseal/verifier/tools";
import { flashBytes } from "../input/flash.js";
import { hashFile } from "../input/hash-file.js";
import { identityOf } from "../input/identity.js";
import { LIMITS } from "../input/limits.js";
import { isLittleRoom, LAST } from "../input/sequence.js";
import { refuseAsImage } from "../input/wrong-kind.js";
import { asEnvelope } from "../verify/envelope-file.js";
import { deviceKinds } from "../verify/manifest-facts.js";
import {
  certainRefusal,
  checkPayloads,
  judgeRefusal,
  type RefusalOverrides,
  requireDevices,
  requireSections,
  type Tried,
} from "../verify/payload-check.js";
import { reasoned, withReason } from "../verify/true-reason.js";
import type { KeyAsImage } from "./description.js";

/** Options for an image, a description or an envelope to sign. */
export interface InputOptions extends KeyAsImage, Pick<SequenceOverrides, "allowLowerSequence"> {
  /** For an image: domain or UUID of the vendor, and name or UUID of the class. */
  vendor?: string;
  class?: string;
  /** "next": the next number according to the logs of the keys. */
  seq?: bigint | "next";
  /** With "next": nothing was signed before. */
  first?: boolean;
  /** The version, for the text of the manifest. Without `seq`, it is also the sequence number: see versionNumber(). */
  version?: string;
  /** For an image: where devices fetch it. Default: the image travels in the envelope. */
  uri?: string;
  /** For an image: also write the bytes for the flash to this file. */
  imageOut?: string;
}

export type InputKind = "envelope" | "description" | "image";

/** The kind of an input, by its first bytes and its extension: an envelope, a JSON object, or else an image. */
function detectKind(head: Uint8Array, name: string): InputKind {
  if (looksLikeEnvelope(head)) return "envelope";
  if (extname(name).toLowerCase() === ".suit") return "envelope";
  if (extname(name).toLowerCase() === ".json" || /^\s*\{\s*("|\})/.test(Buffer.from(head).toString("latin1"))) return "description";
  return "image";
}

interface FlashImage {
  digest: string;
  size: number;
  uri: string;
  /** The bytes, if the envelope is to carry them. */
  payload?: Uint8Array;
  /** The bytes, if --image-out asks for them. */
  forFile?: Uint8Array;
  /** For a file that is not raw: what was read from it, in words. */
  read?: string;
}

/** Returns the next sequence number for a kind of device. */
export type NextSequence = (scope: readonly string[], again?: (known: readonly Entry[]) => bigint | undefined) => bigint;

/** An input as it was read, from which the draft to sign is made. */
export interface PreparedInput {
  /** The envelope, signed or not. Its sequence number may come from `next`. */
  draft(next: NextSequence): EnvelopeDraft;
  /** The bytes for `imageOut`. */
  forFile?: Uint8Array | undefined;
  /** What was read, in words: the format of the image and its size. */
  read?: string | undefined;
}

/** Reads the bytes that go to flash. */
async function readImage(path: string, given: Uint8Array | undefined, o: InputOptions): Promise<FlashImage> {
  const format = detectFormat(given?.subarray(0, DETECT_BYTES) ?? readFirstBytes(path, DETECT_BYTES), path);
  if (format === "raw" && !given && o.imageOut === undefined && (o.uri !== undefined || sizeOf(path) > LIMITS.integratedPayload)) {
    const d = await hashFile(path);
    return { digest: toHex(d.digest), size: d.size, uri: o.uri ?? encodeURIComponent(basename(path)) };
  }
  const { bytes, read } = flashBytes(path, given);
  // the file may be another one by now
  if (!o.allowKeyAsImage && given === undefined && read === undefined) await refuseKeyAsInput(path, [], bytes, { isFirmware: true });
  const facts = {
    digest: sha256Hex(bytes),
    size: bytes.length,
    ...(read !== undefined && { read }),
    ...(o.imageOut !== undefined && { forFile: bytes }),
  };
  if (o.uri === undefined && bytes.length <= LIMITS.integratedPayload) return { ...facts, uri: "#firmware", payload: bytes };
  if (format !== "raw" && o.imageOut === undefined)
    throw usage(`${path} is ${format}, but a device fetches the raw bytes for the flash`, "write them for publishing: `imageOut` FILE.bin");
  return { ...facts, uri: o.uri ?? encodeURIComponent(basename(o.imageOut ?? path)) };
}

/**
 * Returns the kind of device that an image is for, and its sequence number, which may come from `next`. Throws a usage
 * Failure if vendor, class or number is missing.
 */
export function releaseFacts(o: InputOptions): { vendor: string; class: string; sequence(next: NextSequence): string } {
  const number = o.version === undefined ? undefined : versionNumber(o.version);
  const seq = o.seq ?? number;
  const missing = [o.vendor === undefined && "`vendor`", o.class === undefined && "`class`", seq === undefined && "`seq`"].filter(Boolean);
  if (missing.length > 0) throw usage(`an image needs ${missing.join(", ")}`, "for example: `vendor` example.com `class` board-v2 `seq` 7");
  const [vendor, name] = [o.vendor as string, o.class as string];
  if (o.first && seq !== "next") throw usage("`first` is for `seq` next", "drop it");
  const scope = scopeOfImage(identityOf(vendor, name));
  return { vendor, class: name, sequence: (next) => String(seq === "next" ? next(scope) : seq) };
}

/** The text of a manifest that names the version of its first component. */
function versionText(version: string): NonNullable<Description["text"]> {
  return { en: { components: [{ component: 0, "component-version": version }] } };
}

/** Makes the description of a release with one image. */
export type Recipe = (facts: SingleImage) => Description;

/** Warns about a vendor and a class that look swapped: a vendor is a domain, and a class rarely is one. */
function warnOfSwapped(vendor: string, name: string): void {
  if (!vendor.includes(".") && !isUuid(vendor) && /^([a-z0-9-]+\.)+[a-z]{2,}$/i.test(name))
    warn(`\`class\` ${visible(name)} is a domain, and \`vendor\` ${visible(vendor)} is not: are they swapped?`);
}

async function fromImage(path: string, given: Uint8Array | undefined, o: InputOptions, recipe: Recipe): Promise<PreparedInput> {
  const { sequence, ...facts } = releaseFacts(o);
  warnOfSwapped(facts.vendor, facts.class);
  if (o.uri === undefined && (given?.length ?? 0) > LIMITS.integratedPayload)
    throw usage(`${inputName(path)} is too large to travel in the envelope`, "say where devices fetch the image: `uri` URI");
  const { forFile, read, ...image } = await readImage(path, given, o);
  const text = o.version === undefined ? {} : { text: versionText(o.version) };
  return { draft: (next) => draftOf(recipe({ sequence: sequence(next), ...facts, ...image, ...text })), forFile, read };
}

/** An input that has been read and that fits the options. */
export interface ReleaseInput {
  path: string;
  /** The whole input, if it was already read: what comes from stdin, and a file that is as short as a key. */
  bytes: Uint8Array | undefined;
  kind: InputKind;
}

/** What is read before the rest is checked. What may be a key is read once. */
function firstRead(path: string): Uint8Array | undefined {
  if (path === STDIO) return readAll(path, LIMITS.stdin);
  const size = sizeOf(path);
  return size <= LIMITS.keyFile ? notEmpty(path, readAll(path, LIMITS.keyFile)) : undefined;
}

function notEmpty(path: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) throw refusedInput("ERR_IMAGE", `${path}: the file is empty`, "give an image, a description or an envelope");
  return bytes;
}

/**
 * Finds out what a file is, without reading a long one: an image, a description or an envelope. "-" is stdin, which is
 * read whole. Bytes are what a file would hold.
 *
 * Throws a Failure: IMAGE for an empty file, USAGE for an option that does not go with the kind of input, for a file
 * that refuseAsImage() refuses, and unless `allowKeyAsImage` is set, for a key.
 */
export async function readInput(source: string | Uint8Array, o: InputOptions): Promise<ReleaseInput> {
  const path = typeof source === "string" ? source : "the input";
  const bytes = typeof source === "string" ? firstRead(path) : notEmpty(path, source);
  if (!o.allowKeyAsImage) await refuseKeyAsInput(path, o.key, bytes, { isFirmware: true });
  const head = bytes?.subarray(0, DETECT_BYTES) ?? readFirstBytes(path, DETECT_BYTES);
  const kind = detectKind(head, path);
  if (kind !== "envelope") refuseAsImage(path, head);
  if (kind !== "image") {
    const given = (["vendor", "class", "seq", "first", "version", "uri", "imageOut"] as const).find((name) => o[name] !== undefined);
    if (given)
      throw usage(`${kind === "envelope" ? "an envelope" : "a description"} takes no \`${given}\``, "it already says what it is for");
  }
  return { path, bytes, kind };
}

/**
 * Makes the draft to sign from an input. Throws a Failure: the refusal of an image, a description or an envelope, or
 * USAGE if it is too large.
 */
export async function makeDraft(
  { path, bytes: given, kind }: ReleaseInput,
  o: InputOptions,
  recipe: Recipe = singleImage,
): Promise<PreparedInput> {
  if (kind === "image") return await fromImage(path, given, o, recipe);
  const limit = kind === "envelope" ? LIMITS.envelope : LIMITS.description;
  const bytes = given ?? readAll(path, limit);
  if (bytes.length > limit) throw usage(`${inputName(path)} is too large (${byteWords(bytes.length)})`, `the limit is ${byteWords(limit)}`);
  if (kind === "envelope") {
    const draft = readDraft(asEnvelope(path, bytes));
    return { draft: () => draft };
  }
  // most releases are images, which need neither the schema nor the reader of JSON
  const { encodeDescription } = await import("./description.js");
  const { draft } = await encodeDescription(bytes, path, o);
  return { draft: () => draft };
}

/**
 * What devices refuse of the releases that were opened with a trial key. A signature changes nothing of it, and the
 * draft with one has the same outline: so each is tried once. An envelope that is read again has another outline.
 */
const tried = new WeakMap<object, Tried>();

/** What signs has loaded node:crypto. */
const hashesHere = () => nodeHost;

/** Like `EnvelopeDraft.read()`, but a refusal has its reason (withReason()). */
export function readDraft(envelope: Uint8Array): EnvelopeDraft {
  return reasoned(envelope, () => EnvelopeDraft.read(envelope));
}

/** The bytes of which an envelope was read. */
function bytesBehind({ envelope: { input } }: UnverifiedEnvelope): Uint8Array {
  return Uint8Array.from(readSlice(input, { at: 0, n: input.n }));
}

/**
 * Opens the manifest as devices will, under a trial key. So a release that no device would accept is refused before a
 * key of the user signs it. Throws the refusals of open() and of the payloads.
 */
export async function openWithTrialKey(draft: EnvelopeDraft): Promise<Manifest> {
  let manifest: Manifest;
  try {
    manifest = await draft.openWithTrialKey(nodeHost);
  } catch (e) {
    throw withReason(e, bytesBehind(draft.outline));
  }
  await checkPayloads(manifest, new Map(), hashesHere);
  // fails early if there is too much to try
  const found = { refusal: certainRefusal(manifest) };
  tried.set(draft.outline, found);
  requireSections(found);
  return manifest;
}

/**
 * Refuses a release that was opened with a trial key and that devices refuse or could never start. Returns the
 * overrides that were needed, as option names.
 */
export function requireDevicesOf({ outline }: EnvelopeDraft, o: RefusalOverrides): string[] {
  const { refusal } = tried.get(outline) as Tried;
  return refusal ? requireDevices(refusal, o) : [];
}

/** Warns about texts whose language devices and tools may not find. */
function warnOfLanguages(texts: UnverifiedEnvelope["text"]): void {
  for (const one of texts) {
    const language = new TextDecoder().decode(Uint8Array.from(one.language));
    if (!LANGUAGE_TAG.test(language)) warn(`the text names the language "${visible(language)}", which is not a language tag such as en-US`);
  }
}

/** What the last look at a release takes from the options of a command. */
export interface ReviewOptions extends RefusalOverrides {
  /** The product counts its releases: their numbers are not those of versions. */
  isCount?: boolean;
}

/**
 * Warns about properties of a manifest that a person should know before the release is published. `outline`: of its
 * envelope. Throws a Failure for a release that devices refuse or could never start.
 */
export async function warnBeforeSigning(
  manifest: Manifest,
  outline: Pick<UnverifiedEnvelope, "text">,
  o: ReviewOptions = {},
): Promise<void> {
  const sequence = formatSequence(manifest.sequence);
  if (isLittleRoom(BigInt(sequence), LAST, o.isCount === true))
    warn(`sequence number ${sequence} leaves little room: a device accepts nothing lower afterwards`);
  if (outline.text.length > 0) warnOfLanguages(outline.text);
  judgeRefusal(manifest, o, tried.get(outline));
  // one device, with and without the images, takes it, or was just judged
  if (deviceKinds(manifest).length > 2) (await import("../verify/doubts.js")).warnOfRefusing(manifest);
}

/**
 * Opens a signed envelope, checks its integrated payloads, and warns about properties that a person should know before
 * the release is published. Throws as warnBeforeSigning() does.
 */
export async function reviewSigned(signed: EnvelopeDraft, keys: readonly SignedWith[], o: ReviewOptions = {}): Promise<Manifest> {
  const manifest = await signed.verify(keys, nodeHost);
  await checkPayloads(manifest, new Map(), hashesHere);
  await warnBeforeSigning(manifest, signed.outline, o);
  return manifest;
}
