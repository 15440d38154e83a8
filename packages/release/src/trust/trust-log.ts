// What the logs of keys say about trust files, and that nobody signs or approves one without seeing what changes since
// the file that the log has last.

import type { Entry, SignedNumber } from "@firmseal/keys";
import { APPROVE, refusedInput, scopeOfTrust, sha256Hex, sharesScope } from "@firmseal/keys/internal";
import { trustName } from "@firmseal/signer";
import type { TrustStore } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";
import type { PreviousTrust } from "./change.js";

/** The digest of what a trust file says, as the logs have it. */
export function digestOfTrust(store: TrustStore): string {
  return `sha-256:${sha256Hex(Uint8Array.from(store.payload))}`;
}

/** The number of a trust file, and its line, as the logs have them. */
export function numberOfTrust(store: TrustStore): { sequence: string; scope: string[] } {
  return { sequence: formatSequence(store.sequence), scope: scopeOfTrust(trustName(store)) };
}

/** An available trust file, as a known signature. */
export function knownTrust({ path, store }: PreviousTrust): SignedNumber {
  return { digest: digestOfTrust(store), ...numberOfTrust(store), time: "", user: path };
}

/** Whether an entry is about a trust file of this line: a signature, or an approval. */
function isOfLine(e: Entry, scope: ReadonlySet<string>): boolean {
  return sharesScope(e, scope) || (e.operation === APPROVE && e.scope?.some((s) => scope.has(s)) === true);
}

/**
 * The entries of a line of trust files, each file once, in the order in which they were new. A file that is signed
 * again does not become the last one.
 */
export function filesOfLine(entries: readonly Entry[], line: readonly string[]): Entry[] {
  const scope = new Set(line);
  const files = new Map<string | undefined, Entry>();
  for (const e of entries) if (isOfLine(e, scope) && !files.has(e.digest)) files.set(e.digest, e);
  return [...files.values()];
}

/** How the last file is given, and whether it may be missing. */
export interface ComparisonOptions {
  /** Sign without the trust file that the log has last, although there is one. */
  allowNoPreviousTrust?: boolean;
  /** How this file is given, in words, instead of --previous-trust. */
  hint?: string;
}

/**
 * The override that lets a key sign or approve a trust file without the one that its log has last among `previous`,
 * which are shown; none if it is not needed. Each log has a last file of its own: its holder has not seen those of
 * others. Throws a Failure, SEQUENCE.
 */
export function uncompared(
  logs: readonly (readonly Entry[])[],
  store: TrustStore,
  previous: readonly PreviousTrust[],
  { allowNoPreviousTrust, hint = "give that file too: `previousTrust` FILE, or allow it: `allowNoPreviousTrust`" }: ComparisonOptions,
): string[] {
  const given = new Set(previous.map((one) => digestOfTrust(one.store)));
  for (const entries of logs) {
    const files = filesOfLine(entries, numberOfTrust(store).scope);
    const last = files.at(-1);
    if (!last || given.has(last.digest as string) || files.some((e) => e.digest === digestOfTrust(store))) continue;
    if (allowNoPreviousTrust) return ["allow-no-previous-trust"];
    const what = last.sequence === undefined ? "a trust file was approved" : `trust file ${last.sequence} was signed`;
    const missing = previous.length > 0 ? ", and no file that is given says the same: the" : ", and the";
    throw refusedInput(
      "ERR_SEQUENCE",
      `${what} last with this key (${last.time.slice(0, 10)}, ${last.user}, ${last.digest?.slice(0, 24)}…)${missing} changes since then are unknown`,
      hint,
    );
  }
  return [];
}
