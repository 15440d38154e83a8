// Limits for files, descriptors and stdin. All of them may be hostile: input above a limit is refused with one line
// before it is processed. docs/reference/limits.md has the same table, and a test compares the two.

import { MOST_DEVICE_KINDS, MOST_ITEMS_SHOWN, MOST_LEVELS_SHOWN, MOST_TRIED_COMMANDS } from "@firmseal/behaviour";
import { IMAGE_LIMITS } from "@firmseal/images";
import { KEY_LIMITS } from "@firmseal/keys";
import { MOST_BOARDS, MOST_REPORT_BYTES } from "@firmseal/report";
import { MAX_ANCHORS } from "@firmseal/verifier/tools";

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * The limits of what programs read from outside, besides those of images and keys. Input above a limit is refused with
 * LIMIT, or with the refusal of its kind.
 */
export const LIMITS = {
  ...IMAGE_LIMITS,
  ...KEY_LIMITS,
  /** Bytes of an envelope: 16 payloads of the maximum size that `sign` embeds. */
  envelope: 257 * MIB,
  /** Bytes of an envelope without its payloads: wrapper, manifest, severed elements. */
  envelopeHead: MIB,
  /** Bytes of a payload that `sign` embeds in an envelope. */
  integratedPayload: 16 * MIB,
  /**
   * Bytes of an image that is not hashed as a stream: ELF, Intel HEX, UF2, and raw images that are copied to a file.
   */
  image: 256 * MIB,
  /** Bytes of the description of a manifest or of a trust file. */
  description: MIB,
  /** Warnings about one description. */
  descriptionWarnings: 16,
  /** Anchors in the description of a trust file. A trust file has the same limit. */
  trustAnchors: MAX_ANCHORS,
  /** Bytes of a trust file: a list below 2^16 bytes and eight signatures. */
  trustFile: 256 * KIB,
  /** Bytes of a device's status. */
  statusMessage: 32 * KIB,
  /** Bytes of a line with a status in base64, and of a line with a nonce. */
  statusLine: 48 * KIB,
  nonceLine: KIB,
  /** Bytes of the file with the secrets of devices, enough for 10^5 of them. */
  statusSecrets: 16 * MIB,
  /** Bytes of a signature file. */
  signatureFile: 64 * KIB,
  /** Files in a folder of keys. */
  keyFolder: 1024,
  /** Keys against which the signatures of an envelope are tried. */
  triedKeys: 256,
  /** Commands in one section of a manifest, nested ones included. */
  sectionCommands: 16384,
  /** Kinds of device that a manifest distinguishes: vendors × classes × devices × slots. */
  deviceKinds: MOST_DEVICE_KINDS,
  /** Commands that are executed for all kinds of device together. */
  triedCommands: MOST_TRIED_COMMANDS,
  /** Kinds of device for which a trust file with scopes is tried: vendors × classes. */
  trustKinds: 64,
  /** Bytes of a fleet file. */
  fleet: 64 * MIB,
  /** Cohorts in a fleet file, one for each row. */
  fleetRows: 262144,
  /** Bytes of a row of a fleet file in CSV or JSON Lines. */
  fleetRow: 16 * KIB,
  /** Kinds of device in a fleet file, and states of the cohorts of a plan. */
  fleetStates: 1024,
  /** Bytes of the list of devices of a batch, of one row of it, and rows in it. */
  batchDevices: 256 * MIB,
  batchRow: 16 * KIB,
  batchRows: 262144,
  /** Bytes of the envelopes of one shard of a batch, which are written together. */
  batchShard: 256 * MIB,
  /** Bytes of the index of a shard, and of the plan of a batch. */
  batchIndex: 2 * MIB,
  /** Steps of a plan, and files in an archive. */
  planSteps: 64,
  /** Steps that are tried on devices to find the next one that they need. */
  planTries: 65536,
  /** Bytes of a release, with its payloads and the previous release, on which `lint` cuts the power. */
  lintSimulated: 2 * MIB,
  /** Releases that `lint` checks together. */
  lintReleases: 256,
  /** Findings of one rule about one release. */
  lintFindings: 32,
  /** Alternatives of one try-each that `lint` compares with later ones, and identity conditions in each. */
  lintAlternatives: 64,
  lintConditions: 16,
  /** Waivers in a product file. */
  waivers: 64,
  /** Bytes of a byte string that `inspect --diag` shows in full. */
  shownBytes: 64 * KIB,
  /** Levels and items of an envelope that the verifier refuses and `inspect` shows. */
  shownLevels: MOST_LEVELS_SHOWN,
  shownItems: MOST_ITEMS_SHOWN,
  /** Alternatives in a pattern for an image, and names in the folders that it leads to. */
  patternAlternatives: 256,
  patternNames: 100_000,
  /** Folders beside each other in a folder of releases. */
  releases: 4096,
  /** Bytes of the record of a release, and of its checksums. */
  releaseRecord: 16 * MIB,
  /** Bytes of the mark of a withdrawn release, and characters of the reason. */
  withdrawnMark: 16 * KIB,
  reason: 500,
  /** Withdrawn releases that a record names. */
  withdrawn: 1024,
  /** Boards of a release that a command shows together. */
  shownBoards: MOST_BOARDS,
  /** Bytes of a report without payloads. */
  reportBytes: MOST_REPORT_BYTES,
  /** Documents that a report names, and bytes of one. */
  reportDocuments: 16,
  reportDocument: 64 * MIB,
  /** Pairs of vendor and class for which a sequence number is logged. */
  sequencePairs: 256,
} as const;
