// One command for a release: all boards of a product, or none. Everything that can be refused is refused before a number
// is used, and the folder of the release appears whole.

import { join } from "node:path";
import {
  checkFolder,
  keyFacts,
  type PassphraseOption,
  type Receipt,
  refuseTestKeys,
  type SequenceOverrides,
  type SigningKey,
  sha256Hex,
  versionNumber,
  withSigners,
  writeFolder,
} from "@firmseal/keys";
import { EnvelopeDraft, signedBy, signedWith, testKeyName } from "@firmseal/signer";
import { type NextSequence, reviewSigned } from "../input/draft.js";
import { readEnvelopeFile } from "../input/envelope-file.js";
import { type ApprovalOptions, readApprovals } from "../signing/approval.js";
import { digestOf, recordSignings } from "../signing/authorize.js";
import { refuseClock, sourceDate } from "./clock.js";
import { type Cuts, cutPower } from "./cuts.js";
import { classesOf, type ProductTrusted, productTrusted, refuseMissingKeys, refuseSigned, refuseUnsigned, signingKeys } from "./devices.js";
import { type NumberOptions, numberOf, publishedAt, refuseDisorder } from "./numbers.js";
import { type PreparedBoard, prepareBoard } from "./prepare.js";
import { boardsOf, type Product } from "./product.js";
import {
  type Artifact,
  checkFiles,
  type KnownRelease,
  RECORD,
  type RecordedSigner,
  type ReleaseRecord,
  readRecord,
  releaseFault,
  releasesIn,
  SUMS,
  sumsOf,
} from "./record.js";

export interface ReleaseOptions extends NumberOptions, SequenceOverrides, ApprovalOptions {
  version: string;
  /** Names of boards. Default: all. */
  boards?: readonly string[];
  /** The folder of releases. Default: that of the product file. */
  out?: string;
  /** What was published last: a folder of releases, a release, or an envelope. Default: that of the product file. */
  previous?: string;
  /** The signing log, if it is elsewhere. */
  log?: string;
  passphrases?: readonly PassphraseOption[];
  allowTestKey?: readonly string[];
  allowRootKey?: boolean;
  /** Only the plan is asked for: no key is needed. */
  dryRun?: boolean;
  /** Reports what a board has reached. */
  progress?(board: string, stage: string): void;
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
  /** The cuts that each board was tried with. */
  readonly cuts: ReadonlyMap<string, Cuts>;
  /** The release in the folder, if it has the same content. */
  readonly existing: ReleaseRecord | undefined;
  readonly known: readonly KnownRelease[];
  readonly options: ReleaseOptions;
}

export interface DoneRelease {
  readonly record: ReleaseRecord;
  readonly folder: string;
  /** false: the same release was there already, and nothing was signed. */
  readonly written: boolean;
  readonly receipts: readonly Receipt[];
}

export const envelopeName = (product: Product, board: string, version: string): string => `${product.name}-${board}-${version}.suit`;

/** Two files of a release with one name would replace each other, also on a disk that ignores case. */
function refuseCollisions(product: Product, boards: readonly PreparedBoard[], version: string): void {
  const names = new Map<string, { digest: string; what: string }>();
  for (const { board, images } of boards)
    for (const { file, digest, slot } of [{ file: envelopeName(product, board.name, version), digest: "", slot: undefined }, ...images]) {
      if (file === undefined) continue;
      const what = `board ${board.name}${slot === undefined ? "" : ` slot ${slot}`}`;
      const before = names.get(file.toLowerCase());
      if (before && (before.digest !== digest || digest === ""))
        throw product.fault(
          `/boards/${board.name}`,
          `${before.what} and ${what} have a file of one name, ${file}`,
          "put {board}, {component} or {slot} into the last part of the uri",
        );
      names.set(file.toLowerCase(), { digest, what });
    }
}

/** The numbers that boards get: one for all of them. */
function makes(plan: ReleasePlan): ((next: NextSequence) => EnvelopeDraft)[] {
  const { product, boards, sequence } = plan;
  const scope = boards.flatMap(({ board }) => {
    const { vendor, classes } = classesOf(product, board);
    return classes.map(({ id }) => `${vendor}/${id}`);
  });
  return boards.map((one) => (next) => one.draft(sequence === "log" ? next(scope) : sequence));
}

