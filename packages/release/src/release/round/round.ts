// One round of signatures on a release: who has signed before, whether the devices accept the release afterwards, and
// the folder that is then written. Each key signs all boards, and the record. A release that is complete is judged as a
// whole: by lint, by its devices, and by power cuts.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type RecordSignature, type ReleaseRecord, SUMS } from "@firmseal/behaviour";
import type { Entry, Receipt } from "@firmseal/keys";
import { readAll, refusedInput, replaceFolder, sha256Hex, shellWord, visible, writeFolder } from "@firmseal/keys/internal";
import { EnvelopeDraft, type PublicKey, signedWith } from "@firmseal/signer";
import { equalBytes, MAX_SIGNATURES } from "@firmseal/verifier/tools";
import { consumerOf } from "../../consumer/consumers.js";
import { checkDraftFor, checkFor } from "../../consumer/judge.js";
import { sourceDate } from "../../input/clock.js";
import { LIMITS } from "../../input/limits.js";
import { productOption } from "../../product/file/file-name.js";
import { type Board, hasProfileAlg } from "../../product/file/product.js";
import { GET_AGAIN, releaseFault } from "../../product/record.js";
import type { NamedKey } from "../../signing/coverage.js";
import { logDigest } from "../../signing/scope.js";
import { readEnvelopeFile } from "../../verify/envelope-file.js";
import { signersOf } from "../../verify/signers.js";
import {
  type BoardDevices,
  isAccepted,
  neededOf,
  type ProductTrusted,
  productTrusted,
  refuseBeforeSigning,
  refuseSigned,
  trustListsOf,
} from "../board/devices.js";
import type { PreparedBoard } from "../board/prepare.js";
import { lintBoards, type ReleaseLint } from "../lint.js";
import { envelopeName } from "../names.js";
import { cutPlan, type ReleasePlan, refuseLint } from "../plan.js";
import { refuseOtherCoseAlg } from "../verify.js";
import { type BoardProgress, countedKeys, isAmong, missingOf, progressOf, withOthers } from "./progress.js";
import { enteredBefore, filesOf, recordOf, type SignedRecord, signaturesOfRecord, statementOfPlan } from "./record-of-plan.js";

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
  /** The power cuts that each board was tried with. Empty if it existed, and this call did not complete it. */
  readonly cuts: ReleasePlan["cuts"];
  /** The findings of lint about it: without those about signatures while it is not complete. */
  readonly lint: ReleaseLint;
  /** The keys that signed now. */
  readonly by: readonly PublicKey[];
  /** Who has signed each board, and who still has to. */
  readonly progress: readonly BoardProgress[];
}

/** A signature of an envelope. */
interface FoundSignature {
  /** The key that made it, with the identifier that the signature names. */
  readonly key: PublicKey;
  /** The COSE algorithm that it names. */
  readonly alg: number;
  readonly signature: Uint8Array;
}

/** The signatures of an envelope. Refuses one that none of `known` made. */
async function signaturesIn(path: string, { outline }: EnvelopeDraft, known: readonly PublicKey[]): Promise<FoundSignature[]> {
  const found = await signersOf(
    outline.signatures,
    known.map((key) => ({ name: "", key })),
  );
  return found.map(({ status, by }, i): FoundSignature => {
    const { alg, kid, signature } = outline.signatures[i] as (typeof outline.signatures)[number];
    if (status !== "valid" || !by) throw releaseFault(`${path} has a signature of a key that its devices do not trust`, GET_AGAIN);
    const { kid: _, ...key } = by.key;
    return { key: { ...key, ...(kid && { kid: Uint8Array.from(kid) }) }, alg, signature: Uint8Array.from(signature) };
  });
}

export class Round<Key extends NamedKey = NamedKey> {
  /** The unsigned envelope of each board, as it was judged. */
  private readonly unsigned: EnvelopeDraft[] = [];
  private readonly enough: boolean[] = [];
  private lint: ReleaseLint;
  private cuts: ReleasePlan["cuts"];

