// What is to be signed: an envelope as it is, or one made from a description or an image; and the last look at it. `sign` and `tbs` share it.

import { randomBytes } from "node:crypto";
import { closeSync } from "node:fs";
import { basename, extname } from "node:path";
import { DETECT_BYTES, detect, parseImage } from "@firmseal/images";
import { grouped, openRegular, readAll, readFirstBytes, refusedInput, scopeOfImage, sha256Hex, usage, visible, warn } from "@firmseal/keys";
import {
  DEFAULT_ALG,
  type Description,
  draftOf,
  EnvelopeDraft,
  privateKey,
  type SignedWith,
  type SingleImage,
  signedBy,
  signer,
  singleImage,
  toHex,
} from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import type { Manifest } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";
import { LIMITS } from "../limits.js";
import { certainRefusal, checkPayloads, warnOfRefusal } from "../payload-check/payload-check.js";
import { encodeDescription } from "./description.js";
import { admitted } from "./envelope-file.js";
import { looksLikeEnvelope } from "./envelope-kind.js";
import { hashFile } from "./hash-file.js";
import { identityOf } from "./identity.js";

export interface InputOptions {
  vendor?: string;
  class?: string;
  /** "next": the next by the logs of the keys. */
  seq?: bigint | "next";
  uri?: string;
  imageOut?: string;
}

export type InputKind = "envelope" | "description" | "image";

/** From here on a sequence number leaves little room for later releases: each must be higher than the one before. */
const HIGH_SEQUENCE = 2n ** 48n;