/** The release that is there under this version, if it is the same. Throws a Failure if it is another one. */
async function sameRelease(plan: Omit<ReleasePlan, "existing" | "cuts">): Promise<ReleaseRecord | undefined> {
  const { known, version, folder, boards } = plan;
  for (const one of known.filter((other) => other.version === version && other.manifests.size > 0)) {
    const names = boards.map(({ board }) => board.name);
    const others = [...one.manifests.keys()].filter((name) => !names.includes(name));
    const more = names.filter((name) => !one.manifests.has(name));
    if (others.length > 0 || more.length > 0)
      throw releaseFault(
        `${one.path}: has version ${version} for ${[...one.manifests.keys()].join(", ")}, not for ${names.join(", ")}`,
        "release the same boards, or give a new version",
      );
    for (const { board, draft } of boards)
      if (digestOf(draft(one.sequence)) !== one.manifests.get(board.name))
        throw releaseFault(
          `${one.path}: has version ${version} of board ${board.name} with other content`,
          "a build that differs is another release: give it a new version",
        );
  }
  if (!known.some(({ path }) => path === folder)) return undefined;
  const record = readRecord(folder);
  await checkFiles(folder, record);
  return record;
}

/**
 * Finds out everything about a release that needs no key: its images, its number, its names, and whether devices would
 * install it, also when the power is cut. Throws Failures: PRODUCT, RELEASE, IMAGE, POWER_CUT and the refusals of devices.
 */
export async function planRelease(product: Product, o: ReleaseOptions): Promise<ReleasePlan> {
  const { version } = o;
  versionNumber(version);
  refuseClock();
  sourceDate();
  if (!o.dryRun) refuseMissingKeys(product);
  const out = o.out ?? product.out;
  const folder = join(out, version);
  const chosen = boardsOf(product, o.boards ?? []);
  const shelf = releasesIn(out, product);
  const previous = o.previous ?? product.sequence.previous;
  const known = [...shelf, ...(previous === undefined ? [] : publishedAt(previous, product))];
  const boards = await Promise.all(
    chosen.map(async (board) => {
      const prepared = await prepareBoard(product, board, version);
      for (const { read } of prepared.images) if (read !== undefined) o.progress?.(board.name, read);
      return prepared;
    }),
  );
  refuseCollisions(product, boards, version);
  const same = { product, version, sequence: "log" as const, folder, boards, known, options: o };
  const existing = await sameRelease(same);
  if (existing) return { ...same, sequence: BigInt(existing.sequence), existing, cuts: new Map() };
  const again = known.find((one) => one.version === version && one.manifests.size > 0);
  const sequence = again ? again.sequence : numberOf(product, version, known, o);
  refuseDisorder(version, sequence, known, o.allowLowerSequence === true);
  checkFolder(folder);
  const cuts = new Map<string, Cuts>();
  for (const one of boards) {
    o.progress?.(one.board.name, "trying power cuts");
    const done = await cutPower(product, one, sequence === "log" ? 1n : sequence);
    cuts.set(one.board.name, done);
  }
  return { ...same, sequence, existing: undefined, cuts };
}

/** Checks of the keys that have nothing to do with one envelope. */
function refuseKeys({ product, options }: ReleasePlan, keys: readonly SigningKey[]): void {
  const all = keys.map((key) => key.public);
  refuseTestKeys(all, options.allowTestKey ?? []);
  const { profileAlg } = product;
  if (profileAlg !== undefined && !all.some(({ alg }) => alg === profileAlg))
    throw product.fault(
      "/profile",
      `the profile asks for a signature with ${profileAlg}, and no release key has it`,
      "name such a key in [keys]",
    );
}

/**
 * Makes a release, or says that it is there already. Throws Failures as planRelease(), the refusals of logs and keys, and
 * those of the devices: then nothing was written, and no number was used unless a key failed while it signed.
 */
