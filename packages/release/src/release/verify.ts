// Verifies envelopes and folders of releases for a product: the right product and board, in the right order, signed by
// the right keys, with every payload.

import { dirname, join } from "node:path";
import { RECORD, type ReleaseRecord, versionIn } from "@firmseal/behaviour";
import { Failure, versionNumber } from "@firmseal/keys";
import {
  isFolder,
  isLedgerPlace,
  isVersion,
  type PassphraseOptions,
  sizeOf,
  usage,
  visible,
  type WithdrawnRelease,
  warn,
} from "@firmseal/keys/internal";
import { EnvelopeDraft, formatUuid, ROLES, type RoleName } from "@firmseal/signer";
import { errors, policyOf } from "@firmseal/verifier";
import { decodeEnvelope, formatSequence } from "@firmseal/verifier/tools";
import { algName } from "../consumer/accepts.js";
import { isOtherName } from "../consumer/cose-alg.js";
import { checkFor } from "../consumer/judge.js";
import { type Board, boardsOf, hasProfileAlg, type Product } from "../product/file/product.js";
import type { SigningRole } from "../product/file/written.js";
import { knownLog } from "../product/ledger.js";
import {
  checkFiles,
  findRecord,
  GET_AGAIN,
  type KnownRelease,
  knownRelease,
  NO_RELEASE_HINT,
  readRecord,
  refuseOther,
  releaseFault,
  releasesIn,
  withoutRelease,
} from "../product/record.js";
import { impliedVersion, isUnnamed } from "../product/version.js";
import { logDigest } from "../signing/scope.js";
import { readTrustFile } from "../trust/read.js";
import { trustedKeys } from "../trust/trusted-keys.js";
import { otherSignatures } from "../verify/doubts.js";
import { readEnvelopeFile } from "../verify/envelope-file.js";
import { namedIdentities } from "../verify/manifest-facts.js";
import { payloadFiles } from "../verify/payload-check.js";
import { withFileName } from "../verify/refusals.js";
import type { TrustedKeys } from "../verify/verified.js";
import { payloadsBeside, type VerifiedRelease, type VerifyRelease, verifyRelease } from "../verify/verified.js";
import { hasBootImage, verifyReleasedBoot } from "./board/boot-image.js";
import { carriedAfter, identitiesOf, refuseRole, refuseUntakenTrust, scopeOfBoard, trustOptions } from "./board/devices.js";
import { type EarlierList, earlierLists, highestCarried, OTHER_KEYS } from "./board/earlier-lists.js";
import { imagesIn, prepareBoard } from "./board/prepare.js";
import { missingHint } from "./folder.js";
import { refuseDisorder } from "./number/numbers.js";
import { refuseRecord } from "./record/record-check.js";
import { recordClaims, refuseUnsignedRecord } from "./record/record-signatures.js";
import { refuseWithdrawnAround } from "./withdrawn/around.js";
import { byVersion, requiredBy, shelfOf, warnOfDoubted, withdrawalsOf } from "./withdrawn/known-withdrawals.js";
import { refuseWithdrawn, withdrawalOf } from "./withdrawn/withdrawn.js";

/** Options of verifyProduct(). */
export interface ProductVerify extends VerifyRelease, PassphraseOptions {
  /** The board that it must be for. Default: any of the product. */
  board?: string;
  /** With a trust file. Default: release. */
  role?: RoleName;
  /** The version that every release must have. Default: any. */
  expectVersion?: string;
  /** The signing log that says which releases were withdrawn, if it is elsewhere. */
  log?: string;
  /** Later releases, whose records say so too: a folder of releases, a release, or its release.json. */
  previousRelease?: string;
}

/** An envelope that was verified for a board. */
export interface VerifiedBoard extends VerifiedRelease {
  readonly path: string;
  readonly board: string;
  readonly version: string | undefined;
}

/** The record of a release that was verified: the keys that signed the envelopes have signed it too. */
export interface VerifiedRecord {
  /** The folder of the release. */
  readonly path: string;
  readonly version: string;
  /** The boards and the number of payloads that the signatures cover. */
  readonly boards: readonly string[];
  readonly payloads: number;
  /** The withdrawn releases that it names. */
  readonly withdrawn: ReleaseRecord["withdrawn"];
}

