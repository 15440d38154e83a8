// The changes in a trust file: the difference to its predecessor, shown to the holder of a root key before signing.

import { keyWords, notice, visible, warn } from "@firmseal/keys/internal";
import { ROLES, type RoleName, trustName } from "@firmseal/signer";
import type { Sequence, TrustAnchor, TrustStore } from "@firmseal/verifier";
import { equalBytes, formatSequence, toHex } from "@firmseal/verifier/tools";
import { refuseOtherLine } from "./chain.js";
import { type AnchorFacts, anchorFacts, limitWords } from "./facts.js";
import { type FamilyFacts, familyFacts, familyWords, isFamilyLowered } from "./families.js";
import { fallenMargin, type NeededKeys, neededKeys } from "./margins.js";
import type { TrustOnFile } from "./read.js";

/** The preceding trust file and its path. */
export interface PreviousTrust {
  readonly path: string;
  readonly store: TrustStore;
}

/** Members of a key in a list that may change; a key is the same as long as its bytes are. */
const ANCHOR_MEMBERS = ["roles", "vendor", "class", "since", "until", "devices", "alg", "kid"] as const;

/** One change, as in the JSON output. */
export type TrustChange =
  | { what: "added" | "removed"; key: AnchorFacts }
  | { what: "changed"; key: AnchorFacts; member: (typeof ANCHOR_MEMBERS)[number]; before: unknown; after: unknown }
  | { what: "threshold"; role: RoleName; before: NeededKeys | null; after: NeededKeys | null }
  | { what: "families"; role: RoleName; before: FamilyFacts[] | null; after: FamilyFacts[] | null }
  | { what: "jump"; role: RoleName; before: string | null; after: string | null }
  | { what: "epoch"; before: string | null; after: string | null }
  | { what: "sequence"; before: string; after: string }
  | { what: "rule"; member: string; key: AnchorFacts | null; before: unknown; after: unknown }
  | { what: "order" };

const anchorsByBytes = (store: TrustStore | undefined) =>
  new Map((store?.anchors ?? []).map((a): [string, TrustAnchor] => [toHex(a.key), a]));

/** Members that have words of their own. A list may have others one day: what is not shown is not agreed to. */
const SHOWN_OF_STORE = ["name", "sequence", "anchors", "thresholds", "jumps", "families", "epoch", "begins", "payload", "file", "algs"];
const SHOWN_OF_ANCHOR = ["alg", "cose", "key", "kid", "roles", "vendor", "class", "since", "until", "single"];

/** Every other member that differs, whatever it is. */
function otherRules(before: object | undefined, after: object, shown: readonly string[], key: AnchorFacts | null): TrustChange[] {
  const [from, to] = [{ ...before }, { ...after }] as { [member: string]: unknown }[] as [Record<string, unknown>, Record<string, unknown>];
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].filter((name) => !shown.includes(name));
  const text = (value: unknown) => JSON.stringify(value ?? null, (_, v) => (typeof v === "bigint" ? String(v) : v));
  return names.flatMap((member): TrustChange[] => {
    // without a file before, no limits and epoch 0 are not a change
    const none = JSON.stringify(Array.isArray(to[member]) ? [] : 0);
    const [a, b] = [text(from[member]), text(to[member])];
    if (a === "null" && b === none) return [];
    return a === b ? [] : [{ what: "rule", member, key, before: JSON.parse(a), after: JSON.parse(b) }];
  });
}

/**
 * Returns what `after` changes. Without a previous file, everything in it is a change. Empty if the content is the
 * same.
 */
export function trustChanges(before: TrustStore | undefined, after: TrustStore): TrustChange[] {
  if (before && equalBytes(before.payload, after.payload)) return [];
  const [old, now] = [anchorsByBytes(before), anchorsByBytes(after)];
  const out: TrustChange[] = [];
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
    out.push(...otherRules(was, a, SHOWN_OF_ANCHOR, anchorFacts(a)));
  }
  out.push(...otherRules(before, after, SHOWN_OF_STORE, null));
  for (const role of Object.keys(ROLES) as RoleName[]) {
    const [from, to] = [neededKeys(before, role), neededKeys(after, role)];
    if (from?.needed !== to?.needed || from?.of !== to?.of) out.push({ what: "threshold", role, before: from, after: to });
  }
  for (const role of Object.keys(ROLES) as RoleName[]) {
    const [from, to] = [familyFacts(before, role), familyFacts(after, role)];
    if (familyWords(from ?? []) !== familyWords(to ?? [])) out.push({ what: "families", role, before: from, after: to });
  }
  const number = (n: Sequence | undefined) => (n ? formatSequence(n) : null);
  for (const role of Object.keys(ROLES) as RoleName[]) {
    const [from, to] = [number(before?.jumps[ROLES[role]]), number(after.jumps[ROLES[role]])];
    if (from !== to) out.push({ what: "jump", role, before: from, after: to });
  }
  const epochOf = (store: TrustStore | undefined) => (store?.epoch ? `${store.epoch}, from ${number(store.begins)}` : null);
  const [was, is] = [epochOf(before), epochOf(after)];
  if (was !== is) out.push({ what: "epoch", before: was ?? null, after: is ?? null });
  const numbers = [before, after].map((store) => store && formatSequence(store.sequence));
  if (before && out.length === 0 && numbers[0] === numbers[1]) out.push({ what: "order" });
  if (before && numbers[0] !== numbers[1]) out.push({ what: "sequence", before: numbers[0] as string, after: numbers[1] as string });
  return out;
}

