// What devices do with a release that may be unsigned, or signed by anybody.

import { type Behaviour, type DeviceKind, type Explained, explainManifest, namedRefusal } from "@firmseal/behaviour";
import { errors } from "@firmseal/verifier";
import { formatSequence, toHex } from "@firmseal/verifier/tools";
import { openWithTrialKey, readDraft } from "../signing/draft.js";
import { deviceKinds } from "../verify/manifest-facts.js";
import { triedInterpreter } from "../verify/payload-check.js";

/** Narrows what is explained. Identifiers as a device stores them. */
export interface ForDevice {
  vendor?: Uint8Array;
  /** One of them is enough. */
  classes?: readonly Uint8Array[];
  slot?: number;
  /** Sequence number of the release on the device: 64 bits. */
  installed?: bigint;
}

/** Returns what devices with a higher number do: they refuse the release, whatever else they are. */
function refuseLower(behaviours: readonly Behaviour[]): Behaviour[] {
  if (behaviours.length === 0) return [];
  const devices = new Map(behaviours.flatMap((one) => one.devices).map((device) => [JSON.stringify(device), device]));
  const refused = namedRefusal({ during: "install", code: errors.ROLLBACK });
  return [{ devices: [...devices.values()], install: [], start: [], refused }];
}

function isAsked({ identity, slot }: DeviceKind, o: ForDevice): boolean {
  const same = (asked: readonly Uint8Array[] | undefined, found: ArrayLike<number> | undefined) =>
    asked === undefined || (found !== undefined && (found.length === 0 || asked.some((one) => toHex(found) === toHex(one))));
  const vendors = o.vendor && [o.vendor];
  return same(vendors, identity.vendor?.[0]) && same(o.classes, identity.class?.[0]) && (o.slot === undefined || o.slot === slot);
}

/** Returns the kinds of devices that are asked for, and whether they differ by slots. */
export function kindsAsked(m: Parameters<typeof deviceKinds>[0], o: ForDevice): { kinds: DeviceKind[]; slots: boolean } {
  const kinds = deviceKinds(m).filter((kind) => isAsked(kind, o));
  return { kinds, slots: new Set(kinds.map((kind) => kind.slot)).size > 1 || o.slot !== undefined };
}

/**
 * Explains a release that devices would open. Its signatures are not checked.
 *
 * @param envelope - The envelope, signed or not.
 * @param o - The devices to explain it for. Default: every kind that the manifest distinguishes.
 * @returns What each kind of device does. explainedLines() of `@firmseal/behaviour` puts it into words.
 * @throws The refusal with which every device would refuse it before the first command, and a Failure if it
 *   distinguishes too many kinds of devices.
 * @example
 * ```ts
 * import { explain } from "@firmseal/release";
 *
 * const { behaviours } = await explain(envelope);
 * console.log(behaviours.length);
 * ```
 */
export async function explain(envelope: Uint8Array, o: ForDevice = {}): Promise<Explained> {
  const m = await openWithTrialKey(readDraft(envelope));
  const { kinds, slots } = kindsAsked(m, o);
  const found = explainManifest(triedInterpreter(), m, kinds, { slots });
  const isLower = o.installed !== undefined && BigInt(formatSequence(m.sequence)) < o.installed;
  return isLower ? { ...found, behaviours: refuseLower(found.behaviours) } : found;
}
