// The changes in a trust file: the difference to its predecessor, shown to the holder of a root key before signing.

import { Failure, keyWords, notice, visible } from "@firmseal/keys";
import { equalBytes, ROLES, type RoleName, toHex } from "@firmseal/signer";
import { errors, type TrustAnchor, type TrustStore } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";
import { refusalHint } from "../refusals.js";
import { type AnchorFacts, anchorFacts, limitWords, trustName } from "./trust-ref.js";

/** The preceding trust file and its path. */
export interface Previous {
  readonly path: string;
  readonly store: TrustStore;
}

/** Properties of a key in a list that may change. Two entries are about the same key if its bytes are equal. */
const ANCHOR_MEMBERS = ["roles", "vendor", "class", "since", "until", "alg", "kid"] as const;

/** One change, as in the JSON output. */
export type Change =
  | { what: "added" | "removed"; key: AnchorFacts }
  | { what: "changed"; key: AnchorFacts; member: (typeof ANCHOR_MEMBERS)[number]; before: unknown; after: unknown }
  | { what: "threshold"; role: RoleName; before: Needed | null; after: Needed | null }
  | { what: "sequence"; before: string; after: string }
  | { what: "order" };

interface Needed {
  needed: number;
  of: number;
}

function needed(store: TrustStore | undefined, role: RoleName): Needed | null {
  const n = store?.thresholds[ROLES[role]];
  return store && n ? { needed: n, of: store.anchors.filter((a) => a.roles.includes(ROLES[role])).length } : null;
}

const anchorsByBytes = (store: TrustStore | undefined) =>
  new Map((store?.anchors ?? []).map((a): [string, TrustAnchor] => [toHex(a.key), a]));

/**
 * The changes from `before` to `after`. Without `before`, all of `after` counts as changes. Empty if the lists are
 * equal.
 */
export function trustChanges(before: TrustStore | undefined, after: TrustStore): Change[] {
  if (before && equalBytes(before.payload, after.payload)) return [];
  const [old, now] = [anchorsByBytes(before), anchorsByBytes(after)];
  const out: Change[] = [];
  for (const [key, a] of old) if (!now.has(key)) out.push({ what: "removed", key: anchorFacts(a) });
  for (const [key, a] of now) {
    const was = old.get(key);
    if (!was) out.push({ what: "added", key: anchorFacts(a) });
    else {
      const [from, to] = [anchorFacts(was), anchorFacts(a)];
      for (const member of ANCHOR_MEMBERS)
        if (String(from[member]) !== String(to[member]))
          out.push({ what: "changed", key: to, member, before: from[member], after: to[member] });
    }
  }
  for (const role of Object.keys(ROLES) as RoleName[]) {
    const [from, to] = [needed(before, role), needed(after, role)];
    if (from?.needed !== to?.needed || from?.of !== to?.of) out.push({ what: "threshold", role, before: from, after: to });
  }
  const numbers = [before, after].map((store) => store && formatSequence(store.sequence));
  if (before && out.length === 0 && numbers[0] === numbers[1]) out.push({ what: "order" });
  if (before && numbers[0] !== numbers[1]) out.push({ what: "sequence", before: numbers[0] as string, after: numbers[1] as string });
  return out;
}

function changeWords(c: Change): string {
  const many = (n: Needed | null) => (n ? `${n.needed} of ${n.of}` : "none");
  const value = (v: unknown) => (v === null ? "none" : Array.isArray(v) ? v.join("+") : String(v));
  switch (c.what) {
    case "added":
    case "removed":
      return `${c.what === "added" ? "adds" : "removes"} ${keyWords(c.key)}: ${[c.key.roles.join("+"), ...limitWords(c.key)].join(", ")}`;
    case "changed":
      return `${keyWords(c.key)}: ${c.member} ${value(c.after)}, before ${value(c.before)}`;
    case "threshold":
      return `role ${c.role}: ${many(c.after)} needed, before ${many(c.before)}`;
    case "sequence":
      return `sequence number ${c.after}, before ${c.before}`;
    case "order":
      return "the same keys in another order";
  }
}

/**
 * Shows what a root is about to sign, before its passphrase is requested. Throws a Failure if the preceding file is of
 * another product line. Returns the changes for the JSON output.
 */
export function showChanges(path: string, store: TrustStore, previous: Previous | undefined): Change[] {
  if (previous && !equalBytes(previous.store.name, store.name))
    throw new Failure(
      1,
      "TRUST_NAME",
      errors.TRUST_NAME,
      `${path}: is for ${JSON.stringify(trustName(store))}, and ${previous.path} for ${JSON.stringify(trustName(previous.store))}`,
      refusalHint(errors.TRUST_NAME),
    );
  const list = trustChanges(previous?.store, store);
  const what = `${trustName(store)}, sequence number ${formatSequence(store.sequence)}`;
  const against = previous ? `against ${previous.path}` : "no previous file is given, so everything in it is new";
  notice(`change: ${visible(path)}: ${visible(what)}; ${visible(against)}`);
  if (list.length === 0) notice("change: none, it is the same list");
  for (const c of list) notice(`change: ${visible(changeWords(c))}`);
  return list;
}