  private constructor(
    private plan: ReleasePlan,
    private readonly trusted: ProductTrusted,
    /** The keys that sign in this round: those that have not signed before. */
    readonly keys: readonly Key[],
    /** The envelope of each board so far. Empty if the release does not exist yet. */
    readonly before: readonly EnvelopeDraft[],
    /** The keys that have signed before: the same for each board. */
    readonly signers: readonly PublicKey[],
    /** Their signatures, by board. */
    readonly signatures: readonly (readonly FoundSignature[])[],
    /** Their signatures of the record. */
    readonly ofRecord: readonly SignedRecord[],
  ) {
    this.lint = plan.lint;
    this.cuts = plan.cuts;
  }

  /** Reads the signatures so far. Refuses a folder whose envelopes are anything but those of the plan, signed. */
  static async begin<Key extends NamedKey>(plan: ReleasePlan, keys: readonly Key[]): Promise<Round<Key>> {
    const publics = keys.map((key) => key.public);
    const trusted = productTrusted(plan.product, plan, publics);
    const { existing } = plan;
    if (!existing) return new Round(plan, trusted, keys, [], [], [], []);
    const drafts: EnvelopeDraft[] = [];
    const all: FoundSignature[][] = [];
    let signers: PublicKey[] | undefined;
    for (const prepared of plan.boards) {
      const { path, draft, signatures } = await readSigned(plan, trusted, prepared, publics);
      const own = signatures.map(({ key }) => key);
      if (signers && (own.length !== signers.length || own.some((key) => !isAmong(key, signers as PublicKey[]))))
        throw releaseFault(`${path} is not signed by the keys that signed the other boards`, "each key signs all boards of a release");
      signers ??= own;
      drafts.push(draft);
      all.push(signatures);
    }
    const before = signers as PublicKey[];
    const left = keys.filter((key) => !isAmong(key.public, before));
    const round = new Round(plan, trusted, left, drafts, before, all, await signaturesOfRecord(plan, existing, drafts, before));
    if (plan.isRound) for (const [i, draft] of drafts.entries()) round.refuseAlg(draft, i);
    return round;
  }

  /** The folder, as commands in hints name it. */
  private get named(): string {
    return `${shellWord(visible(this.plan.folder))}${productOption(this.plan.product.path)}`;
  }

  private to(i: number): BoardDevices {
    const { product, boards, options } = this.plan;
    return { product, board: (boards[i] as PreparedBoard).board, trusted: this.trusted, role: options.role ?? "release" };
  }

  /** The keys that have signed after this round. */
  get all(): PublicKey[] {
    return [...this.signers, ...this.keys.map((key) => key.public)];
  }

  /** The keys whose signatures count on the devices of every board: each key signs all boards. */
  get counted(): PublicKey[] {
    const { boards, existing, sequence } = this.plan;
    const number = existing ? BigInt(existing.sequence) : sequence === "log" ? (this.unsigned[0]?.sequence ?? 0n) : sequence;
    const [first = [], ...others] = boards.map((_, i) => countedKeys(this.to(i), number));
    return first.filter((key) => others.every((keys) => isAmong(key, keys)));
  }

  /** Refuses a signature that names another COSE algorithm than the product file says. */
  refuseAlg(draft: EnvelopeDraft, i: number): void {
    const { product, boards, folder } = this.plan;
    refuseOtherCoseAlg(folder, product, (boards[i] as PreparedBoard).board, EnvelopeDraft.read(draft.bytes));
  }

  /** Refuses keys that have signed before. */
  refuseSecond(given: readonly NamedKey[]): void {
    const [second] = given.filter((key) => isAmong(key.public, this.signers));
    if (second)
      throw refusedInput(
        "ERR_ALREADY_SIGNED",
        `${visible(second.name)} has already signed ${this.plan.folder}`,
        `each key signs a release once; firmseal verify ${this.named} --missing shows who has signed`,
      );
  }

  /** Whether the devices of every board accept the release after this round. */
  get isComplete(): boolean {
    return this.enough.every((one) => one);
  }

  /** Refuses keys for which approvals do not matter: those that have signed before, and those that do not count. */
  refuseEarly(given: readonly NamedKey[]): void {
    if (this.plan.isRound) this.refuseSecond(given);
    if (this.plan.product.approval.keys.length > 0) this.refuseUncounted(this.to(0), given);
  }

