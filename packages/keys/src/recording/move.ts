// Moves a key: another key continues its numbers. Both logs say so, and from then on the old key does not sign alone.

import { type Failure, refusedInput } from "../errors/failure.js";
import { neededApprovers } from "../signing-log/approvers.js";
import { decidingEntries } from "../signing-log/binding.js";
import { type Entry, MOVE, WITHDRAW } from "../signing-log/entry.js";
import { isOfBootImage } from "../signing-log/family.js";
import { withdrawalsAmong } from "../signing-log/sequence.js";
import type { OpenedKey } from "../source.js";
import type { ClockOverride } from "./clock.js";
import { keyName } from "./places.js";
import { type Receipt, withSigningLogs } from "./recording.js";

/** What was entered: first in the log of the new key, then in that of the old one. */
export interface Moved {
  readonly receipts: readonly Receipt[];
  /**
   * What the new key continues: the highest sequence number for each kind of device and line of trust files, and the
   * highest counters and versions of boot loaders' images.
   */
  readonly numbers: readonly Pick<Entry, "sequence" | "version" | "scope">[];
}

/** The entries with the highest number for each part of a scope: what a log without the others must know. */
function highestEntries(entries: readonly Entry[]): Entry[] {
  const highest = new Map<string, Entry>();
  for (const e of entries)
    for (const scope of e.sequence === undefined || e.operation === WITHDRAW ? [] : (e.scope ?? [])) {
      const known = highest.get(scope);
      if (!known || BigInt(known.sequence as string) < BigInt(e.sequence as string)) highest.set(scope, e);
    }
  return [...new Set(highest.values())].sort((a, b) => a.n - b.n);
}

/**
 * Returns the thumbprint of the key that continues the numbers of `key`, by these entries. undefined: it signs itself.
 */
export function movedTo(key: string, entries: readonly Entry[]): string | undefined {
  return entries.findLast((e) => e.operation === MOVE && e.key === key)?.to;
}

/**
 * Enters in the logs of both keys that `next` continues the numbers of `old`: the highest number of each kind of
 * device, whose approval was asked for, and which releases were withdrawn. Signs nothing. Throws a Failure if the log
 * of `old` is empty or faulty, or if another key continues `old`.
 */
export async function moveKey(old: OpenedKey, next: OpenedKey, log: string | undefined, o: ClockOverride = {}): Promise<Moved> {
  const [from, to] = [keyName(old.public), keyName(next.public)];
  if (from === to) throw refusal("both are the same key", "give the key that signs from now on as the second argument");
  return await withSigningLogs(
    [old, next],
    log,
    async (logs) => {
      const entries = logs.logs.flat().filter((e) => e.key === from);
      // images have versions too, and not all have a counter
      const numbers = [...new Set([...highestEntries(entries), ...decidingEntries(entries.filter(isOfBootImage))])];
      if (numbers.length === 0)
        throw refusal(
          `${old.name}: its log has no number to continue`,
          "bring its log: it is beside the key file, or name it with `log` FILE",
        );
      const moved = movedTo(from, entries);
      if (moved !== undefined)
        throw refusal(
          `${old.name}: key ${moved.slice(0, 16)}… continues its numbers since an earlier move`,
          "move on from that key: firmseal keys move THAT_KEY NEW; firmseal keys move THAT_KEY OLD takes the move back",
        );
      const approvers = [...neededApprovers(entries, from).keys()];
      const receipts = numbers.map(({ sequence, version, digest, scope }) =>
        logs.record(next, {
          operation: MOVE,
          from,
          ...(sequence !== undefined && { sequence }),
          ...(version !== undefined && { version }),
          ...(digest !== undefined && { digest }),
          ...(scope !== undefined && { scope }),
          ...(approvers.length > 0 && { approvers }),
        }),
      );
      for (const { sequence, version, digest, scope, reason, time } of withdrawalsAmong(entries))
        receipts.push(
          logs.record(next, {
            operation: WITHDRAW,
            from,
            sequence,
            ...(version !== undefined && { version }),
            ...(digest !== undefined && { digest }),
            ...(scope !== undefined && { scope }),
            reason,
            withdrawn: time,
          }),
        );
      // last: until the new key knows every number, the old one goes on
      return { receipts: [...receipts, logs.record(old, { operation: MOVE, to })], numbers };
    },
    o,
  );
}

function refusal(message: string, hint: string): Failure {
  return refusedInput("ERR_SEQUENCE", message, hint);
}
