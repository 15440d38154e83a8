// One command for a release: all boards of a product, or none. Everything that can be refused is refused before a
// number is used, what takes long is tried last, and the folder of the release appears whole.

import { existsSync } from "node:fs";
import { RECORD, type RecordSignature, type ReleaseRecord } from "@firmseal/behaviour";
import { type Entry, Failure, type Receipt, refuseTestKeys, type SigningKey, withSigners } from "@firmseal/keys";
import { byteWords, checkReplaced, notice, sharesScope, shellWord, usage, visible } from "@firmseal/keys/internal";
import { type EnvelopeDraft, keyAlgOf, type PublicKey, signedWithoutLog, thumbprint } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { algName } from "../consumer/accepts.js";
import { namesFault, withCoseAlgs } from "../consumer/cose-alg.js";
import { logOption, productOption } from "../product/file/file-name.js";
import { type Board, hasProfileAlg } from "../product/file/product.js";
import { knownRelease, releaseFault } from "../product/record.js";
import { warnOfNoEntry } from "../signing/approval.js";
import { RELEASE, recordSignings } from "../signing/authorize.js";
import { type NextSequence, reviewSigned } from "../signing/draft.js";
import { logDigest } from "../signing/scope.js";
import { isUnapproved, refuseUnapproved } from "./approvals.js";
import { refuseBootKeys } from "./board/boot-image.js";
import { referencesOf, scopeOfBoard } from "./board/devices.js";
import { knownSigners } from "./board/known-signers.js";
import { boardNames, choiceFor, planRelease, type ReleasePlan, withdrawnFor } from "./plan.js";
import { refuseRecordedSigners } from "./record/record-check.js";
import { signatureOfRecord } from "./record/record-signatures.js";
import { type DoneRelease, Round, sizeOfRelease } from "./round/round.js";
import { recordedWithdrawals, warnOfDoubted, warnOfUnsigned } from "./withdrawn/known-withdrawals.js";
import { refuseWithdrawn, refuseWithdrawnVersion } from "./withdrawn/withdrawn.js";

/** The numbers that boards get: one for all of them. */
function makes(plan: ReleasePlan): ((next: NextSequence) => EnvelopeDraft)[] {
  const { product, boards, sequence } = plan;
  const scope = boards.flatMap(({ board }) => scopeOfBoard(product, board));
  const again = (known: readonly Entry[]) => numberAgain(plan, new Set(scope), known);
  return boards.map((one) => (next) => one.draft(sequence === "log" ? next(scope, again) : sequence));
}

/** The number under which the logs have this very release: another job has signed it, here or in another workspace. */
function numberAgain({ boards, version }: ReleasePlan, scope: ReadonlySet<string>, known: readonly Entry[]): bigint | undefined {
  const own = known.filter((e) => sharesScope(e, scope));
  const numbers = new Set(own.flatMap((e) => (e.version === version ? (e.sequence as string) : [])));
  const number = [...numbers].findLast((n) => {
    const digests = boards.map(({ draft }) => logDigest(draft(BigInt(n))));
    return own.every((e) => e.sequence !== n || digests.includes(e.digest as string));
  });
  return number === undefined ? undefined : BigInt(number);
}

/** The keys as they sign each board. */
function boardKeys(plan: ReleasePlan, keys: readonly SigningKey[]): SigningKey[][] {
  return plan.boards.map(({ board }) => withCoseAlgs(keys, choiceFor(plan, board)));
}

/** Checks of the keys that have nothing to do with one envelope. `others`: keys that sign elsewhere. */
export function refuseSigners(plan: ReleasePlan, keys: readonly PublicKey[], others: readonly PublicKey[]): void {
  const { product, options } = plan;
  for (const { board } of plan.boards) {
    const fault = namesFault(choiceFor(plan, board).coseAlg, options.coseAlg ? keys : [...keys, ...others]);
    if (fault && options.coseAlg) throw usage(`\`coseAlg\` ${fault.what}`, fault.hint);
    if (fault) throw product.fault(`/boards/${board.name}/cose-alg`, `cose-alg ${fault.what}`, fault.hint);
  }
  refuseTestKeys(keys, options.allowTestKey ?? []);
  if (!hasProfileAlg(product, [...keys, ...others]))
    throw product.fault(
      "/profile",
      `the profile requires a signature with ${product.profileAlg}, and no release key has this algorithm`,
      "name such a key in [keys]",
    );
}

