// Signatures that were made elsewhere, added to a release: those of one key for each board, or those of another copy of
// the release.

import { basename, dirname, join, resolve } from "node:path";
import { RECORD, type RecordSignature, type ReleaseRecord, statementOf } from "@firmseal/behaviour";
import { lock, refuseTestKeys } from "@firmseal/keys";
import { checkReplaced, recoverFolder, wrongSignature } from "@firmseal/keys/internal";
import { EnvelopeDraft, type PublicKey, readRecordSignature, recordMessage, recordSignature, signedWith } from "@firmseal/signer";
import type { Manifest } from "@firmseal/verifier";
import { coseAlgFor } from "../../consumer/cose-alg.js";
import { releaseFault } from "../../product/record.js";
import { refuseUnused, type UsedApprovals } from "../../signing/approval.js";
import type { NamedKey } from "../../signing/coverage.js";
import { openWithTrialKey } from "../../signing/draft.js";
import { refuseKeys } from "../../signing/elsewhere.js";
import { withSignatureOf } from "../../signing/given.js";
import { logDigest } from "../../signing/scope.js";
import { signersOf } from "../../verify/signers.js";
import { refuseUnapproved } from "../approvals.js";
import { envelopeName } from "../names.js";
import { boardNames, choiceFor, type ReleasePlan } from "../plan.js";
import { signatureOfRecord } from "../record/record-signatures.js";
import { type BoardProgress, isAmong } from "./progress.js";
import { type DoneRelease, Round, sizeOfRelease } from "./round.js";

/** A key that has signed a release elsewhere. */
export interface SignedElsewhere extends NamedKey {
  /** Its signature of each board, in the order of the plan. */
  readonly signatures: readonly Uint8Array[];
  /** Its signatures of the record. */
  readonly ofRecord: readonly RecordSignature[];
}

/**
 * A signature of the record of a plan that was made elsewhere, over the message from messagesOf(). `name`: what it is
 * called in messages. Throws a Failure for a signature of another key or another content.
 */
export async function recordSignatureOf(plan: ReleasePlan, key: PublicKey, signature: Uint8Array, name: string): Promise<RecordSignature> {
  const boards = boardNames(plan);
  const who = signedWith(key);
  const claim = readRecordSignature(recordSignature(who, signature), statementOf(plan.existing as ReleaseRecord, boards));
  const [found] = await signersOf([claim], [{ name, key }]);
  if (found?.status !== "valid")
    throw wrongSignature(
      `refused: ${name} is not the signature of this key over ${RECORD} of this release`,
      "sign what firmseal tbs writes for this release, and give the key in the same form, with or without its identifier",
    );
  return signatureOfRecord(boards, who, signature);
}

/** A round with keys whose private halves are elsewhere, and what refuses their signatures. */
async function roundElsewhere(plan: ReleasePlan, keys: readonly NamedKey[]) {
  const { boards, options: o, lists = [] } = plan;
  refuseTestKeys(
    keys.map((key) => key.public),
    o.allowTestKey ?? [],
  );
  const round = await Round.begin(plan, keys);
  round.refuseEarly(keys);
  const approvals = await refuseUnapproved(plan, round.all);
  const used: UsedApprovals | undefined = boards.length > 1 ? new Set() : undefined;
  return {
    round,
    /** As the logs, the trust file and the approvers refuse a board. */
    refuse: (draft: EnvelopeDraft, manifest: Manifest) => refuseKeys(draft, manifest, keys, { lists, approvals, used }, o),
    /** Refuses an approval that is for none of the boards. */
    end() {
      if (used) refuseUnused(approvals, used);
    },
  };
}

/**
 * Adds signatures to a release. If they complete it, its devices, lint and power cuts judge it before anything is
 * written.
 *
 * @param plan - From planSigning().
 * @param added - The keys, and their signatures.
 * @returns The release, and who still has to sign it.
 * @throws Failures: wrong signatures, keys that have already signed or do not count, and as makeRelease().
 */
