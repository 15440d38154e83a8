// A bridge: the release that moves devices from one trust file to the next. It must be valid under both
// (docs/guides/rotation.md).

import { Failure, type Receipt, type SigningKey } from "@firmseal/keys";
import { notice, usage, warn } from "@firmseal/keys/internal";
import type { EnvelopeDraft, PublicKey } from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { type Identity, type Manifest, open, policyOf } from "@firmseal/verifier";
import { codeOfRefusal, equalBytes, ROLE_RELEASE, toHex } from "@firmseal/verifier/tools";
import { openWithTrialKey, warnBeforeSigning } from "../signing/draft.js";
import { signRecorded } from "../signing/sign-release.js";
import { areReached, familyProgress, progressWords } from "../trust/families.js";
import { countingKeys, type KeyWindow, keysInRole, only } from "../trust/quorum.js";
import type { TrustOnFile } from "../trust/read.js";
import { isRefusal, refusalMeaning } from "../verify/refusals.js";
import { keySet } from "./keys.js";
import type { TrustMove } from "./move.js";
import { planAsIfSigned } from "./plan/as-if-signed.js";
import type { CohortResult } from "./plan/plan.js";

/** Maximum number of signatures in an envelope. */
const MOST_SIGNATURES = 8;

const counting = ({ from, until }: KeyWindow, sequence: bigint) => from <= sequence && sequence <= until;

/** The release keys of a list that count for this number on devices of a kind. */
function signersIn({ store }: TrustOnFile, identity: Identity, sequence: bigint): KeyWindow[] {
  return keysInRole(store, ROLE_RELEASE, identity).filter((h) => counting(h, sequence));
}

/** The signatures that a list still needs. */
export interface NeededSignatures {
  readonly list: TrustOnFile;
  readonly threshold: number;
  /** The release keys that count for this bridge. */
  readonly keys: readonly PublicKey[];
}

function neededBy(list: TrustOnFile, identities: readonly Identity[], sequence: bigint): NeededSignatures {
  const { store } = list;
  const all = identities.flatMap((identity) => countingKeys(store, ROLE_RELEASE, identity, sequence));
  const keys = new Map(all.map((key) => [toHex(key.key), key]));
  return { list, threshold: store.thresholds[ROLE_RELEASE] as number, keys: [...keys.values()] };
}

const lists = ({ old, next }: TrustMove) => (equalBytes(old.store.payload, next.store.payload) ? [next] : [old, next]);

/** Checks that enough of `keys` count for this bridge under each list. */
function checkKeys({ sequence }: EnvelopeDraft, keys: readonly PublicKey[], move: TrustMove, hint: string): void {
  for (const [file, identity] of lists(move).flatMap((list) => move.identities.map((one) => [list, one] as const))) {
    const signing = only(signersIn(file, identity, sequence), keySet(keys)).map(({ key }) => key);
    const n = signing.length;
    const threshold = file.store.thresholds[ROLE_RELEASE] as number;
    const families = familyProgress(file.store, "release", (a) => signing.includes(toHex(a.key)));
    if (n >= threshold && !areReached(families))
      throw new Failure(
        1,
        "ERR_SIGNATURE_FAMILY",
        `a device with ${file.path} would refuse the bridge: of each family of its release keys, there would be ${progressWords(families)}`,
        hint,
      );
    if (n < threshold)
      throw new Failure(
        1,
        "ERR_SIGNATURE_THRESHOLD",
        `a device with ${file.path} would refuse the bridge: ${n} of its release keys would have signed, and it needs ${threshold}`,
        hint,
      );
  }
}

const KEYS_HINT = "give `key` for as many release keys of both trust files as they need; a key counts from its since to its until";
const LEFT_HINT =
  "a key must be in both trust files, or keys of both must sign: firmseal trust show FILE lists the keys, and the numbers that they count for";

/** Opens the bridge as the devices of one trust file do. */
function openUnder(envelope: Uint8Array, { path, store }: TrustOnFile, identity: Identity): void {
  try {
    open(envelope, policyOf(store, ROLE_RELEASE, identity), nodeHost);
  } catch (e) {
    if (!isRefusal(e)) throw e;
    throw new Failure(1, codeOfRefusal(e.code), `a device with ${path} would refuse the bridge: ${refusalMeaning(e.code)}`, KEYS_HINT, {
      cause: e,
    });
  }
}

/** The outcome for the fleet once `keys` have signed, unless it is refused. */
async function judged(
  draft: EnvelopeDraft,
  keys: readonly PublicKey[],
  { fleet, old, before, next, options }: TrustMove,
): Promise<CohortResult[] | undefined> {
  const results = fleet && (await planAsIfSigned(fleet, options.out, draft, keys, [old, ...before, next]));
  if (results) await options.judge?.(results);
  return results;
}