/** Refuses keys that have signed or do not count, if that is known without a passphrase: before anything is shown. */
async function refuseKnownSigners(plan: ReleasePlan, refs: readonly string[]): Promise<void> {
  const round = await Round.begin(plan, []);
  const approvers = plan.approvals?.required?.keys ?? [];
  round.refuseEarly(await knownSigners(refs, [...round.signers, ...round.counted, ...approvers]));
}

/**
 * Makes a release, or finds that it already exists. If the signatures of several keys are needed and not all of these
 * keys sign now, devices do not accept it yet: `firmseal sign FOLDER` adds the other signatures. If the product file
 * requires approvals that are missing, nobody signs now, unless the options name keys: then it is refused.
 *
 * @param plan - From planRelease().
 * @returns The record and the folder of the release, whether it was written now, and who still has to sign.
 * @throws Failures like planRelease(), the refusals of logs and keys, and those of the devices: then nothing was
 *   written, and no number was used unless a key failed while it signed.
 */
export async function makeRelease(plan: ReleasePlan): Promise<DoneRelease> {
  const { product, options: o } = plan;
  const refs = referencesOf(product, o.role ?? "release", o);
  // a plan of planSigning(): the folder would lose its signatures
  if (refs.length === 0 && plan.isRound) throw usage("`keys`: nobody signs", "name a key");
  if (plan.isRound || o.keys) await refuseKnownSigners(plan, refs);
  // people approve what nobody has signed
  if (refs.length === 0 || (await isUnapproved(plan))) return await signPlan(plan, []);
  await o.review?.(plan);
  return await withSigners(refs, o.passphrases ?? [], async (keys) => await signPlan(plan, keys), o);
}

/**
 * Adds the withdrawn releases that only the keys tell: the log of a key in a token or a service is found with it, and
 * it may be the one that devices trust. Refuses a release that was withdrawn.
 */
function withWithdrawals(plan: ReleasePlan, given: readonly SigningKey[]): ReleasePlan {
  const { product, known, version, sequence, folder, existing, isRound } = plan;
  if (isRound) return plan;
  const { withdrawn, doubted, required } = withdrawnFor(product, plan.options, known, plan, given);
  warnOfDoubted(doubted);
  if (!existing) warnOfUnsigned(product, known, required);
  if (existing) refuseWithdrawn(knownRelease(folder, existing), withdrawn);
  refuseWithdrawnVersion(version, sequence, withdrawn);
  return { ...plan, withdrawn: recordedWithdrawals(withdrawn) };
}

/** Signs the boards of a plan. Without keys, the release is made for others to sign. */
async function signPlan(planned: ReleasePlan, given: readonly SigningKey[]): Promise<DoneRelease> {
  const plan = withWithdrawals(planned, given);
  const { product, existing, boards, options: o } = plan;
  if (plan.isRound) checkReplaced(plan.folder, sizeOfRelease(plan));
  const publics = given.map((key) => key.public);
  await refuseBootKeys(product, publics);
  const round = await Round.begin(plan, given);
  // others sign later only if somebody has said so
  refuseSigners(plan, publics, plan.isRound || o.keys || given.length === 0 ? round.counted : []);
  const { keys } = round;
  const approvals = keys.length > 0 ? await refuseUnapproved(plan, round.all) : plan.approvals;
  const asSigning = boardKeys(plan, keys);
  if (plan.isRound) round.refuseSecond(given);
  else if (existing) {
    const [other] = existing.missing.length > 0 ? keys : [];
    if (other)
      throw releaseFault(
        `${plan.folder} exists, and ${visible(other.name)} has not signed it`,
        `firmseal sign ${shellWord(plan.folder)}${productOption(product.path)} --key ${shellWord(visible(other.name))}${logOption(o.log)}`,
      );
    warnOfNoEntry(approvals);
    await refuseOtherRelease(plan, existing, boardKeys(plan, given), round);
    return await round.unchanged();
  }
  /** Writes the folder, unless another job has made the same release meanwhile. */
  const write = async (
    drafts: readonly EnvelopeDraft[],
    ofRecord: readonly RecordSignature[],
    receipts: readonly Receipt[],
  ): Promise<DoneRelease> => {
    try {
      return await round.write(drafts, ofRecord, receipts);
    } catch (e) {
      if (existing || !existsSync(plan.folder)) throw e;
      const again = await planRelease(plan.product, o);
      if (!again.existing) throw e;
      return { ...(await signPlan(again, given)), receipts };
    }
  };
  const judge = (draft: EnvelopeDraft, i: number) =>
    round.judge(
      draft,
      i,
      (asSigning[i] as SigningKey[]).map(({ signer }) => signer.alg),
    );
  if (keys.length === 0) {
    warnOfNoEntry(approvals);
    const drafts = boards.map((one) => one.draft(plan.sequence as bigint));
    for (const [i, draft] of drafts.entries()) await judge(draft, i);
    await round.lengthy();
    return await write(drafts, [], []);
  }
  const { envelopes, statement } = await recordSignings(
    existing ? "sign" : RELEASE,
    keys,
    {
      ...o,
      ...(approvals && { approvals }),
      ...(plan.lists && { lists: plan.lists }),
      asSigning: (i) => asSigning[i] as SigningKey[],
      judge,
      lengthy: () => round.lengthy(),
      once: !existing,
      statement: async (drafts, logs) => {
        for (const key of keys) spendLeaves(key, boards.length + 1);
        return { bytes: await round.statement(drafts, logs), version: plan.version };
      },
    },
    existing ? round.before.map((draft) => () => draft) : makes(plan),
  );
  const signed = await signBoards(plan, round, asSigning, envelopes);
  return await write(
    signed,
    await signRecord(plan, keys, statement.messages),
    [...envelopes, statement].flatMap(({ receipts }) => receipts),
  );
}

