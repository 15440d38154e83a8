// What a report holds: the release with the keys that are to verify it, and what was found out when the report was
// made.

import type { Phase } from "@firmseal/behaviour";

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
  /** Whether it already has the images. */
  has: boolean;
  /**
   * The part in which it refuses the release because its identity is not checked. A device bundle cannot detect this.
   */
  unchecked?: Phase;
}

/** What starts after a power cut at one write or erase: the worst outcome of all its cuts. */
export interface ReportCut {
  what: string;
  boots: "old" | "new" | "none" | "mixed";
  cuts: number;
}

/** A threshold for keys of a family of algorithms. */
export interface ReportFamily {
  algorithms: string[];
  /** Positions in `keys`. */
  keys: number[];
  threshold: number;
}

/** A file that belongs to the release and is not signed with it. */
export interface ReportDocument {
  file: string;
  /** What it is. `of`: version of the format, or the type of the statement; `count`: components or packages in it. */
  kind: { name: "CycloneDX" | "SPDX" | "in-toto" | "file"; of?: string; count?: number };
  bytes: number;
  /** In hex. */
  sha256: string;
}

/**
 * That a release was withdrawn: when, RFC 3339 in UTC, and why. The page believes it, because it makes a verdict only
 * worse.
 */
export interface ReportWithdrawal {
  time: string;
  reason: string;
}

/** A release for the devices of one envelope. */
export interface ReportData {
  /** File name of the release. */
  file: string;
  /** ISO 8601, UTC. */
  made: string;
  /** The board that it is for, in a release of several. */
  board?: string;
  /** The envelope, in base64. */
  envelope: string;
  keys: ReportKey[];
  /** How many different keys must have signed. */
  threshold: number;
  /**
   * For each signature of the envelope, the published test key that made it, or null. Missing: none made one. The page
   * has the keys of the report only: it believes this, because it makes a verdict only worse.
   */
  testKeyOf?: (string | null)[];
  /** Thresholds that also apply. */
  families?: ReportFamily[];
  /** The trust file that lists the keys. */
  trust?: { name: string; sequence: string; role: string };
  /** Names of identifiers. */
  names: { [identifier: string]: string };
  kinds: ReportKind[];
  /** Whether the release distinguishes slots. */
  slots: boolean;
  /** Bytes of the slot of each component, in the order of the manifest. null: not known. */
  slotSizes?: (number | null)[];
  /** URIs of the payloads whose files were compared when the report was made. */
  compared?: string[];
  /** What changes since the previous release, line by line. `left`: lines that were left out. */
  changes?: { file: string; lines: string[]; left?: number };
  documents?: ReportDocument[];
  /** On a page of its own: that its release was withdrawn. See ReleaseReport. */
  withdrawn?: ReportWithdrawal;
  /** `left`: writes and erases that were left out. */
  cuts?: { device: string; points: ReportCut[]; faults: number; left?: number };
}

/** A release of several boards. */
export interface ReleaseReport {
  /** Name of the folder of the release. */
  file: string;
  /** ISO 8601, UTC. */
  made: string;
  /** release.json, in base64. */
  record: string;
  /** The previous release. */
  previous?: string;
  /** Boards that only the previous release has. */
  gone?: string[];
  /** That it was withdrawn. */
  withdrawn?: ReportWithdrawal;
  documents?: ReportDocument[];
  /** Each has a `board`. At most `MOST_BOARDS`. */
  boards: ReportData[];
}

/** Boards in one report. */
export const MOST_BOARDS = 64;

/** Bytes of a report, without the payloads in its envelopes. */
export const MOST_REPORT_BYTES = 400_000;
