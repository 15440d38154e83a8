// The image of a board whose boot loader verifies it. Its signature is in the image, so it is made before the manifest
// over it: in a file beside the binary of the build, where `sign --format` writes it too.

import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { BootFormat, BootImage, FormatKey, ImageOptions } from "@firmseal/formats";
import { type Failure, KEY_LIMITS, keyName } from "@firmseal/keys";
import { bootVersionNumber, isFile, readAll, refusedInput, usage, visible } from "@firmseal/keys/internal";
import type { PublicKey } from "@firmseal/signer";
import { equalBytes } from "@firmseal/verifier/tools";
import { formatKeyOf, nodeKeyOf } from "../../foreign/foreign-key.js";
import { refusedFormat } from "../../foreign/refused-format.js";
import { bootDraft, bootFormatOf, refuseOtherDevices } from "../../foreign/sign-image.js";
import { identityOf } from "../../input/identity.js";
import { LIMITS } from "../../input/limits.js";
import { productOption } from "../../product/file/file-name.js";
import type { Board, BoardBoot, Product, ProductImage } from "../../product/file/product.js";
import { findRecord } from "../../product/record.js";
import type { NamedKey } from "../../signing/coverage.js";
import { refuseMissingFile } from "./devices.js";
import { signedImageName } from "./image-file.js";
import { fromBuild, type ImageReader } from "./prepare.js";

/** A board with an image that a boot loader verifies. */
export type BootBoard = Board & { readonly boot: BoardBoot };

export const hasBootImage = (board: Board): board is BootBoard => board.boot !== undefined;

/** What the build wrote for a boot loader: a binary, or an image. */
export interface BuiltBootImage {
  readonly board: BootBoard;
  readonly built: ReturnType<ImageReader>;
  /** What an image says that is made from a binary; undefined: `built` is an image. */
  readonly image: Omit<ImageOptions, "signer"> | undefined;
}

/** The image of a board, for its boot loader. */
export interface BoardBootImage extends BuiltBootImage {
  /** The signed image, and the file that it comes from. undefined: nobody has signed it yet. */
  readonly signed: { readonly path: string; readonly bytes: Uint8Array } | undefined;
  /** Without `signed`: as it will be, with a signature that nobody has made. */
  readonly trial: Uint8Array;
}

/** Runs `work`, and throws the refusal of a format as a Failure that names the file. */
export async function inImage<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    if (e instanceof RangeError) throw refusedInput("ERR_IMAGE", `${path}: ${e.message}`, "correct the board in the product file");
    throw refusedFormat(path, e);
  }
}

/** The keys that the boot loaders of a product trust. */
export async function bootTrust(product: Product): Promise<FormatKey[]> {
  const { formatKey } = await import("@firmseal/formats");
  const keys: FormatKey[] = [];
  for (const path of product.boot.trusted) {
    refuseMissingFile(product, "[trust] boot", path, "get the public key of the boot loader, or correct the name");
    keys.push(await inImage(path, () => formatKey(Buffer.from(readAll(path, KEY_LIMITS.keyFile)).toString())));
  }
  return keys;
}

/** Refuses an image of other devices, with another counter, or with another version. `version`: of the release. */
function refuseOtherImage(product: Product, { classes, boot }: BootBoard, path: string, { facts }: BootImage, version?: string): void {
  refuseOtherDevices(
    facts,
    classes.map((name) => identityOf(product.vendor, name)),
  );
  const counter = boot.image?.counter;
  if (counter !== undefined && facts.counter !== counter)
    throw refusedInput(
      "ERR_IMAGE",
      `${path} has ${facts.counter === null ? "no security counter" : `security counter ${facts.counter}`}, and ${product.path} says ${counter}`,
      "sign the binary again, or correct the counter",
    );
  const [own, meant] = [facts.version ?? undefined, version].map(bootVersionNumber);
  // rules of lint tell of texts without an order
  if (own !== undefined && meant !== undefined && own !== meant)
    throw refusedInput(
      "ERR_IMAGE",
      `${path} is version ${visible(facts.version as string)}, and the release is version ${version}`,
      "build it with the version of the release",
    );
}

/**
 * Verifies the image of a board as its boot loader does, and whether it is for this board and version.
 *
 * @throws Failure: the refusals of the format, and IMAGE.
 */
async function verifyBootImage(
  product: Product,
  board: BootBoard,
  { path, bytes }: { readonly path: string; readonly bytes: Uint8Array },
  keys: readonly FormatKey[],
  version: string | undefined,
): Promise<void> {
  const format = await bootFormatOf(board.boot.format);
  await inImage(path, () => {
    const image = format.read(bytes);
    image.verify(keys);
    refuseOtherImage(product, board, path, image, version);
  });
}