/** A release that only an earlier trust file accepts: who has a key that was removed since can make one at any time. */
export interface OutdatedRelease {
  /** The folder of the release. */
  readonly path: string;
  readonly version: string;
  readonly sequence: bigint;
  /** The newest of the earlier trust files that accept it. */
  readonly trust: string;
}

/** The releases of a product that were verified, and the keys that they were verified with. */
export interface VerifiedProduct {
  readonly releases: readonly VerifiedBoard[];
  /** The records of folders, in the order of their versions. */
  readonly records: readonly VerifiedRecord[];
  /** Those that were withdrawn. In a folder of releases, older ones may be. */
  readonly withdrawn: readonly WithdrawnRelease[];
  /** Old releases that were not verified: only an earlier trust file of the product accepts them. */
  readonly outdated: readonly OutdatedRelease[];
  readonly whom: TrustedKeys;
}

/** The board that an envelope is for: exactly the devices of one board. */
function boardOf(path: string, envelope: Uint8Array, product: Product, wanted: readonly Board[]): Board {
  const uuid = (id: ArrayLike<number> | undefined) => (id?.length === 16 ? formatUuid(Uint8Array.from(id)) : "-");
  const { manifest } = decodeEnvelope(envelope);
  const own = new Set(namedIdentities(manifest).map(({ vendor, class: name }) => `${uuid(vendor[0])}/${uuid(name[0])}`));
  const isFor = (board: Board) => {
    const scope = scopeOfBoard(product, board);
    return own.size === scope.length && scope.every((one) => own.has(one));
  };
  const board = product.boards.find(isFor);
  const names = wanted.map(({ name }) => name).join(", ");
  if (!board)
    throw releaseFault(
      `${path} is not for a board of ${product.name}`,
      `${product.path} has ${product.boards.map(({ name }) => name).join(", ")}`,
    );
  if (!wanted.includes(board)) throw releaseFault(`${path} is for board ${board.name}, not for ${names}`, "give the release of that board");
  return board;
}

/** Refuses a version and a number that contradict each other, by the source of the numbers. */
function refuseNumber(path: string, product: Product, version: string | undefined, sequence: bigint): void {
  if (product.sequence.source !== "version") return;
  if (version === undefined)
    throw releaseFault(
      `${path} names no version, and the numbers of ${product.name} are those of versions`,
      "make it with firmseal release",
    );
  const own = isVersion(version) ? versionNumber(version) : undefined;
  if (own !== sequence)
    throw releaseFault(
      `${path} is version ${visible(version)}, and ${sequence} is not the sequence number of that version`,
      "do not publish it: make the release again",
    );
}

/** Refuses a signature that names another COSE algorithm than the product file says. */
export function refuseOtherCoseAlg(
  path: string,
  product: Product,
  board: Board,
  { outline: { signatures } }: Pick<VerifiedRelease, "outline">,
): void {
  for (const name of board.coseAlg) {
    const other = signatures.find(({ alg }) => isOtherName(alg, name));
    if (other)
      throw releaseFault(
        `${path}: a signature of board ${board.name} names algorithm ${algName(other.alg)}, and ${product.path} says ${name}`,
        "make the release again, under a new version",
      );
  }
}

/**
 * The version that the text names. If the consumer of the board has no text: that of the number, or else `recorded`,
 * that of the record.
 */
function versionOf(product: Product, board: Board, { outline, sequence }: VerifiedRelease, recorded?: string): string | undefined {
  return isUnnamed(board) ? (impliedVersion(product, [board], sequence) ?? recorded) : versionIn(outline);
}

