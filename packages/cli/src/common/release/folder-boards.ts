// The boards of a release, for commands that show one envelope after the other.

import { RECORD } from "@firmseal/behaviour";
import { isFolder, STDIO, usage, warn, withdrawnWords } from "@firmseal/keys/internal";
import type { Product } from "@firmseal/release";
import {
  boardFor,
  envelopeOf,
  type ReleasedEnvelope,
  type ReleaseFolder,
  refuseOtherProduct,
  releaseFolder,
} from "@firmseal/release/internal";
import type { Identity } from "@firmseal/verifier";
import type { MissingBoard } from "./folder-words.js";
import { productHere } from "./product-names.js";
import { isReleaseFolder } from "./signatures.js";

/** Refuses a board of what is one envelope. */
export function refuseBoardOf(path: string, board: string | readonly string[] | undefined): void {
  if (board !== undefined)
    throw usage(`--board: ${path} is an envelope, which is for one board`, "drop it, or name the folder of a release");
}

/** The folder of a release, with the board that is asked for, or with all. Undefined if the path is not a folder. */
export function folderAt(path: string, board: string | undefined): Promise<ReleaseFolder | undefined> {
  if (path !== STDIO && isFolder(path) && !isReleaseFolder(path))
    throw usage(
      `${path} is a folder, not a file, and has no ${RECORD}`,
      "name an envelope, or the folder of a release, such as dist/1.4.2",
    );
  return releaseFolder(path, board === undefined ? [] : [board]);
}

/** Like folderAt(), and warns if the mark of the release says that it was withdrawn. */
export async function shownFolder(path: string, board: string | undefined): Promise<ReleaseFolder | undefined> {
  const folder = await folderAt(path, board);
  if (folder?.mark) warn(withdrawnWords(folder.mark, path));
  return folder;
}

/** The product whose names are shown. Refuses a named file of a product that the folder does not have. */
export async function productFor(folder: ReleaseFolder, o: { product?: string; json?: boolean }): Promise<Product | undefined> {
  const product = await productHere(o.product, o.json === true);
  // a file that is only present here may belong to something else
  if (product && o.product !== undefined) refuseOtherProduct(folder.path, folder.record, product);
  return product;
}

/** The one board of a folder. Refuses several. */
export function onlyBoard({ path, boards }: ReleaseFolder) {
  const [only, ...others] = boards;
  if (!only || others.length > 0) throw usage(`${path} has ${boards.length} boards`, "choose one: --board NAME");
  return only;
}

/** Returns what finds the board of a device in the folder of a release, by the envelopes. */
export async function boardFinder(
  path: string,
  { board, product }: { board?: string; product?: string },
): Promise<(identity: Identity) => Promise<ReleasedEnvelope>> {
  const folder = (await shownFolder(path, board)) as ReleaseFolder;
  return (identity) => boardFor(folder, identity, product);
}

/** Boards that others still have to sign, by the record. */
export const missingBoards = ({ path, record, boards }: ReleaseFolder): MissingBoard[] =>
  record.missing
    .filter(({ board }) => boards.some((one) => one.board === board))
    .map(({ board, signed, needed }) => ({ path, board, signed, needed }));

/** The files at these paths, with the envelopes of each board in place of the folder of a release. */
export async function withFolders(paths: readonly string[]): Promise<(string | ReleasedEnvelope)[]> {
  const out: (string | ReleasedEnvelope)[] = [];
  for (const path of paths) {
    const folder = await folderAt(path, undefined);
    if (folder) for (const one of folder.boards) out.push(await envelopeOf(folder, one));
    else out.push(path);
  }
  return out;
}

/** What `show` returns for each board, in the order of the record. Leaves out boards for which it returns undefined. */
export async function eachBoard<T extends object>(
  folder: ReleaseFolder,
  show: (one: ReleasedEnvelope) => Promise<T | undefined>,
): Promise<({ board: string; path: string } & T)[]> {
  const out: ({ board: string; path: string } & T)[] = [];
  // one after the other: each may be large
  for (const one of folder.boards) {
    const released = await envelopeOf(folder, one);
    const facts = await show(released);
    if (facts) out.push({ board: released.board, path: released.path, ...facts });
  }
  return out;
}
