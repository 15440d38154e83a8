// What an installation needs of a device, and what it gives to its caller. Nothing here exists at run time.

import type { Bytes, Host, Sequence, Source, Trust } from "../base/types.js";
import type { Effect, Identity } from "../interpreter/frame.js";
import type { Manifest } from "../manifest/manifest.js";

/** A component's identifier: its byte strings. They come from a manifest; a device must not use them as file names as they are. */
export type ComponentId = Bytes[];

/** What becomes current, all at once or not at all, together with the envelope that keep() has stored. */
export interface Commit {
  sequence: Sequence;
  written: ComponentId[];
  /** Stays beside the floor, as it is: see Device.counters. */
  counters: Bytes;
}

/**
 * What a device has to offer. Each call either does what it says or throws.
 * `begin(installing)` opens a session: true to install (writes go to slots that are not current), false to boot (writes go to volatile
 * memory). `fresh` is true for what this session has written, false for what is current.
 */
export interface Device {
  identity: Identity;
  /** The highest sequence number of an installed release. A release with this number is accepted only if counters() says that it is the same one. */
  floor(): Sequence;
  /**
   * The octets that the last commit had as `counters`, up to 96: which manifest the floor comes from. null where nothing was ever installed. Where the
   * function is missing, or gives anything else, no release with the number of a floor above 0 is accepted, not even the one that is installed.
   */
  counters?(): Bytes | null;
  begin(installing: boolean): void;
  /** Bytes a component can hold; negative: there is no such component. */
  capacity(id: ComponentId): number;
  /** Installing: the slot that will be written. Booting: the slot that is current. */
  slot(id: ComponentId): number;
  /** Empties the slot that will be written. `most`: bytes that will come at most. */
  erase(id: ComponentId, most: number): void;
  write(id: ComponentId, offset: number, bytes: Bytes): void;
  /** Bytes of the image, 0 where there is none. */
  size(id: ComponentId, fresh: boolean): number;
  read(id: ComponentId, offset: number, n: number, fresh: boolean): Bytes;
  invoke(id: ComponentId, args: Bytes | undefined): boolean;
  /**
   * Stores what boot() will want again, beside the envelope that is current, and gives it as it lies in storage: install() compares that with what it has handed in, so
   * that no device is left with a release that it cannot start. It becomes current with persist(). `envelope` may be what received() gave.
   */
  keep(envelope: Bytes | Source): Bytes | Source;
  /** Makes the written components and the envelope that was kept current, and sets floor and counters, in one atomic step. */
  persist(commit: Commit): void;
  /** Forgets what the session has written. */
  discard(): void;
  /**
   * The digest of a whole image as it lies in storage, by the COSE hash `alg`, where the engine can have it without moving the bytes.
   * Where it is missing, or returns undefined, the image is read and hashed. It is trusted as read() is, and must not remember anything.
   */
  digest?(id: ComponentId, fresh: boolean, alg: number): Bytes | undefined;
  /** Bytes that are read at a time; 1,024 where it is left out. */
  chunk?: number;
  /** A payload that can be had at once. Where it is missing, or returns undefined, next() hands the fetch to its caller. */
  fetch?(uri: string): Source | Bytes | undefined;
  /** The session that has the device; set by install() and boot(). One that is not the latest is refused. */
  session?: unknown;
  /** Dangerous: installs for any vendor and class. Each such setting turns off one refusal, and no other. */
  dangerouslySkipIdentity?: boolean;
  /** Dangerous: installs components whose content no digest vouches for, and invokes them. */
  dangerouslySkipDigest?: boolean;
}

/** A device that keeps the release before until the new one has shown that it is well. */
export interface TrialDevice extends Device {
  /** The envelope of what is current, or null. */
  envelope(): Source | null;
  /** Counts a start of a release that is not confirmed yet, and gives the envelope to hand to boot(). */
  start(): Source | null;
  /** The release that was started is well: it stays. Until then nothing is installed, for that would destroy the way back. */
  confirm(): void;
  /** Whether what is current is not confirmed yet. */
  pending(): boolean;
  /** Whether a newer release used up its tries, and the one before it is current again. The floor stays that of the newer one. */
  rolledBack(): boolean;
  /**
   * Takes the next bytes of an envelope of `length` bytes in all. Nothing is written before its head (wrapper, manifest, severed elements) has arrived and
   * `trust` believes it; what comes behind goes straight to where it would stay. Throws a refusal, and the envelope is given up: the
   * next bytes begin another one, and so do the first ones after received().
   */
  receive(bytes: Bytes, length: number, trust: Trust, host?: Host): void;
  /** What has been received, whole, to hand to install(); refused, and given up, where bytes are missing. */
  received(): Source;
}

/**
 * An installation or start under way. `next()` goes on until it is done (undefined) or has to wait for a payload: it then returns the
 * fetch, and is to be called with each chunk as it arrives, then with `true` at the payload's end, or `false` where it cannot be had.
 */
export interface Progress {
  done: boolean;
  manifest: Manifest;
  next(outcome?: Bytes | boolean): Effect | undefined;
}