async function verifyOne(
  path: string,
  product: Product,
  whom: TrustedKeys,
  wanted: readonly Board[],
  o: ProductVerify,
  recorded?: string,
): Promise<VerifiedBoard> {
  const envelope = readEnvelopeFile(path);
  const board = boardOf(path, envelope, product, wanted);
  const verified = await verifyRelease(path, envelope, whom, o);
  if (board.for) checkFor(board.for, envelope);
  refuseOtherCoseAlg(path, product, board, verified);
  if (!hasProfileAlg(product, verified.signers))
    throw releaseFault(
      `${path} has no signature with ${product.profileAlg}, which the profile of ${product.path} requires`,
      "sign it with such a key too",
    );
  const role = (o.role ?? "release") as SigningRole;
  refuseUntakenTrust(product, board, role, EnvelopeDraft.read(envelope));
  const version = versionOf(product, board, verified, recorded);
  if (hasBootImage(board) && !o.withoutPayloads) {
    const files = payloadsBeside(path, verified.manifest, payloadFiles(verified.manifest, o.payload ?? []));
    const reader = imagesIn(dirname(path), path, envelope, files);
    await verifyReleasedBoot(product, board, (await prepareBoard(product, board, version, role, reader)).images, version);
  }
  refuseNumber(path, product, version, verified.sequence);
  if (o.expectVersion !== undefined && version !== o.expectVersion)
    throw releaseFault(
      `${path} is ${version === undefined ? "of no version" : `version ${visible(version)}`}, not ${visible(o.expectVersion)}`,
      "get the release of that version",
    );
  return { ...verified, otherSignatures: await othersOf(product, board, role, whom, verified), path, board: board.name, version };
}

/** The signatures of nobody known: the keys of the trust file that releases carry are known too. */
async function othersOf(
  product: Product,
  board: Board,
  role: SigningRole,
  whom: TrustedKeys,
  { otherSignatures: others, outline }: VerifiedRelease,
): Promise<VerifiedRelease["otherSignatures"]> {
  const { file, carry } = product.trust;
  if (others.length === 0 || file === undefined || carry === undefined) return others;
  const { store } = carriedAfter(product, carry, readTrustFile(file)).next;
  const known = identitiesOf(product, board).flatMap((identity) => [
    ...whom.policy(identity).anchors,
    ...policyOf(store, ROLES[role], identity).anchors,
  ]);
  return await otherSignatures(outline.signatures, known);
}

/** Refusals of signatures by keys that are not trusted. */
const UNKNOWN_SIGNER: readonly number[] = [errors.SIGNATURE_INVALID, errors.SIGNATURE_NO_ANCHOR];

/** Refusals of envelopes that somebody else still has to sign. */
const TOO_FEW: readonly number[] = [errors.WRAPPER_EMPTY, errors.SIGNATURE_THRESHOLD, errors.SIGNATURE_FAMILY];

/**
 * Adds the name of the envelope to a refusal, and who still has to sign, or what to change in the product file if it
 * does not list the signer.
 */
function inFolder(folder: string, { missing }: ReleaseRecord, path: string, product: Product, e: unknown): unknown {
  const named = withFileName(path, e);
  if (named instanceof Failure && missing.length > 0 && TOO_FEW.includes(named.number))
    return named.with({ hint: missingHint(folder, product.path) });
  if (!(named instanceof Failure) || !UNKNOWN_SIGNER.includes(named.number) || product.trust.file !== undefined) return named;
  return named.with({ hint: `if you trust the signer, list its public key in ${product.path}: [trust] keys` });
}

async function verifyFolder(
  folder: string,
  product: Product,
  whom: TrustedKeys,
  wanted: readonly Board[],
  o: ProductVerify,
): Promise<{ releases: VerifiedBoard[]; record: VerifiedRecord }> {
  const record = readRecord(folder);
  refuseOther(folder, record, product, o.role as SigningRole | undefined);
  await checkFiles(folder, record, o.withoutPayloads);
  const envelopes = record.artifacts.filter(({ kind }) => kind === "envelope");
  const claims = recordClaims(folder, record);
  const out: VerifiedBoard[] = [];
  for (const one of envelopes) {
    if (o.board !== undefined && one.board !== o.board) continue;
    const path = join(folder, one.file);
    const found = await verifyOne(path, product, whom, wanted, o, record.version).catch((e) => {
      throw inFolder(folder, record, path, product, e);
    });
    const board = product.boards.find(({ name }) => name === found.board) as Board;
    await refuseRecord(folder, record, one, product, board, found);
    out.push(found);
  }
  // what a record contradicts says more than that it was changed
  for (const found of out) {
    const board = product.boards.find(({ name }) => name === found.board) as Board;
    const anchors = identitiesOf(product, board).flatMap((identity) => whom.policy(identity).anchors);
    refuseUnsignedRecord(folder, claims, found, anchors, whom.facts);
  }
  if (record.missing.some(({ board }) => o.board === undefined || o.board === board))
    throw releaseFault(`${folder}: release.json says that signatures are missing, and none is`, GET_AGAIN);
  const missing = wanted.filter(({ name }) => !out.some(({ board }) => board === name)).map(({ name }) => name);
  if (o.board !== undefined && missing.length > 0)
    throw releaseFault(`${folder} has no release for board ${o.board}`, "release it too, or name another board");
  if (missing.length > 0) warn(`${visible(folder)} has no release for ${missing.join(", ")}`);
  const boards = out.map(({ board }) => board);
  const payloads = record.artifacts.filter(({ kind, board }) => kind === "payload" && boards.includes(board)).length;
  return { releases: out, record: { path: folder, version: record.version, boards, payloads, withdrawn: record.withdrawn } };
}