  /** Refuses what a board's devices refuse with all further signatures too. `draft`: with the signatures so far. */
  async judge(draft: EnvelopeDraft, i: number, algs: readonly number[]): Promise<void> {
    const { boards, existing } = this.plan;
    const prepared = boards[i] as PreparedBoard;
    const to = this.to(i);
    if (prepared.board.for) await checkDraftFor(prepared.board.for, draft, algs);
    const unsigned = existing ? prepared.draft(draft.sequence) : draft;
    this.unsigned[i] = unsigned;
    const enough = !this.mayWait(to) || (hasProfileAlg(this.plan.product, this.all) && (await isAccepted(to, unsigned, this.all)));
    this.enough[i] = enough;
    if (!enough || this.plan.isRound || this.plan.options.keys) this.refuseUncounted(to, this.keys);
    await refuseBeforeSigning(to, unsigned, enough ? this.all : withOthers(to, this.all, this.counted, mostSignatures(to.board)));
    if (!enough && !hasProfileAlg(this.plan.product, [...this.all, ...this.counted]))
      throw this.plan.product.fault("/profile", "no key that devices trust has the algorithm of the profile", "name such a key in [trust]");
    if (i === boards.length - 1) await this.lintAll();
  }

  /** Whether others may sign later. If the keys of the product file are too few, one of them was forgotten. */
  private mayWait(to: BoardDevices): boolean {
    const { isRound, options } = this.plan;
    const isBridge = trustListsOf(to).length > 1;
    const isForSeveral = isBridge || neededOf(to) > 1 || !hasProfileAlg(this.plan.product, this.all);
    return this.all.length === 0 || (isForSeveral && (isRound || options.keys !== undefined));
  }

  /** Refuses keys that do not count: who signs next could not tell them from those of a stranger. */
  private refuseUncounted(to: BoardDevices, keys: readonly NamedKey[]): void {
    const useless = keys.find((key) => !isAmong(key.public, this.counted));
    if (useless)
      throw refusedInput(
        "ERR_KEY_ROLE",
        `${visible(useless.name)} is not a key that the devices of board ${to.board.name} trust for this release`,
        this.plan.existing
          ? `sign with one of the keys that firmseal verify ${this.named} --missing names`
          : `sign with a key that [trust] of ${visible(this.plan.product.path)} names`,
      );
  }

  /** The rules again, now that number and keys are known. */
  private async lintAll(): Promise<void> {
    this.lint = await lintBoards({ ...this.plan, cuts: this.cuts }, this.unsigned, this.isComplete ? this.all : undefined);
    await this.plan.options.linted?.(this.lint);
    refuseLint(this.lint);
  }

  /** Cuts the power where nothing has, or once the release is complete: what was signed may have travelled. */
  async lengthy(): Promise<void> {
    if (this.plan.existing && !this.isComplete) return;
    this.cuts = await cutPlan(this.plan);
    await this.lintAll();
  }

  /** Checks a board of a complete release by the code of its devices. */
  refuseOnDevices(draft: EnvelopeDraft, i: number): void {
    refuseSigned(this.to(i), draft, this.all.length);
    const { board } = this.plan.boards[i] as PreparedBoard;
    if (board.for) checkFor(board.for, draft.bytes);
  }

  /** Who has signed each board. */
  async progress(drafts: readonly EnvelopeDraft[]): Promise<BoardProgress[]> {
    const out: BoardProgress[] = [];
    for (const [i, draft] of drafts.entries()) out.push(await progressOf(this.to(i), draft, this.counted));
    return out;
  }

  /** What the release is without a further signature. */
  async unchanged(): Promise<DoneRelease> {
    const { existing, folder, cuts, lint } = this.plan;
    const progress = await this.progress(this.before);
    const record = existing as ReleaseRecord;
    if (JSON.stringify(missingOf(progress)) !== JSON.stringify(record.missing))
      throw releaseFault(`${folder}: release.json names other missing signatures than its envelopes have`, GET_AGAIN);
    return { record, folder, written: false, receipts: [], cuts, lint, by: [], progress };
  }

