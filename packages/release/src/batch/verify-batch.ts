// Verifies what a folder has of a batch: every envelope, against the trusted keys and the index of its shard.

import { progress } from "@firmseal/keys/internal";
import { batchFault, type ShardIndex } from "../input/shard.js";
import { withFileName } from "../verify/refusals.js";
import { type TrustedKeys, type VerifiedRelease, type VerifyRelease, verifyRelease } from "../verify/verified.js";
import { BatchFolder, shardCount } from "./batch-folder.js";

/** What a folder has of a batch, all of it good. */
export interface VerifiedBatch {
  readonly devices: number;
  /** Shards of the whole batch. */
  readonly count: number;
  /** The shards that are in the folder. */
  readonly shards: readonly ShardIndex[];
  /** What holds for all envelopes, and the rest of the last one. */
  readonly common: VerifiedRelease;
}

/**
 * Verifies the envelopes of a batch, or of one part of it: each has the manifest and the number that the index of its
 * shard has, and is signed by trusted keys. Reads one envelope at a time.
 *
 * @param path - The folder.
 * @param whom - The trusted keys.
 * @param o - As for one envelope.
 * @returns What was verified.
 * @throws Failure, with the name of the envelope; BATCH for a shard that is not complete, or has more files.
 */
export async function verifyBatch(path: string, whom: TrustedKeys, o: VerifyRelease): Promise<VerifiedBatch> {
  const folder = new BatchFolder(path);
  const plan = folder.plan();
  const count = shardCount(plan);
  const shards: ShardIndex[] = [];
  for (let n = 1; n <= count; n++) {
    const index = folder.index(n);
    if (!index) continue;
    if (!folder.isDone(n))
      throw batchFault(`${path}: shard ${n} of ${count} is not complete`, "run firmseal batch there again, with the same options");
    shards.push(index);
  }
  const bar = progress(
    `verifying ${path}`,
    shards.reduce((sum, { manifests }) => sum + manifests.length, 0),
  );
  let common: VerifiedRelease | undefined;
  let done = 0;
  try {
    for (const index of shards) {
      const envelopes = folder.envelopes(index);
      folder.refuseIncomplete(index);
      for (const [i, envelope] of envelopes.entries()) {
        const verified = await verifyNamed(envelope, folder.envelope(index, i), whom, o);
        if (String(verified.sequence) !== index.sequence)
          throw batchFault(
            `${envelope} has sequence number ${verified.sequence}, and its index says ${index.sequence}`,
            "restore the index of the shard",
          );
        common = common ? both(common, verified) : verified;
        bar.at(++done);
      }
    }
  } finally {
    bar.end();
  }
  if (!common) throw batchFault(`${path} has no shard`, "run firmseal batch there again");
  return { devices: plan.devices, count, shards, common };
}

async function verifyNamed(path: string, envelope: Uint8Array, whom: TrustedKeys, o: VerifyRelease): Promise<VerifiedRelease> {
  try {
    return await verifyRelease(path, envelope, whom, o);
  } catch (e) {
    throw withFileName(path, e);
  }
}

/** The members of two lists, each once. */
function union<T>(one: readonly T[], other: readonly T[]): T[] {
  return other.length === 0 ? [...one] : [...new Map([...one, ...other].map((member) => [JSON.stringify(member), member])).values()];
}

/** What holds for two envelopes: who has signed both, and every doubt about one of them. */
function both(one: VerifiedRelease, other: VerifiedRelease): VerifiedRelease {
  const signers = new Set(other.signers.map((signer) => JSON.stringify(signer)));
  return {
    ...other,
    signers: one.signers.filter((signer) => signers.has(JSON.stringify(signer))),
    signedByTestKeys: union(one.signedByTestKeys, other.signedByTestKeys),
    otherSignatures: union(one.otherSignatures, other.otherSignatures),
    // of each device there may be one: the first envelope with some says it
    refusing: one.refusing.length > 0 ? one.refusing : other.refusing,
    payloadsChecked: union(one.payloadsChecked, other.payloadsChecked),
    payloadsNotChecked: union(one.payloadsNotChecked, other.payloadsNotChecked),
    severedAbsent: union(one.severedAbsent, other.severedAbsent),
  };
}
