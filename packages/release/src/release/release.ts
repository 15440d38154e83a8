// One command for a release: all boards of a product, or none. Everything that can be refused is refused before a
// number is used, what takes long is tried last, and the folder of the release appears whole.

import { join } from "node:path";
import { type Artifact, RECORD, type RecordedSigner, type ReleaseRecord, SUMS } from "@firmseal/behaviour";
import { keyFacts, type Receipt, refuseTestKeys, type SigningKey, withSigners } from "@firmseal/keys";
import { byteWords, sha256Hex, usage, writeFolder } from "@firmseal/keys/internal";
import { EnvelopeDraft, keyAlgOf, signedWithoutLog, testKeyName, thumbprint } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { algName } from "../consumer/accepts.js";
import { namesFault, withCoseAlgs } from "../consumer/cose-alg.js";
import { checkDraftFor, checkFor } from "../consumer/judge.js";
import { refuseClock, sourceDate } from "../input/clock.js";
import type { Board } from "../product/file/product.js";
import { releaseFault, sumsOf } from "../product/record.js";
import { readApprovals, warnOfNoEntry } from "../signing/approval.js";
import { logDigest, recordSignings } from "../signing/authorize.js";
import { type NextSequence, reviewSigned } from "../signing/draft.js";
import { readEnvelopeFile } from "../verify/envelope-file.js";
import { signersOf } from "../verify/signers.js";
import { classesOf, type ProductTrusted, productTrusted, refuseBeforeSigning, refuseSigned, signingKeys } from "./board/devices.js";
import type { PreparedBoard } from "./board/prepare.js";
import { lintBoards, type ReleaseLint } from "./lint.js";
import { envelopeName } from "./names.js";
import { cutPlan, type ReleasePlan, refuseLint } from "./plan.js";
import { refuseRecordedSigners } from "./record-check.js";

