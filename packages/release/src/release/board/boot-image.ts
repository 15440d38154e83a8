// The image of a board whose boot loader verifies it. Its signature is in the image, so it is made before the manifest
// over it: in a file beside the binary of the build, where `sign --format` writes it too.

import { createHash, createPublicKey } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { BootFormat, BootImage, FormatKey, ImageOptions } from "@firmseal/formats";
import { Failure, KEY_LIMITS, keyName, type SigningKey } from "@firmseal/keys";
import { bootVersionNumber, isFile, readAll, refusedInput, shellWord, visible } from "@firmseal/keys/internal";
import { type PublicKey, toJwk, unlessThrown } from "@firmseal/signer";
import { equalBytes } from "@firmseal/verifier/tools";
import { formatKeyOf } from "../../foreign/foreign-key.js";
import { bootDraft, bootFormatOf, refuseOtherDevices } from "../../foreign/sign-image.js";
import { identityOf } from "../../input/identity.js";
import { LIMITS } from "../../input/limits.js";
import { productOption } from "../../product/file/file-name.js";
import type { Board, BoardBoot, Product, ProductImage } from "../../product/file/product.js";
import { findRecord } from "../../product/record.js";
import { refuseMissingFile } from "./devices.js";
import { signedImageName } from "./image-file.js";
import { fromBuild, type ImageReader } from "./prepare.js";

/** A board with an image that a boot loader verifies. */
export type BootBoard = Board & { readonly boot: BoardBoot };

export const hasBootImage = (board: Board): board is BootBoard => board.boot !== undefined;

/** The image of a board, for its boot loader. */
export interface BoardBootImage {
  readonly board: BootBoard;
  /** What the build wrote: a binary, or an image. */
  readonly built: ReturnType<ImageReader>;
  /** What an image says that is made from a binary; undefined: `built` is an image. */
  readonly image: BuiltImage | undefined;
  /** The signed image, and the file that it comes from. undefined: nobody has signed it yet. */
  readonly signed: { readonly path: string; readonly bytes: Uint8Array } | undefined;
  /** Without `signed`: as it will be, with a signature that nobody has made. */
  readonly trial: Uint8Array;
}

type BuiltImage = Omit<ImageOptions, "signer">;

/** What an image says that is made for a release of this version. */
const imageOptionsOf = ({ image }: BoardBoot, version: string): BuiltImage | undefined => image && { ...image, version };

/** Runs `work`, and throws the refusal of a format as a Failure that names the file. */
async function inFile<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  const { FormatRefusal } = await import("@firmseal/formats");
  try {
    return await work();
  } catch (e) {
    if (e instanceof RangeError) throw refusedInput("ERR_IMAGE", `${path}: ${e.message}`, "correct the board in the product file");
    if (!(e instanceof FormatRefusal)) throw e;
    throw new Failure(1, e.code, `${path}: refused: ${e.message}${e.at < 0 ? "" : `, at byte ${e.at}`}`, e.hint, { cause: e });
  }
}

/** The keys that the boot loaders of a product trust. */
export async function bootTrust(product: Product): Promise<FormatKey[]> {
  const { formatKey } = await import("@firmseal/formats");
  const keys: FormatKey[] = [];
  for (const path of product.boot.trusted) {
    refuseMissingFile(product, "[trust] boot", path, "get the public key of the boot loader, or correct the name");
    keys.push(await inFile(path, () => formatKey(Buffer.from(readAll(path, KEY_LIMITS.keyFile)).toString())));
  }
  return keys;
}

/**
 * Verifies the image of a board as its boot loader does, and whether it is for this board.
 *
 * @throws Failure: the refusals of the format, and IMAGE for an image of other devices or another counter.
 */
async function verifyBootImage(
  product: Product,
  { classes, boot }: BootBoard,
  path: string,
  bytes: Uint8Array,
  keys: readonly FormatKey[],
): Promise<void> {
  const format = await bootFormatOf(boot.format);
  await inFile(path, () => {
    const { facts } = verifiedImage(format, bytes, keys);
    const devices = classes.map((name) => identityOf(product.vendor, name));
    refuseOtherDevices(facts, devices);
    const counter = boot.image?.counter;
    if (counter !== undefined && facts.counter !== counter)
      throw refusedInput(
        "ERR_IMAGE",
        `${path} has ${facts.counter === null ? "no security counter" : `security counter ${facts.counter}`}, and ${product.path} says ${counter}`,
        "sign the binary again, or correct the counter",
      );
  });
}

function verifiedImage(format: BootFormat, bytes: Uint8Array, keys: readonly FormatKey[]): BootImage {
  const image = format.read(bytes);
  image.verify(keys);
  return image;
}

/** The payloads of this board in a release. Empty if they are in the envelope, or there is no release. */
function payloadsInFolder(folder: string, { name }: Board): string[] {
  const record = existsSync(folder) ? findRecord(folder) : undefined;
  const own = record?.artifacts.filter(({ kind, board }) => kind === "payload" && board === name) ?? [];
  return own.map(({ file }) => join(folder, file));
}

/**
 * Finds the image that the boot loader of a board verifies: what the build wrote, if it is signed; else the signed
 * image beside it or in `folder`, the folder of the release, if it is made of the same bytes.
 *
 * @throws Failure: the refusals of the format, USAGE for a binary that is not one, IMAGE and PRODUCT.
 */