export async function attachSignatures(plan: ReleasePlan, added: readonly SignedElsewhere[]): Promise<DoneRelease> {
  checkReplaced(plan.folder, sizeOfRelease(plan));
  const { round, refuse, end } = await roundElsewhere(plan, added);
  const drafts: EnvelopeDraft[] = [];
  for (const [i, before] of round.before.entries()) {
    await refuse(before, await openWithTrialKey(before));
    let draft = before;
    for (const { name, public: key, signatures } of added)
      ({ draft } = await withSignatureOf(draft, key, signatures[i] as Uint8Array, name, {
        isCount: plan.product.sequence.source !== "version",
      }));
    round.refuseAlg(draft, i);
    const algs = EnvelopeDraft.read(draft.bytes).outline.signatures.map(({ alg }) => alg);
    await round.judge(before, i, algs.slice(-added.length));
    drafts.push(draft);
  }
  end();
  await round.lengthy();
  for (const [i, draft] of drafts.entries()) if (round.isComplete) round.refuseOnDevices(draft, i);
  return await round.write(
    drafts,
    added.flatMap(({ ofRecord }) => ofRecord),
    [],
  );
}

/**
 * The keys that have signed another copy of a release, and not this one.
 *
 * @param plan - This one.
 * @param other - The other one. Both from planSigning().
 * @throws A Failure, RELEASE, if the copies have other boards or other content.
 */
export async function signedElsewhere(plan: ReleasePlan, other: ReleasePlan): Promise<SignedElsewhere[]> {
  const [here, there] = [await Round.begin(plan, []), await Round.begin(other, [])];
  const names = (one: ReleasePlan) => boardNames(one).join(", ");
  if (plan.version !== other.version || names(plan) !== names(other))
    throw releaseFault(
      `${other.folder} is version ${other.version} for ${names(other)}, and ${plan.folder} is version ${plan.version} for ${names(plan)}`,
      "give two copies of one release",
    );
  for (const [i, draft] of here.before.entries())
    if (logDigest(draft) !== logDigest(there.before[i] as EnvelopeDraft))
      throw releaseFault(`${other.folder} has other content than ${plan.folder}`, "give two copies of one release");
  return there.signers.flatMap((key) => {
    if (isAmong(key, here.signers)) return [];
    const signatures = there.signatures.flatMap((all) => all.flatMap((one) => (isAmong(one.key, [key]) ? [one.signature] : [])));
    const ofRecord = there.ofRecord.flatMap((one) => (isAmong(one.key, [key]) ? [one.written] : []));
    return [{ name: other.folder, public: key, signatures, ofRecord }];
  });
}

/** What one key has to sign for one board. */
export interface MessageOf {
  readonly board: string;
  /** The file name of its envelope. */
  readonly envelope: string;
  readonly draft: EnvelopeDraft;
  readonly manifest: Manifest;
  readonly key: PublicKey;
  readonly message: Uint8Array;
}

/** What keys have to sign for a release. */
export interface Messages {
  readonly boards: readonly MessageOf[];
  /** For its record: one for each key. */
  readonly record: readonly { readonly key: PublicKey; readonly message: Uint8Array }[];
}

/**
 * What keys whose private halves are elsewhere have to sign, after everything has been refused that would be refused
 * of their signatures.
 *
 * @param plan - From planSigning().
 * @param keys - The public keys.
 */
export async function messagesOf(plan: ReleasePlan, keys: readonly NamedKey[]): Promise<Messages> {
  const { product, boards, options: o, version } = plan;
  const { round, refuse, end } = await roundElsewhere(plan, keys);
  const out: MessageOf[] = [];
  for (const [i, { board }] of boards.entries()) {
    const draft = round.before[i] as EnvelopeDraft;
    const algs = keys.map((key) => coseAlgFor(key.public, choiceFor(plan, board)));
    const manifest = await openWithTrialKey(draft);
    await refuse(draft, manifest);
    await round.judge(draft, i, algs);
    const envelope = envelopeName(product, board.name, version, o.role);
    for (const [n, { public: key }] of keys.entries())
      out.push({ board: board.name, envelope, draft, manifest, key, message: await draft.toBeSigned(signedWith(key, algs[n] as number)) });
  }
  end();
  const statement = await round.statement(round.before);
  return { boards: out, record: keys.map(({ public: key }) => ({ key, message: recordMessage(statement, signedWith(key)) })) };
}

/** Returns who has signed each board of a release, and who has not. `plan`: from planSigning(). */
export async function signingProgress(plan: ReleasePlan): Promise<BoardProgress[]> {
  const round = await Round.begin(plan, []);
  return await round.progress(round.before);
}

/** Runs `work` while no other process signs the release in a folder. */
export async function withReleaseLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const place = resolve(folder);
  const held = await lock(join(dirname(place), `.${basename(place)}.lock`), { busy: "another process signs this release" });
  try {
    recoverFolder(place);
    return await work();
  } finally {
    held.release();
  }
}