/** Refuses releases whose numbers do not rise with their versions. `verified`: nobody shall remove that one. */
function refuseUnordered(product: Product, known: readonly KnownRelease[], verified?: KnownRelease): void {
  for (const [i, one] of known.entries())
    refuseDisorder(product, one.version, one.sequence, known.slice(0, i), false, (other) => [other, one].filter((it) => it !== verified));
}

/**
 * Verifies an envelope, a release (a folder with release.json), or a folder of releases.
 *
 * @param path - The envelope or the folder.
 * @param product - From readProduct().
 * @param o - The lowest number, and the board and the role if they are known.
 * @returns The releases that were verified, and the keys that they were verified with. In a folder of releases, old
 *   ones that only an earlier trust file accepts are named apart.
 * @throws The refusals of verifyRelease(), and Failures: RELEASE for another product or board, for a wrong order, and
 *   for files that are missing, changed or too many.
 */
export async function verifyProduct(path: string, product: Product, o: ProductVerify): Promise<VerifiedProduct> {
  const wanted = boardsOf(product, o.board === undefined ? [] : [o.board]);
  const { passphraseEnv, passphraseFd } = o;
  const trust = trustOptions(product);
  refuseRole(product, o.role);
  const role = o.role as SigningRole | undefined;
  const whom = await trustedKeys({
    ...trust,
    ...(o.role !== undefined && { role: o.role }),
    ...(passphraseEnv && { passphraseEnv }),
    ...(passphraseFd && { passphraseFd }),
  });
  const anchors = wanted.flatMap((board) => identitiesOf(product, board).flatMap((identity) => whom.policy(identity).anchors));
  const thumbprints = [...new Set(anchors.flatMap((anchor) => whom.facts(anchor).thumbprint ?? []))];
  // a log that is named must say something
  if (o.log !== undefined && !isLedgerPlace(o.log)) sizeOf(o.log);
  await knownLog(product, o.log);
  /** What is known of withdrawn releases, also by these. */
  const withdrawnBy = (also: readonly KnownRelease[]) => {
    const { previousRelease, log } = o;
    const { withdrawn, doubted } = withdrawalsOf(product, requiredBy(product, whom), { role, log, thumbprints, previousRelease, also });
    warnOfDoubted(doubted);
    return withdrawn;
  };
  if (!isFolder(path)) {
    const one = await verifyOne(path, product, whom, wanted, o);
    const own = { path, sequence: one.sequence, manifests: new Map([[one.board, logDigest(one.manifest)]]), mark: undefined };
    refuseWithdrawn(own, withdrawnBy([]));
    refuseWithdrawnAround(path, one.outline, whom);
    if (isVersion(one.version)) refuseBeside(path, one, shelfOf(product, role));
    return { releases: [one], records: [], withdrawn: [], outdated: [], whom };
  }
  if (o.payload !== undefined) throw usage("`payload` is for one envelope, not for a folder", "put the payload into the folder");
  const record = findRecord(path);
  if (record) {
    const own = knownRelease(path, record);
    // before its signatures: a refusal needs no proof
    refuseOther(path, record, product, role);
    refuseWithdrawn(own, withdrawnBy([own]));
    const found = await verifyFolder(path, product, whom, wanted, o);
    const shelf = shelfOf(product, role).filter(({ version }) => version !== own.version);
    refuseUnordered(product, [...shelf, own].sort(byVersion), own);
    return { releases: found.releases, records: [found.record], withdrawn: [], outdated: [], whom };
  }
  const known = releasesIn(path, product, role);
  const [empty] = withoutRelease(path, known);
  if (empty !== undefined) throw releaseFault(`${empty} has no ${RECORD}, so it is not a release`, NO_RELEASE_HINT);
  if (known.length === 0) throw releaseFault(`${path} has no release`, "name the folder that firmseal release wrote, or an envelope");
  refuseUnordered(product, known);
  const withdrawn = withdrawnBy(known);
  const newest = known.at(-1) as KnownRelease;
  refuseWithdrawn(newest, withdrawn);
  const older = known.flatMap((one) => withdrawalOf(one, withdrawn) ?? []);
  const releases: VerifiedBoard[] = [];
  const records: VerifiedRecord[] = [];
  const outdated: OutdatedRelease[] = [];
  let lists: readonly EarlierList[] = await earlierLists(product, role);
  for (const one of known) {
    const { path: folder, version, sequence } = one;
    const verified = await verifyFolder(folder, product, whom, wanted, o).catch(async (e) => {
      const old = one === newest ? undefined : await acceptedBefore(one, lists, wanted, o, e);
      if (!old) throw one === newest ? e : withEarlierHint(e, product, whom);
      outdated.push({ path: folder, version, sequence, trust: old.trust });
      return old;
    });
    if (verified.record) {
      releases.push(...verified.releases);
      records.push(verified.record);
    }
    // those who made a later release had the trust file that this one carries
    const carried = lists.length === 0 ? 0n : highestCarried(verified.releases);
    lists = lists.filter(({ number }) => number >= carried);
  }
  return { releases, records, withdrawn: older, outdated, whom };
}