export async function makeRelease(plan: ReleasePlan): Promise<DoneRelease> {
  const { product, folder, existing, options: o } = plan;
  const approvals = await readApprovals(o);
  return withSigners(signingKeys(product, "release"), o.passphrases ?? [], async (keys) => {
    refuseKeys(plan, keys);
    const trusted = await productTrusted(
      product,
      keys.map((key) => key.public),
    );
    if (existing) {
      for (const { board, draft } of plan.boards) {
        // its record is not signed: what counts is what devices make of the envelope
        const there = EnvelopeDraft.read(readEnvelopeFile(join(folder, envelopeName(product, board.name, plan.version))));
        if (digestOf(there) !== digestOf(draft(BigInt(existing.sequence))))
          throw releaseFault(
            `${folder}: the envelope of board ${board.name} is not that of the record`,
            "remove the folder, and make the release again",
          );
        refuseSigned(product, board, there, trusted, keys.length);
      }
      return { record: existing, folder, written: false, receipts: [] };
    }
    const recorded = await recordSignings(
      "release",
      keys,
      {
        ...o,
        approvals,
        ...("trust" in trusted && { lists: [trusted.trust] }),
        judge: (draft, i) =>
          refuseUnsigned(
            product,
            (plan.boards[i] as PreparedBoard).board,
            draft,
            keys.map((key) => key.public),
            trusted,
          ),
        inspect: (entries) => refuseClock(entries.slice(-1).map(({ time }) => time)),
      },
      makes(plan),
    );
    const signed = await signBoards(plan, keys, trusted, recorded);
    const record = recordOf(plan, keys, signed);
    writeFolder(folder, filesOf(plan, signed, record), sourceDate());
    return { record, folder, written: true, receipts: recorded.flatMap(({ receipts }) => receipts) };
  });
}

/** A board whose envelope is signed, and which the devices take. */
interface SignedBoard {
  readonly prepared: PreparedBoard;
  readonly draft: EnvelopeDraft;
  readonly tbs: readonly string[];
}

async function signBoards(
  { product, boards, options }: ReleasePlan,
  keys: readonly SigningKey[],
  trusted: ProductTrusted,
  recorded: readonly { draft: EnvelopeDraft }[],
): Promise<SignedBoard[]> {
  const signers = keys.map((key) => key.signer);
  const out: SignedBoard[] = [];
  for (const [i, prepared] of boards.entries()) {
    const { draft } = recorded[i] as { draft: EnvelopeDraft };
    const tbs: string[] = [];
    for (const key of keys) tbs.push(sha256Hex(await draft.toBeSigned(signedWith(key.public))));
    const done = await signedBy(draft, signers);
    await reviewSigned(done, signers);
    refuseSigned(product, prepared.board, done, trusted, keys.length);
    options.progress?.(prepared.board.name, `signed, ${done.bytes.length} bytes`);
    out.push({ prepared, draft: done, tbs });
  }
  return out;
}

function artifactsOf({ product, version }: ReleasePlan, keys: readonly SigningKey[], { prepared, draft, tbs }: SignedBoard): Artifact[] {
  const { board, images } = prepared;
  const { vendor, classes } = classesOf(product, board);
  const envelope = envelopeName(product, board.name, version);
  const testKeys = keys.flatMap((key) => testKeyName(key.public) ?? []);
  const common = {
    board: board.name,
    revisions: board.revisions,
    vendorId: vendor,
    classes,
    version,
    sequence: String(draft.sequence),
    envelope,
    manifest: digestOf(draft),
    signers: keys.map((key, i): RecordedSigner => ({ ...keyFacts(key.public), role: "release", tbs: tbs[i] as string })),
    testKeys,
  };
  const file = { kind: "envelope" as const, file: envelope, digest: `sha-256:${sha256Hex(draft.bytes)}`, size: draft.bytes.length };
  return [
    { ...file, uri: null, component: null, slot: null, ...common },
    ...images.flatMap(({ file: name, digest, bytes, uri, component, slot }): Artifact[] =>
      name === undefined
        ? []
        : [{ kind: "payload", file: name, digest: `sha-256:${digest}`, size: bytes.length, uri, component, slot: slot ?? null, ...common }],
    ),
  ];
}

function recordOf(plan: ReleasePlan, keys: readonly SigningKey[], signed: readonly SignedBoard[]): ReleaseRecord {
  const { product, version } = plan;
  const time = sourceDate();
  return {
    $schema: "urn:firmseal:release:1",
    product: product.name,
    vendor: product.vendor,
    version,
    sequence: String((signed[0] as SignedBoard).draft.sequence),
    ...(time !== undefined && { created: new Date(time * 1000).toISOString() }),
    artifacts: signed.flatMap((one) => artifactsOf(plan, keys, one)),
  };
}

/** The files of a release by name, with their checksums. Nothing in them differs from one run to the next. */
function filesOf({ product, version }: ReleasePlan, signed: readonly SignedBoard[], record: ReleaseRecord): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const { prepared, draft } of signed) {
    files.set(envelopeName(product, prepared.board.name, version), draft.bytes);
    for (const { file, bytes } of prepared.images) if (file !== undefined) files.set(file, bytes);
  }
  files.set(RECORD, Buffer.from(`${JSON.stringify(record, null, 2)}\n`));
  return new Map([...files, [SUMS, Buffer.from(sumsOf(files))]]);
}
