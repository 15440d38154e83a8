// What a trust file says, for JSON and for people: its keys with their limits, and how many roots have signed.

import { keyFacts } from "@firmseal/keys";
import { formatUuid, keyOfAnchor, type PublicKey, type RoleName, roleNames, trustSigners } from "@firmseal/signer";
import type { TrustAnchor, TrustStore } from "@firmseal/verifier";
import { equalBytes, formatSequence, ROLE_ROOT, toHex } from "@firmseal/verifier/tools";
import { areReached, type FamilyProgress, familyProgress } from "./families.js";

/** How many roots have signed, and how many must. */
export interface RootProgress {
  readonly signed: number;
  readonly needed: number;
  readonly families: readonly FamilyProgress[];
}

/**
 * Returns how many roots of `store` have signed the trust file `bytes`, how many must, and the same for each family of
 * algorithms. Verifies the signatures.
 */
export function rootProgress(bytes: Uint8Array, store: TrustStore): RootProgress {
  const signers = trustSigners(bytes, keysOf(rootsIn(store)));
  const families = familyProgress(store, "root", (a) => signers.some(({ key }) => equalBytes(key, a.key)));
  return { signed: signers.length, needed: store.thresholds[ROLE_ROOT] as number, families };
}

/** Returns whether enough roots have signed. */
export function isEnough({ signed, needed, families }: RootProgress): boolean {
  return signed >= needed && areReached(families);
}

/** The devices and sequence numbers for which an anchor counts, as in the JSON output. */
export interface Limits {
  vendor: string | null;
  class: string | null;
  since: string | null;
  until: string | null;
  devices: "single" | null;
}

export type AnchorFacts = ReturnType<typeof keyFacts | typeof unknownFacts> & Limits & { roles: RoleName[] };

const hexOrNull = (b: ArrayLike<number> | undefined) => (b ? toHex(b) : null);

/** The facts of a key whose algorithm this tool lacks. */
const unknownFacts = (a: TrustAnchor) => ({ kid: hexOrNull(a.kid), alg: String(a.cose), thumbprint: null });

export function limitsOf(a: Pick<TrustAnchor, "vendor" | "class" | "since" | "until" | "single">): Limits {
  return {
    vendor: hexOrNull(a.vendor),
    class: hexOrNull(a.class),
    since: a.since ? formatSequence(a.since) : null,
    until: a.until ? formatSequence(a.until) : null,
    devices: a.single ? "single" : null,
  };
}

/** Returns the existing limits, in words. */
export function limitWords({ vendor, class: name, since, until, devices }: Limits): string[] {
  const dashed = (id: string) => formatUuid(Buffer.from(id, "hex"));
  return [
    vendor !== null && `vendor ${dashed(vendor)}`,
    name !== null && `class ${dashed(name)}`,
    since !== null && `since ${since}`,
    until !== null && `until ${until}`,
    devices !== null && "one device at a time",
  ].filter((text) => text !== false);
}

/** Returns the facts of an anchor for the JSON output. */
export function anchorFacts(a: TrustAnchor): AnchorFacts {
  const key = keyOfAnchor(a);
  return { ...(key ? keyFacts(key) : unknownFacts(a)), roles: roleNames(a), ...limitsOf(a) };
}

/** A trust file with its roots alone. */
export function rootsIn(store: TrustStore): TrustStore {
  return { ...store, anchors: store.anchors.filter((a) => a.roles.includes(ROLE_ROOT)) };
}

/** Returns the keys of a trust file whose algorithms this tool has. */
export function keysOf(store: TrustStore): PublicKey[] {
  return store.anchors.flatMap((a) => keyOfAnchor(a) ?? []);
}