/** A bridge without signatures. */
export interface UnsignedBridge {
  readonly draft: EnvelopeDraft;
  readonly manifest: Manifest;
  /** What each list needs. One entry if both are equal. */
  readonly needed: readonly NeededSignatures[];
  /** The keys whose signatures were assumed. */
  readonly signers: readonly PublicKey[];
  /** The outcome for the fleet; undefined without a fleet. */
  readonly results: readonly CohortResult[] | undefined;
}

/** Keys on both lists first: if an envelope has no room for all keys, these count for both lists. */
function everySigner(needed: readonly NeededSignatures[]): PublicKey[] {
  const all = new Map<string, { key: PublicKey; lists: number }>();
  for (const { keys } of needed) for (const key of keys) all.set(toHex(key.key), { key, lists: (all.get(toHex(key.key))?.lists ?? 0) + 1 });
  return [...all.values()]
    .sort((a, b) => b.lists - a.lists)
    .slice(0, MOST_SIGNATURES)
    .map(({ key }) => key);
}

/**
 * Makes a bridge without signatures, checked as if `signers` had signed it: under both lists, and against the fleet.
 * Needs no key and uses no number. Add its signatures in any order and in different places, with `firmseal sign`, or
 * with `tbs` and `attach`.
 *
 * @param move - From readTrustMove().
 * @param signers - The keys that will sign. Default: every release key of the two lists that counts for it.
 * @returns The draft, and the signatures that each list needs.
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { readTrustMove, unsignedBridge } from "@firmseal/release";
 *
 * const files = { trust: "1.trust", nextTrust: "2.trust", fleet: "fleet.json", out: "bridge.suit" };
 * const move = await readTrustMove("app.bin", { ...files, vendor: "example.com", class: "board-v2", seq: "next" });
 * const { draft, needed } = await unsignedBridge(move);
 * writeFileSync("bridge.suit", draft.bytes);
 * for (const { list, threshold } of needed) console.log(`${list.path}: ${threshold} must sign`);
 * ```
 */
export async function unsignedBridge(move: TrustMove, signers?: readonly PublicKey[]): Promise<UnsignedBridge> {
  const draft = move.prepared.draft(() => {
    if (move.fleet || move.options.board?.least !== undefined) return 0n;
    throw usage(
      "`seq` next: no key is given, so no signing log has the last number",
      "give `fleet`, whose floors have it, or give the number",
    );
  });
  const manifest = await openWithTrialKey(draft);
  const needed = lists(move).map((list) => neededBy(list, move.identities, draft.sequence));
  const keys = signers ?? everySigner(needed);
  checkKeys(draft, keys, move, signers ? "name as many release keys of both trust files as they need: `signer` PUB" : LEFT_HINT);
  const results = await judged(draft, keys, move);
  await warnBeforeSigning(manifest, draft.outline, { isCount: move.options.board?.isCount === true });
  announce(move);
  return { draft, manifest, needed, signers: keys, results };
}

/** A signed bridge. */
export interface SignedBridge {
  /** The envelope, and its manifest as devices open it. */
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  /** One for each key. */
  readonly receipts: Receipt[];
  /** The outcome for the fleet; undefined without a fleet. */
  readonly results: readonly CohortResult[] | undefined;
}

/**
 * Signs a bridge with all keys at once. Everything that can be refused is refused first: a refused bridge uses no
 * number, no log entry and no leaf. Throws as recordSigning() does, SIGNATURE_THRESHOLD, and the Failures of `judge`.
 */
export async function signBridge(move: TrustMove, signingKeys: readonly SigningKey[]): Promise<SignedBridge> {
  const keys = signingKeys.map((key) => key.public);
  let results: readonly CohortResult[] | undefined;
  const { bytes, manifest, receipts } = await signRecorded(
    "rotate bridge",
    signingKeys,
    {
      ...move.options,
      lists: [move.old, ...move.before, move.next],
      isCount: move.options.board?.isCount === true,
      // the floors of the fleet show the last number, and so do the releases of the product
      ...((move.fleet || move.options.board?.least !== undefined) && { first: "known" as const }),
      async judge(made) {
        checkKeys(made, keys, move, KEYS_HINT);
        results = await judged(made, keys, move);
      },
    },
    move.prepared.draft,
  );
  for (const file of lists(move)) for (const identity of move.identities) openUnder(bytes, file, identity);
  announce(move);
  return { bytes, manifest, receipts, results };
}

/** Says what a bridge was made from. */
export function announce({ prepared, image, options }: TrustMove): void {
  if (image === undefined && !options.board)
    warn("the bridge has no image: a device that starts the image of its last envelope then has nothing to start");
  if (prepared.read !== undefined) notice(prepared.read);
}