/** What the input is, by its first bytes and its extension: an envelope, a JSON object; anything else is an image. */
function detectKind(head: Uint8Array, name: string): InputKind {
  if (looksLikeEnvelope(head)) return "envelope";
  if (extname(name).toLowerCase() === ".suit") return "envelope";
  if (extname(name).toLowerCase() === ".json" || /^\s*\{\s*("|\})/.test(Buffer.from(head).toString("latin1"))) return "description";
  return "image";
}

function fileSize(path: string): number {
  const { fd, size } = openRegular(path);
  closeSync(fd);
  return size;
}

interface FlashImage {
  digest: string;
  size: number;
  uri: string;
  /** The bytes themselves, where they are to travel in the envelope. */
  payload?: Uint8Array;
  /** The same, where --image-out asks for them. */
  forFile?: Uint8Array;
  /** What was made of a file that is not raw, in words. */
  read?: string;
}

/** Gives the next sequence number of a kind of device. */
export type NextSequence = (scope: readonly string[]) => bigint;

export interface PreparedInput {
  /** The envelope, signed or not; its sequence number may be the next one. */
  draft(next: NextSequence): EnvelopeDraft;
  forFile?: Uint8Array | undefined;
  read?: string | undefined;
}

/** The bytes that go to flash. */
async function readImage(path: string, stdin: Uint8Array | undefined, o: InputOptions): Promise<FlashImage> {
  const format = detect(stdin?.subarray(0, DETECT_BYTES) ?? readFirstBytes(path, DETECT_BYTES), path);
  if (format === "raw" && !stdin && o.imageOut === undefined && (o.uri !== undefined || fileSize(path) > LIMITS.integratedPayload)) {
    const d = await hashFile(path);
    return { digest: toHex(d.digest), size: d.size, uri: o.uri ?? encodeURIComponent(basename(path)) };
  }
  // one buffer is hashed and embedded: the file may change meanwhile, what is signed does not
  const file = stdin ?? readAll(path, LIMITS.image);
  const image = format === "raw" ? undefined : parseImage(file, format);
  const bytes = image ? image.bytes : file;
  if (bytes.length === 0) throw refusedInput("IMAGE", `${path}: holds no bytes for the flash`, "give the image that the build wrote");
  const gaps = image && image.gaps > 0 ? `, ${image.gaps} of them gaps filled with ff` : "";
  const facts = {
    digest: sha256Hex(bytes),
    size: bytes.length,
    ...(image && { read: `${visible(path)}: ${format}, ${bytes.length} bytes from address 0x${(image.address ?? 0).toString(16)}${gaps}` }),
    ...(o.imageOut !== undefined && { forFile: bytes }),
  };
  if (o.uri === undefined && bytes.length <= LIMITS.integratedPayload) return { ...facts, uri: "#firmware", payload: bytes };
  if (image && o.imageOut === undefined)
    throw usage(
      `${path}: is ${format}, but a device fetches the raw bytes for the flash`,
      "write them for publishing: --image-out FILE.bin",
    );
  return { ...facts, uri: o.uri ?? encodeURIComponent(basename(o.imageOut ?? path)) };
}

/** What kind of device an image is for, and its sequence number, which may be the next one. */
export function releaseFacts(o: InputOptions): { vendor: string; class: string; sequence(next: NextSequence): string } {
  const missing = [o.vendor === undefined && "--vendor", o.class === undefined && "--class", o.seq === undefined && "--seq"].filter(
    Boolean,
  );
  if (missing.length > 0) throw usage(`an image needs ${missing.join(", ")}`, "for example: --vendor example.com --class board-v2 --seq 7");
  const [vendor, name] = [o.vendor as string, o.class as string];
  const scope = scopeOfImage(identityOf(vendor, name));
  return { vendor, class: name, sequence: (next) => String(o.seq === "next" ? next(scope) : o.seq) };
}

/** The description of a release of one image. */
export type Recipe = (facts: SingleImage) => Description;

async function fromImage(path: string, stdin: Uint8Array | undefined, o: InputOptions, recipe: Recipe): Promise<PreparedInput> {
  const { sequence, ...facts } = releaseFacts(o);
  if (path === "-" && o.uri === undefined && (stdin?.length ?? 0) > LIMITS.integratedPayload)
    throw usage("stdin: is too large to travel in the envelope", "say where devices fetch the image: --uri URI");
  const { forFile, read, ...image } = await readImage(path, stdin, o);
  return { draft: (next) => draftOf(recipe({ sequence: sequence(next), ...facts, ...image })), forFile, read };
}

/** An input that was looked at, and that the options fit. */
export interface ReleaseInput {
  path: string;
  /** All of it, where it came from stdin. */
  stdin: Uint8Array | undefined;
  kind: InputKind;
}

export function readInput(path: string, o: InputOptions): ReleaseInput {
  const head = path === "-" ? new Uint8Array() : readFirstBytes(path, DETECT_BYTES);
  if (path !== "-" && head.length === 0)
    throw refusedInput("IMAGE", `${path}: the file is empty`, "give an image, a description or an envelope");
  const stdin = path === "-" ? readAll(path, LIMITS.stdin) : undefined;
  const kind = detectKind(stdin?.subarray(0, DETECT_BYTES) ?? head, path);
  if (kind !== "image") {
    const given = (["vendor", "class", "seq", "uri", "imageOut"] as const).find((name) => o[name] !== undefined);
    if (given)
      throw usage(
        `${kind === "envelope" ? "an envelope" : "a description"} takes no --${given === "imageOut" ? "image-out" : given}`,
        "it already says what it is for",
      );
  }
  return { path, stdin, kind };
}

/** What is to be signed of an input. */
export async function makeDraft(
  { path, stdin, kind }: ReleaseInput,
  o: InputOptions,
  recipe: Recipe = singleImage,
): Promise<PreparedInput> {
  if (kind === "image") return await fromImage(path, stdin, o, recipe);
  const limit = kind === "envelope" ? LIMITS.envelope : LIMITS.description;
  const bytes = stdin ?? readAll(path, limit);
  if (bytes.length > limit) throw usage(`stdin: is too large (${bytes.length} bytes)`, `the limit is ${grouped(limit)} bytes`);
  const draft = kind === "envelope" ? EnvelopeDraft.read(admitted(path, bytes)) : (await encodeDescription(bytes, path)).draft;
  return { draft: () => draft };
}

/**
 * The manifest as devices will see it, under a key that is made for it and forgotten, so that what no device would take is refused before a
 * key of the user has signed. Throws the refusals of open() and of the payloads.
 */
export async function openWithTrialKey(draft: EnvelopeDraft): Promise<Manifest> {
  const key = signer(privateKey(DEFAULT_ALG, new Uint8Array(randomBytes(32))));
  const manifest = await openSigned(await signedBy(draft, [key]), [key]);
  // what is too much to be tried must be known before as well
  certainRefusal(manifest);
  return manifest;
}

async function openSigned(signed: EnvelopeDraft, keys: readonly SignedWith[]): Promise<Manifest> {
  const manifest = await signed.verify(keys, nodeHost);
  await checkPayloads(manifest, new Map());
  return manifest;
}

/** Warns of what a person should know before a release goes out. */
export function warnBeforeSigning(manifest: Manifest): void {
  const sequence = formatSequence(manifest.sequence);
  if (BigInt(sequence) >= HIGH_SEQUENCE) warn(`sequence number ${sequence} leaves little room: a device accepts nothing lower afterwards`);
  warnOfRefusal(manifest);
}

/** Opens a signed envelope, checks the payloads that are in it, and warns of what a person should know before it goes out. */
export async function reviewSigned(signed: EnvelopeDraft, keys: readonly SignedWith[]): Promise<Manifest> {
  const manifest = await openSigned(signed, keys);
  warnBeforeSigning(manifest);
  return manifest;
}
