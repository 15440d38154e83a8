// What the command line takes from files, descriptors and stdin, at most. All of it may come from strangers: what is above a limit is refused with
// one line before anything is made of it. docs/reference/limits.md has the same table, and a test holds the two together.

import { IMAGE_LIMITS } from "@firmseal/images";
import { KEY_LIMITS } from "@firmseal/keys";

const KIB = 1024;
const MIB = 1024 * KIB;

export const LIMITS = {
  ...IMAGE_LIMITS,
  ...KEY_LIMITS,
  /** Bytes of an envelope: 16 payloads of the largest size that sign puts into one. */
  envelope: 257 * MIB,
  /** Bytes of an envelope without its payloads: wrapper, manifest, severed elements. */
  envelopeHead: MIB,
  /** Bytes of a payload that sign puts into an envelope. */
  integratedPayload: 16 * MIB,
  /** Bytes of an image that is not hashed as a stream: ELF, Intel HEX, UF2, and raw images of which a copy is written. */
  image: 256 * MIB,
  /** Bytes of a description of a manifest, of a trust file. */
  description: MIB,
  /** Warnings about one description. */
  descriptionWarnings: 16,
  /** Anchors in the description of a trust file: as many as a trust file has. */
  trustAnchors: 16,
  /** Bytes of a trust file: a list below 2^16 bytes, and eight signatures. */
  trustFile: 256 * KIB,
  /** Bytes of a device's status. */
  statusMessage: 32 * KIB,
  /** Bytes of the secrets of devices: 10^5 of them. */
  statusSecrets: 16 * MIB,
  /** Bytes of the file of a signature. */
  signatureFile: 64 * KIB,
  /** Files of a folder of keys. */
  keyFolder: 1024,
  /** Keys that the signatures of an envelope are tried against. */
  triedKeys: 256,
  /** Commands in one section of a manifest, nested ones included. */
  sectionCommands: 16384,
  /** Kinds of device that a manifest tells apart: its vendors times classes times devices times slots. */
  deviceKinds: 256,
  /** Commands that are run for all kinds of device together. */
  triedCommands: 262144,
  /** Kinds of device that a trust file with scopes is asked for: vendors times classes. */
  trustKinds: 64,
  /** Bytes of a fleet file. */
  fleet: 64 * MIB,
  /** Cohorts in a fleet file: its rows. */
  fleetRows: 262144,
  /** Bytes of a row of a fleet file in CSV or JSON Lines. */
  fleetRow: 16 * KIB,
  /** Kinds of device in a fleet file, and states that the cohorts of a plan are in. */
  fleetStates: 1024,
  /** Steps of a plan, and files of an archive. */
  planSteps: 64,
  /** Steps that are tried on devices to find what they need next. */
  planTries: 65536,
  /** Bytes of a byte string that `inspect --diag` shows whole. */
  shownBytes: 64 * KIB,
  /** Pairs of vendor and class that a sequence number is entered for. */
  sequencePairs: 256,
} as const;
