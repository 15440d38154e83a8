// What trust sign, tbs and attach have in common.

import { Failure, type Receipt, refuseTestKeys } from "@firmseal/keys";
import { isSameFile, type PassphraseOptions, refusedInput } from "@firmseal/keys/internal";
import type { TrustOnFile } from "@firmseal/release";
import {
  type ApprovalOptions,
  keysOf,
  readApprovals,
  readPreviousTrust,
  readUnverifiedTrust,
  rootProgress,
  showChanges,
  type TrustChange,
  type TrustSigningOptions,
  withFileName,
} from "@firmseal/release/internal";
import { AlreadySigned, NotRoot, type PublicKey } from "@firmseal/signer";
import type { TrustStore } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";
import { deliverOver, refuseChanged, writeSigned } from "../output.js";
import { receiptWords, rootWords } from "../words.js";

/** Adds the names of file and key to a fault. */
export function explainFault(path: string, keys: readonly { name: string; public: PublicKey }[], e: unknown): unknown {
  if (e instanceof AlreadySigned)
    return refusedInput(
      "ERR_ALREADY_SIGNED",
      `${path}: this key has already signed it`,
      "each root signs a trust file once; firmseal trust show lists who has signed",
    );
  if (!(e instanceof NotRoot)) return withFileName(path, e);
  const key = keys.find((k) => Buffer.from(k.public.key).equals(e.key.key));
  return new Failure(
    1,
    "ERR_TRUST_SIGNERS",
    `${key?.name ?? "this key"} is not a root key of ${path}, so its signature would not count`,
    "sign with a root key that the file lists; for a root of the previous file, give --previous-trust FILE",
  );
}

/** What a root is shown before it signs. */
export interface RootReview {
  /** The files of --previous-trust, the newest first. */
  chain: TrustOnFile[];
  before: TrustStore[];
  /** What changes since the newest of them, and since each of them. */
  changes: TrustChange[];
  since: { trust: string; changes: TrustChange[] }[];
}

/** Shows what changes since each previous file. The log of a key says later which of them it has last. */
export function reviewChanges(path: string, store: TrustStore, o: { previousTrust?: string[] }): RootReview {
  const chain = readPreviousTrust(o.previousTrust ?? [], path, store);
  const since = chain.map((one) => ({ trust: one.path, changes: showChanges(path, store, one) }));
  return { chain, before: chain.map((one) => one.store), changes: since[0]?.changes ?? showChanges(path, store, undefined), since };
}

/** Options of the commands that sign a trust file. */
export interface TrustFileOptions extends PassphraseOptions, TrustSigningOptions, ApprovalOptions {
  previousTrust?: string[];
  out?: string;
  allowTestKey?: string[];
  json?: boolean;
}

/** A trust file before a root signs it, with the options of recordTrustSigning(). */
export interface TrustToSign extends RootReview {
  path: string;
  out: string;
  bytes: Uint8Array;
  store: TrustStore;
  signing: TrustFileOptions;
}

/** Reads a trust file, shows what a root is about to sign, and reads the approvals, before any key is opened. */
export async function trustToSign(path: string, o: TrustFileOptions): Promise<TrustToSign> {
  const { bytes, store } = readUnverifiedTrust(path);
  const review = reviewChanges(path, store, o);
  return { path, out: o.out ?? path, bytes, store, ...review, signing: { ...o, approvals: await readApprovals(o) } };
}

/** A published test key does not sign, and no root vouches for one: somebody else may have made the file. */
export function refuseTestKeysOf(keys: readonly PublicKey[], store: TrustStore, o: { allowTestKey?: string[] }): void {
  refuseTestKeys([...keys, ...keysOf(store)], o.allowTestKey ?? []);
}

/** Writes a signed trust file, and gives the facts of it. */
export async function writeSignedTrust(
  { path, out, chain, changes, since, bytes: read }: Pick<TrustToSign, "path" | "out" | "chain" | "changes" | "since" | "bytes">,
  bytes: Uint8Array,
  o: { json?: boolean },
  log: readonly Receipt[],
) {
  const { store } = readUnverifiedTrust(path);
  const judge = () => {
    // another root may have signed it meanwhile
    if (isSameFile(path, out)) refuseChanged(path, read);
  };
  const roots = rootProgress(bytes, store);
  const previous = chain.map((one, i) => ({ ...since[i], trust: one.path, ...rootProgress(bytes, one.store) }));
  const rootsBefore = chain[0] ? rootProgress(bytes, chain[0].store) : null;
  return {
    out,
    bytes: bytes.length,
    roots,
    rootsBefore,
    previous,
    changes,
    log,
    ...(await writeSigned(formatSequence(store.sequence), () => deliverOver(out, bytes, o.json, judge))),
  };
}

export function signedTrustWords({ out, roots, previous, log }: Awaited<ReturnType<typeof writeSignedTrust>>): string[] {
  const [newest, ...older] = previous;
  return [
    `${out}: signed by ${rootWords(roots)}${newest ? `, and by ${rootWords(newest)} of the previous file` : ""}`,
    ...older.map((one) => `for devices with ${one.trust}: signed by ${rootWords(one)}`),
    ...receiptWords(log),
  ];
}
