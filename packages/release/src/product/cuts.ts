// Power cuts on a device that gets a release. The commands of the release are tried, with the first bytes of its images: a
// longer image repeats the same writes and erases, and trying each of them would take minutes.

import { randomBytes } from "node:crypto";
import { CODES, Failure } from "@firmseal/keys";
import { DEFAULT_ALG, identityUuids, privateKey, signedBy, signer } from "@firmseal/signer";
import { DEVICES, nodeHost, PREVIOUS_SIZE, simulate } from "@firmseal/simulator";
import { anchor, open } from "@firmseal/verifier";
import type { Product } from "./file/product.js";
import type { PreparedBoard } from "./prepare.js";

/** Two pages of flash. */
const IMAGE_BYTES = 8192;
/** Cuts during the recovery from each cut. */
const SECOND_CUTS = 8;

export interface Cuts {
  readonly cuts: number;
  readonly cutsDuringRecovery: number;
}

/** Installs a release on simulated flash, for each class, and cuts the power. Throws a Failure: POWER_CUT. */
export async function cutPower(product: Product, prepared: PreparedBoard, sequence: bigint): Promise<Cuts> {
  const { board } = prepared;
  // a release of number 0 has none before it
  const draft = prepared.draft(sequence > 0n ? sequence : 1n, IMAGE_BYTES);
  const key = privateKey(DEFAULT_ALG, new Uint8Array(randomBytes(32)));
  const { bytes: envelope } = await signedBy(draft, [signer(key)]);
  const trust = { anchors: [anchor(DEFAULT_ALG, key.key)] };
  open(envelope, trust, nodeHost);
  const [name] = board.classes as [string];
  const id = identityUuids(product.vendor, name);
  const { report } = await simulate(
    DEVICES["flash"] as NonNullable<(typeof DEVICES)[string]>,
    { envelope, trust, payloads: new Map() },
    { vendor: [id.vendor], class: [id.class] },
    { capacity: Math.max(IMAGE_BYTES, PREVIOUS_SIZE), secondCuts: SECOND_CUTS },
  );
  const [first] = report.faults;
  if (first)
    throw new Failure(
      1,
      "POWER_CUT",
      CODES.POWER_CUT,
      `board ${board.name}: ${report.faultCount} power cuts do not end well; the first: ${first.what}: ${first.fault ?? first.stuck ?? first.boots}`,
      "firmseal simulate shows each cut",
    );
  return { cuts: report.cuts, cutsDuringRecovery: report.cutsDuringRecovery };
}
