// Judges one envelope as if it were signed: everything that refuses it before a log is asked.

import { versionIn } from "@firmseal/behaviour";
import { keyName, type SigningKey } from "@firmseal/keys";
import { refusedInput } from "@firmseal/keys/internal";
import type { EnvelopeDraft, Signable } from "@firmseal/signer";
import type { Manifest } from "@firmseal/verifier";
import type { TrustOnFile } from "../trust/read.js";
import type { RefusalOverrides } from "../verify/payload-check.js";
import { type Approvals, type ApprovalsByLog, checkApprovals, NO_APPROVALS, type UsedApprovals } from "./approval.js";
import type { CoverOptions } from "./coverage.js";
import { refuseUncovered } from "./coverage.js";
import { type NextSequence, openWithTrialKey, requireDevicesOf } from "./draft.js";
import type { Asked } from "./enter-uses.js";
import { logDigest, scopeOf } from "./scope.js";

/** What may refuse an envelope, besides the logs. */
export interface JudgeOptions extends RefusalOverrides, Pick<CoverOptions, "role"> {
  /** The trust files that must permit the keys. */
  lists?: readonly TrustOnFile[];
  /** Who must have approved it. */
  approvals?: Approvals;
  /** What else may refuse the envelope, before anything is entered. `i`: which of several it is. */
  judge?(draft: EnvelopeDraft, i: number): Promise<void>;
  /** The keys as they sign one of several envelopes, if their signatures name other COSE algorithms there. */
  asSigning?(i: number): readonly SigningKey[];
}

class AsksForNext extends Error {}

/** The envelope, unless it requests the next sequence number. Then this program makes it while holding the locks. */
export function withoutNext(make: (next: NextSequence) => EnvelopeDraft): EnvelopeDraft | undefined {
  try {
    return make(() => {
      throw new AsksForNext();
    });
  } catch (e) {
    if (e instanceof AsksForNext) return undefined;
    throw e;
  }
}

/** An envelope that may be signed, and the facts to log about it. */
export interface Judged {
  draft: EnvelopeDraft;
  /** The manifest, opened under a trial key. */
  manifest: Manifest;
  messages: Uint8Array[];
  asked: Asked;
  /** What was overridden of its refusals, as option names. */
  overrides: string[];
  /** Whom the logs of the keys no longer require. */
  removed?: ApprovalsByLog["removed"];
}

/** Throws every refusal of an envelope, except those about its sequence number. */
export async function judged(
  draft: EnvelopeDraft | undefined,
  keys: readonly SigningKey[],
  o: JudgeOptions,
  i: number,
  used: UsedApprovals | undefined,
): Promise<Judged | undefined> {
  if (!draft) return undefined;
  const messages = await toBeSigned(draft, o.asSigning?.(i) ?? keys);
  const m = await openWithTrialKey(draft);
  const overrides = requireDevicesOf(draft, o);
  refuseUncovered(m, keys, o.lists ?? [], o.role);
  const approvers = await checkApprovals(draft, keys, o.approvals ?? NO_APPROVALS, used);
  await o.judge?.(draft, i);
  const version = versionIn(draft.outline);
  const asked = {
    sequence: String(draft.sequence),
    ...(version !== undefined && { version }),
    digest: logDigest(draft),
    scope: scopeOf(m),
    ...(approvers.length > 0 && { approvers }),
  };
  return { draft, manifest: m, messages, asked, overrides };
}

/** The bytes that each key will sign. Throws AlreadySigned if a key has signed, and a Failure if it is given twice. */
export async function toBeSigned(draft: Signable, keys: readonly SigningKey[]): Promise<Uint8Array[]> {
  const names = new Set<string>();
  const messages: Uint8Array[] = [];
  for (const { name, public: key, signer } of keys) {
    if (names.has(keyName(key))) throw refusedInput("ERR_ALREADY_SIGNED", `${name}: this key is given twice`, "name each key once");
    names.add(keyName(key));
    messages.push(await draft.toBeSigned(signer));
  }
  return messages;
}