const and = (roles: readonly RoleName[]) => roles.join(" and ");

const familiesOr = (families: readonly FamilyFacts[] | null) => (families ? familyWords(families) : "none");

/** Returns whether fewer stolen keys are enough after a change. */
export function isLowered(c: TrustChange): boolean {
  if (c.what === "families") return isFamilyLowered(c.before, c.after);
  return c.what === "threshold" && c.before !== null && c.after !== null && c.after.needed < c.before.needed;
}

function thresholdWords({ role, before, after }: TrustChange & { what: "threshold" }): string {
  const many = (n: NeededKeys) => `${n.needed} of ${n.of}`;
  if (!before) return `role ${role}: new, ${many(after as NeededKeys)} needed`;
  if (!after) return `role ${role}: retired, nobody can sign in it any more; before ${many(before)} needed`;
  const lowered = after.needed < before.needed ? ": LOWERED, fewer stolen keys are enough" : "";
  return `role ${role}: ${many(after)} needed, before ${many(before)}${lowered}`;
}

function roleWords(before: readonly RoleName[], after: readonly RoleName[]): string {
  const gained = after.filter((role) => !before.includes(role));
  const lost = before.filter((role) => !after.includes(role));
  return [gained.length > 0 && `gains ${and(gained)}`, lost.length > 0 && `loses ${and(lost)}`].filter(Boolean).join(", and ");
}

/** Returns a change in words: who gains what, and who loses what. */
export function changeWords(c: TrustChange): string {
  const value = (v: unknown) => (v === null ? "none" : Array.isArray(v) ? v.join("+") : String(v));
  switch (c.what) {
    case "added":
    case "removed": {
      const roles = c.what === "added" ? roleWords([], c.key.roles) : roleWords(c.key.roles, []);
      return `${c.what === "added" ? "adds" : "removes"} ${keyWords(c.key)}: ${[roles, ...limitWords(c.key)].join(", ")}`;
    }
    case "changed":
      if (c.member === "roles") return `${keyWords(c.key)}: ${roleWords(c.before as RoleName[], c.after as RoleName[])}`;
      return `${keyWords(c.key)}: ${c.member} ${value(c.after)}, before ${value(c.before)}`;
    case "threshold":
      return thresholdWords(c);
    case "families":
      return `role ${c.role}: of each family, ${familiesOr(c.after)} needed, before ${familiesOr(c.before)}${isLowered(c) ? ": LOWERED, fewer stolen keys are enough" : ""}`;
    case "jump":
      return `role ${c.role}: releases at most ${c.after ?? "2^63"} above the device's, before ${c.before ?? "2^63"}`;
    case "epoch":
      return `counting begins again: epoch ${c.after ?? "none"}, before ${c.before ?? "none"}`;
    case "sequence":
      return `sequence number ${c.after}, before ${c.before}`;
    case "rule": {
      const words = (v: unknown) => (v === null ? "none" : JSON.stringify(v));
      return `${c.key ? `${keyWords(c.key)}: ` : ""}rule ${c.member}: ${words(c.after)}, before ${words(c.before)}`;
    }
    case "order":
      return "the same keys in another order";
  }
}

/**
 * Returns what becomes dangerous with a change, in words. `before`: undefined for the first file of a line, with which
 * nothing becomes worse.
 */
export function changeWarnings(before: TrustStore | undefined, after: TrustStore): string[] {
  if (!before) return [];
  return (Object.keys(ROLES) as RoleName[]).flatMap((role) => {
    const [was, is] = [neededKeys(before, role), neededKeys(after, role)];
    if (!was || !is) return [];
    const families = isFamilyLowered(familyFacts(before, role), familyFacts(after, role));
    return [
      ...(is.needed < was.needed ? [`role ${role}: the threshold falls from ${was.needed} to ${is.needed}: a thief needs fewer keys`] : []),
      ...(families ? [`role ${role}: a family of algorithms needs fewer keys: a thief needs fewer keys`] : []),
      ...[fallenMargin(before, after, role)].filter((text) => text !== undefined),
    ];
  });
}

/**
 * Shows what a root is about to sign, before its passphrase is requested. Throws a Failure if the preceding file is of
 * another product line. Returns the changes for the JSON output.
 */
export function showChanges(path: string, store: TrustStore, previous: TrustOnFile | undefined): TrustChange[] {
  if (previous) refuseOtherLine(path, store, previous);
  const list = trustChanges(previous?.store, store);
  const what = `${trustName(store)}, sequence number ${formatSequence(store.sequence)}`;
  const against = previous ? `against ${previous.path}` : "no previous file is given, so everything in it is new";
  notice(`change: ${visible(path)}: ${visible(what)}; ${visible(against)}`);
  if (list.length === 0) notice("change: none, it is the same trust file");
  for (const c of list) notice(`change: ${visible(changeWords(c))}`, isLowered(c) ? "danger" : undefined);
  for (const text of changeWarnings(previous?.store, store)) warn(text);
  return list;
}
