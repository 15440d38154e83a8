// Withdraws a release: an entry in the logs of the keys for each board, then a mark in the folder of the release. The
// log is first: if the mark cannot be written, the same command again writes only the mark.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ReleaseRecord, WITHDRAWN } from "@firmseal/behaviour";
import {
  type ClockOverride,
  type Entry,
  keyName,
  numberVersion,
  type PassphraseOption,
  type Receipt,
  versionNumber,
  withPublicKeys,
  withSigningLogs,
} from "@firmseal/keys";
import {
  APPROVE,
  checkWritable,
  consultLog,
  isFolder,
  isOfTrustFile,
  isVersion,
  notice,
  refusedInput,
  sharesScope,
  visible,
  WITHDRAW,
  type WithdrawnRelease,
  withdrawalsAmong,
  writeWhole,
} from "@firmseal/keys/internal";
import { productOption } from "../product/file/file-name.js";
import type { Board, Product } from "../product/file/product.js";
import type { SigningRole } from "../product/file/written.js";
import { productLog } from "../product/ledger.js";
import { findRecord, type KnownRelease, knownRelease, refuseOther, releaseFault } from "../product/record.js";
import { checkedReason, markOf } from "../product/withdrawal.js";
import { higher } from "../trust/quorum.js";
import { productLists, productTrustKeys, refuseRole, scopeOfBoard, signingKeys } from "./board/devices.js";
import { shelfPath } from "./names.js";
import { withReleaseLock } from "./round/attach.js";
import { knownWithdrawals, requiredSigners, shelfOf } from "./withdrawn/known-withdrawals.js";
import { withdrawalOf, withdrawnOf } from "./withdrawn/withdrawn.js";

/** Options of withdrawRelease(). */
export interface WithdrawOptions extends ClockOverride {
  /** Why, in one line. */
  reason: string;
  /** The role of the keys that signed it. Default: release. */
  role?: SigningRole;
  /** References of keys whose logs get the entries. Default: those of the product file. Public keys are enough. */
  keys?: readonly string[];
  /** The signing log, if it is elsewhere. */
  log?: string;
  passphrases?: readonly PassphraseOption[];
}

/** A board of a withdrawn release. */
export interface WithdrawnBoard {
  readonly board: string;
  /** The digest of its manifest, as in the log. */
  readonly manifest: string;
  /** The number that the next release for its devices must exceed. */
  readonly exceed: string;
}

/** A release that was withdrawn now, or before for the same reason. */
export interface Withdrawing extends WithdrawnRelease {
  readonly version: string;
  readonly boards: readonly WithdrawnBoard[];
  /** false: every log and the folder already say so. */
  readonly written: boolean;
  readonly receipts: readonly Receipt[];
  /** The folder of the release, with its mark. Undefined if it is not here. */
  readonly folder: string | undefined;
  /** The release before it that was not withdrawn, if it is here. */
  readonly lastGood: KnownRelease | undefined;
  /** The newest release after it that was not withdrawn, if it is here: devices take that one. */
  readonly later: KnownRelease | undefined;
  /** A version for the next release. Undefined if the numbers are not those of versions. */
  readonly next: string | undefined;
}

/** The release that is meant, as it is here. */
interface Meant {
  readonly version: string;
  readonly known: KnownRelease | undefined;
}

function meant(product: Product, given: string, shelf: string, role: SigningRole): Meant {
  const folder = isVersion(given) ? join(shelf, given) : given;
  if (!(isVersion(given) || isFolder(given) || /[/\\]/.test(given))) versionNumber(given);
  const record = isFolder(folder) ? findRecord(folder) : undefined;
  if (!record && !isVersion(given)) throw releaseFault(`${given} has no release`, "name the folder of the release, or its version");
  if (record) refuseOther(folder, record, product, role);
  return { version: record?.version ?? given, known: record && knownRelease(folder, record) };
}

/** An entry about the manifest of a release: a signature, a move, or a withdrawal before. */
type ManifestEntry = Entry & { readonly digest: string; readonly sequence: string };

const isOfManifest = (e: Entry): e is ManifestEntry =>
  e.digest !== undefined && e.sequence !== undefined && e.operation !== APPROVE && !isOfTrustFile(e);

