// Names of vendors and classes. Nobody signs them, but their UUIDs follow from them, and those are signed.

import { formatUuid, identityUuids } from "@firmseal/signer";
import type { Behaviour } from "../explain/explain.js";

/** A vendor and a class: identifiers, or names. */
export interface VendorAndClass {
  readonly vendor: string;
  readonly class: string;
}

/** Whether both UUIDs follow from the names: the domain of the vendor, and the class below it (M37 §8.4.8.2). */
export function isNamed(ids: VendorAndClass, names: VendorAndClass): boolean {
  try {
    const found = identityUuids(names.vendor, names.class);
    return formatUuid(found.vendor) === ids.vendor && formatUuid(found.class) === ids.class;
  } catch (e) {
    // a vendor that is a UUID has no classes with names
    if (e instanceof TypeError) return false;
    throw e;
  }
}

/** Names by their identifiers. */
export interface IdentifierNames {
  readonly [identifier: string]: string;
}

/**
 * Keeps the names from which the identifiers of a manifest follow.
 *
 * @param names - Names of vendors and classes, with their identifiers.
 * @param behaviours - What the devices of the manifest do.
 * @returns Those of `names` whose identifiers the manifest has.
 */
export function derivedNames(names: IdentifierNames, behaviours: readonly Pick<Behaviour, "devices">[]): IdentifierNames {
  const out: { [identifier: string]: string } = {};
  const nameOf = (id: string) => (Object.hasOwn(names, id) ? (names[id] as string) : id);
  for (const ids of behaviours.flatMap(({ devices }) => devices)) {
    const vendor = nameOf(ids.vendor);
    const name = nameOf(ids.class);
    if (!isNamed(ids, { vendor, class: ids.class })) continue;
    if (vendor !== ids.vendor) out[ids.vendor] = vendor;
    if (name !== ids.class && isNamed(ids, { vendor, class: name })) out[ids.class] = name;
  }
  return out;
}
