// Signs the images of a release for boot loaders, before the manifests over them are planned and signed.

import { type Receipt, withSigners } from "@firmseal/keys";
import { checkWritable, isFile, readAll, usage, writeWhole } from "@firmseal/keys/internal";
import type { PublicKey } from "@firmseal/signer";
import { bootFormatOf, signImage } from "../foreign/sign-image.js";
import { LIMITS } from "../input/limits.js";
import { boardsOf, type Product } from "../product/file/product.js";
import { productLog } from "../product/ledger.js";
import { type BoardBootImage, boardBootImage, hasBootImage, inImage, refuseUntrustedBoot, unsignedBoot } from "./board/boot-image.js";
import { signedImageName } from "./board/image-file.js";
import { folderOfVersion, type ReleaseOptions, trialPlan } from "./plan.js";

/** An image that was signed for a boot loader. */
export interface BootSignature {
  /** The name of the board. */
  readonly board: string;
  /** The file of the signed image, which the release takes. */
  readonly path: string;
  readonly keys: readonly PublicKey[];
  /** The entries in the signing logs, one for each key. */
  readonly receipts: readonly Receipt[];
}

/**
 * Signs the images of a release for the boot loaders of its boards, with the keys of `[keys] boot`. The signed image is
 * written beside the binary of the build, and planRelease() takes it from there. Images that are signed are left alone,
 * so the same call again signs nothing. Everything that planRelease() refuses is refused before a key signs.
 *
 * @param product - From readProduct().
 * @param options - As for planRelease().
 * @returns The images that this call signed. Empty if no board has a `format`, or all images are signed.
 * @throws Failures: those of signImage() and planRelease(). PRODUCT if `[keys] boot` names no key,
 *   or people approve releases: then images are signed before, one by one.
 * @example
 * ```ts
 * import { makeRelease, planRelease, readProduct, signBootImages } from "@firmseal/release";
 *
 * const product = readProduct("firmseal.toml");
 * const options = { version: "1.4.2", first: true };
 * for (const { board, path } of await signBootImages(product, options)) console.log(`${board}: ${path}`);
 * const { folder } = await makeRelease(await planRelease(product, options));
 * console.log(folder);
 * ```
 */
export async function signBootImages(product: Product, options: ReleaseOptions): Promise<BootSignature[]> {
  const { version } = options;
  const folder = folderOfVersion(product, options);
  const unsigned: BoardBootImage[] = [];
  for (const board of boardsOf(product, options.boards ?? []).filter(hasBootImage)) {
    const found = await boardBootImage(product, board, version, folder);
    if (!found.signed) unsigned.push(found);
  }
  const [first] = unsigned;
  if (!first) return [];
  const { keys } = product.boot;
  if (keys.length === 0 || options.unsigned || product.approval.keys.length > 0) throw unsignedBoot(product, first);
  const { progress: _, ...quiet } = options;
  await trialPlan(product, quiet);
  for (const one of unsigned) await refusePlace(one);
  const log = await productLog(product, options.log);
  const signed: BootSignature[] = [];
  await withSigners(
    keys,
    options.passphrases ?? [],
    async (signing) => {
      await refuseUntrustedBoot(product, signing);
      for (const { board, built, image } of unsigned) {
        const done = await inImage(built.path, () =>
          signImage(built.bytes, signing, {
            ...options,
            ...{ format: board.boot.format, vendor: product.vendor, class: board.classes, product, log, name: built.path },
            ...(image && { image }),
          }),
        );
        const path = signedImageName(built.path);
        writeWhole(path, done.file.bytes);
        signed.push({ board: board.name, path, keys: done.keys, receipts: done.receipts });
      }
    },
    options,
  );
  return signed;
}

/** Refuses a place that cannot be written, or has a file that is not the image of an earlier build. */
async function refusePlace({ board, built }: BoardBootImage): Promise<void> {
  const path = signedImageName(built.path);
  checkWritable(path);
  if (!isFile(path)) return;
  const format = await bootFormatOf(board.boot.format);
  if (!format.looksLike(readAll(path, LIMITS.image)))
    throw usage(`${path} exists, and is not an image in the format ${format.name}`, "move it away: the signed image gets this name");
}