/** The entries about manifests of this version: one for each manifest. */
function signedManifests(product: Product, { version, known }: Meant, entries: readonly Entry[]): ManifestEntry[] {
  const scope = new Set(product.boards.flatMap((board) => scopeOfBoard(product, board)));
  const own = new Set(known?.manifests.values());
  const number = product.sequence.source === "version" ? versionNumber(version) : undefined;
  const isOfVersion = (e: ManifestEntry) => (e.version === undefined ? BigInt(e.sequence) === number : e.version === version);
  const all = entries.filter((e) => isOfManifest(e) && (own.has(e.digest) || (sharesScope(e, scope) && isOfVersion(e)))) as ManifestEntry[];
  return [...new Map(all.map((e) => [e.digest, e])).values()];
}

/** The entries that withdraw these manifests, the earliest first. */
function entriesWithdrawing(signed: readonly ManifestEntry[], entries: readonly Entry[]) {
  const digests = new Set<string | undefined>(signed.map(({ digest }) => digest));
  const found = withdrawalsAmong(entries).filter(({ digest }) => digests.has(digest));
  return found.sort((a, b) => (a.time < b.time ? -1 : 1));
}

function refuseUnknownRelease({ version, known }: Meant, signed: readonly ManifestEntry[]): void {
  const digests = new Set(signed.map(({ digest }) => digest));
  const other = known && [...known.manifests].find(([, manifest]) => !digests.has(manifest));
  if (signed.length > 0 && !other) return;
  const what = known && other ? `the manifest of board ${visible(other[0])} in ${known.path}` : `version ${version}`;
  throw releaseFault(
    `no log of a release key knows ${what}`,
    "bring the log of the key that signed it (`log` FILE), or correct the version",
  );
}

/** Refuses a second reason: what a log says is never taken back. */
function refuseOtherReason(version: string, reason: string, before: WithdrawnRelease | undefined): void {
  if (before && before.reason !== reason)
    throw refusedInput(
      "ERR_WITHDRAWN",
      `version ${version} was withdrawn on ${before.time.slice(0, 10)} for another reason: ${before.reason}`,
      "the first reason stays; give the same one to write what is missing",
    );
}

/** The boards, and the number that the next release of each must exceed. */
function boardsOfEntries(
  product: Product,
  { known }: Meant,
  signed: readonly ManifestEntry[],
  numbers: readonly Entry[],
  shelf: readonly KnownRelease[],
) {
  const nameOf = ({ digest, scope = [] }: Entry) =>
    [...(known?.manifests ?? [])].find(([, manifest]) => manifest === digest)?.[0] ||
    product.boards
      .filter((board: Board) => scopeOfBoard(product, board).some((one) => scope.includes(one)))
      .map(({ name }) => name)
      .join(", ") ||
    scope.join(", ");
  const last = shelf.reduce((most, { sequence }) => higher(most, sequence), 0n);
  return signed.map((e): WithdrawnBoard => {
    const scope = new Set(e.scope);
    const most = numbers.reduce((n, one) => (sharesScope(one, scope) ? higher(n, BigInt(one.sequence as string)) : n), last);
    return { board: nameOf(e), manifest: e.digest as string, exceed: String(most) };
  });
}

/** The version after the highest number: a patch, if there is room. */
function nextVersion({ sequence: { source } }: Product, exceed: bigint): string | undefined {
  if (source !== "version") return undefined;
  const [major, minor, patch] = numberVersion(exceed).split(/[.+-]/) as [string, string, string];
  const next = `${major}.${minor}.${Number(patch) + 1}`;
  return isVersion(next) ? next : undefined;
}

/** What else a person can do whose product file names no key. */
const signersElsewhere = ({ path }: Product): string =>
  `; if people sign elsewhere, name the key of each: firmseal withdraw VERSION --reason TEXT${productOption(path)} --key SIGNER.pub`;

/**
 * Withdraws a release. The log of each key that has one gets an entry for each board, and the folder of the release a
 * mark. No private key is used, and nothing is signed: devices learn of it only from a release with a higher number.
 *
 * @param product - From readProduct().
 * @param given - Its version, or its folder.
 * @param o - Why, and whose logs.
 * @returns What the next release must exceed, and what was written.
 * @throws Failures: RELEASE if no log knows the release, WITHDRAWN if it was withdrawn for another reason, and those of
 *   logs. Nothing is written then.
 */
