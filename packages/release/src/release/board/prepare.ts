// One board of a release, before it is signed: its images, read once, and the description that is made of them.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileOfUri } from "@firmseal/behaviour";
import { byteWords, grouped, readAll, refuseKeyAsInput, sha256Hex } from "@firmseal/keys/internal";
import { type BoardRelease, boardRelease, type Description, draftOf, type EnvelopeDraft, type PlacedImage } from "@firmseal/signer";
import { decodeEnvelope, readSlice } from "@firmseal/verifier/tools";
import { consumerOf } from "../../consumer/consumers.js";
import { fitted } from "../../consumer/recipe.js";
import { flashBytes } from "../../input/flash.js";
import { LIMITS } from "../../input/limits.js";
import { refuseAsImage } from "../../input/wrong-kind.js";
import { type Board, type Product, type ProductImage, takesTrust } from "../../product/file/product.js";
import type { SigningRole } from "../../product/file/written.js";
import { GET_AGAIN, releaseFault } from "../../product/record.js";
import { readEnvelopeFile } from "../../verify/envelope-file.js";
import { imageFile } from "./image-file.js";
import { expandUri } from "./uri.js";

/** An image as it is released. */
export interface ReleasedImage {
  /** The file from the build. */
  readonly path: string;
  /** Where it is, with links resolved. */
  readonly real: string;
  /** The name of the component; "image" for the one that starts. */
  readonly component: string;
  /** a or b, if each slot has its own image. */
  readonly slot: "a" | "b" | undefined;
  /** Bytes of its slot, if the product file says so: of the smaller one if it is for both. */
  readonly slotSize: number | undefined;
  readonly bytes: Uint8Array;
  /** SHA-256, hex. */
  readonly digest: string;
  readonly uri: string;
  /** The name of its file in the release. undefined: it is in the envelope. */
  readonly file: string | undefined;
  /** What was read, if the file is not raw. */
  readonly read: string | undefined;
}

export interface PreparedBoard {
  readonly board: Board;
  readonly images: readonly ReleasedImage[];
  /** The unsigned envelope with this number. `most`: the number of bytes of each image that are used. */
  draft(sequence: bigint, most?: number): EnvelopeDraft;
}

/** Reads an image. `uri`: where devices fetch it. `i`: which of the files of its slots it is. */
export type ImageReader = (
  image: ProductImage,
  i: number,
  uri: string,
) => Pick<ReleasedImage, "path" | "real" | "bytes"> & { readonly read?: string | undefined };

/** Reads what the build wrote. */
export function fromBuild(product: Product, image: ProductImage, i: number): ReturnType<ImageReader> {
  const { path, real } = imageFile(product, image, i);
  return { path, real, ...flashBytes(path, readAll(real, LIMITS.image)) };
}

/** Reads the images of a board out of a release, as devices get them. */
export function imagesOf(folder: string, envelope: string): ImageReader {
  const path = join(folder, envelope);
  return imagesIn(folder, path, readEnvelopeFile(path));
}

/** Reads the images of an envelope, and of its folder. `files`: those that are elsewhere, by their URIs. */
export function imagesIn(folder: string, path: string, bytes: Uint8Array, files: ReadonlyMap<string, string> = new Map()): ImageReader {
  const { payloads, input } = decodeEnvelope(bytes).envelope;
  return (_, _i, uri) => {
    if (!uri.startsWith("#")) {
      const name = fileOfUri(uri) ?? "";
      const file = files.get(uri) ?? join(folder, name);
      if (!existsSync(file))
        throw releaseFault(
          `${folder} has no file ${name}, which the product file names in a uri`,
          "use the product file that made the release",
        );
      return { path: file, real: file, bytes: readAll(file, LIMITS.image) };
    }
    const inside = payloads.find((one) => one.uri === uri);
    if (!inside) throw releaseFault(`${path} has no payload ${uri}`, GET_AGAIN);
    return { path, real: path, bytes: Uint8Array.from(readSlice(input, inside.content)) };
  };
}

const SLOTS = ["a", "b"] as const;

