// Simulates a device and a release, with a power cut at every operation.

import { type ComponentId, type Identity, type Manifest, open, type Source } from "@firmseal/verifier";
import { componentName } from "@firmseal/verifier/device/file";
import { formatSequence } from "@firmseal/verifier/tools";
import { nodeHost } from "./host.js";
import { PREVIOUS_SIZE, previousRelease } from "./previous.js";
import type { Report } from "./report.js";
import { Simulation } from "./simulation/simulation.js";
import type { Release } from "./simulation/start-install.js";
import type { MakeStore, Setup } from "./store.js";

const DEFAULT_PAGE = 4096;

/** Options of simulate(). */
export interface SimulateOptions {
  /** The release to install before the update. Default: a generated one. null: none, the device is new. */
  previous?: Release | null;
  /** Minimum size in bytes of a slot. Default: enough for the given envelopes and payloads. */
  capacity?: number;
  /** Size in bytes of a flash page. Default: 4096. */
  pageSize?: number;
  /** Maximum number of cuts during the recovery from each cut, evenly spread. Default: all. */
  secondCuts?: number;
  /** Called from time to time. `total`: the number of first cuts. */
  progress?(done: number, total: number): void;
}

/** The result of simulate(). */
export interface Simulated {
  report: Report;
  /** The device that was simulated. */
  setup: Setup;
  sequences: { previous: bigint | null; update: bigint };
}

const numberOf = ({ sequence }: Manifest) => BigInt(formatSequence(sequence));

function union(...lists: (readonly ComponentId[])[]): ComponentId[] {
  return [...new Map(lists.flat().map((id) => [componentName(id), id])).values()];
}

function largestOf({ envelope, payloads }: Release): number {
  return [...payloads.values()].reduce((most, p) => Math.max(most, (p as Source | Uint8Array).length), envelope.length);
}

/**
 * Installs a release on a simulated device, then repeats this with a power cut at every write and erase, and at every
 * one of each recovery.
 *
 * @param make - Returns the storage of a new device: `make` of DEVICES, or yours.
 * @param release - The envelope, the trusted keys, and payloads outside the envelope.
 * @param identity - The identifiers of the device, 16 bytes each.
 * @param o - The previous release, and how much is tried.
 * @returns The report, and the cuts. `report.faultCount` is 0 if after every cut the old or the new release starts, the
 *   floor has not fallen, and a second attempt installs the update.
 * @throws The refusals of open(), Unsimulated if the releases cannot be installed without a cut, and RangeError if no
 *   previous release can be generated.
 * @example
 * ```ts
 * import { DEVICES, simulate } from "@firmseal/simulator";
 *
 * const release = { envelope, trust, payloads: new Map() };
 * const identity = { vendor: [vendorUuid], class: [classUuid] };
 * const { report } = await simulate(DEVICES.flash.make, release, identity, { secondCuts: 1 });
 * console.log(`${report.cuts} cuts, ${report.faultCount} of them end badly`);
 * ```
 */
export async function simulate(make: MakeStore, release: Release, identity: Identity, o: SimulateOptions = {}): Promise<Simulated> {
  const { envelope, trust } = release;
  const update = open(envelope, trust, nodeHost);
  const previous =
    o.previous === undefined
      ? await previousRelease(update.sequence, identity, update.components, PREVIOUS_SIZE, Math.max(1, trust.threshold ?? 1))
      : o.previous;
  const before = previous && open(previous.envelope, previous.trust, nodeHost);
  const pageSize = o.pageSize ?? DEFAULT_PAGE;
  const pages = (n: number) => Math.ceil(n / pageSize) * pageSize;
  const setup: Setup = {
    identity,
    components: union(update.components, before?.components ?? []),
    capacity: pages(o.capacity ?? Math.max(largestOf(release), previous ? largestOf(previous) : 0)),
    envelope: pages(Math.max(envelope.length, previous?.envelope.length ?? 0)),
    pageSize,
  };
  const report = new Simulation(make, setup, previous, release).run(o.secondCuts, o.progress);
  return { report, setup, sequences: { previous: before && numberOf(before), update: numberOf(update) } };
}
