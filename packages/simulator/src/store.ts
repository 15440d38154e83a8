// What a simulated device is to the simulation: storage that can be put under power, and that tells what would be left of it if the power had
// failed at any of its operations.

import type { Bytes, ComponentId, Device, Identity, Source, Trust } from "@firmseal/verifier";

/** What the update at hand asks of a device. */
export interface Setup {
  identity: Identity;
  components: readonly ComponentId[];
  /** Bytes in each slot of a component, and in each place for an envelope. Whole pages. */
  capacity: number;
  envelope: number;
  pageSize: number;
}

/** A device that has just been switched on. */
export interface Started {
  device: Device;
  /** What the device hands to boot(); null: nothing is installed. */
  envelope: Bytes | Source | null;
  /** What the application says when it has found itself well. */
  confirm?(): void;
  /** Takes in an envelope where the device keeps one itself, and gives what is to be handed to install(). */
  receive?(envelope: Source, trust: Trust): Source;
}

/** One point at which the power can fail. */
export interface Cut {
  /** The operation, counted from 0, and how far it got. */
  operation: number;
  what: string;
  tear: string;
  /** What is left. To be asked before the next cut is taken from the list. */
  left(): Store;
}

/** Storage without power. Never changes. */
export interface Store {
  power(): Machine;
}

/** Storage under power. */
export interface Machine {
  /** The device is switched on, or starts again without losing power: its RAM is empty, its storage is as it is. */
  start(): Started;
  /** Every cut of what was done since power(), as it would have gone from `from`, a store with sameCourse(from). */
  cuts(from: Store): Iterable<Cut>;
  /** How many there are. */
  cutCount(): number;
  /** Whether everything would have gone the same way from another store: whether it agrees in all that was looked at. */
  sameCourse(from: Store): boolean;
  /** Switched off in peace. */
  off(): Store;
}

/** The storage of a new device. */
export type MakeStore = (setup: Setup) => Store;

/** Bytes that reach the device at a time while it takes in an envelope. */
const PACKET = 1000;

/** Hands `take` an envelope as it would arrive. */
export function inPackets(envelope: Source, take: (packet: Bytes) => void): void {
  for (let at = 0; at < envelope.length; at += PACKET) take(envelope.read(at, Math.min(PACKET, envelope.length - at)));
}

/** "slot b of 00": components as firmseal install names them. */
export function slotName(slot: number, component: string): string {
  return `slot ${slot === 0 ? "a" : "b"} of ${component}`;
}
