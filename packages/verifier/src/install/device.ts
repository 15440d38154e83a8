// The interface between an installation, a device and the caller. Nothing here exists at run time.

import type { Bytes, Host, Sequence, Source, Trust } from "../base/types.js";
import type { Effect, Identity } from "../interpreter/frame.js";
import type { Manifest } from "../manifest/manifest.js";

/**
 * A component identifier: its byte strings. They come from a manifest, so a device must not use them directly as file
 * names.
 */
export type ComponentId = Bytes[];

/** What becomes current in one atomic step, together with the envelope that keep() has stored. */
export interface Commit {
  sequence: Sequence;
  written: ComponentId[];
  /** Stored unchanged with the floor: see Device.counters. */
  counters: Bytes;
  /** From a micro verifier: the signed SHA-256 of the image. */
  digest?: Bytes;
  /** The floor goes down: a trust file that its roots have signed begins a new epoch. */
  reset?: boolean;
}

/**
 * The functions that a device must implement. Each one either does what it promises or throws. `begin(installing)`
 * opens a session: true to install (writes go to slots that are not current), false to boot (writes go to volatile
 * memory). `fresh` is true for what this session has written, false for what is current.
 */
export interface Device {
  identity: Identity;
  /**
   * The highest sequence number of an installed release. A release with the same number is accepted only if counters()
   * identifies it as the same release. `role`: the role of a policy from policyOf(), undefined for other policies. A
   * device may keep a floor and counters for each role: device/roles.ts does. The others ignore it.
   */
  floor(role?: number): Sequence;
  /**
   * The `counters` of the last commit, up to 32 bytes, or 125 with roleFloors(). They identify the manifest that the
   * floor comes from; null if nothing was ever installed. If the function is missing or returns anything else, no
   * release with the number of a floor above 0 is accepted, not even the installed one.
   */
  counters?(role?: number): Bytes | null;
  begin(installing: boolean): void;
  /** The capacity of a component in bytes; negative if the component does not exist. */
  capacity(id: ComponentId): number;
  /** 0 or 1. When installing: the slot that will be written. When booting: the current slot. */
  slot(id: ComponentId): number;
  /** Erases the slot that will be written. At most `most` bytes will follow. */
  erase(id: ComponentId, most: number): void;
  write(id: ComponentId, offset: number, bytes: Bytes): void;
  /** The size of the image in bytes; 0 if there is none. */
  size(id: ComponentId, fresh: boolean): number;
  read(id: ComponentId, offset: number, n: number, fresh: boolean): Bytes;
  invoke(id: ComponentId, args: Bytes | undefined): boolean;
  /**
   * Stores what boot() will need, beside the current envelope, and returns it as stored. install() compares it with
   * what it passed in, so that no device keeps a release that it cannot start. It becomes current with persist().
   * `envelope` may be the result of received().
   */
  keep(envelope: Bytes | Source): Bytes | Source;
  /** Makes the written components and the kept envelope current and sets floor and counters, in one atomic step. */
  persist(commit: Commit): void;
  /** Discards what the session has written. */
  discard(): void;
  /**
   * Optional: the digest of a whole image in storage with the COSE hash `alg`, if the engine can compute it without
   * moving the bytes. If it is missing or returns undefined, the image is read and hashed. It is trusted like read(),
   * and must not cache results.
   */
  digest?(id: ComponentId, fresh: boolean, alg: number): Bytes | undefined;
  /** Bytes to read at a time (default 1,024). */
  chunk?: number;
  /**
   * Optional: returns a payload that is available at once. If it is missing or returns undefined, next() returns the
   * fetch to its caller.
   */
  fetch?(uri: string): Source | Bytes | undefined;
  /** The device has no volatile memory to load an image to. It refuses a release whose start writes to a component. */
  cannotLoad?: boolean;
  /** The current session, set by install() and boot(). Older sessions are refused. */
  session?: unknown;
  /** Dangerous: installs for any vendor and class. Each such setting turns off exactly one refusal. */
  dangerouslySkipIdentity?: boolean;
  /** Dangerous: installs and invokes components whose content is not covered by a digest. */
  dangerouslySkipDigest?: boolean;
}

/** A device that keeps the previous release until the new one is confirmed. */
export interface TrialDevice extends Device {
  /** The envelope of the current release, or null. */
  envelope(): Source | null;
  /** Counts a start of an unconfirmed release and returns the envelope for boot(). */
  start(): Source | null;
  /**
   * Confirms the started release. Until then, nothing can be installed, because that would overwrite the release to go
   * back to.
   */
  confirm(): void;
  /** Whether the current release is unconfirmed. */
  pending(): boolean;
  /**
   * Whether a newer release used up its tries and the previous one is current again. The floor remains that of the
   * newer one.
   */
  rolledBack(): boolean;
  /**
   * Accepts the next bytes of an envelope of `length` bytes. Nothing is written before its head (wrapper, manifest,
   * severed elements) has arrived and is verified with `trust`; later bytes go directly to their final place. Throws a
   * Refusal and discards the envelope: the next bytes begin a new one, as do the first ones after received().
   */
  receive(bytes: Bytes, length: number, trust: Trust, host?: Host): void;
  /** Returns the received envelope, for install(). If bytes are missing, refuses and discards it. */
  received(): Source;
}

/**
 * An installation or start in progress. `next()` continues until it is done (undefined) or needs a payload. Then it
 * returns the fetch; call it with each chunk as it arrives, then with `true` at the end of the payload, or `false` if
 * the payload is not available.
 */
export interface Progress {
  done: boolean;
  manifest: Manifest;
  next(outcome?: Bytes | boolean): Effect | undefined;
}
