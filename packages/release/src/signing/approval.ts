// Approvals: a second person's signature over what a key will sign. --approver asks for it; from then on the log of the
// key does.

import { type Entry, keyName, type OpenedKey, publicKeys } from "@firmseal/keys";
import { missingApprover, readAll, refusedInput, usage } from "@firmseal/keys/internal";
import { ApprovalError, checkApproval, isSamePerson, type PublicKey, type Signable } from "@firmseal/signer";
import { LIMITS } from "../input/limits.js";

/** --approver, --approval and --allow-no-approval of a command that signs. */
export interface ApprovalOptions {
  /** Public keys of those who must have approved. */
  approver?: readonly string[];
  /** Files of `firmseal approve`, one for each approver, in any order. */
  approval?: readonly string[];
  /** Sign although the key has asked for approvals before. */
  allowNoApproval?: boolean;
}

/** What was asked for, read before a key is used. */
export interface Approvals {
  readonly keys: readonly PublicKey[];
  readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  readonly allowed: boolean;
}

/** Nobody must have approved it. */
export const NO_APPROVALS: Approvals = { keys: [], files: [], allowed: false };

/**
 * Reads the public keys of the approvers, and their approvals. Throws a usage Failure for approvals without a key, and
 * the errors of files and keys.
 */
export async function readApprovals(o: ApprovalOptions): Promise<Approvals> {
  if (o.approval && !o.approver) throw usage("`approval`: `approver` is missing", "name the person's public key: `approver` PUB");
  const keys = o.approver ? await publicKeys(o.approver, []) : [];
  const files = (o.approval ?? []).map((path) => ({ path, bytes: readAll(path, LIMITS.signatureFile) }));
  return { keys, files, allowed: o.allowNoApproval === true };
}

const WORDS = {
  form: "is not an approval",
  other: "approves something else",
  signature: "is not signed by an approver that `approver` names",
} as const;

function wrong(path: string, fault: ApprovalError["fault"]) {
  return refusedInput("ERR_APPROVAL", `${path} ${WORDS[fault]}`, "have this file approved: firmseal approve FILE --key APPROVER");
}

/** Which approver made this approval. Throws a Failure: APPROVAL. */
async function approverOf(
  { path, bytes }: Approvals["files"][number],
  what: Pick<Signable, "kind" | "digest">,
  keys: readonly PublicKey[],
) {
  let fault: ApprovalError["fault"] = "signature";
  for (const key of keys)
    try {
      await checkApproval(bytes, what, key);
      return key;
    } catch (e) {
      if (!(e instanceof ApprovalError)) throw e;
      fault = e.fault;
    }
  throw wrong(path, fault);
}

/**
 * Checks that every approver has approved, and that none of them signs. Returns their thumbprints, for the log. Throws
 * a Failure: APPROVAL.
 */
export async function checkApprovals(
  what: Pick<Signable, "kind" | "digest">,
  signers: readonly OpenedKey[],
  { keys, files }: Approvals,
): Promise<string[]> {
  for (const key of keys)
    if (signers.some((signer) => isSamePerson(signer.public, key)))
      throw refusedInput(
        "ERR_APPROVAL",
        "an approver also signs, so no other person has checked it",
        "name another person's key: `approver` PUB",
      );
  const twice = keys.find((key, i) => keys.slice(0, i).some((other) => isSamePerson(other, key)));
  if (twice)
    throw refusedInput(
      "ERR_APPROVAL",
      `two of the approvers are one person: ${keyName(twice).slice(0, 16)}…`,
      "name each person once: `approver` PUB",
    );
  const given = new Set<string>();
  for (const file of files) given.add(keyName(await approverOf(file, what, keys)));
  const missing = keys.find((key) => !given.has(keyName(key)));
  if (missing)
    throw refusedInput(
      "ERR_APPROVAL",
      `the approval of ${keyName(missing).slice(0, 16)}… is missing`,
      "give it: `approval` FILE; the approver makes it with firmseal approve",
    );
  return keys.map(keyName);
}

/**
 * The override that lets keys sign without an approver whom one of their logs requires; none if nobody is left out. The
 * logs decide, not the signer, who could name another key. `entries`: of all logs.
 */
export function withoutApproval(entries: readonly Entry[], signers: readonly OpenedKey[], approvals: Approvals): string[] {
  const given = approvals.keys.map(keyName);
  for (const { public: key } of signers) {
    const missing = missingApprover(entries, keyName(key), given);
    if (!missing) continue;
    if (approvals.allowed) return ["allow-no-approval"];
    throw refusedInput(
      "ERR_APPROVAL",
      `this key signs with the approval of ${missing.approver.slice(0, 16)}… (entry ${missing.required.n} of its log)`,
      approvals === NO_APPROVALS
        ? "make the file unsigned, have it approved, then sign it: firmseal approve FILE, firmseal sign FILE"
        : "give `approver` PUB and `approval` FILE, or allow it: `allowNoApproval`",
    );
  }
  return [];
}
