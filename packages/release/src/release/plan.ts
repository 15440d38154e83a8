// Everything about a release that needs no key: its images, its number, its names, and what power cuts do to it.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { RECORD, type ReleaseRecord, SUMS, WITHDRAWN } from "@firmseal/behaviour";
import {
  type Abortable,
  type ClockOverride,
  keyName,
  type OpenedKey,
  type PassphraseOption,
  type SequenceOverrides,
  versionNumber,
} from "@firmseal/keys";
import { checkFolder, grouped, refuseClock } from "@firmseal/keys/internal";
import type { PublicKey } from "@firmseal/signer";
import { checkDraftFor } from "../consumer/judge.js";
import { sourceDate } from "../input/clock.js";
import { lintFailure } from "../lint/lint.js";
import { refuseUnknownRules } from "../lint/releases.js";
import { refuseOutsideOut } from "../product/file/inside.js";
import { type Board, boardsOf, type Product } from "../product/file/product.js";
import type { SigningRole } from "../product/file/written.js";
import { withProductLog } from "../product/ledger.js";
import { checkFiles, type KnownRelease, readRecord, releaseFault, releasesIn } from "../product/record.js";
import type { ApprovalOptions, Approvals } from "../signing/approval.js";
import { logDigest } from "../signing/scope.js";
import { higher } from "../trust/quorum.js";
import { productApprovals } from "./board/approvers.js";
import { boardBootImage, bootReader, hasBootImage, unsignedBoot } from "./board/boot-image.js";
import {
  ifNoKey,
  neededOf,
  productLists,
  productTrusted,
  productTrustKeys,
  referencesOf,
  refuseMissingKeys,
  refuseRole,
  type Signing,
  signingKeys,
  type TrustLists,
} from "./board/devices.js";
import { type ImageReader, type PreparedBoard, prepareBoard } from "./board/prepare.js";
import { type Cuts, cutPower } from "./cuts/cuts.js";
import { lintBoards, type ReleaseLint } from "./lint.js";
import { envelopeName, shelfPath } from "./names.js";
import { isInKnownLog, refuseKnownJump } from "./number/known-log.js";
import { type NumberOptions, numberOf, publishedAt, refuseDisorder, withHighest } from "./number/numbers.js";
import { refuseRecordedContent } from "./record/record-check.js";
import {
  type KnownWithdrawals,
  knownWithdrawals,
  type RequiredSigners,
  recordedWithdrawals,
  requiredSigners,
} from "./withdrawn/known-withdrawals.js";
import { type KnownLogs, refuseWithdrawnVersion, withdrawnHere } from "./withdrawn/withdrawn.js";

/** Options of planRelease(). */
export interface ReleaseOptions extends NumberOptions, SequenceOverrides, ClockOverride, ApprovalOptions, Abortable, Signing {
  /** The version, for the text of the manifests and the name of the folder. */
  version: string;
  /** Names of boards. Default: all. */
  boards?: readonly string[];
  /** The folder of releases. Default: that of the product file. */
  out?: string;
  /**
   * The last published release: a folder of releases, a release, its release.json, or an envelope. Default: that of the
   * product file.
   */
  previousRelease?: string;
  /** A release to compare with. It counts as published, like `previousRelease`. */
  diff?: string;
  /** The role of the keys that sign. Default: release. Others are for products with a trust file. */
  role?: SigningRole;
  /** The signing log, if it is elsewhere. */
  log?: string;
  passphrases?: readonly PassphraseOption[];
  /** Names of published test keys that may sign. */
  allowTestKey?: readonly string[];
  /** Sign although a key is a root of the trust file. */
  allowRootKey?: boolean;
  /** Names of COSE algorithms. They replace those of the product file. */
  coseAlg?: readonly string[];
  /** Only the plan is asked for: no key is needed. */
  dryRun?: boolean;
  /** Reports what a board has reached. `state`: "passing" while it is being done. */
  progress?(board: string, stage: string, state?: "passing"): void;
  /** May refuse the folder of the release, before anything is tried. */
  into?(folder: string): void;
  /** Shows the release to the person who signs, once nothing is left that can be refused without opening a key. */
  review?(plan: ReleasePlan): Promise<void>;
  /** Gets the findings of lint, even if these stop the release. With keys, it is called a second time. */
  linted?(report: ReleaseLint): void | Promise<void>;
}

