// Rows of a fleet file in the words of a product: a board instead of vendor, class and trust file, and a version
// instead of a floor.

import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { versionNumber } from "@firmseal/keys";
import { isVersion } from "@firmseal/keys/internal";
import { identityUuids } from "@firmseal/signer";
import { type Board, boardsOf, type Product } from "../product/file/product.js";
import { type KnownRelease, releasesIn } from "../product/record.js";
import { type FleetRow, fleetFault } from "./fleet-rows.js";
import type { FleetMembers } from "./fleet-write.js";
import type { Cohort } from "./model.js";

type Fault = (what: string) => Error;

/** The class of the devices in a row: that of the board, or the one that is named of several. */
function classOf({ name, classes }: Board, given: unknown, fault: Fault): string {
  const known = `its classes: ${classes.join(", ")}`;
  if (given === undefined) {
    if (classes.length > 1) throw fault(`board ${name} has several classes: "class" says which; ${known}`);
    return classes[0] as string;
  }
  const found = classes.find((one) => one === given);
  if (found === undefined) throw fault(`"class" is not one of board ${name}; ${known}`);
  return found;
}

/** The keys that devices of a board have, unless the row says it. Paths are those of the product. */
function trustOf({ trust: { file, keys, threshold } }: Product, value: FleetMembers, named: (file: string) => string): FleetMembers {
  if (value["trust"] !== undefined || value["keys"] !== undefined) return {};
  if (file !== undefined) return { trust: named(file) };
  return keys.length === 0 ? {} : { keys: keys.map(named), threshold };
}

/** The floor of devices that run a version, and its envelope if the folder of releases has it. */
function runningOf(
  product: Product,
  board: Board,
  version: string,
  releases: readonly KnownRelease[],
  named: (file: string) => string,
  fault: Fault,
): FleetMembers {
  if (!isVersion(version)) throw fault('"version" is not a version, such as 1.4.2');
  const known = releases.find((one) => one.version === version && one.manifests.has(board.name));
  if (!known) {
    if (product.sequence.source === "version") return { floor: String(versionNumber(version)) };
    throw fault(`version ${version} of board ${board.name} is not in ${product.out}, so its number is not known: give "floor"`);
  }
  const file = known.record?.artifacts.find((one) => one.kind === "envelope" && one.board === board.name)?.file;
  const path = file === undefined ? undefined : join(known.path, file);
  return { floor: String(known.sequence), ...(path !== undefined && existsSync(path) && { release: named(path) }) };
}

/**
 * Returns what puts the product into the rows of the fleet file `path`: vendor, class, trust file, floor and release in
 * place of board and version. Without a product, a row with a board is refused.
 */
export function rowsWith(path: string, product: Product | undefined): (row: FleetRow) => FleetRow {
  let releases: KnownRelease[] | undefined;
  // names of files are relative to the fleet file
  const named = (file: string) => relative(dirname(path), file).replaceAll("\\", "/");
  return ({ where, value }) => {
    const { board: name, version, ...row } = value;
    if (name === undefined) return { where, value };
    const fault = (what: string) => fleetFault(path, `${where}: ${what}`);
    if (!product) throw fault('the row has "board", and no product file is here: name it, `product` FILE');
    if (row["vendor"] !== undefined) throw fault('the row has "vendor", and "board" says it: drop it');
    if (version !== undefined && row["floor"] !== undefined) throw fault('the row has "floor", and "version" says it: drop one');
    const [board] = boardsOf(product, [String(name)]) as [Board];
    releases ??= version === undefined ? [] : releasesIn(product.out, product);
    return {
      where,
      value: {
        ...(board.for === "micro" && { verifier: "micro" }),
        ...(board.engine !== undefined && { engine: board.engine.toLowerCase() }),
        ...trustOf(product, value, named),
        ...(version !== undefined && runningOf(product, board, String(version), releases, named, fault)),
        ...row,
        vendor: product.vendor,
        class: classOf(board, row["class"], fault),
      },
    };
  };
}

/** Returns the board of a product that devices are, by their identifiers. */
export function boardFinderOf({
  vendor,
  boards,
}: Product): (identity: Cohort["model"]["identity"]) => { board: Board; class: string } | undefined {
  const hex = (id: ArrayLike<number>) => Buffer.from(Uint8Array.from(id)).toString("hex");
  const all = new Map(
    boards.flatMap((board) =>
      board.classes.map((name) => {
        const ids = identityUuids(vendor, name);
        return [`${hex(ids.vendor)} ${hex(ids.class)}`, { board, class: name }] as const;
      }),
    ),
  );
  return ({ vendor: vendors, class: classes }) =>
    (vendors ?? []).flatMap((v) => (classes ?? []).flatMap((c) => all.get(`${hex(v)} ${hex(c)}`) ?? []))[0];
}
