// Plans what is done with releases that exist: further signatures, and the releases of some boards in one folder.

import { existsSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { RECORD, type ReleaseRecord } from "@firmseal/behaviour";
import { checkFolder, isFolder, isSameFile, notice, someOf, usage, visible, warn } from "@firmseal/keys/internal";
import { unlessThrown } from "@firmseal/signer";
import { equalBytes } from "@firmseal/verifier/tools";
import { refuseUnknownRules } from "../../lint/releases.js";
import { refuseOutsideOut } from "../../product/file/inside.js";
import { boardsOf, type Product, type ProductImage } from "../../product/file/product.js";
import { productLog, withProductLog } from "../../product/ledger.js";
import { checkFiles, type KnownRelease, knownRelease, readRecord, refuseOther, releaseFault } from "../../product/record.js";
import { productApprovals } from "../board/approvers.js";
import { verifyReleasedBoot } from "../board/boot-image.js";
import { productLists, productTrustKeys, refuseRole } from "../board/devices.js";
import { fromBuild, type ImageReader, imagesOf, type PreparedBoard, prepareBoard } from "../board/prepare.js";
import type { Cuts } from "../cuts/cuts.js";
import { envelopeName, shelfPath } from "../names.js";
import { refuseDisorder } from "../number/numbers.js";
import {
  knownReleases,
  lintPlan,
  type ReleaseOptions,
  type ReleasePlan,
  refuseCollisions,
  refuseUnnamedTrust,
  sameRelease,
  withdrawnFor,
} from "../plan.js";
import { warnOfDoubted } from "../withdrawn/known-withdrawals.js";
import { refuseWithdrawn, refuseWithdrawnVersion, type WithdrawnManifest } from "../withdrawn/withdrawn.js";

/** Options of planSigning(): what a person says who signs a release that exists. */
export type RoundOptions = Omit<ReleaseOptions, "version" | "boards" | "out" | "seq" | "dryRun" | "unsigned" | "diff">;

/** Reads the images out of a release, with a warning if the build of the person who signs has made another one. */
function fromFolder(product: Product, folder: string, envelope: string): ImageReader {
  const reader = imagesOf(folder, envelope);
  /** Warns if the build of the person who signs has made another image. */
  const compare = (image: ProductImage, i: number, bytes: Uint8Array) => {
    const own = unlessThrown(() => fromBuild(product, image, i));
    if (own && !equalBytes(own.bytes, bytes)) warn(`${own.path} here differs from the image in ${folder}`);
    return bytes;
  };
  return (image, i, uri) => {
    const found = reader(image, i, uri);
    return { ...found, bytes: compare(image, i, found.bytes) };
  };
}

/** A release in a folder, with its images. Each manifest is the one that the product file makes of them. */
interface ReadRelease {
  readonly folder: string;
  readonly record: ReleaseRecord;
  readonly own: KnownRelease;
  readonly boards: readonly PreparedBoard[];
}

/** Reads a release, and checks everything but its signatures. Throws Failures: RELEASE and IMAGE. */
async function readRelease(
  product: Product,
  folder: string,
  asked: ReleaseOptions["role"],
  carried: Uint8Array | undefined,
): Promise<ReadRelease> {
  const record = readRecord(folder);
  refuseOther(folder, record, product, asked);
  await checkFiles(folder, record);
  const { version, role } = record;
  const own = knownRelease(folder, record);
  const boards: PreparedBoard[] = [];
  for (const board of boardsOf(product, [...own.manifests.keys()])) {
    const reader = fromFolder(product, folder, envelopeName(product, board.name, version, role));
    const prepared = await prepareBoard(product, board, version, role, reader, carried);
    await verifyReleasedBoot(product, board, prepared.images, version);
    boards.push(prepared);
  }
  return { folder, record, own, boards };
}

/** What the product file says about the devices of a release that exists. */
async function devicesOf(product: Product, role: ReleaseOptions["role"]) {
  refuseRole(product, role);
  refuseUnknownRules(product);
  const { lists, carried } = await productLists(product);
  const trustKeys = await productTrustKeys(product, lists);
  refuseUnnamedTrust(product, { lists, trustKeys });
  return { lists, carried, trustKeys };
}

/**
 * Plans further signatures of a release that exists. Its images are those in its folder: each manifest must be the one
 * that the product file makes of them.
 *
 * @param product - From readProduct().
 * @param folder - The folder of the release.
 * @param given - Who signs, and what may differ from the product file.
 * @returns The plan, for makeRelease() or attachSignatures().
 * @throws Failures: PRODUCT, RELEASE, SEQUENCE and IMAGE.
 */
export async function planSigning(product: Product, folder: string, given: RoundOptions): Promise<ReleasePlan> {
  const o = await withProductLog(product, given);
  const devices = await devicesOf(product, o.role);
  const approvals = await productApprovals(product, o);
  const { record, own, boards } = await readRelease(product, folder, o.role, devices.carried);
  const { version, role } = record;
  const options: ReleaseOptions = { ...o, version, role, boards: [...own.manifests.keys()] };
  const others = knownReleases(product, shelfPath(product, role), options).filter(({ path }) => resolve(path) !== resolve(folder));
  refuseUnordered(product, own, others, o);
  const { withdrawn, doubted } = withdrawnFor(product, { ...o, role }, [...others, own], devices);
  refuseWithdrawnAny([own], withdrawn);
  warnOfDoubted(doubted);
  noteNamed(record, folder);
  warnOfUnnamed(record, folder, withdrawn);
  const cuts = new Map<string, Cuts>();
  const base = {
    ...{ product, version, folder, known: [...others, own], ...devices, approvals, boards, options, cuts },
    ...{ withdrawn: record.withdrawn, isRound: true },
  };
  const existing = await sameRelease(base);
  const { sequence } = own;
  return { ...base, sequence, existing, lint: await lintPlan({ ...base, sequence }) };
}

/** Refuses releases of one version that was withdrawn: these, a copy of them, or other content under the version. */
function refuseWithdrawnAny(own: readonly KnownRelease[], withdrawn: readonly WithdrawnManifest[]): void {
  for (const one of own) {
    refuseWithdrawn(one, withdrawn);
    refuseWithdrawnVersion(one.version, one.sequence, withdrawn);
  }
}

/** Says which withdrawn releases a record names: who signs it confirms them. */
function noteNamed({ withdrawn }: ReleaseRecord, folder: string): void {
  if (withdrawn.length > 0)
    notice(visible(`${folder}: release.json names ${someOf(withdrawn.map(({ version }) => version))} as withdrawn`));
}

/** Says which withdrawn releases a record that others still sign does not name: it stays as the first one signed it. */
function warnOfUnnamed({ missing, withdrawn: named }: ReleaseRecord, folder: string, withdrawn: readonly WithdrawnManifest[]): void {
  const there = new Set(named.flatMap(({ manifests }) => manifests));
  const lost = withdrawn.flatMap(({ manifest, version, sequence }) => (there.has(manifest) ? [] : [version ?? sequence]));
  if (missing.length > 0 && lost.length > 0)
    warn(visible(`${folder}: release.json does not name ${someOf([...new Set(lost)])} as withdrawn: the record of the next release will`));
}

/** Refuses a release whose number does not follow those of other versions. */
function refuseUnordered(product: Product, { version, sequence }: KnownRelease, others: readonly KnownRelease[], o: RoundOptions): void {
  refuseDisorder(
    product,
    version,
    sequence,
    others.filter((one) => one.version !== version),
    o.allowLowerSequence === true,
    (other) => [other],
  );
}

/** Options of planJoin(). */
export interface JoinOptions extends Pick<ReleaseOptions, "role" | "out" | "previousRelease" | "allowLowerSequence" | "linted"> {
  /** The version that the releases must have. Default: any, and the same for all. */
  readonly version?: string;
}

/**
 * Plans the release that releases of some boards become: one version of one product, with each of its boards.
 *
 * @param product - From readProduct(). It names the keys that devices trust: no private key is needed.
 * @param folders - The folders of the releases, which separate jobs have made.
 * @param o - The version and the role, where the folder is written, and what was released before.
 * @returns The plan, for joinReleases().
 * @throws Failures: PRODUCT, RELEASE, SEQUENCE and IMAGE.
 */
export async function planJoin(product: Product, folders: readonly string[], o: JoinOptions): Promise<ReleasePlan> {
  await productLog(product, undefined);
  const devices = await devicesOf(product, o.role);
  // nothing is signed, so nobody has to approve it now; what is wrong with it is said before a folder is written
  const approvals = await productApprovals(product, {});
  const parts: ReadRelease[] = [];
  for (const folder of folders) {
    if (isFolder(folder) && !existsSync(join(folder, RECORD)))
      throw releaseFault(`${folder} has no release`, `name the folder with ${RECORD}, such as ${join(folder, o.version ?? "1.0.0")}`);
    parts.push(await readRelease(product, folder, o.role, devices.carried));
  }
  const [first] = parts;
  if (!first) throw usage("no folder is given", "name the folders of the releases that are joined");
  for (const part of parts) refuseOtherPart(first, part, o.version);
  const { version, role } = first.record;
  if (o.out === undefined) refuseOutsideOut(product);
  const shelf = o.out ?? shelfPath(product, role);
  const folder = join(shelf, version);
  for (const part of parts) refuseInto(folder, part.folder);
  const chosen = chosenParts(product, parts);
  const boards = chosen.map(({ prepared }) => prepared);
  refuseCollisions(product, boards, version, role);
  const options: ReleaseOptions = { ...o, version, role, first: true };
  const isPart = (path: string) => parts.some((part) => isSameFile(path, part.folder));
  const known = knownReleases(product, shelf, options).filter(({ path }) => !isPart(path));
  refuseUnordered(product, first.own, known, o);
  const owns = parts.map(({ own }) => own);
  const { withdrawn, doubted } = withdrawnFor(product, { role }, [...known, ...owns], devices);
  refuseWithdrawnAny(owns, withdrawn);
  warnOfDoubted(doubted);
  const cuts = new Map<string, Cuts>();
  const base = {
    ...{ product, version, folder, known, ...devices, approvals, boards, options, cuts },
    ...{ withdrawn: first.record.withdrawn, isRound: true },
  };
  for (const part of parts) await sameRelease({ ...base, known: [part.own], folder: part.folder, boards: part.boards });
  if (!(await sameRelease(base))) checkFolder(folder);
  const { sequence } = first.own;
  const places = new Map(chosen.map(({ prepared, part }) => [prepared.board.name, part.folder]));
  return { ...base, sequence, existing: joinedRecord(chosen), parts: places, lint: await lintPlan({ ...base, sequence }) };
}

/** What the records of the releases say together. A signature covers boards: those of all releases remain valid. */
function joinedRecord(chosen: readonly { prepared: PreparedBoard; part: ReadRelease }[]): ReleaseRecord {
  const records = new Set(chosen.map(({ part }) => part.record));
  const [first] = records;
  const of = <T extends { readonly board: string }>(member: (record: ReleaseRecord) => readonly T[]) =>
    chosen.flatMap(({ prepared, part }) => member(part.record).filter(({ board }) => board === prepared.board.name));
  return {
    ...(first as ReleaseRecord),
    missing: of(({ missing }) => missing),
    signatures: [...records].flatMap(({ signatures }) => signatures),
    artifacts: of(({ artifacts }) => artifacts),
  };
}

/** Refuses a release that is not the same version as the first one, with the same number and time. */
function refuseOtherPart(first: ReadRelease, { folder, record }: ReadRelease, wanted: string | undefined): void {
  if (wanted !== undefined && record.version !== wanted)
    throw releaseFault(`${folder} is version ${record.version}, not ${visible(wanted)}`, "get the releases of that version");
  if (JSON.stringify(record.withdrawn) !== JSON.stringify(first.record.withdrawn))
    throw releaseFault(
      `${folder} names other withdrawn releases than ${first.folder}`,
      "give the jobs the same last release, `previousRelease` DIR, or the same log, and release these boards again",
    );
  for (const [member, what, hint] of [
    ["version", "version", "join releases of one version"],
    ["sequence", "sequence number", 'numbers that separate jobs agree on are those of versions: [sequence] source = "version"'],
    ["created", "time", "give the jobs the same SOURCE_DATE_EPOCH, for example the time of the commit"],
  ] as const)
    if (record[member] !== first.record[member])
      throw releaseFault(
        `${folder} has ${what} ${record[member] ?? "(none)"}, and ${first.folder} has ${first.record[member] ?? "(none)"}`,
        hint,
      );
}

/** Refuses to write into a folder that is joined. */
function refuseInto(folder: string, part: string): void {
  const isInside = `${resolve(folder)}${sep}`.startsWith(`${resolve(part)}${sep}`);
  if (isInside || (existsSync(folder) && isSameFile(folder, part)))
    throw usage(`${part} is where the joined release is written`, "move it elsewhere, or name another folder for releases: `out`");
}

/** Each board of the product, with the release that has it. Two copies of a board must be the same files. */
function chosenParts(product: Product, parts: readonly ReadRelease[]): { prepared: PreparedBoard; part: ReadRelease }[] {
  const filesOf = ({ record }: ReadRelease, board: string) =>
    JSON.stringify(record.artifacts.filter((one) => one.board === board).map(({ file, digest }) => [file, digest]));
  const found = new Map<string, { prepared: PreparedBoard; part: ReadRelease }>();
  for (const part of parts)
    for (const prepared of part.boards) {
      const { name } = prepared.board;
      const before = found.get(name)?.part;
      if (before && filesOf(before, name) !== filesOf(part, name))
        throw releaseFault(`${part.folder} has other files of board ${name} than ${before.folder}`, "name one of the two");
      if (!before) found.set(name, { prepared, part });
    }
  const missing = product.boards.flatMap(({ name }) => (found.has(name) ? [] : [name]));
  if (missing.length > 0)
    throw releaseFault(`no folder has a release for ${missing.join(", ")}`, `name the folders of all boards of ${product.path}`);
  return product.boards.flatMap(({ name }) => found.get(name) ?? []);
}