/** A release that can be made, as far as is known without a key. */
export interface ReleasePlan {
  readonly product: Product;
  readonly version: string;
  /** "log": the next number, once the logs of the keys are locked. */
  readonly sequence: bigint | "log";
  /** The folder of the release. */
  readonly folder: string;
  readonly boards: readonly PreparedBoard[];
  /** The cuts that each board was tried with. Empty before they are tried. */
  readonly cuts: ReadonlyMap<string, Cuts>;
  /** The release in the folder, if it has the same content. */
  readonly existing: ReleaseRecord | undefined;
  /** Further signatures are asked for: planSigning(). */
  readonly isRound: boolean;
  /** Of releases that are joined: the folder with the envelope of each board. */
  readonly parts?: ReadonlyMap<string, string>;
  readonly known: readonly KnownRelease[];
  /** The trust files of the devices. */
  readonly lists: TrustLists | undefined;
  /** The trust file that the release brings to them, or a chain. */
  readonly carried: Uint8Array | undefined;
  /** The keys that the product file says are trusted. Undefined if it names none. */
  readonly trustKeys: readonly PublicKey[] | undefined;
  /** Who must have approved it. Undefined in a plan that is only shown. */
  readonly approvals: Approvals | undefined;
  /** The withdrawn releases that its record names, if it does not exist yet. The keys that sign may know more. */
  readonly withdrawn: ReleaseRecord["withdrawn"];
  /** Findings without those about signatures. */
  readonly lint: ReleaseLint;
  readonly options: ReleaseOptions;
}

/** The COSE algorithms that a board's signatures name: by the options, or else by the product file. */
export const choiceFor = ({ options: { coseAlg } }: ReleasePlan, board: Board) => ({
  for: board.for,
  coseAlg: coseAlg ?? board.coseAlg,
});

/** The number of a planned release. Undefined if the log of a key will give it. */
export const numberIn = ({ existing, sequence }: ReleasePlan): bigint | undefined =>
  existing ? BigInt(existing.sequence) : sequence === "log" ? undefined : sequence;

/** Two files of a release with one name would replace each other, also on a disk that ignores case. */
export function refuseCollisions(product: Product, boards: readonly PreparedBoard[], version: string, role: SigningRole | undefined): void {
  const own = (name: string) => [name.toLowerCase(), { digest: "", what: "the release" }] as const;
  const names = new Map<string, { digest: string; what: string }>([own(RECORD), own(SUMS), own(WITHDRAWN)]);
  for (const { board, images } of boards)
    for (const { file, digest, slot } of [
      { file: envelopeName(product, board.name, version, role), digest: "", slot: undefined },
      ...images,
    ]) {
      if (file === undefined) continue;
      const what = `board ${board.name}${slot === undefined ? "" : ` slot ${slot}`}`;
      const before = names.get(file.toLowerCase());
      if (before && (before.digest !== digest || digest === ""))
        throw product.fault(
          `/boards/${board.name}`,
          `${before.what} and ${what} would have files with the same name, ${file}`,
          "put {board}, {component} or {slot} into the last part of the uri",
        );
      names.set(file.toLowerCase(), { digest, what });
    }
}

/** Refuses a product file that does not name the keys that devices trust: without [keys], nothing else does. */
export function refuseUnnamedTrust(product: Product, { lists, trustKeys }: Pick<ReleasePlan, "lists" | "trustKeys">): void {
  if (!lists && !trustKeys)
    throw product.fault(
      "/trust",
      "trust names no key, so nothing says whose signatures devices require",
      'name the public keys of all who may sign: [trust] keys = ["a.pub", "b.pub"]; firmseal pubkey KEY writes one',
    );
}

/** The longest name of a file of the release. */
function longestName(product: Product, boards: readonly PreparedBoard[], { version, role }: ReleaseOptions): string {
  const names = boards.flatMap(({ board, images }) => [
    envelopeName(product, board.name, version, role),
    ...images.flatMap(({ file }) => file ?? []),
  ]);
  return names.reduce((most, name) => (name.length > most.length ? name : most));
}