export async function boardBootImage(product: Product, board: BootBoard, version: string, folder: string): Promise<BoardBootImage> {
  const keys = await bootTrust(product);
  const format = await bootFormatOf(board.boot.format);
  const built = fromBuild(product, board.images[0] as ProductImage, 0);
  const isImage = format.looksLike(built.bytes);
  const image = isImage ? undefined : imageOptionsOf(board.boot, version);
  const base = { board, built, image };
  return await inFile(built.path, async () => {
    if (isImage) refuseOtherVersion(built.path, format.read(built.bytes), version);
    if (isImage && format.read(built.bytes).facts.signatures.length > 0) {
      await verifyBootImage(product, board, built.path, built.bytes, keys);
      return { ...base, signed: { path: built.path, bytes: built.bytes }, trial: built.bytes };
    }
    const draft = await bootDraft(
      built.path,
      built.bytes,
      format,
      keys.slice(0, Math.max(1, product.boot.keys.length)),
      image ? { image } : {},
    );
    refuseOtherDevices(
      draft.image.facts,
      board.classes.map((name) => identityOf(product.vendor, name)),
    );
    for (const path of [signedImageName(built.path), ...payloadsInFolder(folder, board)])
      if (isFile(path)) {
        const bytes = readAll(path, LIMITS.image);
        if (!isSameImage(format, bytes, draft.image)) continue;
        await verifyBootImage(product, board, path, bytes, keys);
        return { ...base, signed: { path, bytes }, trial: bytes };
      }
    return { ...base, signed: undefined, trial: draft.trial.bytes };
  });
}

/** Refuses an image whose version is not that of the release. `version`: empty if the release names none. */
function refuseOtherVersion(path: string, { facts }: BootImage, version: string): void {
  const [own, meant] = [facts.version ?? undefined, version].map(bootVersionNumber);
  if (own === undefined || meant === undefined || own === meant) return;
  throw refusedInput(
    "ERR_IMAGE",
    `${path} is version ${visible(facts.version as string)}, and the release is version ${version}`,
    "build it with the version of the release",
  );
}

/** Whether bytes are an image of the same content with signatures. */
function isSameImage(format: BootFormat, bytes: Uint8Array, { covered }: BootImage): boolean {
  try {
    const image = format.read(bytes);
    return image.facts.signatures.length > 0 && equalBytes(image.covered, covered);
  } catch {
    // the image of an earlier build, or damaged: it is signed again
    return false;
  }
}

/** The reader of the images of a board: for the one that its boot loader verifies, the signed image. */
export async function bootReader(product: Product, { board, built, signed, trial }: BoardBootImage): Promise<ImageReader> {
  const { path, bytes } = signed ?? { path: built.path, bytes: trial };
  const { version, counter } = (await bootFormatOf(board.boot.format)).read(bytes).facts;
  const read = `image for ${board.boot.format}, version ${version === null ? "none" : visible(version)}${counter === null ? "" : `, security counter ${counter}`}`;
  return (image, i) =>
    image.name === "image" ? { path, real: signed ? realpathSync(path) : built.real, bytes, read } : fromBuild(product, image, i);
}

/**
 * Verifies the image of a board in a release, whose bytes devices get.
 *
 * @param images - The images of the board, as a release has them.
 * @throws Failure as verifyBootImage().
 */
export async function verifyReleasedBoot(
  product: Product,
  board: Board,
  images: readonly { readonly component: string; readonly path: string; readonly bytes: Uint8Array }[],
): Promise<void> {
  if (!hasBootImage(board)) return;
  const keys = await bootTrust(product);
  for (const { component, path, bytes } of images)
    if (component === "image") await verifyBootImage(product, board, visible(path), bytes, keys);
}

/** The failure for an image that nobody has signed for the boot loader. */
export const unsignedBoot = (product: Product, { board, built }: BoardBootImage): Failure =>
  refusedInput(
    "ERR_IMAGE",
    `${built.path} has no signature for the boot loader of board ${board.name}, and the manifest would cover it without`,
    `firmseal sign --board ${board.name} --format ${board.boot.format} --version VERSION${productOption(product.path)} --key ${shellWord(product.boot.keys[0] ?? "BOOT-KEY")}`,
  );

/** Refuses keys that the boot loaders of a product do not trust: they would not start the image. */
export async function refuseUntrustedBoot(product: Product, keys: readonly SigningKey[]): Promise<void> {
  const trusted = (await bootTrust(product)).map(({ id }) => id);
  for (const key of keys)
    if (!trusted.includes((await formatKeyOf(key, "mcuboot")).id))
      throw product.fault(
        "/keys/boot",
        `${visible(key.name)} is not a key that boot loaders trust`,
        'name its public half: [trust] boot = "boot.pub"; firmseal pubkey KEY writes it',
      );
}

/** Refuses a key of boot loaders that would sign a release: what it signs starts without a manifest. */
export async function refuseBootKeys(product: Product, keys: readonly PublicKey[]): Promise<void> {
  if (product.boot.trusted.length === 0) return;
  const trusted = (await bootTrust(product)).map(({ id }) => id);
  for (const key of keys) {
    const own = unlessThrown(() => createPublicKey({ key: { ...toJwk(key) }, format: "jwk" }));
    if (
      own &&
      trusted.includes(
        createHash("sha256")
          .update(own.export({ type: "spki", format: "der" }))
          .digest("hex"),
      )
    )
      throw refusedInput(
        "ERR_KEY_ROLE",
        `${key.alg} ${keyName(key).slice(0, 16)}… is a key that boot loaders trust, and would sign a release`,
        "make a key for each purpose: firmseal keygen; what counts for one purpose must never count for another",
      );
  }
}