function released(
  product: Product,
  board: Board,
  { version, role, reader }: { version: string | undefined; role: SigningRole; reader: ImageReader },
  image: ProductImage,
  i: number,
): ReleasedImage {
  const slot = image.files.length > 1 ? SLOTS[i] : undefined;
  const where = `/boards/${board.name}/uri`;
  const uri =
    image.uri === undefined
      ? `#${image.component === undefined || image.name === "image" ? "firmware" : image.name}${slot === undefined ? "" : `-${slot}`}`
      : expandUri(
          image.uri,
          { product: product.name, board: board.name, version, component: image.name, slot: slot ?? "ab", role },
          (what) => product.fault(where, what, "placeholders are {product}, {board}, {version}, {component}, {slot} and {role}"),
        );
  const { path, real, bytes, read } = reader(image, i, uri);
  const size = image.sizes[i];
  if (size !== undefined && bytes.length > size)
    throw product.fault(
      image.at,
      `${path} has ${byteWords(bytes.length)}, and its slot has ${grouped(size)}`,
      "make the image smaller, or correct the size of the slot",
    );
  if (image.uri === undefined && bytes.length > LIMITS.integratedPayload)
    throw product.fault(image.at, `${path} is too large to travel in the envelope`, "say where devices fetch it: uri");
  const file = image.uri === undefined ? undefined : fileOfUri(uri);
  // release.json has no longer names, and no disk: it would be refused after everything is signed
  if (image.uri !== undefined && (file === undefined || !/^[A-Za-z0-9][A-Za-z0-9._+~-]{0,254}$/.test(file)))
    throw product.fault(
      where,
      `${uri}: its last part is not the name of a file${(file?.length ?? 0) > 255 ? ", which has at most 255 characters" : ""}`,
      "end it with a name: https://example.com/{version}/{board}.bin",
    );
  return { path, real, component: image.name, slot, slotSize: size, bytes, digest: sha256Hex(bytes), uri, file, read };
}

/** The version, of each component. */
function versionTexts(version: string, n: number): NonNullable<Description["text"]> {
  return { en: { components: Array.from({ length: n }, (_, component) => ({ component, "component-version": version })) } };
}

/**
 * Reads the images of a board. Without a version, its text names none. `textOf`: the version in the text, by the
 * number, if it is not that of the images. `reader`: where they are, if not where the build
 * wrote them. `trust`: the trust file that the release brings to devices that take one. Throws a Failure that names the
 * member of the product file, or the fault of an image.
 */
export async function prepareBoard(
  product: Product,
  board: Board,
  version: string | undefined,
  role: SigningRole = "release",
  reader: ImageReader = (image, i) => fromBuild(product, image, i),
  trust?: Uint8Array,
  textOf: (sequence: bigint) => string | undefined = () => version,
): Promise<PreparedBoard> {
  const placed: { of: ProductImage; images: ReleasedImage[] }[] = [];
  for (const [n, image] of board.images.entries()) {
    // a further component may be a key, or a list of keys
    const isFirmware = n === 0;
    const images: ReleasedImage[] = [];
    for (const i of image.files.keys()) {
      const one = released(product, board, { version, role, reader }, image, i);
      // the bytes that were read: the file may be another one by now
      const bytes = one.read === undefined ? one.bytes : undefined;
      await refuseKeyAsInput(one.path, product.keys.release, bytes, { isFirmware, hint: "name the image in the product file" });
      if (isFirmware && bytes) refuseAsImage(one.path, bytes);
      images.push(one);
    }
    placed.push({ of: image, images });
  }
  const images = placed.flatMap((one) => one.images);
  const consumer = board.for && consumerOf(board.for);
  const recipe = (facts: BoardRelease) => (consumer ? fitted(boardRelease(facts), consumer) : boardRelease(facts));
  // CNSA 2.0 does not have SHA-256; the checksums of files do not change
  const isCnsa2 = product.policy.suite === "cnsa2";
  const asPlaced = ({ bytes, digest, uri, file }: ReleasedImage, most: number): PlacedImage => {
    const part = bytes.subarray(0, most);
    return {
      digest: isCnsa2 ? createHash("sha384").update(part).digest("hex") : part.length === bytes.length ? digest : sha256Hex(part),
      size: part.length,
      uri,
      ...(file === undefined && { payload: part }),
    };
  };
  return {
    board,
    images,
    draft(sequence, most = Number.POSITIVE_INFINITY) {
      const text = textOf(sequence);
      return draftOf(
        recipe({
          sequence: String(sequence),
          vendor: product.vendor,
          classes: board.classes,
          components: placed.map(({ of, images: own }) => ({
            ...(of.component !== undefined && { component: [of.component] }),
            images: own.map((one) => asPlaced(one, most)) as [PlacedImage] | [PlacedImage, PlacedImage],
          })),
          ...(trust && takesTrust(board) && { trust }),
          ...(text !== undefined && { text: versionTexts(text, placed.length) }),
          ...(isCnsa2 && { hash: "sha-384" as const }),
        }),
      );
    },
  };
}
