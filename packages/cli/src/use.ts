// One use of keys on an envelope or a trust file: all that can be refused is refused first, then the use is entered in the logs, then a key may sign.

import { AlreadySigned, readTrust, tbs, toHex, trustToBeSigned } from "@firmseal/signer";
import type { Manifest, TrustStore } from "@firmseal/verifier";
import { HASHES } from "@firmseal/verifier/names";
import { decimal } from "@firmseal/verifier/number";
import { sha256Hex } from "./digest.js";
import type { SigningKey } from "./keys/kind.js";
import { type Ledgers, nameOf, type Receipt, withLedgers } from "./ledger.js";
import { type NextSequence, rehearse } from "./prepare.js";
import { checkSequence, nextSequence, type SequenceOverrides, scopeOf } from "./sequence.js";
import { warn } from "./ui.js";

export interface UseOptions extends SequenceOverrides {
  /** Another place for the log of the keys. */
  log?: string;
}

export interface Entered {
  envelope: Uint8Array;
  /** One for each key. */
  receipts: Receipt[];
}

/** The digest of a manifest, as the logs have it. */
export function digestOf(m: { digest: Manifest["digest"] }): string {
  return `${HASHES[m.digest.alg]}:${toHex(Uint8Array.from(m.digest.bytes))}`;
}

/**
 * Makes the envelope, which may ask for the next sequence number of a kind of device, checks it as if it were signed already, and enters
 * the use of each key. The number is chosen alone with the logs, so that no two get the same one. Throws the refusals of open(), of the
 * payloads and of the logs, AlreadySigned, and Failures where a log cannot be written; nothing was signed then.
 */
export async function enterUse(
  operation: string,
  keys: readonly SigningKey[],
  o: UseOptions,
  make: (next: NextSequence) => Uint8Array,
): Promise<Entered> {
  // whoever holds the locks keeps every other job of the keys waiting, so what comes from outside is judged before
  const given = await judged(withoutNext(make), keys);
  return await withLedgers(keys, o.log, async (ledgers) => {
    const use =
      given ??
      (await judged(
        make((scope) => nextSequence(ledgers.logs, scope)),
        keys,
      ));
    const { envelope, messages, sequence, digest, scope } = use as Judged;
    const overrides = checkSequence(ledgers.logs.flat(), { sequence: BigInt(sequence), digest, scope }, o);
    for (const override of overrides) warn(`sequence number ${sequence} is signed because of --${override}`);
    const told = { digest, sequence, scope, ...(overrides.length > 0 && { overrides }) };
    return { envelope, receipts: record(ledgers, operation, keys, messages, told) };
  });
}

class AsksForNext extends Error {}

/** The envelope, unless it asks for the next sequence number: then it is one that this program makes, and it is made under the locks. */
function withoutNext(make: (next: NextSequence) => Uint8Array): Uint8Array | undefined {
  try {
    return make(() => {
      throw new AsksForNext();
    });
  } catch (e) {
    if (e instanceof AsksForNext) return undefined;
    throw e;
  }
}

/** An envelope that may be signed, and what is entered of it. */
interface Judged {
  envelope: Uint8Array;
  messages: Uint8Array[];
  sequence: string;
  digest: string;
  scope: string[];
}

/** Throws everything that an envelope can be refused for, but for its sequence number. */
async function judged(envelope: Uint8Array | undefined, keys: readonly SigningKey[]): Promise<Judged | undefined> {
  if (!envelope) return undefined;
  const messages = await toBeSigned(envelope, keys);
  const m = await rehearse(envelope);
  return { envelope, messages, sequence: decimal(m.sequence), digest: digestOf(m), scope: scopeOf(m) };
}

function record(
  ledgers: Ledgers,
  operation: string,
  keys: readonly SigningKey[],
  messages: readonly Uint8Array[],
  told: { digest: string; sequence: string; scope?: string[]; overrides?: string[] },
): Receipt[] {
  const receipts: Receipt[] = [];
  for (const [i, key] of keys.entries()) {
    const signed = sha256Hex(messages[i] as Uint8Array);
    receipts.push(ledgers.record(key, { operation, tbs: signed, ...told }));
  }
  return receipts;
}

/**
 * The same for a trust file: enters that each key is to sign it. `before`: for each key the trust file before, whose roots may sign as well.
 * It has no scope: numbers of trust files are not those of manifests. Throws NotRoot, and Failures where a log cannot be written.
 */
export async function enterTrustUse(
  operation: string,
  keys: readonly SigningKey[],
  log: string | undefined,
  bytes: Uint8Array,
  before: readonly (TrustStore | undefined)[],
): Promise<Receipt[]> {
  const { store } = readTrust(bytes);
  const messages = keys.map((key, i) => trustToBeSigned(bytes, key.public, before[i]));
  const digest = `sha-256:${sha256Hex(Uint8Array.from(store.payload))}`;
  return await withLedgers(keys, log, async (ledgers) =>
    record(ledgers, operation, keys, messages, { digest, sequence: decimal(store.sequence) }),
  );
}

/** What each key will sign. Throws AlreadySigned for one that has signed, or is given twice. */
async function toBeSigned(envelope: Uint8Array, keys: readonly SigningKey[]): Promise<Uint8Array[]> {
  const names = new Set<string>();
  const messages: Uint8Array[] = [];
  for (const key of keys) {
    if (names.has(nameOf(key.public))) throw new AlreadySigned(key.signer);
    names.add(nameOf(key.public));
    messages.push(await tbs(envelope, key.public));
  }
  return messages;
}