/** The existing release of this version, if it is the same. Throws a Failure if it is another one. */
export async function sameRelease(
  plan: Pick<ReleasePlan, "product" | "known" | "version" | "folder" | "boards">,
): Promise<ReleaseRecord | undefined> {
  const { product, known, version, folder, boards } = plan;
  for (const one of known.filter((other) => other.version === version && other.manifests.size > 0)) {
    const names = boards.map(({ board }) => board.name);
    const others = [...one.manifests.keys()].filter((name) => !names.includes(name));
    const more = names.filter((name) => !one.manifests.has(name));
    if (others.length > 0 || more.length > 0)
      throw releaseFault(
        `${one.path} has version ${version} for ${[...one.manifests.keys()].join(", ")}, not for ${names.join(", ")}`,
        "release the same boards, or give a new version",
      );
    // its signatures are not verified here, and the release would get its number
    if (product.sequence.source === "version" && one.sequence !== versionNumber(version))
      throw releaseFault(
        `${one.path} has version ${version} with sequence number ${one.sequence}, which is not that of the version`,
        "get it again, as firmseal release wrote it",
      );
    for (const { board, draft } of boards)
      if (logDigest(draft(one.sequence)) !== one.manifests.get(board.name))
        throw releaseFault(
          `${one.path} has version ${version} of board ${board.name} with other content`,
          "a different build is a new release: give it a new version",
        );
  }
  if (!known.some(({ path }) => path === folder)) return undefined;
  const record = readRecord(folder);
  await checkFiles(folder, record);
  // the signatures of the record are not verified yet, and nobody signs its checksums
  for (const { board, draft } of boards) {
    const own = draft(BigInt(record.sequence));
    const content = { version, sequence: record.sequence, manifest: logDigest(own), bytes: own.bytes };
    await refuseRecordedContent(folder, record, product, board, content);
  }
  return record;
}

/** What is known of earlier releases: those in the folder, and what was published. */
export function knownReleases(product: Product, out: string, o: ReleaseOptions): KnownRelease[] {
  const { role } = o;
  // what the product file names are releases for the field
  const own = role === undefined || role === "release" ? product.sequence.previous : undefined;
  // only --first continues without what the product file names, and only if that is missing
  const isMissing = own !== undefined && o.first === true && !existsSync(own);
  const named = [...new Set([o.previousRelease ?? (isMissing ? undefined : own), o.diff])].filter((path) => path !== undefined);
  return [...releasesIn(out, product, role), ...named.flatMap((path) => publishedAt(path, product, role))];
}

/** The number for rules: with numbers of the log, the one above those that are known. */
export const likelyNumber = (sequence: bigint | "log", known: readonly KnownRelease[]): bigint =>
  sequence === "log" ? known.reduce((most, one) => higher(most, one.sequence), 0n) + 1n : sequence;

/**
 * The number of a release, if no release of this version is known. Throws a Failure if it does not follow the known
 * ones.
 */
function newNumber(product: Product, version: string, known: readonly KnownRelease[], o: ReleaseOptions): bigint | "log" {
  const sequence = numberOf(product, version, known, o);
  refuseDisorder(product, version, sequence, known, o.allowLowerSequence === true);
  return sequence;
}

/**
 * Refuses a release if neither an earlier one nor an entry of a log is known: its version may be published elsewhere,
 * with other content.
 */
function refuseUnknown(product: Product, chosen: readonly Board[], version: string, o: ReleaseOptions): void {
  if (o.first || isInKnownLog(product, chosen, o)) return;
  throw releaseFault(
    `no earlier release is known here, so ${version} may have been published elsewhere with other content`,
    "name the last release, `previousRelease` DIR, or confirm that nothing has been released yet: `first`",
  );
}

/** The keys that devices of a product trust, as far as its file names them. */
export type NamedTrust = Pick<ReleasePlan, "lists" | "trustKeys">;

/**
 * The withdrawn releases, as far as they are known. `signers`: keys that sign, if they are open: their logs may be
 * elsewhere, and if the product file names no trusted key, they are those that devices trust.
 */
export function withdrawnFor(
  product: Product,
  { role, keys, log }: KnownLogs,
  known: readonly KnownRelease[],
  trust: NamedTrust,
  signers: readonly OpenedKey[] = [],
): KnownWithdrawals & { readonly required: RequiredSigners | undefined } {
  const publics = signers.map((key) => key.public);
  const required = requiredSigners(product, role ?? "release", trust, publics);
  const logs = withdrawnHere(product, { role, keys, log, thumbprints: [...(trust.trustKeys ?? []), ...publics].map(keyName) });
  return { ...knownWithdrawals(logs, known, required), required };
}

