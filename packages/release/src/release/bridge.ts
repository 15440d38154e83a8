// Bridges of a product: the product file says which devices they are for, the last release has the image that these
// run, and their numbers follow both.

import { join } from "node:path";
import { Failure, numberVersion } from "@firmseal/keys";
import { isSameFile, usage } from "@firmseal/keys/internal";
import { policyOf } from "@firmseal/verifier";
import { codeOfRefusal, ROLE_RELEASE } from "@firmseal/verifier/tools";
import { type Board, boardsOf, type Product, takesTrust } from "../product/file/product.js";
import { type KnownRelease, releaseFault } from "../product/record.js";
import type { BridgedBoard } from "../rotation/move.js";
import { higher } from "../trust/quorum.js";
import type { TrustOnFile } from "../trust/read.js";
import { isRefusal, refusalMeaning, withFileName } from "../verify/refusals.js";
import { identitiesOf, productLists, scopeOfBoard } from "./board/devices.js";
import { imagesOf, prepareBoard } from "./board/prepare.js";
import { lastOf } from "./changes.js";
import { releasesKnown, withImage } from "./sign-board.js";
import { verifyProduct } from "./verify.js";

/** The last release with a board. Throws a Failure if there is none, or if it is not verified for the product. */
async function lastWith(
  product: Product,
  board: Board,
  known: readonly KnownRelease[],
): Promise<{ version: string; envelope: string; path: string }> {
  const last = lastOf(known.filter(({ record, manifests }) => record && manifests.has(board.name)));
  const envelope = last?.record?.artifacts.find(({ kind, board: name }) => kind === "envelope" && name === board.name)?.file;
  if (!last || envelope === undefined)
    throw releaseFault(
      `${product.out} has no release of board ${board.name}, so the image that its devices run is not known`,
      "release it first, or name the image that they run",
    );
  // what is signed again must be what trusted keys have signed
  const path = join(last.path, envelope);
  try {
    await verifyProduct(path, product, { board: board.name });
  } catch (e) {
    throw withFileName(path, e);
  }
  return { version: last.version, envelope, path: last.path };
}

/**
 * Returns a board of a product, for readTrustMove() and runIncident(). `image`: a file instead of the image of the last
 * release, which then travels in the envelope. `only`: the class that it is for. Default: all of the board. Throws
 * Failures: RELEASE, USAGE for a board whose devices take no trust file, and as verifyProduct().
 */
export async function bridgedBoard(product: Product, board: Board, image?: string, only?: string): Promise<BridgedBoard> {
  if (!takesTrust(board))
    throw usage(
      `board ${board.name} has the verifier ${board.for}, whose devices take no trust file out of a release`,
      "bring them new keys with their firmware",
    );
  const known = releasesKnown(product);
  const own = only === undefined ? board : { ...board, classes: [only] };
  const isCount = product.sequence.source !== "version";
  const last = image === undefined ? await lastWith(product, board, known) : undefined;
  const given = image === undefined ? own : await withImage(product, own, image);
  // where devices fetch the image of the last release, another one would take its place
  const placed = last ? own : { ...given, images: given.images.map((one) => ({ ...one, uri: undefined })) };
  const most = known.reduce((n, { sequence }) => higher(n, sequence), 0n);
  return {
    name: board.name,
    identities: identitiesOf(product, own),
    scope: scopeOfBoard(product, own),
    least: known.length > 0 ? most + 1n : undefined,
    isCount,
    prepare: async (trust) => {
      const reader = last && imagesOf(last.path, last.envelope);
      const textOf = (sequence: bigint) => (isCount ? undefined : numberVersion(sequence));
      const { draft } = await prepareBoard(product, placed, last?.version, "release", reader, trust, textOf);
      return (sequence) => draft(sequence);
    },
  };
}

/** Returns the board that a bridge is for: the named one, or the only one that takes a trust file. */
export function boardToBridge(product: Product, name: string | undefined): Board {
  const [board, ...others] = name === undefined ? product.boards.filter(takesTrust) : boardsOf(product, [name]);
  if (!board) throw product.fault("/boards", "no board has a verifier that takes a trust file out of a release", "drop `product`");
  if (others.length > 0)
    throw usage("`board` is missing: the product has several", `name one of ${[board, ...others].map((one) => one.name).join(", ")}`);
  return board;
}

/** Refuses a trust file with which devices of the product would accept nothing: it is that of another product. */
function refuseOtherTrust(product: Product, { path, store }: TrustOnFile): void {
  for (const board of product.boards.filter(takesTrust))
    for (const identity of identitiesOf(product, board))
      try {
        policyOf(store, ROLE_RELEASE, identity);
      } catch (e) {
        if (!isRefusal(e)) throw e;
        throw new Failure(
          1,
          codeOfRefusal(e.code),
          `${path} is not for board ${board.name} of ${product.name}: ${refusalMeaning(e.code)}`,
          `name the trust file of this product: [trust] file in ${product.path}`,
          { cause: e },
        );
      }
}

/**
 * Returns the trust file of a product for a rotation: `given`, if it is one of the product, or else the one that
 * devices have, or with `newest` the one that releases bring. Both are verified, as `release` does. Throws a Failure
 * for a trust file that is not of the product, and for a product without one.
 */
export async function rotatedTrust(product: Product, given: string | undefined, newest: boolean): Promise<string> {
  const { file, carry } = product.trust;
  if (file === undefined) {
    if (given !== undefined) return given;
    throw product.fault(
      "/trust",
      "names no trust file, and only a trust file changes keys",
      'name the one that devices have: [trust] file = "first.trust"',
    );
  }
  const own = carry === undefined ? [file] : [file, carry];
  if (given !== undefined && !own.some((one) => isSameFile(one, given)))
    throw usage(`\`trust\` ${given}: ${product.path} names ${own.join(" and ")}`, "drop it, or correct [trust] in the product file");
  const { lists = [] } = await productLists(product);
  for (const list of lists) refuseOtherTrust(product, list);
  return given ?? (newest ? (lists.at(-1)?.path ?? file) : file);
}
