// What a report holds: the release with the keys that are to verify it, and what was found out when the report was made.

import type { Phase } from "./device-rules.js";

/** A trusted key, as devices store it. The page works out its thumbprint. */
export interface ReportKey {
  /** Name of the algorithm in device bundles, such as `ed25519`. */
  alg: string;
  /** The public key, in base64. */
  key: string;
  /** Key identifier, in base64. */
  kid?: string;
  /** First and last sequence number for which the key counts: upper and lower 32 bits. */
  since?: [number, number];
  until?: [number, number];
  /** How the key was named. */
  name?: string;
}

/** A kind of device whose behaviour is shown. Identifiers in base64. */
export interface ReportKind {
  vendor?: string;
  class?: string;
  device?: string;
  slot: number;
  /** Whether it has the images already. */
  has: boolean;
  /** The part in which it refuses the release because its identity is not checked. A device bundle cannot tell. */
  unchecked?: Phase;
}

/** What starts after a power cut at one write or erase: the worst outcome of all its cuts. */
export interface ReportCut {
  what: string;
  boots: "old" | "new" | "none" | "mixed";
  cuts: number;
}

export interface ReportData {
  /** File name of the release. */
  file: string;
  /** ISO 8601, UTC. */
  made: string;
  /** The envelope, in base64. */
  envelope: string;
  keys: ReportKey[];
  /** How many different keys must have signed. */
  threshold: number;
  /** The trust file that lists the keys. */
  trust?: { name: string; sequence: string; role: string };
  /** Names of identifiers. */
  names: { [identifier: string]: string };
  kinds: ReportKind[];
  /** Whether the release distinguishes slots. */
  slots: boolean;
  /** Size of the slot in bytes. */
  slotSize?: number;
  /** What changes against the release before, line by line. */
  changes?: { file: string; lines: string[] };
  cuts?: { device: string; points: ReportCut[]; faults: number };
}