/** Refuses an existing release that is not what this plan would make with these keys. */
async function refuseOtherRelease(
  { folder, boards }: ReleasePlan,
  existing: ReleaseRecord,
  boardKeys: readonly (readonly SigningKey[])[],
  round: Round,
): Promise<void> {
  for (const [i, { board }] of boards.entries()) {
    const keys = boardKeys[i] as readonly SigningKey[];
    const there = round.before[i] as EnvelopeDraft;
    if (existing.missing.length === 0) round.refuseOnDevices(there, i);
    refuseOtherAlg(folder, board, there, keys);
    await refuseRecordedSigners(folder, existing, board, {
      outline: there.outline,
      signers: round.signers.map((key) => ({ thumbprint: toHex(thumbprint(key)) })),
    });
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

/** Says what a release takes of a one-time key, and refuses it before anything is spent if the key has less. */
function spendLeaves({ name, left: leftOf }: SigningKey, n: number): void {
  const left = leftOf?.();
  if (left === undefined) return;
  const what = `${visible(name)}: this takes ${n} one-time leaves: one for each board, and one for ${RECORD}`;
  if (left < n)
    throw new Failure(
      1,
      "ERR_KEY_EXHAUSTED",
      `${what}; ${left} ${left === 1n ? "is" : "are"} left`,
      "sign with a new key that devices trust",
    );
  notice(what);
}

/** The signatures of the record, which were entered. */
async function signRecord(plan: ReleasePlan, keys: readonly SigningKey[], messages: readonly Uint8Array[]): Promise<RecordSignature[]> {
  const out: RecordSignature[] = [];
  for (const [i, { signer }] of keys.entries())
    out.push(signatureOfRecord(boardNames(plan), signer, await signer.sign(messages[i] as Uint8Array)));
  return out;
}

async function signBoards(
  { product, boards, options }: ReleasePlan,
  round: Round,
  boardKeys: readonly (readonly SigningKey[])[],
  recorded: readonly { draft: EnvelopeDraft; messages: readonly Uint8Array[] }[],
): Promise<EnvelopeDraft[]> {
  const out: EnvelopeDraft[] = [];
  for (const [i, { board }] of boards.entries()) {
    const { draft, messages } = recorded[i] as (typeof recorded)[number];
    const signers = (boardKeys[i] as readonly SigningKey[]).map(({ signer }) => signer);
    const done = await signedWithoutLog(draft, signers, messages);
    await reviewSigned(done, signers, { isCount: product.sequence.source !== "version" });
    if (round.isComplete) round.refuseOnDevices(done, i);
    options.progress?.(board.name, `signed, ${byteWords(done.bytes.length)}`);
    out.push(done);
  }
  return out;
}
