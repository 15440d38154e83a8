// Approvals: a second person's signature over what a key will sign. --approver asks for it; from then on the log of the
// key does.

import { type Entry, type Failure, keyName, type OpenedKey, publicKeys } from "@firmseal/keys";
import {
  missingApprover,
  type NeededApprovers,
  neededApprovers,
  readAll,
  refusedInput,
  usage,
  visible,
  warn,
} from "@firmseal/keys/internal";
import { type Approvable, ApprovalError, checkApproval, isSamePerson, type PublicKey } from "@firmseal/signer";
import { toHex } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";

/** --approver, --approval, --remove-approver and --allow-no-approval of a command that signs. */
export interface ApprovalOptions {
  /** Public keys of those who must have approved. */
  approver?: readonly string[];
  /** Files of `firmseal approve`, one for each person who must approve, in any order. */
  approval?: readonly string[];
  /**
   * Whose approval the logs of the keys no longer require, from this signature on: thumbprints of public keys, at least
   * their first 16 hex digits.
   */
  removeApprover?: readonly string[];
  /** Sign this one although the log of a key requires an approval that is missing. */
  allowNoApproval?: boolean;
}

/** A file of `firmseal approve`. */
export interface ApprovalFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The approvals of what was checked so far. */
export type UsedApprovals = Set<ApprovalFile>;

/** People of whom some must have approved a release. */
export interface RequiredApprovals {
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
}

/** What was asked for, read before a key is used. */
export interface Approvals {
  readonly keys: readonly PublicKey[];
  readonly files: readonly ApprovalFile[];
  readonly removed: readonly string[];
  readonly allowed: boolean;
  /** Whose approval the product file requires. */
  readonly required?: RequiredApprovals;
  /** The release of several envelopes: one who has approved it has approved each of them. */
  readonly whole?: Approvable;
  /** Thumbprints of those who have approved it as the product file requires. */
  readonly granted?: readonly string[];
}

/** Nobody must have approved it. */
export const NO_APPROVALS: Approvals = { keys: [], files: [], removed: [], allowed: false };

/**
 * Reads the public keys of the approvers, and their approvals. `required`: whose approval the product file requires.
 * Throws a usage Failure for approvals without a key, and the errors of files and keys.
 */
export async function readApprovals(o: ApprovalOptions, required?: RequiredApprovals): Promise<Approvals> {
  if (o.approval && !(o.approver || required))
    throw usage("`approval`: `approver` is missing", "name the person's public key: `approver` PUB");
  const keys = o.approver ? await publicKeys(o.approver, []) : [];
  const files = (o.approval ?? []).map((path) => ({ path, bytes: readAll(path, LIMITS.signatureFile) }));
  const removed = (o.removeApprover ?? []).map((name) => name.toLowerCase());
  const other = removed.find((name) => !/^[0-9a-f]{16,64}$/.test(name));
  if (other !== undefined)
    throw usage(
      `\`removeApprover\`: ${visible(JSON.stringify(other.slice(0, 64)))} is not a thumbprint`,
      "give at least 16 hex digits of it: the refusal of a signature without this approval names them",
    );
  return { keys, files, removed, allowed: o.allowNoApproval === true, ...(required && { required }) };
}

const WORDS = {
  form: "is not an approval",
  other: "approves something else",
  signature: "is not signed by an approver that `approver` names",
} as const;

/** The Failure for a file that is not the approval that it should be. */
export function wrongApproval(
  path: string,
  fault: ApprovalError["fault"],
  hint = "have this file approved: firmseal approve FILE --key APPROVER",
  words: { readonly [fault in ApprovalError["fault"]]: string } = WORDS,
): Failure {
  return refusedInput("ERR_APPROVAL", `${visible(path)} ${words[fault]}`, hint);
}

/** Returns which approver has approved one of `what` with this file, or what is wrong with it. */
export async function approverOf(
  { bytes }: ApprovalFile,
  what: readonly Approvable[],
  keys: readonly PublicKey[],
): Promise<PublicKey | ApprovalError["fault"]> {
  let fault: ApprovalError["fault"] = keys.length > 0 ? "other" : "signature";
  for (const one of what)
    for (const key of keys)
      try {
        await checkApproval(bytes, one, key);
        return key;
      } catch (e) {
        if (!(e instanceof ApprovalError)) throw e;
        if (e.fault !== "other") fault = e.fault;
      }
  return fault;
}

/** The Failure for an approver who signs too. */
export const selfApproved = (hint: string): Failure =>
  refusedInput("ERR_APPROVAL", "an approver also signs, so no other person has checked it", hint);

/** Refuses one person who is named twice. `hint`: where each is named once. */
export function refuseSamePerson(keys: readonly PublicKey[], hint: string): void {
  const twice = keys.find((key, i) => keys.slice(0, i).some((other) => isSamePerson(other, key)));
  if (twice) throw refusedInput("ERR_APPROVAL", `two of the approvers are one person: ${keyName(twice).slice(0, 16)}…`, hint);
}