  /** What each key signs about the release as a whole. `logs`: a job that is repeated says what the first one said. */
  async statement(drafts: readonly EnvelopeDraft[], logs: readonly (readonly Entry[])[] = []): Promise<Uint8Array> {
    for (const withdrawn of this.plan.existing ? [] : logs.flatMap((log) => enteredBefore(this.plan, log))) {
      const plan = { ...this.plan, withdrawn: withdrawn.names };
      const said = await statementOfPlan(plan, drafts);
      if (`sha-256:${sha256Hex(said)}` !== withdrawn.digest) continue;
      this.plan = plan;
      return said;
    }
    return await statementOfPlan(this.plan, drafts);
  }

  /** Writes the folder. `drafts`: with the signatures of this round. `added`: those of the record. */
  async write(drafts: readonly EnvelopeDraft[], added: readonly RecordSignature[], receipts: readonly Receipt[]): Promise<DoneRelease> {
    const { plan } = this;
    const progress = await this.progress(drafts);
    const signatures = [...this.ofRecord.map(({ written }) => written), ...added];
    const record: ReleaseRecord = { ...(await recordOf(plan, this.all, drafts, progress)), signatures };
    // never write a record whose signatures nobody can verify
    await signaturesOfRecord(plan, record, drafts, this.all);
    return {
      record,
      folder: plan.folder,
      written: place(plan, filesOf(plan, drafts, record)),
      receipts,
      cuts: this.cuts,
      lint: this.lint,
      by: this.keys.map((key) => key.public),
      progress,
    };
  }
}

/** Writes the folder. Returns false if releases are joined, and the same release is there. */
function place({ product, folder, parts, existing }: ReleasePlan, files: ReadonlyMap<string, Uint8Array>): boolean {
  // its files have been compared with its checksums
  if (parts && existsSync(folder)) {
    if (equalBytes(readAll(join(folder, SUMS), LIMITS.releaseRecord), files.get(SUMS) as Uint8Array)) return false;
    throw releaseFault(
      `${folder} exists, with other signatures`,
      `keep it if people have signed it: firmseal verify ${shellWord(visible(folder))}${productOption(product.path)} --missing; or name another folder for releases: \`out\``,
    );
  }
  (existing && !parts ? replaceFolder : writeFolder)(folder, files, sourceDate());
  return true;
}

/** How many signatures the verifier of a board reads. */
const mostSignatures = ({ for: name }: Board): number => (name ? consumerOf(name).signatures : MAX_SIGNATURES);

/** About how many bytes the files of a release have: its images, and some for the envelopes and the record. */
export const sizeOfRelease = ({ boards }: ReleasePlan): number =>
  boards.reduce((n, { images }) => images.reduce((sum, { bytes }) => sum + bytes.length, n + 65_536), 0);

/**
 * The envelope of a board in an existing release. It must be the one that the plan makes, with signatures of trusted
 * keys, or of those that sign now, and nothing else. The record is not asked.
 */
async function readSigned(
  { product, folder, parts, existing, version, options }: ReleasePlan,
  trusted: ProductTrusted,
  { board, draft }: PreparedBoard,
  publics: readonly PublicKey[],
) {
  const { role = "release" } = options;
  const path = `${parts?.get(board.name) ?? folder}/${envelopeName(product, board.name, version, role)}`;
  const there = EnvelopeDraft.read(readEnvelopeFile(path));
  const unsigned = draft(BigInt((existing as ReleaseRecord).sequence));
  const other = () =>
    releaseFault(
      `${folder}: the envelope of board ${board.name} is not that of the record`,
      "remove the folder, and make the release again",
    );
  if (logDigest(there) !== logDigest(unsigned)) throw other();
  const known = [...countedKeys({ product, board, trusted, role }, unsigned.sequence), ...publics];
  const signatures = await signaturesIn(path, there, known);
  let same = unsigned;
  for (const { key, alg, signature } of signatures) same = await same.withSignature(signedWith(key, alg), signature);
  // also what no signature covers
  if (!equalBytes(same.bytes, there.bytes)) throw other();
  return { path, draft: there, signatures };
}
