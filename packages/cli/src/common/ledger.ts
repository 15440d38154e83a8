// The ledger that a command is about, and what it reports of it.

import { existsSync } from "node:fs";
import type { LedgerFacts } from "@firmseal/keys";
import { byteWords, ledgerPlace, usage } from "@firmseal/keys/internal";
import { PRODUCT_FILE } from "@firmseal/release/internal";
import { option } from "../command.js";
import { productFile } from "./options.js";
import { onDemand } from "./release/on-demand.js";
import type { Shape } from "./shapes.js";

/** Options that name a ledger. */
export interface LedgerPlaceOptions {
  ledger?: string;
  product?: string;
  json?: boolean;
}

/** An example of a place. */
export const EXAMPLE = "postgres://db.example.com/firmseal#example.com/lock";

/** --ledger, and the product file that names one. */
export const ledgerOptions = () => [
  option("--ledger <place>", "postgres://USER@HOST/DATABASE#NAME or s3://BUCKET/PREFIX#NAME (default: the ledger in the product file)"),
  productFile(),
];

/** The place of the ledger: the one that was given, or that of the product file. */
export async function placeMeant({ ledger, product }: LedgerPlaceOptions): Promise<string> {
  if (ledger !== undefined) {
    if (product !== undefined) throw usage("--ledger and --product are both given", "drop one: the product file names its ledger");
    return ledgerPlace(ledger).text;
  }
  if (product === undefined && !existsSync(PRODUCT_FILE)) throw usage("--ledger is missing, and this folder has no product file", HINT);
  const file = product ?? PRODUCT_FILE;
  const own = (await onDemand()).readProduct(file).sequence.ledger;
  if (own === undefined)
    throw usage(`${file} names no ledger`, `${HINT}, or in the product file: [sequence] ledger = "postgres://HOST/DATABASE"`);
  return own;
}

const HINT = `name it: --ledger '${EXAMPLE}'`;

/** The facts of a ledger, for JSON. */
export const LEDGER: Shape = {
  place: ["string", "the ledger"],
  entries: ["number", "its entries"],
  bytes: ["number", "its length"],
  people: ["boolean", "whether its entries name the user, the host and the job"],
  copy: ["string", "its copy on this machine: a signing log"],
};

/** The facts of a ledger, in words. */
export const ledgerWords = ({ place, entries, bytes, people }: LedgerFacts): string =>
  `${place}: ${entries} ${entries === 1 ? "entry" : "entries"}, ${byteWords(bytes)}; new entries name ${people ? "users and hosts" : "no users and no hosts"}`;