/** Everything that can be refused without reading an image. */
async function beforeImages(product: Product, o: ReleaseOptions) {
  const { version, role } = o;
  versionNumber(version);
  refuseClock(undefined, o);
  sourceDate();
  refuseRole(product, role);
  refuseUnknownRules(product);
  if (!o.dryRun) refuseMissingKeys(product, role ?? "release", o);
  if (o.out === undefined) refuseOutsideOut(product);
  const out = o.out ?? shelfPath(product, role);
  const folder = folderOfVersion(product, o);
  o.into?.(folder);
  const chosen = boardsOf(product, o.boards ?? []);
  const known = knownReleases(product, out, o);
  const { lists, carried } = await productLists(product);
  const trustKeys = await productTrustKeys(product, lists);
  const { withdrawn } = withdrawnFor(product, o, known, { lists, trustKeys });
  refuseWithdrawnVersion(version, product.sequence.source === "version" ? versionNumber(version) : "log", withdrawn);
  // this version was released, or its folder is there
  const there = known.find((one) => (one.version === version && one.manifests.size > 0) || one.path === folder);
  const sequence = there ? there.sequence : newNumber(product, version, known, o);
  if (!(there || o.dryRun)) {
    checkFolder(folder);
    try {
      refuseKnownJump(product, chosen, { version, sequence }, o);
    } catch (e) {
      throw withHighest(product, known, e);
    }
    if (sequence !== "log" && known.length === 0) refuseUnknown(product, chosen, version, o);
  }
  const approvals = o.dryRun ? undefined : await productApprovals(product, o);
  if (!o.dryRun) refuseWithoutSigners(product, { lists, trustKeys, sequence }, o);
  return {
    version,
    folder,
    known,
    chosen,
    there,
    sequence,
    lists,
    carried,
    trustKeys,
    approvals,
    withdrawn: recordedWithdrawals(withdrawn),
  };
}

/**
 * Refuses a release without the keys of the product file if nothing else says whom devices trust, if one person alone
 * could sign it and was forgotten, or if its number is in the logs of the keys.
 */
function refuseWithoutSigners(
  product: Product,
  { lists, trustKeys, sequence }: Pick<ReleasePlan, "lists" | "trustKeys" | "sequence">,
  o: ReleaseOptions,
): void {
  const { role = "release" } = o;
  const refs = referencesOf(product, role, o);
  if (o.keys || refs.length === 0) refuseUnnamedTrust(product, { lists, trustKeys });
  if (sequence === "log" && product.approval.keys.length > 0)
    throw product.fault(
      "/sequence",
      "the numbers are those of the logs of the keys, and people approve a release with its number",
      'source = "version"',
    );
  if (refs.length > 0) return;
  if (!o.unsigned && neededOf({ product, trusted: productTrusted(product, { lists, trustKeys }, []), role }) < 2)
    signingKeys(product, role, ifNoKey(product, role));
  if (sequence === "log")
    throw product.fault(
      "/sequence",
      "the numbers are those of the logs of the keys, and nobody signs now",
      'source = "version", or name a key',
    );
}

/** The folder of a release. */
export const folderOfVersion = (product: Product, { out, role, version }: ReleaseOptions): string =>
  join(out ?? shelfPath(product, role), version);

/** The reader of the images of a board: undefined for those of the build. `isTrial`: nothing is signed with it. */
async function readerOf(product: Product, board: Board, o: ReleaseOptions, isTrial: boolean): Promise<ImageReader | undefined> {
  if (!hasBootImage(board)) return undefined;
  const found = await boardBootImage(product, board, o.version, folderOfVersion(product, o));
  if (!found.signed && !isTrial) throw unsignedBoot(product, found);
  return await bootReader(product, found);
}

async function readImages(
  product: Product,
  chosen: readonly Board[],
  carried: Uint8Array | undefined,
  o: ReleaseOptions,
  isTrial: boolean,
): Promise<PreparedBoard[]> {
  const boards: PreparedBoard[] = [];
  for (const board of chosen) {
    const prepared = await prepareBoard(product, board, o.version, o.role, await readerOf(product, board, o, isTrial), carried);
    for (const { read } of prepared.images) if (read !== undefined) o.progress?.(board.name, read);
    boards.push(prepared);
  }
  return boards;
}

