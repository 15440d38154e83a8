// What changes for a device from one release to the next.

import { actionWords, type Behaviour, componentWords, type Explained, expectationWords, refusedWords } from "@firmseal/behaviour";
import { diffArrays } from "diff";

/** What a component must hold with each of the releases. */
export interface ImageChange {
  component: string;
  before: string[];
  after: string[];
}

/** A change of what devices of some kind do. `before` and `after`: lines that are only in one of the releases. */
export interface BehaviourChange {
  /** The devices, as in Behaviour. */
  devices: Behaviour["devices"];
  slot?: number;
  has?: boolean;
  before: string[];
  after: string[];
}

/** What changes from one release to another, for devices. Numbers are in decimal, digests in hex. */
export interface ReleaseDifference {
  sequence: { before: string; after: string };
  components: { gone: string[]; new: string[] };
  /** Kinds of devices that only one of the releases is for. */
  devices: { gone: Behaviour["devices"]; new: Behaviour["devices"] };
  /** Components whose content changes: length and the beginning of the digest. */
  images: ImageChange[];
  behaviour: BehaviourChange[];
}

type Kind = Pick<Behaviour, "slot" | "has" | "install" | "start" | "refused"> & { device: Behaviour["devices"][number] };

/** Each kind of device by itself, by name. */
function kindsOf({ behaviours }: Explained): Map<string, Kind> {
  return new Map(
    behaviours.flatMap(({ devices, ...rest }) =>
      devices.flatMap((device) =>
        // with and without the images, even if that makes no difference
        (rest.has === undefined ? [true, false] : [rest.has]).map((has): [string, Kind] => [
          JSON.stringify([device, rest.slot, has]),
          { ...rest, device },
        ]),
      ),
    ),
  );
}

function linesOf(kind: Kind, { components }: Explained): string[] {
  return [
    ...kind.install.map((action) => `installation: ${actionWords(action, components, { plain: true })}`),
    ...(kind.refused
      ? [refusedWords(kind.refused)]
      : kind.start.map((action) => `start: ${actionWords(action, components, { plain: true })}`)),
  ];
}

function distinct(devices: readonly Behaviour["devices"][number][]): Behaviour["devices"] {
  return [...new Map(devices.map((one) => [JSON.stringify(one), one])).values()];
}

/** The contents of each component, by its name. */
function imagesOf({ behaviours, components }: Explained): Map<string, Set<string>> {
  const all = new Map<string, Set<string>>();
  for (const { install } of behaviours)
    for (const action of install) {
      const expected = expectationWords(action);
      const name = componentWords(components[action.component] ?? []);
      if (expected !== "") all.set(name, (all.get(name) ?? new Set()).add(expected));
    }
  return all;
}

function imageChanges(before: Explained, after: Explained): ImageChange[] {
  const [old, next] = [imagesOf(before), imagesOf(after)];
  return [...next].flatMap(([component, contents]) => {
    const was = old.get(component) ?? new Set<string>();
    const change = { component, before: [...was].filter((x) => !contents.has(x)), after: [...contents].filter((x) => !was.has(x)) };
    return was.size > 0 && change.before.length + change.after.length > 0 ? [change] : [];
  });
}

/**
 * Compares two explained releases. Devices whose behaviour changes alike share an entry.
 *
 * @param before - The release that devices have, from explain().
 * @param after - The release that they get.
 * @returns What changes, by devices.
 */
export function releaseDifference(before: Explained, after: Explained): ReleaseDifference {
  const [old, next] = [kindsOf(before), kindsOf(after)];
  const only = (a: Map<string, Kind>, b: Map<string, Kind>) => {
    const others = new Set([...b.values()].map(({ device }) => JSON.stringify(device)));
    return distinct([...a.values()].map(({ device }) => device)).filter((device) => !others.has(JSON.stringify(device)));
  };
  const changes = new Map<string, BehaviourChange>();
  for (const [name, kind] of next) {
    const was = old.get(name);
    if (!was) continue;
    const parts = diffArrays(linesOf(was, before), linesOf(kind, after));
    const lines = { before: parts.flatMap((p) => (p.removed ? p.value : [])), after: parts.flatMap((p) => (p.added ? p.value : [])) };
    if (lines.before.length + lines.after.length === 0) continue;
    const change = { ...(kind.slot !== undefined && { slot: kind.slot }), ...(kind.has !== undefined && { has: kind.has }), ...lines };
    const same = changes.get(JSON.stringify(change)) ?? { devices: [], ...change };
    same.devices = distinct([...same.devices, kind.device]);
    changes.set(JSON.stringify(change), same);
  }
  const names = ({ components }: Explained) => components.map(componentWords);
  return {
    sequence: { before: before.sequence, after: after.sequence },
    components: {
      gone: names(before).filter((name) => !names(after).includes(name)),
      new: names(after).filter((name) => !names(before).includes(name)),
    },
    devices: { gone: only(old, next), new: only(next, old) },
    images: imageChanges(before, after),
    behaviour: [...changes.values()],
  };
}
