// What trust sign, tbs and attach have in common.

import { Failure, type Receipt, refusedInput, refuseTestKeys } from "@firmseal/keys";
import { about, type Change, keysOf, readChain, rootProgress, showChanges, type TrustOnFile, trustAt } from "@firmseal/release";
import { AlreadySigned, NotRoot, type PublicKey } from "@firmseal/signer";
import { errors, type TrustStore } from "@firmseal/verifier";
import { deliver } from "./output.js";
import { many, receiptWords } from "./words.js";

/** Adds the names of file and key to a fault. */
export function named(path: string, keys: readonly { name: string; public: PublicKey }[], e: unknown): unknown {
  if (e instanceof AlreadySigned)
    return refusedInput(
      "ALREADY_SIGNED",
      `${path}: this key has signed it already`,
      "each root signs a trust file once; firmseal trust show lists who has signed",
    );
  if (!(e instanceof NotRoot)) return about(path, e);
  const key = keys.find((k) => Buffer.from(k.public.key).equals(e.key.key));
  return new Failure(
    1,
    "TRUST_SIGNERS",
    errors.TRUST_SIGNERS,
    `${key?.name ?? "this key"}: is not a root key of ${path}, so its signature would not count`,
    "sign with a root key that the file lists; for a root of the previous file, give --previous-trust FILE",
  );
}

/** What a root is shown before it signs. */
export interface Shown {
  /** The files of --previous-trust, the newest first. */
  chain: TrustOnFile[];
  before: TrustStore[];
  changes: Change[];
}

export function showBefore(path: string, store: TrustStore, o: { previousTrust?: string[] }): Shown {
  const chain = readChain(o.previousTrust ?? [], path, store);
  return { chain, before: chain.map((one) => one.store), changes: showChanges(path, store, chain[0]) };
}

/** A published test key does not sign, and no root vouches for one: somebody else may have made the file. */
export function refuseTestKeysOf(keys: readonly PublicKey[], store: TrustStore, o: { allowTestKey?: string[] }): void {
  refuseTestKeys([...keys, ...keysOf(store)], o.allowTestKey ?? []);
}

/** Writes a signed trust file, and gives the facts of it. */
export function signed(
  path: string,
  out: string,
  bytes: Uint8Array,
  { chain, changes }: Shown,
  o: { json?: boolean },
  log: readonly Receipt[],
) {
  const roots = rootProgress(bytes, trustAt(path).store);
  const previous = chain.map((one) => ({ trust: one.path, ...rootProgress(bytes, one.store) }));
  const rootsBefore = chain[0] ? rootProgress(bytes, chain[0].store) : null;
  return {
    out,
    bytes: bytes.length,
    roots,
    rootsBefore,
    previous,
    changes,
    log,
    ...deliver(out, bytes, o.json),
  };
}

export function signedWords({ out, roots, previous, log }: ReturnType<typeof signed>): string[] {
  const of = ({ signed, needed }: { signed: number; needed: number }) => `${many(signed, "root")} (needed: ${needed})`;
  const [newest, ...older] = previous;
  return [
    `${out}: signed by ${of(roots)}${newest ? `, and by ${of(newest)} of the previous file` : ""}`,
    ...older.map((one) => `for devices with ${one.trust}: signed by ${of(one)}`),
    ...receiptWords(log),
  ];
}