/**
 * Checks that every approver has approved, and that none of them signs. Returns their thumbprints, for the log. Throws
 * a Failure: APPROVAL. `used`: of several files that are signed together, takes the approvals of this one;
 * refuseUnused() refuses those of none.
 */
export async function checkApprovals(
  what: Approvable,
  signers: readonly OpenedKey[],
  { keys, files, whole, required, granted = [] }: Approvals,
  used?: UsedApprovals,
): Promise<string[]> {
  for (const key of keys)
    if (signers.some((signer) => isSamePerson(signer.public, key))) throw selfApproved("name another person's key: `approver` PUB");
  refuseSamePerson(keys, "name each person once: `approver` PUB");
  const given = new Set<string>();
  for (const file of files) {
    const by = await approverOf(file, whole ? [what, whole] : [what], keys);
    if (by === "other" && used) continue;
    if (typeof by === "string") throw wrongApproval(file.path, by);
    given.add(keyName(by));
    used?.add(file);
  }
  const missing = keys.find((key) => !given.has(keyName(key)));
  // of several, the one that firmseal approve named so
  const over = used ? ` of manifest ${toHex(Uint8Array.from(what.digest.bytes)).slice(0, 16)}…` : "";
  if (missing)
    throw refusedInput(
      "ERR_APPROVAL",
      `the approval of ${keyName(missing).slice(0, 16)}…${over} is missing`,
      "give it: `approval` FILE; the approver makes it with firmseal approve",
    );
  // of several people of whom some must approve, the log can require nobody
  const all = required && required.threshold === required.keys.length ? granted : [];
  return [...new Set([...keys.map(keyName), ...all])];
}

/** Refuses an approval of something that is not signed now. Throws a Failure: APPROVAL. */
export function refuseUnused({ files }: Approvals, used: UsedApprovals): void {
  const unused = files.find((file) => !used.has(file));
  if (unused) throw wrongApproval(unused.path, "other");
}

/** Warns where nothing is entered, so that a log still requires whom the caller wants to remove. */
export function warnOfNoEntry(approvals: Approvals | undefined): void {
  if (approvals?.removed[0] !== undefined) warn("nothing is entered, so `removeApprover` removes nobody");
}

/** What the logs say about approvals. */
export interface ApprovalsByLog {
  /** The overrides that were needed, as option names. */
  readonly overrides: readonly string[];
  /** Whom the log of each key requires no longer, by the name of the key: it had named them. */
  readonly removed: ReadonlyMap<string, readonly string[]>;
}

/**
 * Refuses keys that sign without an approver whom one of their logs requires. The logs decide, not the signer, who
 * could name another key. `entries`: of all logs. Throws a Failure: APPROVAL.
 */
export function approvalsByLog(entries: readonly Entry[], signers: readonly OpenedKey[], approvals: Approvals): ApprovalsByLog {
  const all = new Map(signers.map(({ public: key }) => [keyName(key), neededApprovers(entries, keyName(key))]));
  const gone = new Set(approvals.removed.map((name) => removedBy(name, [...all.values()])));
  const approvers = [...approvals.keys.map(keyName), ...(approvals.granted ?? [])];
  for (const approver of approvers)
    if (gone.has(approver))
      throw usage(`${approver.slice(0, 16)}… is to approve this, and to be removed`, "drop `approver` or `removeApprover`");
  const removed = new Map<string, readonly string[]>();
  let isMissing = false;
  for (const [key, needed] of all) {
    const own = [...gone].filter((name) => needed.has(name));
    if (own.length > 0) removed.set(key, own);
    const missing = missingApprover(needed, [...approvers, ...gone]);
    if (!missing) continue;
    isMissing = true;
    if (approvals.allowed) continue;
    throw refusedInput(
      "ERR_APPROVAL",
      `this key signs with the approval of ${missing.approver.slice(0, 16)}… (entry ${missing.required.n} of its log)`,
      approvals === NO_APPROVALS
        ? "make the file unsigned, have it approved, then sign it: firmseal approve FILE, firmseal sign FILE"
        : "give `approver` PUB and `approval` FILE, or allow this signature without it: `allowNoApproval`, or end the need for this person: `removeApprover`",
    );
  }
  return { overrides: isMissing ? ["allow-no-approval"] : [], removed };
}

/** The one approver that logs require whose thumbprint begins so. Throws a Failure: APPROVAL. */
function removedBy(begin: string, all: readonly NeededApprovers[]): string {
  const [found, other] = new Set(all.flatMap((needed) => [...needed.keys()].filter((name) => name.startsWith(begin))));
  if (found === undefined)
    throw refusedInput(
      "ERR_APPROVAL",
      `no log of these keys requires the approval of ${begin.slice(0, 16)}…, so it cannot be removed`,
      "drop `removeApprover`: this person is not required, or was removed before",
    );
  if (other !== undefined)
    throw refusedInput("ERR_APPROVAL", `two approvers begin with ${begin.slice(0, 16)}…`, "give more digits: `removeApprover`");
  return found;
}
