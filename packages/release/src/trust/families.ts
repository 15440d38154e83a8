// Thresholds for families of algorithms, in words and in numbers.

import { deviceKeyAlgs, ROLES, type RoleName } from "@firmseal/signer";
import { algorithms, type Family, type TrustAnchor, type TrustStore } from "@firmseal/verifier";

/** A family as in the JSON output. */
export interface FamilyFacts {
  readonly algorithms: readonly string[];
  readonly needed: number;
}

/** A family, and how many of its keys have signed. */
export interface FamilyProgress extends FamilyFacts {
  readonly signed: number;
}

/** The name of a COSE algorithm, or its number. */
const algWord = (cose: number) => deviceKeyAlgs.find((name) => algorithms[name]?.ids.includes(cose)) ?? String(cose);

/** A family, with the names of its algorithms. */
export function familyFactsOf({ ids, threshold }: Pick<Family, "ids" | "threshold">): FamilyFacts {
  return { algorithms: [...new Set(ids.map(algWord))], needed: threshold };
}

/** Returns the families of a role; null if it has none. */
export function familyFacts(store: TrustStore | undefined, role: RoleName): FamilyFacts[] | null {
  return store?.families[ROLES[role]]?.map(familyFactsOf) ?? null;
}

/** How many keys of each family of a role are among those that `has` returns true for. */
export function familyProgress(store: TrustStore, role: RoleName, has: (anchor: TrustAnchor) => boolean): FamilyProgress[] {
  const keys = store.anchors.filter((a) => a.roles.includes(ROLES[role]) && has(a));
  return (store.families[ROLES[role]] ?? []).map((family) => ({
    ...familyFactsOf(family),
    signed: keys.filter(({ cose }) => family.ids.includes(cose)).length,
  }));
}

/** Returns how many keys of each family must sign: "2 of ed25519, 2 of hsslms". */
export function familyWords(families: readonly FamilyFacts[]): string {
  return families.map((f) => `${f.needed} of ${f.algorithms.join(" or ")}`).join(", ");
}

/** Returns how many keys of each family have signed: "2 of 2 ed25519, 0 of 2 hsslms". */
export function progressWords(families: readonly FamilyProgress[]): string {
  return families.map((f) => `${f.signed} of ${f.needed} ${f.algorithms.join(" or ")}`).join(", ");
}

/** Whether each family has as many signatures as it needs. */
export function areReached(families: readonly FamilyProgress[]): boolean {
  return families.every((f) => f.signed >= f.needed);
}

/** Whether a family needs fewer keys afterwards, or is gone. */
export function isFamilyLowered(before: readonly FamilyFacts[] | null, after: readonly FamilyFacts[] | null): boolean {
  const name = (f: FamilyFacts) => [...f.algorithms].sort().join();
  return (before ?? []).some((f) => !after?.some((other) => name(other) === name(f) && other.needed >= f.needed));
}
