// Which releases of a product were withdrawn: by the signing logs of its keys, as far as they are here, and by the
// marks in the folders of releases.

import { existsSync } from "node:fs";
import type { Entry } from "@firmseal/keys";
import {
  heldBy,
  isLedgerPlace,
  isMirror,
  LastSeen,
  logBeside,
  logFaultWords,
  logFile,
  readLogIfThere,
  refusedInput,
  STDIO,
  shellWord,
  type WithdrawnRelease,
  withdrawalsAmong,
  withdrawnFailure,
} from "@firmseal/keys/internal";
import type { Product } from "../../product/file/product.js";
import type { SigningRole } from "../../product/file/written.js";
import type { KnownRelease } from "../../product/record.js";
import { inspectLog } from "../../signing/audit.js";
import { scopeOfBoard } from "../board/devices.js";

/** A manifest of a release that was withdrawn. */
export interface WithdrawnManifest extends WithdrawnRelease {
  /** Its digest: `sha-256:` and hex digits. */
  readonly manifest: string;
}

/** A manifest of a release that was withdrawn, by a signing log. */
export interface Withdrawn extends WithdrawnManifest {
  /** The name of the product. */
  readonly product: string;
  /** Names of its boards that the manifest is for. */
  readonly boards: readonly string[];
  /** The devices, vendor/class, as logs name them. */
  readonly scope: readonly string[];
}

/**
 * Finds the withdrawn releases of a product in signing logs.
 *
 * @param product - From readProduct(). What is for none of its boards does not count.
 * @param entries - The entries of the logs of its keys: of readLog(), or of all logs together.
 * @returns One for each manifest, with the earliest of its entries, in the order of sequence numbers.
 */
export function withdrawnOf(product: Product, entries: readonly Entry[]): Withdrawn[] {
  const boards = product.boards.map((board) => ({ name: board.name, scope: new Set(scopeOfBoard(product, board)) }));
  const out = new Map<string, Withdrawn>();
  for (const { scope = [], digest, version, sequence, reason, time } of withdrawalsAmong(entries)) {
    const names = boards.filter((board) => scope.some((one) => board.scope.has(one))).map(({ name }) => name);
    const before = out.get(digest ?? "");
    if (names.length === 0 || digest === undefined || (before && before.time <= time)) continue;
    out.set(digest, {
      ...{ product: product.name, boards: names, scope, manifest: digest, sequence, reason, time },
      ...(version !== undefined && { version }),
    });
  }
  return [...out.values()].sort((a, b) => (BigInt(a.sequence) < BigInt(b.sequence) ? -1 : 1));
}

/** Where the logs of a product may be, besides beside the keys that its file names. */
export interface KnownLogs {
  readonly role?: SigningRole | undefined;
  /** Keys that are given instead of those of the product file. */
  readonly keys?: readonly string[] | undefined;
  /** The log, if it is elsewhere. Default: the ledger of the product file, as it was last fetched. */
  readonly log?: string | undefined;
  /** Thumbprints of keys whose logs this account may have seen elsewhere. */
  readonly thumbprints?: readonly string[];
}

/** The logs beside the keys, as no secret is needed to find them. */
function logPaths(product: Product, { role = "release", keys = product.keys[role], log }: KnownLogs): string[] {
  if (log !== undefined && log !== STDIO && !isLedgerPlace(log)) return [log];
  const ledger = log ?? product.sequence.ledger;
  if (isLedgerPlace(ledger)) return [logFile(ledger)].filter((path) => existsSync(path));
  const beside = [...keys, ...product.trust.keys].flatMap((ref) => logBeside(ref) ?? []);
  return [...new Set(beside)].filter((path) => existsSync(path));
}

/** All entries of a log that is whole. A log that has changed may have lost what it says, so it is refused. */
function wholeLog(path: string, key?: string): readonly Entry[] {
  const { log, faults, seen } = inspectLog({ path, ...(key !== undefined && { key }) });
  const [fault] = faults;
  if (fault)
    throw refusedInput(
      "ERR_LOG",
      `${path}: ${logFaultWords(fault)}: it may have lost which releases were withdrawn`,
      isMirror(path)
        ? "firmseal ledger verify shows more; what a key signed without the ledger, its owner enters: firmseal ledger import KEY.log"
        : `firmseal audit ${shellWord(path)} shows it; bring the right log`,
    );
  // what a log has lost binds all the same, even after a person has accepted the loss
  return [...log.all, ...seen.flatMap((one) => heldBy(one?.binds ?? [], one))];
}

/** What this account has seen of the log of a key: it is whole, or gone, and then its mark has what matters. */
function seenEntries(key: string): readonly Entry[] {
  const seen = new LastSeen(key, "log").read();
  if (seen?.path === undefined) return [];
  return [...heldBy(seen.binds ?? [], seen), ...(readLogIfThere(seen.path) ? wholeLog(seen.path, key) : [])];
}

/** Returns the withdrawn releases of a product, as far as this machine has the logs of its keys. Opens no key. */
export function withdrawnHere(product: Product, o: KnownLogs): Withdrawn[] {
  const found = logPaths(product, o).flatMap((path) => wholeLog(path));
  const read = new Set(found.flatMap(({ key }) => key ?? []));
  const others = new Set((o.thumbprints ?? []).filter((name) => !read.has(name)));
  return withdrawnOf(product, [...found, ...[...others].flatMap(seenEntries)]);
}

/** Refuses a release that was withdrawn. Throws a Failure: WITHDRAWN. */
export function refuseWithdrawn(
  release: Pick<KnownRelease, "path" | "sequence" | "manifests" | "mark">,
  withdrawn: readonly WithdrawnManifest[],
): void {
  const known = withdrawalOf(release, withdrawn);
  if (known) throw withdrawnFailure(known, release.path);
}

/** How a release was withdrawn. Undefined if it was not, as far as is known. */
export function withdrawalOf(
  { sequence, manifests, mark }: Pick<KnownRelease, "sequence" | "manifests" | "mark">,
  withdrawn: readonly WithdrawnManifest[],
): WithdrawnRelease | undefined {
  const digests = new Set(manifests.values());
  // a key that has ended could name a later release with a number of its own
  return withdrawn.find((one) => digests.has(one.manifest) && BigInt(one.sequence) === sequence) ?? mark;
}

/**
 * Refuses to make a version that was withdrawn, with whatever content. `sequence`: its number, if that is known.
 */
export function refuseWithdrawnVersion(version: string, sequence: bigint | "log", withdrawn: readonly WithdrawnManifest[]): void {
  const found = withdrawn.find((one) => one.version === version || BigInt(one.sequence) === sequence);
  if (found) throw withdrawnFailure({ ...found, version });
}