/** Lists the payload files of a board in a release: none if there is no release, or the envelope has them. */
function payloadsInFolder(folder: string, { name }: Board): string[] {
  const record = existsSync(folder) ? findRecord(folder) : undefined;
  const own = record?.artifacts.filter(({ kind, board }) => kind === "payload" && board === name) ?? [];
  return own.map(({ file }) => join(folder, file));
}

/**
 * Reads what the build wrote for the boot loader of a board. `version`: of the release.
 *
 * @throws Failure: USAGE if an image has to be made and there is no version for it, IMAGE and PRODUCT.
 */
export async function builtBootImage(product: Product, board: BootBoard, version: string | undefined): Promise<BuiltBootImage> {
  const format = await bootFormatOf(board.boot.format);
  const built = fromBuild(product, board.images[0] as ProductImage, 0);
  const { image } = board.boot;
  if (!image || format.looksLike(built.bytes)) {
    await inImage(built.path, () => refuseOtherImage(product, board, built.path, format.read(built.bytes), version));
    return { board, built, image: undefined };
  }
  if (version === undefined)
    throw usage("an image that is made from a binary needs a version", "give that of the release: `version` 1.4.2");
  return { board, built, image: { ...image, version } };
}

/**
 * Finds the image that the boot loader of a board verifies: what the build wrote, if it is signed; else the signed
 * image beside it or in `folder`, the folder of the release, if it is made of the same bytes.
 *
 * @throws Failure: the refusals of the format, USAGE for a binary that is not one, IMAGE and PRODUCT.
 */
export async function boardBootImage(
  product: Product,
  board: BootBoard,
  version: string | undefined,
  folder?: string,
): Promise<BoardBootImage> {
  const keys = await bootTrust(product);
  const format = await bootFormatOf(board.boot.format);
  const base = await builtBootImage(product, board, version);
  const { built, image } = base;
  const { path, bytes } = built;
  return await inImage(path, async () => {
    if (!image && format.read(bytes).facts.signatures.length > 0) {
      await verifyBootImage(product, board, built, keys, version);
      return { ...base, signed: built, trial: bytes };
    }
    const by = keys.slice(0, Math.max(1, product.boot.keys.length));
    const draft = await bootDraft(path, bytes, format, by, image ? { image } : {});
    const places = [signedImageName(path), ...(folder === undefined ? [] : payloadsInFolder(folder, board))];
    for (const place of places.filter(isFile)) {
      const signed = { path: place, bytes: readAll(place, LIMITS.image) };
      if (!isSameImage(format, signed.bytes, draft.image)) continue;
      await verifyBootImage(product, board, signed, keys, version);
      return { ...base, signed, trial: signed.bytes };
    }
    return { ...base, signed: undefined, trial: draft.trial.bytes };
  });
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
 * @param version - That of the release. undefined: it is not known, and not compared.
 * @throws Failure as verifyBootImage().
 */
export async function verifyReleasedBoot(
  product: Product,
  board: Board,
  images: readonly { readonly component: string; readonly path: string; readonly bytes: Uint8Array }[],
  version: string | undefined,
): Promise<void> {
  if (!hasBootImage(board)) return;
  const keys = await bootTrust(product);
  for (const { component, path, bytes } of images)
    if (component === "image") await verifyBootImage(product, board, { path: visible(path), bytes }, keys, version);
}

/** The failure for an image that nobody has signed for the boot loader. */
export const unsignedBoot = (product: Product, { board, built, image }: BoardBootImage): Failure =>
  refusedInput(
    "ERR_IMAGE",
    `${built.path} has no signature for the boot loader of board ${board.name}, and the manifest would cover it without`,
    `firmseal sign --board ${board.name} --format ${board.boot.format} --version ${image?.version ?? "VERSION"}${productOption(product.path)} --key KEY`,
  );

/** Refuses keys that the boot loaders of a product do not trust: they would not start the image. */
export async function refuseUntrustedBoot(product: Product, keys: readonly NamedKey[]): Promise<void> {
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
  const { formatKey } = await import("@firmseal/formats");
  const trusted = (await bootTrust(product)).map(({ id }) => id);
  for (const key of keys) {
    const own = nodeKeyOf(key);
    if (own && trusted.includes(formatKey(own).id))
      throw refusedInput(
        "ERR_KEY_ROLE",
        `${key.alg} ${keyName(key).slice(0, 16)}… is a key that boot loaders trust, and would sign a release`,
        "make a key for each purpose: firmseal keygen; what counts for one purpose must never count for another",
      );
  }
}
