// Power cuts on one simulated device, in whatever thread this runs.

import { randomBytes } from "node:crypto";
import { DEFAULT_ALG, EnvelopeDraft, privateKey, signedWithoutLog, signer } from "@firmseal/signer";
import { DEVICES, PREVIOUS_SIZE, simulate } from "@firmseal/simulator";
import { anchor } from "@firmseal/verifier";

/** Cuts during the recovery from each cut. */
const SECOND_CUTS = 8;

export interface CutsTask {
  /** The unsigned envelope. */
  readonly envelope: Uint8Array;
  /** The payloads outside it, by URI. */
  readonly payloads: readonly (readonly [uri: string, bytes: Uint8Array])[];
  /** Bytes of the largest image. */
  readonly largest: number;
  /** Identifiers of the device, 16 bytes each. */
  readonly vendor: Uint8Array;
  readonly class: Uint8Array;
}

export interface CutsResult {
  readonly cuts: number;
  readonly cutsDuringRecovery: number;
  /** How many cuts end badly, and the first of them in words. */
  readonly faults: number;
  readonly first?: string;
}

/**
 * Signs the envelope with a key that is discarded, installs it on simulated flash, and cuts the power. Throws as
 * simulate() does.
 */
export async function runCuts({ envelope, payloads, largest, vendor, class: name }: CutsTask): Promise<CutsResult> {
  const key = privateKey(DEFAULT_ALG, new Uint8Array(randomBytes(32)));
  const signed = await signedWithoutLog(EnvelopeDraft.read(envelope), [signer(key)]);
  const { report } = await simulate(
    DEVICES.flash.make,
    { envelope: signed.bytes, trust: { anchors: [anchor(DEFAULT_ALG, key.key)] }, payloads: new Map(payloads) },
    { vendor: [vendor], class: [name] },
    { capacity: Math.max(largest, PREVIOUS_SIZE), secondCuts: SECOND_CUTS },
  );
  const [first] = report.faults;
  return {
    cuts: report.cuts,
    cutsDuringRecovery: report.cutsDuringRecovery,
    faults: report.faultCount,
    ...(first && { first: `${first.what}: ${first.fault ?? first.stuck ?? first.boots}` }),
  };
}
