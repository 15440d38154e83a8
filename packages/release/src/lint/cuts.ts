// Power cuts while a device installs a release, for one rule. The device is one that keeps its images in files: its
// number of writes does not grow with the image, and its code decides as all devices with two slots do.

import { randomBytes } from "node:crypto";
import { byteWords, grouped } from "@firmseal/keys/internal";
import { DEFAULT_ALG, EnvelopeDraft, privateKey, signedWithoutLog, signer } from "@firmseal/signer";
import { filesStore, simulate, Unsimulated } from "@firmseal/simulator";
import { anchor, type Bytes, type Identity, type Source } from "@firmseal/verifier";
import { LIMITS } from "../input/limits.js";
import { isRefusal, refusalMeaning } from "../verify/refusals.js";

/** Cuts during the recovery from each cut. */
const SECOND_CUTS = 2;

/** A release, and its payloads outside the envelope. */
export interface CutInput {
  readonly envelope: Uint8Array;
  readonly payloads: ReadonlyMap<string, Source | Bytes>;
}

export interface CutReport {
  readonly cuts: number;
  /** Cuts that do not end well, and the first of them in words. */
  readonly faults: number;
  readonly first?: string;
}

/** What was cut, or why nothing was. */
export type CutResult = { readonly report: CutReport } | { readonly why: string };

function wordsOf(e: unknown): string {
  if (isRefusal(e)) return refusalMeaning(e.code);
  return e instanceof Error ? e.message : String(e);
}

function bytesOf({ envelope, payloads }: CutInput): number {
  return [...payloads.values()].reduce((sum, one) => sum + one.length, envelope.length);
}

/** Signs a release with a key that is made for it, and that only the simulated device trusts. */
async function trialRelease({ envelope, payloads }: CutInput) {
  const key = privateKey(DEFAULT_ALG, new Uint8Array(randomBytes(32)));
  const { bytes } = await signedWithoutLog(EnvelopeDraft.read(envelope), [signer(key)]);
  return { envelope: bytes, trust: { anchors: [anchor(DEFAULT_ALG, key.key)] }, payloads };
}

const STEPS = {
  previous: "the previous release",
  update: "the installation",
  start: "the start after it",
  again: "a second installation",
} as const;

/**
 * What fails even without a cut. After some cuts, a device installs again what it has just installed. A release that is
 * made for another one before it says nothing about power cuts.
 */
function unsimulated({ step, cause }: Unsimulated, isGiven: boolean): CutResult {
  const words = `without a power cut, ${STEPS[step]} fails: ${wordsOf(cause)}`;
  return step === "start" || step === "again" || (step === "update" && isGiven)
    ? { report: { cuts: 0, faults: 1, first: words } }
    : { why: words };
}

/**
 * Installs a release over the previous one on a simulated device, and cuts the power at every write. Without a previous
 * release, or if both are too large together, one is generated. Does nothing for a release above LIMITS.lintSimulated
 * bytes.
 */
export async function cutPowerOf(update: CutInput, identity: Identity, given?: CutInput): Promise<CutResult> {
  const bytes = bytesOf(update);
  const previous = given && bytes + bytesOf(given) <= LIMITS.lintSimulated ? given : undefined;
  if (bytes > LIMITS.lintSimulated)
    return { why: `it has ${byteWords(bytes)}, and at most ${grouped(LIMITS.lintSimulated)} are simulated` };
  try {
    const before = previous && (await trialRelease(previous));
    const { report } = await simulate(filesStore, await trialRelease(update), identity, {
      ...(before && { previous: before }),
      secondCuts: SECOND_CUTS,
    });
    const [first] = report.faults;
    const words =
      first && `${first.what}: ${first.fault ?? first.stuck ?? (first.floorFell ? "the floor falls" : `${first.boots} starts`)}`;
    return { report: { cuts: report.cuts, faults: report.faultCount, ...(words !== undefined && { first: words }) } };
  } catch (e) {
    if (e instanceof Unsimulated) return unsimulated(e, previous !== undefined);
    if (e instanceof RangeError || isRefusal(e)) return { why: wordsOf(e) };
    throw e;
  }
}
