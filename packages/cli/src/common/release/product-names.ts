// The names that a product file has for vendors and classes.

import { existsSync } from "node:fs";
import { numberVersion, versionNumber } from "@firmseal/keys";
import { usage, warn } from "@firmseal/keys/internal";
import type { Product } from "@firmseal/release";
import { boardFinderOf, type Cohort, PRODUCT_FILE, productWithdrawals, type WithdrawnManifest } from "@firmseal/release/internal";
import { failureOf } from "../../show/failure-of.js";
import { onDemand } from "./on-demand.js";

/**
 * The product, if its file is named, or if it is here and can be read: a release may be inspected anywhere. `named`:
 * only if it is named.
 */
export async function productHere(product: string | undefined, named = false): Promise<Product | undefined> {
  if (product === undefined && (named || !existsSync(PRODUCT_FILE))) return undefined;
  const { readProduct } = await onDemand();
  try {
    return readProduct(product ?? PRODUCT_FILE);
  } catch (e) {
    if (product !== undefined) throw e;
    return undefined;
  }
}

/** The product that a command is about: its file is named, or it is here. */
export async function productAsked(product: string | undefined): Promise<Product | undefined> {
  if (product === undefined && !existsSync(PRODUCT_FILE)) return undefined;
  return (await onDemand()).readProduct(product ?? PRODUCT_FILE);
}

/**
 * The withdrawn releases of a product, for commands that have something else to do: what cannot be read is a warning.
 */
export async function withdrawnOfProduct(product: Product | undefined): Promise<readonly WithdrawnManifest[]> {
  if (!product) return [];
  try {
    return (await productWithdrawals(product)).withdrawn;
  } catch (e) {
    warn(`which releases of ${product.name} were withdrawn is not known: ${failureOf(e).message}`);
    return [];
  }
}

/** What an option names. A version has a number where the product makes its numbers from versions. */
export function namedRelease(
  option: string,
  product: Product | undefined,
  release: bigint | string,
): { version?: string; sequence: string } {
  if (typeof release === "bigint") return { sequence: String(release) };
  const source = product?.sequence.source ?? "version";
  if (source === "version") return { version: release, sequence: String(versionNumber(release)) };
  throw usage(
    `${option} ${release}: the sequence numbers of ${product?.name} come from ${source}, not from the version`,
    "give the sequence number of the release; firmseal inspect shows it",
  );
}

/** The boards of a product to which rows of a fleet belong, each once. */
export type BoardsOfRows = (rows: readonly string[]) => { boards?: string[] };

/** Returns the boards of rows. Without a product: none. */
export function boardsOfRows(product: Product | undefined, fleet: readonly Cohort[]): BoardsOfRows {
  if (!product) return () => ({});
  const boardOf = boardFinderOf(product);
  const names = new Map(fleet.map(({ name, model }) => [name, boardOf(model.identity)?.board.name]));
  return (rows) => ({ boards: [...new Set(rows.flatMap((row) => names.get(row) ?? []))] });
}

/** "board puck", or nothing. */
export const boardWords = (boards: readonly string[] | undefined, before = ""): string =>
  boards === undefined || boards.length === 0 ? "" : `${before}board ${boards.join(", ")}`;

/** Text with the versions of a product instead of their numbers. */
export const versionedText = (text: string, product: Product | undefined): string =>
  product?.sequence.source !== "version"
    ? text
    : text.replace(/\b(?:sequence number )?(\d{15,20})\b/g, (all, n: string) =>
        BigInt(n) < 2n ** 64n ? `version ${numberVersion(BigInt(n))}` : all,
      );

const UUID = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;

/** The names of vendors and classes, by their UUIDs. */
export interface ProductNames {
  readonly [uuid: string]: string;
}

/** Lines with the names of a product instead of its UUIDs. */
export const namedLines = (lines: readonly string[], names: ProductNames = {}) =>
  lines.map((line) => line.replace(UUID, (uuid) => (Object.hasOwn(names, uuid) ? (names[uuid] as string) : uuid)));

/** The names of a product, as a part of the facts of a command: none without a product. */
export async function namesOfProduct(product: Product | undefined): Promise<{ names?: ProductNames }> {
  return product ? { names: Object.fromEntries((await onDemand()).productNames(product)) } : {};
}
