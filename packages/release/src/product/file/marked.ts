// What a product file leads to. A person who approves a release sees these members, and a candidate pins them.
// The schema marks each member (refersTo); a test compares the table with it, and refuses a member without a mark.

import type { Written } from "./written.js";

/**
 * What a member names: a key that signs or is trusted, who can decrypt, a path, a program, where releases go or come
 * from, a ledger of numbers, devices, or an accepted finding.
 */
export type Mark = "key" | "recipient" | "path" | "program" | "target" | "ledger" | "device" | "waiver";

/** The marked members. `*`: any name, or any position. */
export const MARKED_MEMBERS: { readonly [member: string]: Mark } = {
  "/vendor": "device",
  "/uri": "target",
  "/out": "path",
  "/boards/*/class": "device",
  "/boards/*/revisions": "device",
  "/boards/*/image": "path",
  "/boards/*/image/a": "path",
  "/boards/*/image/b": "path",
  "/boards/*/uri": "target",
  "/boards/*/component": "device",
  "/boards/*/components/*/name": "device",
  "/boards/*/components/*/image": "path",
  "/boards/*/components/*/uri": "target",
  "/keys/release": "key",
  "/keys/recovery": "key",
  "/keys/debug": "key",
  "/keys/boot": "key",
  "/trust/file": "path",
  "/trust/root": "key",
  "/trust/carry": "path",
  "/trust/earlier": "path",
  "/trust/keys": "key",
  "/trust/boot": "key",
  "/approval/keys": "key",
  "/sequence/previous": "path",
  "/sequence/ledger": "ledger",
  "/policy/sbom": "path",
  "/policy/waivers/*/rule": "waiver",
  "/policy/waivers/*/reason": "waiver",
  "/policy/waivers/*/until": "waiver",
  "/publication": "target",
};

/** A value of a marked member. */
export interface MarkedMember {
  /** JSON Pointer. */
  readonly member: string;
  readonly refersTo: Mark;
  readonly value: string;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** The texts and numbers in a value, each with its pointer. */
function leaves(value: unknown, at: string): [string, string][] {
  if (isObject(value)) return Object.entries(value).flatMap(([name, one]) => leaves(one, `${at}/${name}`));
  return value === undefined ? [] : [[at, String(value)]];
}

function valuesAt(value: unknown, [name, ...rest]: readonly string[], at: string): [string, string][] {
  if (name === undefined) return leaves(value, at);
  if (!isObject(value)) return [];
  const names = name === "*" ? Object.keys(value) : Object.hasOwn(value, name) ? [name] : [];
  return names.flatMap((one) => valuesAt((value as { [name: string]: unknown })[one], rest, `${at}/${one}`));
}

/** Returns the marked members that a product file has, each of their texts once. */
export function markedMembers(written: Written): MarkedMember[] {
  const found = new Map<string, MarkedMember>();
  for (const [pattern, refersTo] of Object.entries(MARKED_MEMBERS))
    for (const [member, value] of valuesAt(written, pattern.slice(1).split("/"), "")) found.set(member, { member, refersTo, value });
  return [...found.values()];
}
