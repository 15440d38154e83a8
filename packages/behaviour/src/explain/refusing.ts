// The devices that refuse a release, although others take it.

import type { Behaviour } from "./explain.js";

/** A device that refuses a release, in a slot, whatever it has. */
export interface RefusingDevice {
  readonly vendor: string;
  readonly class: string;
  readonly device?: string;
  readonly slot?: number;
  readonly refused: NonNullable<Behaviour["refused"]>;
}

/**
 * Finds the devices that never take a release: each device in each slot.
 *
 * @param behaviours - What each kind of device does, from explainManifest().
 * @returns The devices that refuse it with the images and without them.
 */
export function refusingDevices(behaviours: readonly Behaviour[]): RefusingDevice[] {
  const idOf = (device: Behaviour["devices"][number], slot: number | undefined) => JSON.stringify([device, slot ?? null]);
  const taking = new Set(behaviours.flatMap(({ devices, slot, refused }) => (refused ? [] : devices.map((device) => idOf(device, slot)))));
  const found = new Map<string, RefusingDevice>();
  for (const { devices, slot, refused } of behaviours)
    for (const device of refused ? devices : []) {
      const id = idOf(device, slot);
      if (refused && !taking.has(id) && !found.has(id)) found.set(id, { ...device, ...(slot !== undefined && { slot }), refused });
    }
  return [...found.values()];
}

/**
 * Names a device that refuses.
 *
 * @param device - From refusingDevices().
 * @param names - Names of identifiers. Default: none.
 * @returns Its class and its slot.
 */
export const refusingWords = ({ class: name, slot }: RefusingDevice, names: { readonly [identifier: string]: string } = {}): string =>
  `class ${names[name] ?? name}${slot === undefined ? "" : `, slot ${slot}`}`;
