// Who must have approved a release before it is signed: those whom the product file names. One approval is for all
// boards. It is a file beside the folder, so the folder stays as it was approved, and only the file has to travel back.

import { basename, join, resolve } from "node:path";
import { keyFacts, keyName } from "@firmseal/keys";
import { readIfThere, refusedInput, sha256Hex, shellWord, visible, warn } from "@firmseal/keys/internal";
import { type Approvable, isSamePerson, type PublicKey } from "@firmseal/signer";
import { HASH_SHA_256 } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { productOption } from "../product/file/file-name.js";
import { type ApprovalFile, type Approvals, approverOf, type RequiredApprovals, selfApproved, wrongApproval } from "../signing/approval.js";
import { type ApprovalProgress, approvalWords } from "../signing/approved.js";
import { logDigest } from "../signing/scope.js";
import { productApprovals } from "./board/approvers.js";
import { numberIn, type ReleasePlan } from "./plan.js";

const progressIn = ({ keys, threshold }: RequiredApprovals, approvers: readonly PublicKey[]): ApprovalProgress => ({
  complete: approvers.length >= threshold,
  needed: threshold,
  approvers: approvers.map(keyFacts),
  others: keys.filter((key) => !approvers.includes(key)).map(keyFacts),
});

/**
 * Returns what people approve of a release: the product, its number, and the manifest of each board. Undefined if the
 * log of a key will give the number. It is not the statement of the record that signers sign: that also has the names
 * of files, and exists only with a folder, while an approval may come before the folder is there.
 */
export function wholeOf(plan: ReleasePlan): Approvable | undefined {
  const { product, version, options, boards } = plan;
  const number = numberIn(plan);
  if (number === undefined) return undefined;
  const manifests = boards.map(({ board, draft }) => [board.name, logDigest(draft(number))] as const);
  const sorted = manifests.toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([product.vendor, product.name, version, options.role ?? "release", String(number), sorted]);
  return { kind: "release", digest: { alg: HASH_SHA_256, bytes: Buffer.from(sha256Hex(Buffer.from(text)), "hex") } };
}

/** The file with the approval of a person: beside the folder. */
export const approvalPath = (folder: string, key: PublicKey): string =>
  join(folder, "..", `${basename(resolve(folder))}.${keyName(key).slice(0, 16)}.approval`);

const hintOf = ({ folder, product }: ReleasePlan, who = "have it approved") =>
  `${who}: firmseal approve ${shellWord(visible(folder))}${productOption(product.path)} --key APPROVER`;

const WORDS = {
  form: "is not an approval",
  other: "approves a different release",
  signature: "is not signed by a person whom [approval] of the product file names",
} as const;

/** The approvals of those whom the product file names. */
interface Found {
  readonly approvers: readonly PublicKey[];
  /** Files that are for `approver`. */
  readonly rest: readonly ApprovalFile[];
  /** What is wrong with a file beside the folder. */
  readonly fault?: ReturnType<typeof wrongApproval>;
}

/** Finds the approvals, in the files that are given and beside the folder. Refuses a wrong one that is given. */
async function foundApprovals(plan: ReleasePlan, whole: Approvable, { keys, files, required }: Approvals): Promise<Found> {
  const people = required?.keys ?? [];
  const found = new Map<string, PublicKey>();
  const rest: ApprovalFile[] = [];
  let fault: Found["fault"];
  for (const file of files) {
    const by = await approverOf(file, [whole], people);
    if (typeof by !== "string") found.set(keyName(by), by);
    else if (keys.length === 0) throw wrongApproval(file.path, by, hintOf(plan), WORDS);
    // a person whom both name has approved for both
    if (typeof by === "string" || keys.some((key) => isSamePerson(key, by))) rest.push(file);
  }
  for (const key of people) {
    const path = approvalPath(plan.folder, key);
    const bytes = found.has(keyName(key)) ? undefined : readIfThere(path, LIMITS.signatureFile);
    if (!bytes) continue;
    const by = await approverOf({ path, bytes }, [whole], people);
    if (typeof by !== "string") found.set(keyName(by), by);
    else fault ??= wrongApproval(path, by, hintOf(plan), WORDS);
  }
  return { approvers: people.filter((key) => found.has(keyName(key))), rest, ...(fault && { fault }) };
}

/** The approvals of a plan: one that is only shown has not read them. */
export const approvalsOf = async (plan: ReleasePlan): Promise<Approvals> =>
  plan.approvals ?? (await productApprovals(plan.product, plan.options));

/** Says who has approved a release. Returns undefined if the product file requires nobody. */
export async function approvalProgress(plan: ReleasePlan): Promise<ApprovalProgress | undefined> {
  const approvals = await approvalsOf(plan);
  const whole = wholeOf(plan);
  const { required } = approvals;
  if (!required || !whole) return undefined;
  const { approvers, fault } = await foundApprovals(plan, whole, approvals);
  if (fault) warn(fault.message);
  return progressIn(required, approvers);
}

/**
 * Refuses a release that not enough people have approved, of those whom the product file names. `signers`: who signs
 * it, now or before: their own approvals do not count. Returns the approvals for checkApprovals(). Throws a Failure:
 * APPROVAL.
 */
export async function refuseUnapproved(plan: ReleasePlan, signers: readonly PublicKey[]): Promise<Approvals> {
  const approvals = await approvalsOf(plan);
  const whole = wholeOf(plan);
  const { required } = approvals;
  if (!whole) return approvals;
  if (!required) return { ...approvals, whole };
  const { approvers, rest, fault } = await foundApprovals(plan, whole, approvals);
  if (approvers.length < required.threshold) {
    if (fault) throw fault;
    throw refusedInput("ERR_APPROVAL", `${plan.folder}: ${approvalWords(progressIn(required, approvers))}`, hintOf(plan));
  }
  const counted = approvers.filter((key) => !signers.some((signer) => isSamePerson(signer, key)));
  if (counted.length < required.threshold) throw selfApproved(hintOf(plan, "another person must approve it"));
  return { ...approvals, files: rest, whole, granted: counted.map(keyName) };
}

/** Whether a release that nobody has asked to sign with a key waits for approvals. Throws as refuseUnapproved(). */
export async function isUnapproved(plan: ReleasePlan): Promise<boolean> {
  const approvals = await approvalsOf(plan);
  const whole = wholeOf(plan);
  if (!approvals.required || !whole) return false;
  if (!plan.isRound && !plan.options.keys)
    return (await foundApprovals(plan, whole, approvals)).approvers.length < approvals.required.threshold;
  await refuseUnapproved(plan, []);
  return false;
}