/**
 * Finds out everything about a release that needs no key: its number, its names, its images, and whether it breaks a
 * rule. The cheapest checks come first, and nothing here cuts the power.
 *
 * @param product - From readProduct().
 * @param given - The version, and what may differ from the product file.
 * @returns The plan, for makeRelease().
 * @throws Failures: PRODUCT, RELEASE, SEQUENCE, IMAGE, LINT and the refusals of devices.
 * @example
 * ```ts
 * import { makeRelease, planRelease, readProduct } from "@firmseal/release";
 *
 * const plan = await planRelease(readProduct("firmseal.toml"), { version: "1.4.2", first: true });
 * const { folder, written } = await makeRelease(plan);
 * console.log(written ? `released: ${folder}` : `already released: ${folder}`);
 * ```
 */
export const planRelease = (product: Product, given: ReleaseOptions): Promise<ReleasePlan> =>
  planWith(product, given, given.dryRun === true);

/** Refuses what planRelease() refuses, before the images of boot loaders are signed. */
export async function trialPlan(product: Product, o: ReleaseOptions): Promise<void> {
  await planWith(product, o, true);
}

async function planWith(product: Product, given: ReleaseOptions, isTrial: boolean): Promise<ReleasePlan> {
  const o = await withProductLog(product, given);
  const folder = folderOfVersion(product, o);
  const isThere = existsSync(folder);
  try {
    return await planOnce(product, o, isTrial);
  } catch (e) {
    // another job with the same version was faster
    if (isThere || !existsSync(folder)) throw e;
    return await planOnce(product, o, isTrial);
  }
}

async function planOnce(product: Product, o: ReleaseOptions, isTrial: boolean): Promise<ReleasePlan> {
  const { chosen, there, sequence, ...early } = await beforeImages(product, o);
  const { version, known } = early;
  const boards = await readImages(product, chosen, early.carried, o, isTrial);
  refuseCollisions(product, boards, version, o.role);
  const base = { product, ...early, sequence, boards, options: o, cuts: new Map<string, Cuts>(), isRound: false };
  const existing = there && (await sameRelease(base));
  if (existing) {
    const sequence = BigInt(existing.sequence);
    return { ...base, sequence, existing, lint: await lintPlan({ ...base, sequence }) };
  }
  if (there) refuseDisorder(product, version, sequence, known, o.allowLowerSequence === true);
  if (!o.dryRun) checkFolder(early.folder, longestName(product, boards, o));
  const number = likelyNumber(sequence, known);
  for (const { board, draft } of boards) if (board.for) await checkDraftFor(board.for, draft(number), []);
  const lint = await lintPlan(base);
  refuseLint(lint);
  return { ...base, existing: undefined, lint };
}

/** The names of its boards. */
export const boardNames = ({ boards }: Pick<ReleasePlan, "boards">): string[] => boards.map(({ board }) => board.name);

export type Unlinted = Omit<ReleasePlan, "existing" | "lint">;

/** Lints a plan without keys. */
export async function lintPlan(plan: Unlinted): Promise<ReleaseLint> {
  const number = likelyNumber(plan.sequence, plan.known);
  const lint = await lintBoards(
    plan,
    plan.boards.map(({ draft }) => draft(number)),
  );
  await plan.options.linted?.(lint);
  return lint;
}

/** Throws a Failure if a rule finds an error: LINT. */
export function refuseLint({ findings }: ReleaseLint): void {
  const failure = lintFailure(findings);
  if (failure) throw failure;
}

/** Tries power cuts on a device of each board. Throws a Failure: POWER_CUT. */
export async function cutPlan({ product, boards, sequence, known, options: o }: ReleasePlan): Promise<Map<string, Cuts>> {
  return await cutPower(product, boards, likelyNumber(sequence, known), (board, done) => {
    if (done === "begun") o.progress?.(board, "cutting the power", "passing");
    else o.progress?.(board, `${grouped(done.cuts)} power cuts, and ${grouped(done.cutsDuringRecovery)} during recovery: each ends well`);
  });
}