export async function withdrawRelease(product: Product, given: string, o: WithdrawOptions): Promise<Withdrawing> {
  const reason = checkedReason(o.reason);
  refuseRole(product, o.role);
  const { role = "release" } = o;
  const log = await productLog(product, o.log);
  const path = shelfPath(product, o.role);
  const what = meant(product, given, path, role);
  const shelf = shelfOf(product, role);
  const { lists } = await productLists(product);
  const trust = { lists, trustKeys: await productTrustKeys(product, lists) };
  return await withPublicKeys(o.keys ?? signingKeys(product, role, signersElsewhere(product)), o.passphrases ?? [], async (opened) => {
    // without the file, the log is the one that this machine has seen, also for a public key beside no log
    const keys = opened.map(({ name, public: key }) => ({ name, public: key }));
    const publics = keys.map((key) => key.public);
    const { receipts, signed } = await withSigningLogs(
      keys,
      log,
      async ({ logs, record }) => {
        const entries = logs.flat();
        const signed = signedManifests(product, what, entries);
        refuseUnknownRelease(what, signed);
        const before = entriesWithdrawing(signed, entries);
        const manifests = new Map(signed.map(({ digest }) => [digest, digest]));
        const elsewhere = knownWithdrawals([], shelf, requiredSigners(product, role, trust, publics));
        const sequence = BigInt((signed[0] as ManifestEntry).sequence);
        const own = { sequence, manifests, mark: what.known?.mark };
        refuseOtherReason(what.version, reason, before[0] ?? withdrawalOf(own, elsewhere.withdrawn));
        if (what.known && !what.known.mark) checkWritable(join(what.known.path, WITHDRAWN));
        const receipts = keys.flatMap((key, i) => {
          // a log that is empty here may be elsewhere
          if (logs[i]?.length === 0) {
            notice(`${visible(key.name)}: no entry, for its log is not here: give the same command on the machine where it signs`);
            return [];
          }
          const own = new Set(before.filter((e) => e.key === keyName(key.public)).map(({ digest }) => digest));
          return signed.flatMap(({ digest, sequence, version = what.version, scope = [] }) =>
            own.has(digest) ? [] : [record(key, { operation: WITHDRAW, digest, sequence, version, scope, reason })],
          );
        });
        return { receipts, signed };
      },
      o,
    );
    const entries = keys.flatMap((key) => consultLog(key, log));
    const { withdrawn } = knownWithdrawals(withdrawnOf(product, entries), shelf, requiredSigners(product, role, trust, publics));
    const first = entriesWithdrawing(signed, entries)[0] as WithdrawnRelease;
    const isMarked = what.known !== undefined && (await mark(what.known, first));
    const boards = boardsOfEntries(
      product,
      what,
      signed,
      entries.filter((e) => e.sequence !== undefined && !isOfTrustFile(e)),
      shelf,
    );
    const number = versionNumber(what.version);
    const good = shelf.filter((one) => one.record?.missing.length === 0 && !withdrawalOf(one, withdrawn));
    return {
      ...{ version: what.version, sequence: first.sequence, reason, time: first.time, boards, receipts },
      written: receipts.length > 0 || isMarked,
      folder: what.known?.path,
      lastGood: good.findLast((one) => versionNumber(one.version) < number),
      later: good.findLast((one) => versionNumber(one.version) > number),
      next: nextVersion(
        product,
        boards.reduce((most, { exceed }) => higher(most, BigInt(exceed)), 0n),
      ),
    };
  });
}

/** Marks the folder of a release, unless it has a mark. Returns whether it was written. */
async function mark({ path, record }: KnownRelease, withdrawn: WithdrawnRelease): Promise<boolean> {
  return await withReleaseLock(path, async () => {
    const file = join(path, WITHDRAWN);
    if (existsSync(file)) return false;
    writeWhole(file, markOf(record as ReleaseRecord, withdrawn), { fresh: true });
    return true;
  });
}
