// Authorizes one use of keys on envelopes: first everything that can be refused is refused, then the use is logged, and
// only then a key may sign. authorize-trust.ts does the same for trust files.

import {
  type ClockOverride,
  checkSequence,
  type FirstNumber,
  nextSequence,
  type Receipt,
  type SequenceOverrides,
  type SigningKey,
  type SigningLogs,
  withSigningLogs,
} from "@firmseal/keys";
import { decides, logsFor, SIGN_RECORD, sha256Hex } from "@firmseal/keys/internal";
import { type EnvelopeDraft, recordMessage } from "@firmseal/signer";
import { approvalsByLog, NO_APPROVALS, refuseUnused, type UsedApprovals } from "./approval.js";
import { type CoverOptions, refuseMovedKeys, refuseRootKeys } from "./coverage.js";
import type { NextSequence } from "./draft.js";
import { enterUses, overridden } from "./enter-uses.js";
import { type Judged, type JudgeOptions, judged, withoutNext } from "./judge-draft.js";

export interface SigningOptions extends JudgeOptions, SequenceOverrides, ClockOverride, FirstNumber, Pick<CoverOptions, "allowRootKey"> {
  /** The log of the keys, if it is elsewhere. */
  log?: string;
  /** Ends the wait for the logs. Refuses what it finds aborted before anything is entered. */
  signal?: AbortSignal | undefined;
  /** The last check, when everything else has been granted and nothing has been entered. */
  admit?(draft: EnvelopeDraft): void | Promise<void>;
  /**
   * What takes long, and may refuse too. It runs when everything else has been granted, without the locks of the logs.
   * Then all that others can have changed is checked once more.
   */
  lengthy?(): Promise<void>;
  /** The same use of a key again has no entry of its own: jobs are repeated. */
  once?: boolean;
  /**
   * The statement about several envelopes as a whole that the keys sign too. `drafts`: those envelopes. `logs`: what
   * each log says.
   */
  statement?(drafts: readonly EnvelopeDraft[], logs: SigningLogs["logs"]): Promise<ReleaseStatement>;
}

/** The operation that makes all boards of a release, and signs its record. */
export const RELEASE = "release";

/** What a release says about itself as a whole. */
export interface ReleaseStatement {
  readonly bytes: Uint8Array;
  readonly version: string;
}

export interface RecordedSigning {
  draft: EnvelopeDraft;
  /** The bytes that each key signs: their hash is in its log. */
  messages: Uint8Array[];
  /** One for each key. */
  receipts: Receipt[];
}

/**
 * Makes the envelope, which may request the next sequence number for a kind of device, checks it as if it were already
 * signed, and logs the use of each key. The number is chosen while the logs are locked, so that no two releases get the
 * same one. Throws the refusals of open(), of the payloads and of the logs, AlreadySigned, and a Failure if a log
 * cannot be written. In all of these cases, nothing is signed.
 */
export async function recordSigning(
  operation: string,
  keys: readonly SigningKey[],
  o: SigningOptions,
  make: (next: NextSequence) => EnvelopeDraft,
): Promise<RecordedSigning> {
  return (await recordSignings(operation, keys, o, [make])).envelopes[0] as RecordedSigning;
}

/** Signatures on several envelopes, and on the statement about them. */
export interface RecordedSignings {
  envelopes: RecordedSigning[];
  /** One for each key. Empty without a statement. */
  statement: Pick<RecordedSigning, "messages" | "receipts">;
}

/** Like `recordSigning()`, for several envelopes: all of them are checked before one of them is logged. */
export async function recordSignings(
  operation: string,
  keys: readonly SigningKey[],
  o: SigningOptions,
  makes: readonly ((next: NextSequence) => EnvelopeDraft)[],
): Promise<RecordedSignings> {
  // holding the locks blocks all other uses of the keys, so external input is checked before
  const given: (Judged | undefined)[] = [];
  // of several envelopes, each has approvals of its own
  const used: UsedApprovals | undefined = makes.length > 1 ? new Set() : undefined;
  for (const [i, make] of makes.entries()) given.push(await judged(withoutNext(make), keys, o, i, used));
  if (o.lengthy) {
    await withSigningLogs(keys, o.log, (opened) => permitted(opened, keys, o, makes, given, used), o);
    await o.lengthy();
  }
  const record = async (opened: SigningLogs) => {
    const signingLogs: Pick<SigningLogs, "record" | "refuseOther"> = o.once
      ? { refuseOther: opened.refuseOther, record: (key, use) => opened.entered(key, use) ?? opened.record(key, use) }
      : opened;
    const envelopes: RecordedSigning[] = [];
    const granted = await permitted(opened, keys, o, makes, given, used);
    const drafts = granted.map(({ draft }) => draft);
    const said = o.statement && (await o.statement(drafts, opened.logs));
    o.signal?.throwIfAborted();
    for (const { draft, messages, asked, overrides, removed } of granted)
      envelopes.push({
        draft,
        messages,
        receipts: await enterUses(signingLogs, operation, keys, messages, overridden(asked, overrides), removed),
      });
    const messages = said ? keys.map(({ signer }) => recordMessage(said.bytes, signer)) : [];
    const receipts = said
      ? await enterUses(signingLogs, SIGN_RECORD, keys, messages, { digest: `sha-256:${sha256Hex(said.bytes)}`, version: said.version })
      : [];
    return { envelopes, statement: { messages, receipts } };
  };
  return await withSigningLogs(keys, o.log, record, o);
}

/** The envelopes that the logs permit, and the overrides that this takes. Throws the refusals of the logs. */
async function permitted(
  opened: SigningLogs,
  keys: readonly SigningKey[],
  o: SigningOptions,
  makes: readonly ((next: NextSequence) => EnvelopeDraft)[],
  given: readonly (Judged | undefined)[],
  used: UsedApprovals | undefined,
): Promise<Judged[]> {
  const known = opened.deciding.flat();
  refuseMovedKeys(keys, known);
  const out: Judged[] = [];
  const approvals = approvalsByLog(known, keys, o.approvals ?? NO_APPROVALS);
  for (const [i, make] of makes.entries()) {
    const next: NextSequence = (scope, again) => again?.(opened.logs.flat()) ?? nextSequence(opened.deciding, scope, o);
    const one = (given[i] ?? (await judged(make(next), keys, o, i, used))) as Judged;
    const overrides = [
      ...one.overrides,
      ...refuseRootKeys(keys, known, o),
      ...approvals.overrides,
      ...checkSequence(
        logsFor(keys, opened, (log) => decides(log, one.asked)),
        { ...one.asked, sequence: BigInt(one.asked.sequence) },
        o,
      ),
    ];
    await o.admit?.(one.draft);
    // once for all of them
    out.push({ ...one, overrides, ...(i === 0 && { removed: approvals.removed }) });
  }
  if (used) refuseUnused(o.approvals ?? NO_APPROVALS, used);
  return out;
}