const isByOtherKeys = (e: unknown): e is Failure => e instanceof Failure && OTHER_KEYS.includes(e.number);

/** Adds how a release from before a rotation is told from one that a stranger has signed. */
function withEarlierHint(e: unknown, { trust: { file, earlier } }: Product, { trust }: TrustedKeys): unknown {
  if (!isByOtherKeys(e) || earlier.length > 0 || trust === undefined || BigInt(trust.sequence) < 2n) return e;
  return e.with({ hint: `if it is from before ${visible(file as string)}, name the trust file of that time: [trust] earlier` });
}

/** Verifies a release with the newest of the earlier trust files that accepts it. Undefined if none does. */
async function acceptedBefore(
  { path, record }: KnownRelease,
  lists: readonly EarlierList[],
  wanted: readonly Board[],
  o: ProductVerify,
  refusal: unknown,
): Promise<{ releases: readonly VerifiedBoard[]; record?: undefined; trust: string } | undefined> {
  if (!isByOtherKeys(refusal) || (record?.missing.length ?? 0) > 0) return undefined;
  for (const list of lists)
    try {
      const { releases } = await verifyFolder(path, list.product, list.whom, wanted, o);
      return { releases, trust: list.path };
    } catch (e) {
      if (!isByOtherKeys(e)) throw e;
    }
  return undefined;
}

/** Refuses an envelope whose number contradicts the existing releases: another manifest with its version or number. */
function refuseBeside(path: string, one: VerifiedBoard, shelf: readonly KnownRelease[]): void {
  const { sequence } = one;
  const manifest = logDigest(one.manifest);
  for (const known of shelf) {
    const other = known.manifests.get(one.board);
    if (other === undefined || other === manifest) continue;
    if (known.version === one.version || known.sequence === sequence)
      throw releaseFault(
        `${path} has the version and number of ${known.path}, with other content`,
        "do not publish it: give the release a new version",
      );
    if (versionNumber(known.version) < versionNumber(one.version as string) !== known.sequence < sequence)
      throw releaseFault(
        `${path}: version ${one.version} has sequence number ${formatSequence(one.manifest.sequence)}, but ${known.version} (${known.path}) has ${known.sequence}`,
        "do not publish it: numbers must rise with versions",
      );
  }
}
