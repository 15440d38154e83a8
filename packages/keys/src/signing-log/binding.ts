// What binds a key although its log is lost: the last-seen mark holds these entries. Most commands need none of this.

import { approvalEntries } from "./approvers.js";
import { ACCEPT, type Entry, MOVE, WITHDRAW } from "./entry.js";

/**
 * The entries that bind a key, in their order: for each kind of device and each line of trust files the highest number
 * and the last one, those that name approvers who are needed, those that withdraw releases, and the last move.
 */
export function bindingEntries(entries: readonly Entry[]): Entry[] {
  const last = new Map<string, Entry>();
  for (const e of entries) {
    // older entries of trust files have no scope, and count for every line
    for (const scope of e.scope ?? (e.sequence === undefined ? [] : [""])) {
      const highest = last.get(scope)?.sequence;
      if (e.sequence !== undefined && BigInt(highest ?? 0) <= BigInt(e.sequence)) last.set(scope, e);
      last.set(`last ${scope}`, e);
    }
    if (e.operation === MOVE) last.set(MOVE, e);
  }
  const keys = new Set(entries.flatMap(({ key }) => key ?? []));
  const kept = new Set([...last.values(), ...[...keys].flatMap((key) => approvalEntries(entries, key))]);
  return entries.filter((e) => kept.has(e) || e.operation === WITHDRAW);
}

/**
 * The entries of a log in which a loss was accepted, with those of `binding` that it has lost. They come before the
 * entry that accepts the loss: a number after that one has been checked by a person.
 */
export function withLost(all: readonly Entry[], binding: readonly Entry[]): readonly Entry[] {
  const here = new Set(all.map(({ hash }) => hash));
  const at = all.findLastIndex((e) => e.operation === ACCEPT);
  return [...all.slice(0, at), ...binding.filter(({ hash }) => !here.has(hash)), ...all.slice(at)];
}