/** A release that was made, or that already existed. */
export interface DoneRelease {
  /** The content of release.json. */
  readonly record: ReleaseRecord;
  /** The folder of the release. */
  readonly folder: string;
  /** false: the same release already existed, and nothing was signed. */
  readonly written: boolean;
  /** The entries in the signing logs, one for each signature. Empty if nothing was signed. */
  readonly receipts: readonly Receipt[];
  /** The power cuts that each board was tried with. Empty if the release already existed. */
  readonly cuts: ReleasePlan["cuts"];
  /** The findings of lint about it. */
  readonly lint: ReleaseLint;
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

/** The COSE algorithms that a board's signatures name: by the options, or else by the product file. */
const choiceFor = ({ options: { coseAlg } }: ReleasePlan, board: Board) => ({ for: board.for, coseAlg: coseAlg ?? board.coseAlg });

/** The keys as they sign each board. */
function boardKeys(plan: ReleasePlan, keys: readonly SigningKey[]): SigningKey[][] {
  return plan.boards.map(({ board }) => withCoseAlgs(keys, choiceFor(plan, board)));
}

/** Checks of the keys that have nothing to do with one envelope. */
function refuseKeys(plan: ReleasePlan, keys: readonly SigningKey[]): void {
  const { product, options } = plan;
  const all = keys.map((key) => key.public);
  for (const { board } of plan.boards) {
    const fault = namesFault(choiceFor(plan, board).coseAlg, all);
    if (fault && options.coseAlg) throw usage(`\`coseAlg\` ${fault.what}`, fault.hint);
    if (fault) throw product.fault(`/boards/${board.name}/cose-alg`, `cose-alg ${fault.what}`, fault.hint);
  }
  refuseTestKeys(all, options.allowTestKey ?? []);
  const { profileAlg } = product;
  if (profileAlg !== undefined && !all.some(({ alg }) => alg === profileAlg))
    throw product.fault(
      "/profile",
      `the profile requires a signature with ${profileAlg}, and no release key has this algorithm`,
      "name such a key in [keys]",
    );
}

/**
 * Makes a release, or finds that it already exists.
 *
 * @param plan - From planRelease().
 * @returns The record and the folder of the release, and whether it was written now.
 * @throws Failures like planRelease(), the refusals of logs and keys, and those of the devices: then nothing was
 *   written, and no number was used unless a key failed while it signed.
 */
export async function makeRelease(plan: ReleasePlan): Promise<DoneRelease> {
  const { product, folder, existing, boards, options: o } = plan;
  const { role = "release" } = o;
  const approvals = plan.approvals ?? (await readApprovals(o));
  const make = async (keys: readonly SigningKey[]): Promise<DoneRelease> => {
    refuseKeys(plan, keys);
    const asSigning = boardKeys(plan, keys);
    const publics = keys.map((key) => key.public);
    const trusted = productTrusted(product, plan, publics);
    if (existing) {
      warnOfNoEntry(approvals);
      await refuseOtherRelease(plan, existing, asSigning, trusted);
      return { record: existing, folder, written: false, receipts: [], cuts: plan.cuts, lint: plan.lint };
    }
    const drafts: EnvelopeDraft[] = [];
    let { lint, cuts } = plan;
    /** The rules again, now that number and keys are known. */
    const lintAll = async () => {
      lint = await lintBoards({ ...plan, cuts }, drafts, publics);
      await o.linted?.(lint);
      refuseLint(lint);
    };
    const recorded = await recordSignings(
      "release",
      keys,
      {
        ...o,
        approvals,
        ...("trust" in trusted && { lists: [trusted.trust] }),
        asSigning: (i) => asSigning[i] as SigningKey[],
        judge: async (draft, i) => {
          const { board } = boards[i] as PreparedBoard;
          const algs = (asSigning[i] as SigningKey[]).map(({ signer }) => signer.alg);
          if (board.for) await checkDraftFor(board.for, draft, algs);
          await refuseBeforeSigning({ product, board, trusted, role }, draft, publics);
          drafts[i] = draft;
          if (i === boards.length - 1) await lintAll();
        },
        inspect: (entries) => refuseClock(entries.slice(-1).map(({ time }) => time)),
        lengthy: async () => {
          cuts = await cutPlan(plan);
          await lintAll();
        },
      },
      makes(plan),
    );
    const signed = await signBoards(plan, asSigning, trusted, recorded);
    const record = recordOf(plan, keys, signed);
    writeFolder(folder, filesOf(plan, signed, record), sourceDate());
    return { record, folder, written: true, receipts: recorded.flatMap(({ receipts }) => receipts), cuts, lint };
  };
  return withSigners(signingKeys(product, role), o.passphrases ?? [], make, o);
}

/** Refuses an existing release that is not what this plan would make with these keys. */
async function refuseOtherRelease(
  { product, folder, boards, version, options }: ReleasePlan,
  existing: ReleaseRecord,
  boardKeys: readonly (readonly SigningKey[])[],
  trusted: ProductTrusted,
): Promise<void> {
  const { role = "release" } = options;
  for (const [i, { board, draft }] of boards.entries()) {
    const keys = boardKeys[i] as readonly SigningKey[];
    // its record is not signed: what counts is what devices make of the envelope
    const there = EnvelopeDraft.read(readEnvelopeFile(join(folder, envelopeName(product, board.name, version, role))));
    if (logDigest(there) !== logDigest(draft(BigInt(existing.sequence))))
      throw releaseFault(
        `${folder}: the envelope of board ${board.name} is not that of the record`,
        "remove the folder, and make the release again",
      );
    refuseSigned({ product, board, trusted, role }, there, keys.length);
    refuseOtherAlg(folder, board, there, keys);
    const known = keys.map((key) => ({ name: "", key: key.public }));
    const signatures = await signersOf(there.outline.signatures, known);
    const signers = signatures.flatMap(({ by }) => (by ? [{ thumbprint: toHex(thumbprint(by.key)) }] : []));
    await refuseRecordedSigners(folder, existing, board, { outline: there.outline, signers });
    if (board.for) checkFor(board.for, there.bytes);
  }
}

/** Refuses an existing release with signatures that name other algorithms: its consumers do not accept it. */
function refuseOtherAlg(folder: string, board: Board, { outline }: EnvelopeDraft, keys: readonly SigningKey[]): void {
  for (const { signer } of keys) {
    const other = outline.signatures.find(({ alg }) => alg !== signer.alg && keyAlgOf(alg) === keyAlgOf(signer.alg));
    if (other && !outline.signatures.some(({ alg }) => alg === signer.alg))
      throw releaseFault(
        `${folder}: board ${board.name} is signed as ${algName(other.alg)}, not as ${algName(signer.alg)}`,
        "give the release a new version, or keep the algorithm",
      );
  }
}

/** A board whose envelope is signed, and which the devices take. */
interface SignedBoard {
  readonly prepared: PreparedBoard;
  readonly draft: EnvelopeDraft;
  readonly tbs: readonly string[];
}

async function signBoards(
  { product, boards, options, version }: ReleasePlan,
  boardKeys: readonly (readonly SigningKey[])[],
  trusted: ProductTrusted,
  recorded: readonly { draft: EnvelopeDraft; messages: readonly Uint8Array[] }[],
): Promise<SignedBoard[]> {
  const out: SignedBoard[] = [];
  for (const [i, prepared] of boards.entries()) {
    const { draft, messages } = recorded[i] as (typeof recorded)[number];
    const signers = (boardKeys[i] as readonly SigningKey[]).map(({ signer }) => signer);
    const tbs = messages.map(sha256Hex);
    const done = await signedWithoutLog(draft, signers, messages);
    await reviewSigned(done, signers, { version });
    refuseSigned({ product, board: prepared.board, trusted, role: options.role ?? "release" }, done, signers.length);
    if (prepared.board.for) checkFor(prepared.board.for, done.bytes);
    options.progress?.(prepared.board.name, `signed, ${byteWords(done.bytes.length)}`);
    out.push({ prepared, draft: done, tbs });
  }
  return out;
}

function artifactsOf(
  { product, version, options }: ReleasePlan,
  keys: readonly SigningKey[],
  { prepared, draft, tbs }: SignedBoard,
): Artifact[] {
  const { board, images } = prepared;
  const { vendor, classes } = classesOf(product, board);
  const { role = "release" } = options;
  const envelope = envelopeName(product, board.name, version, role);
  const testKeys = keys.flatMap((key) => testKeyName(key.public) ?? []);
  const common = {
    board: board.name,
    revisions: board.revisions,
    vendorId: vendor,
    classes,
    version,
    sequence: String(draft.sequence),
    envelope,
    manifest: logDigest(draft),
    signers: keys.map((key, i): RecordedSigner => ({ ...keyFacts(key.public), role, tbs: tbs[i] as string })),
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
function filesOf(
  { product, version, options }: ReleasePlan,
  signed: readonly SignedBoard[],
  record: ReleaseRecord,
): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const { prepared, draft } of signed) {
    files.set(envelopeName(product, prepared.board.name, version, options.role), draft.bytes);
    for (const { file, bytes } of prepared.images) if (file !== undefined) files.set(file, bytes);
  }
  files.set(RECORD, Buffer.from(`${JSON.stringify(record, null, 2)}\n`));
  return new Map([...files, [SUMS, Buffer.from(sumsOf(files))]]);
}
