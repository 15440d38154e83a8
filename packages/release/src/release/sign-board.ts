// One board of a product for commands that sign an input: what the product file says takes the place of options.

import { STDIO, shellWord, usage, visible } from "@firmseal/keys/internal";
import type { ConsumerName } from "../consumer/consumers.js";
import { productOption } from "../product/file/file-name.js";
import { type Board, boardsOf, type Product } from "../product/file/product.js";
import { type KnownRelease, releasesIn } from "../product/record.js";
import { type InputOptions, type PreparedInput, type ReleaseInput, readInput } from "../signing/draft.js";
import type { TrustOnFile } from "../trust/read.js";
import { boardBootImage, bootReader, hasBootImage, unsignedBoot } from "./board/boot-image.js";
import { productLists, scopeOfBoard } from "./board/devices.js";
import { prepareBoard } from "./board/prepare.js";
import { envelopeName } from "./names.js";
import { numberOf, publishedAt, refuseDisorder } from "./number/numbers.js";

export interface BoardInput {
  readonly board: Board;
  readonly input: ReleaseInput;
  readonly prepared: PreparedInput;
  /** The name of the envelope, if no other is given. */
  readonly name: string;
  /** The trust files that devices have, as the product file says. */
  readonly lists: readonly TrustOnFile[];
}

/** Options that the product file answers. */
const ANSWERED = ["vendor", "class", "uri", "imageOut"] as const;

/** Refuses to sign one board of a product whose releases people approve. Throws a Failure: PRODUCT. */
export function refuseUnapprovable(product: Product, hint: string): void {
  if (product.approval.keys.length > 0)
    throw product.fault("/approval", "people approve a release of all boards, and this signs one board alone", hint);
}

/** The board to sign: the named one, or the only one. */
export function boardMeant(product: Product, name: string | undefined): Board {
  const [board, ...others] = boardsOf(product, name === undefined ? [] : [name]);
  if (others.length > 0)
    throw usage("`board` is missing: the product has several", `name one of ${product.boards.map((one) => one.name).join(", ")}`);
  return board as Board;
}

/** The releases in the folder of releases, and the one that the product file names as published. */
export const releasesKnown = (product: Product): KnownRelease[] => [
  ...releasesIn(product.out, product),
  ...(product.sequence.previous === undefined ? [] : publishedAt(product.sequence.previous, product)),
];

/** The same board with another image. Throws a Failure for what is not one. */
export async function withImage(product: Product, board: Board, path: string): Promise<Board> {
  if (path === STDIO) throw usage("an image of a product cannot come from stdin", "name the file");
  const [image, ...others] = board.images;
  if (!image || others.length > 0 || image.files.length > 1)
    throw usage(`${path}: board ${board.name} has several images`, `drop it: ${product.path} names them`);
  if ((await readInput(path, {})).kind !== "image")
    throw usage(`${path} is not an image`, "sign it without `board`: it already says what it is for");
  return { ...board, images: [{ ...image, files: [path], isGiven: true }] };
}

/**
 * Prepares the release of one board. `path`: an image instead of the one that the product file names. Throws Failures:
 * PRODUCT, RELEASE, and usage for options that the product file answers.
 */
export async function boardInput(
  product: Product,
  name: string | undefined,
  path: string | undefined,
  o: InputOptions & { for?: ConsumerName },
): Promise<BoardInput> {
  const { for: consumer } = o;
  const answered = ANSWERED.find((option) => o[option] !== undefined);
  if (answered) throw usage(`\`${answered}\`: the product file says what is signed`, "drop it, or drop `board`");
  refuseUnapprovable(product, "firmseal release makes a release");
  const board = boardMeant(product, name);
  if (consumer !== undefined && board.for !== undefined && consumer !== board.for)
    throw usage(`\`for\` ${consumer}: board ${board.name} of the product file is for ${board.for}`, "drop it, or correct the product file");
  const meant = { ...board, for: consumer ?? board.for };
  const own = path === undefined ? meant : await withImage(product, meant, path);
  const { version } = o;
  if (version === undefined && product.sequence.source === "version")
    throw usage(
      `\`version\` is missing: the sequence numbers of ${product.name} are those of its versions`,
      `for example: firmseal sign ${path === undefined ? "" : `${shellWord(visible(path))} `}--board ${board.name} --version 1.4.2${productOption(product.path)}`,
    );
  const known = releasesKnown(product);
  const { seq, first } = o;
  const number = numberOf(product, version ?? "", known, {
    ...(typeof seq === "bigint" && { seq }),
    ...(first && { first }),
  });
  if (version !== undefined)
    refuseDisorder(
      product,
      version,
      number,
      known.filter((one) => one.version !== version),
      o.allowLowerSequence === true,
    );
  const { lists = [], carried } = await productLists(product);
  const boot = hasBootImage(own) ? await boardBootImage(product, own, version) : undefined;
  if (boot && !boot.signed) throw unsignedBoot(product, boot);
  const prepared = await prepareBoard(product, own, version, undefined, boot && (await bootReader(product, boot)), carried);
  const scope = scopeOfBoard(product, board);
  const [image] = prepared.images;
  return {
    board: own,
    lists,
    input: { path: image?.path as string, bytes: undefined, kind: "image" },
    prepared: { draft: (next) => prepared.draft(number === "log" ? next(scope) : number), read: image?.read },
    name: envelopeName(product, board.name, version ?? String(number === "log" ? "next" : number)),
  };
}
