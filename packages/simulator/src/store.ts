// The interface of a simulated device: storage that can be powered on, and that reports what would remain if the power
// had failed at any of its operations.

import type { Bytes, ComponentId, Device, Host, Identity, Sequence, Source, Trust } from "@firmseal/verifier";

/** The requirements of the current update on a device. */
export interface Setup {
  identity: Identity;
  components: readonly ComponentId[];
  /** Bytes in each slot of a component, and in each place for an envelope. A multiple of the page size. */
  capacity: number;
  envelope: number;
  pageSize: number;
}

/** What the simulation calls of an installation or start. */
interface Course {
  manifest: { sequence: Sequence };
  next(outcome?: boolean): unknown;
}

/** The verifier of a device: that of the package, or a micro verifier. */
export interface Verifier {
  install(input: Bytes | Source, trust: Trust, device: Device, host?: Host): Course;
  boot(input: Bytes | Source, trust: Trust, device: Device, host?: Host): Course;
}

/** A device that has just been switched on. */
export interface Started {
  device: Device;
  /** Default: that of the package. */
  verifier?: Verifier;
  /** The envelope that the device passes to boot(); null if nothing is installed. */
  envelope: Bytes | Source | null;
  /** Called by the application after its self-test. */
  confirm?(): void;
  /** Receives an envelope, on devices that store it themselves, and returns what to pass to install(). */
  receive?(envelope: Source, trust: Trust): Source;
}

/** A point at which the power can fail. */
export interface Cut {
  /** The index of the operation, from 0, and how far it got. */
  operation: number;
  what: string;
  tear: string;
  /** What remains. Call it before taking the next cut from the list. */
  left(): Store;
}

/** Storage without power. Immutable. */
export interface Store {
  power(): Machine;
  /** Everything that a reader of the storage finds: its pages, or the content of its files. */
  content(): Iterable<Uint8Array>;
}

/** Storage with power. */
export interface Machine {
  /** Switches the device on, or restarts it without a power cut: its RAM is empty, its storage does not change. */
  start(): Started;
  /** Every cut of the operations since power(), as if they had started from `from`, a store with sameCourse(from). */
  cuts(from: Store): Iterable<Cut>;
  /** The number of cuts. */
  cutCount(): number;
  /** Some of these cuts, by their places in the list, ascending. Default: `cuts()`, without the others. */
  someCuts?(from: Store, chosen: readonly number[]): Iterable<Cut>;
  /** Whether everything would happen the same way from another store: whether it is equal in all that was read. */
  sameCourse(from: Store): boolean;
  /** A clean shutdown. */
  off(): Store;
}

/** Returns the storage of a new device. */
export type MakeStore = (setup: Setup) => Store;

/** Bytes per packet while a device receives an envelope. */
const PACKET = 1000;

/**
 * Passes an envelope on in packets, as it would arrive.
 *
 * @param envelope - The envelope.
 * @param take - Gets each packet.
 */
export function inPackets(envelope: Source, take: (packet: Bytes) => void): void {
  for (let at = 0; at < envelope.length; at += PACKET) take(envelope.read(at, Math.min(PACKET, envelope.length - at)));
}

/**
 * Names a slot as `firmseal install` does.
 *
 * @param slot - 0 or 1.
 * @param component - The name of its component.
 * @returns Such as "slot b of 00".
 */
export function slotName(slot: number, component: string): string {
  return `slot ${slot === 0 ? "a" : "b"} of ${component}`;
}
