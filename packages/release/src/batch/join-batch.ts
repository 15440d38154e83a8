// Joins what several machines have made of one batch: all its shards, each once, and nothing of another batch.

import { usage } from "@firmseal/keys/internal";
import { batchFault, type ShardIndex } from "../input/shard.js";
import { BatchFolder, type BatchPlan, shardCount } from "./batch-folder.js";

/** A shard, and the folder that has it. */
interface JoinedShard {
  readonly from: BatchFolder;
  readonly index: ShardIndex;
}

/** A batch that was joined. */
export interface JoinedBatch extends BatchPlan {
  readonly shards: readonly ShardIndex[];
}

/**
 * Joins the folders of one batch in a new folder. Checks that each shard is there once, that no device is in two, and
 * that each envelope has the manifest that its index names. Needs no key.
 *
 * @param folders - The folders, in any order.
 * @param out - The new folder, or that of a join that was stopped.
 * @returns The plan of the batch, and its shards.
 * @throws Failure: BATCH for parts that do not belong together or are not complete.
 */
export async function joinBatch(folders: readonly string[], out: string): Promise<JoinedBatch> {
  const parts = folders.map((path) => new BatchFolder(path));
  const [plan] = parts.map((part) => part.plan());
  if (!plan) throw usage("no folder is given", "name the folders that the machines have made");
  for (const part of parts) part.compare(plan);
  const shards = collect(parts, shardCount(plan));
  refuseTwice(shards);
  const whole = new BatchFolder(out);
  whole.check();
  return await whole.alone(async () => {
    whole.compare(plan);
    for (const { from, index } of shards) {
      const there = whole.index(index.shard);
      if (there && there.root !== index.root)
        throw batchFault(
          `${whole.indexOf(index.shard)} has manifests that differ from those of ${from.indexOf(index.shard)}`,
          "name a new folder",
        );
      const envelopes = index.manifests.map((_, i) => from.envelope(index, i));
      if (!there) whole.writeIndex(plan, index);
      if (!whole.isDone(index.shard)) whole.writeShard(index, envelopes);
      await new Promise(setImmediate);
    }
    return { ...plan, shards: shards.map(({ index }) => index) };
  });
}

/** All shards in their order. Throws for one that is missing, not complete, or in two folders. */
function collect(parts: readonly BatchFolder[], count: number): JoinedShard[] {
  const shards: JoinedShard[] = [];
  for (let n = 1; n <= count; n++) {
    const having = parts.filter((part) => part.isDone(n));
    const [from, other] = having;
    if (!from) {
      const begun = parts.find((part) => part.index(n));
      throw batchFault(
        begun ? `${begun.path}: shard ${n} of ${count} is not complete` : `shard ${n} of ${count} is missing`,
        begun ? "run firmseal batch there again, with the same options" : "name the folder of each machine",
      );
    }
    if (other)
      throw batchFault(
        `${from.path} and ${other.path} both have shard ${n}`,
        "publish one of them: each is in the log with a number of its own",
      );
    shards.push({ from, index: from.index(n) as ShardIndex });
  }
  return shards;
}

function refuseTwice(shards: readonly JoinedShard[]): void {
  const seen = new Map<string, number>();
  for (const { index } of shards)
    for (const { device } of index.manifests) {
      const before = seen.get(device);
      if (before !== undefined)
        throw batchFault(`device ${device} is in shard ${before} and in shard ${index.shard}`, "make the batch again");
      seen.set(device, index.shard);
    }
}
