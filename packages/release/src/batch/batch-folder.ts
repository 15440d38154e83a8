// The folder of a batch: its plan, and for each shard an index and a folder with the signed envelopes. The index is
// durable before the log has the shard, and the folder appears whole: so a batch that was stopped continues.

import { existsSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { lock } from "@firmseal/keys";
import { environment, makeFolders, readAll, systemFault, usage, writeFolder, writeWhole } from "@firmseal/keys/internal";
import { parseJson } from "../input/json.js";
import { LIMITS } from "../input/limits.js";
import { batchFault, readShard, type ShardIndex, shardBytes } from "../input/shard.js";

/** What a batch is made from. A run with other inputs would give a device two manifests. */
export interface BatchPlan {
  /** SHA-256 of the template, the list of devices and the files, in hex. */
  readonly inputs: string;
  readonly devices: number;
  /** Devices of each shard, but for the last one. They share one number, and one entry of the log. */
  readonly shardSize: number;
  /** Thumbprints of the keys, in hex. */
  readonly keys: readonly string[];
}

const SCHEMA = "urn:firmseal:batch:1";
const PLAN = "batch.json";
const LOCK = ".batch.lock";

/** The most devices of a shard. */
export const SHARD = 4096;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
/** How many shards a batch has. */
export const shardCount = ({ devices, shardSize }: Pick<BatchPlan, "devices" | "shardSize">) => Math.ceil(devices / shardSize);

const planBytes = (plan: BatchPlan) => Buffer.from(`${JSON.stringify({ $schema: SCHEMA, ...plan }, null, 2)}\n`);

const fileOf = ({ digest }: { readonly digest: string }) => `${digest.replace(/^.*:/, "")}.suit`;
const nameOf = (shard: number) => String(shard).padStart(4, "0");

/** The folder of a batch, which this process holds. */
export class BatchFolder {
  constructor(readonly path: string) {}

  /** Refuses what is not the folder of a batch. Nothing is written. Returns whether a batch was begun here. */
  check(): boolean {
    if (!existsSync(this.path)) return false;
    let names: string[];
    try {
      names = readdirSync(this.path);
    } catch (e) {
      throw systemFault(e, this.path) ?? e;
    }
    if (names.includes(PLAN)) return true;
    if (names.some((name) => !name.startsWith(`${LOCK}`) && !name.startsWith(`.${PLAN}`)))
      throw usage(`${this.path} is not the folder of a batch, and not empty`, "name a new folder");
    return false;
  }

  /** Runs `work` while no other process works in the folder, which is made. It is removed if `work` leaves nothing. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const isNew = !existsSync(this.path);
    try {
      makeFolders(this.path);
    } catch (e) {
      throw systemFault(e, this.path) ?? e;
    }
    const held = await lock(join(this.path, LOCK), { wait: 0, busy: `${this.path}: another process is making this batch` });
    try {
      return await work();
    } finally {
      held.release();
      if (isNew && readdirSync(this.path).length === 0) rmdirSync(this.path);
    }
  }

  /** Refuses a plan that differs from the one that is there. */
  compare(plan: BatchPlan): void {
    const path = join(this.path, PLAN);
    if (!existsSync(path) || planBytes(plan).equals(readAll(path, LIMITS.batchIndex))) return;
    const begun = this.plan();
    const [what, hint] =
      begun.inputs !== plan.inputs
        ? ["other inputs", "restore the template, the list and its files, or make a batch of the changed devices in a new folder"]
        : begun.shardSize !== plan.shardSize
          ? [`shards of ${begun.shardSize}`, `continue with the same ones: \`shardSize\` ${begun.shardSize}`]
          : ["other keys", "sign with the same keys, in the same order"];
    throw batchFault(`${this.path}: this batch was begun with ${what}`, hint);
  }

  /** The plan that is there. Throws a Failure if there is none. */
  plan(): BatchPlan {
    const path = join(this.path, PLAN);
    let plan: unknown;
    try {
      plan = parseJson(readAll(path, LIMITS.batchIndex));
    } catch (e) {
      if (!(e instanceof SyntaxError)) throw e;
    }
    const { $schema, inputs, devices, shardSize, keys } = Object(plan) as { readonly [name: string]: unknown };
    if ($schema !== SCHEMA || typeof inputs !== "string" || !isCount(devices) || !isCount(shardSize) || !Array.isArray(keys))
      throw batchFault(`${path} is not the plan of a batch`, "name a new folder");
    return { inputs, devices, shardSize, keys: keys.map(String) };
  }

  folderOf = (shard: number): string => join(this.path, nameOf(shard));
  indexOf = (shard: number): string => join(this.path, `${nameOf(shard)}.json`);

  /** Whether the envelopes of a shard are there. */
  isDone(shard: number): boolean {
    return existsSync(this.folderOf(shard));
  }

  /** The index of a shard, if there is one. */
  index(shard: number): ShardIndex | undefined {
    const path = this.indexOf(shard);
    if (!existsSync(path)) {
      if (this.isDone(shard)) throw environment(`${path} is missing: the log has its root`, "restore the index of the shard");
      return undefined;
    }
    const index = readShard(path);
    if (index.shard !== shard) throw batchFault(`${path} is the index of shard ${index.shard}`, "restore the index of the shard");
    return index;
  }

  /** The envelopes of a shard, in the order of its index. */
  envelopes({ shard, manifests }: ShardIndex): string[] {
    return manifests.map((one) => join(this.folderOf(shard), fileOf(one)));
  }

  /** Writes an index, and before the first one the plan. They are durable on return. */
  writeIndex(plan: BatchPlan, index: ShardIndex): void {
    const path = join(this.path, PLAN);
    if (!existsSync(path)) writeWhole(path, planBytes(plan), { fresh: true });
    writeWhole(this.indexOf(index.shard), shardBytes(index));
  }

  /** Writes the envelopes of a shard, all or none. */
  writeShard({ shard, manifests }: ShardIndex, envelopes: readonly Uint8Array[]): void {
    const names = manifests.map(fileOf);
    writeFolder(this.folderOf(shard), new Map(envelopes.map((bytes, i) => [names[i] as string, bytes])));
  }
}
