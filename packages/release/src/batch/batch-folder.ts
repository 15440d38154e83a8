// The folder of a batch: its plan, and for each shard an index and a folder with the signed envelopes. The index is
// durable before the log has the shard, and the folder appears whole: so a batch that was stopped continues.

import { existsSync, lstatSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Lock, lock } from "@firmseal/keys";
import { environment, makeFolders, readAll, systemFault, usage, writeFolder, writeWhole } from "@firmseal/keys/internal";
import { unlessThrown } from "@firmseal/signer";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { parseJson } from "../input/json.js";
import { LIMITS } from "../input/limits.js";
import { batchFault, readShard, type ShardIndex, shardBytes } from "../input/shard.js";
import { logDigest } from "../signing/scope.js";
import { readEnvelopeFile } from "../verify/envelope-file.js";
import { withFileName } from "../verify/refusals.js";
import { PLAN } from "./plan-file.js";

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
const LOCK = ".batch.lock";
/** What a process was writing when it was killed. */
const LEFT_OVER = /^\.(batch\.json|\d{4}|\d{4}\.json)\.[0-9a-f]+\.tmp$/;

/** The most devices of a shard. */
export const SHARD = 4096;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
/** How many shards a batch has. */
export const shardCount = ({ devices, shardSize }: Pick<BatchPlan, "devices" | "shardSize">) => Math.ceil(devices / shardSize);

const planBytes = (plan: BatchPlan) => Buffer.from(`${JSON.stringify({ $schema: SCHEMA, ...plan }, null, 2)}\n`);

const fileOf = ({ digest }: { readonly digest: string }) => `${digest.replace(/^.*:/, "")}.suit`;
const nameOf = (shard: number) => String(shard).padStart(4, "0");

/** Removes a folder and those around it that were made for it, as far as they are empty. */
function removeEmptyUpTo(path: string, outermost: string): void {
  for (let folder = path; ; folder = dirname(folder)) {
    if (unlessThrown(() => readdirSync(folder).length) !== 0) return;
    rmdirSync(folder);
    if (resolve(folder) === resolve(outermost)) return;
  }
}

function digestIn(path: string, bytes: Uint8Array): string | undefined {
  try {
    const { digest } = decodeEnvelope(bytes);
    return digest ? logDigest({ digest }) : undefined;
  } catch (e) {
    throw withFileName(path, e);
  }
}

/** The folder of a batch, which this process holds. */
export class BatchFolder {
  private held: Lock | undefined;
  constructor(readonly path: string) {}

  /** Refuses what is not the folder of a batch. Nothing is written. Returns whether a batch was begun here. */
  check(): boolean {
    const there = lstatSync(this.path, { throwIfNoEntry: false });
    if (!there) return false;
    if (there.isSymbolicLink()) throw usage(`${this.path} is a symbolic link`, "name the folder itself");
    let names: string[];
    try {
      names = readdirSync(this.path);
    } catch (e) {
      throw systemFault(e, this.path) ?? e;
    }
    if (names.includes(PLAN)) return true;
    if (names.some((name) => !name.startsWith(LOCK) && !LEFT_OVER.test(name)))
      throw usage(`${this.path} is not the folder of a batch, and not empty`, "name a new folder");
    return false;
  }

  /** Runs `work` while no other process works in the folder, which is made. It is removed if `work` leaves nothing. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    let made: string | undefined;
    try {
      made = makeFolders(this.path);
    } catch (e) {
      throw systemFault(e, this.path) ?? e;
    }
    this.held = await lock(join(this.path, LOCK), { wait: 0, busy: `${this.path}: another process is making this batch` });
    try {
      for (const name of readdirSync(this.path)) if (LEFT_OVER.test(name)) rmSync(join(this.path, name), { recursive: true, force: true });
      return await work();
    } finally {
      this.held.release();
      if (made !== undefined) removeEmptyUpTo(this.path, made);
    }
  }

  /** Refuses to write where another process may write: the folder was moved, or somebody has removed its lock. */
  private refuseOther(): void {
    if (!this.held?.isOurs())
      throw environment(`${this.path} was moved or replaced while the batch was made`, "bring it back, and run the command again");
  }

  /** Refuses a plan that differs from the one that is there. */
  compare(plan: BatchPlan): void {
    const path = join(this.path, PLAN);
    if (!existsSync(path) || planBytes(plan).equals(readAll(path, LIMITS.batchIndex))) return;
    const begun = this.plan();
    // nothing was entered without an index
    if (!this.hasIndex()) return;
    const [what, hint] =
      begun.inputs !== plan.inputs
        ? ["other inputs", "restore the template, the list and its files, or make a batch of the changed devices in a new folder"]
        : begun.shardSize !== plan.shardSize
          ? [`shards of ${begun.shardSize}`, `continue with the same ones: \`shardSize\` ${begun.shardSize}`]
          : ["other keys", "sign with the same keys, in the same order"];
    throw batchFault(`${this.path}: this batch was begun with ${what}`, hint);
  }

  private hasIndex = (): boolean => readdirSync(this.path).some((name) => /^\d{4}(\.json)?$/.test(name));

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

  /** Refuses a shard that is done, and does not have exactly the envelopes of its index. */
  refuseIncomplete(index: ShardIndex): void {
    const path = this.folderOf(index.shard);
    const names = lstatSync(path).isDirectory() ? readdirSync(path).sort() : [];
    const wanted = index.manifests.map(fileOf).sort();
    if (names.join() !== wanted.join())
      throw batchFault(`${path} does not have the envelopes of its index, and no other file`, "remove it, and run firmseal batch again");
    for (const i of index.manifests.keys()) this.envelope(index, i);
  }

  /** The bytes of an envelope. Throws a Failure if it does not have the manifest that the index has. */
  envelope(index: ShardIndex, i: number): Uint8Array {
    const path = join(this.folderOf(index.shard), fileOf(index.manifests[i] as { digest: string }));
    const bytes = readEnvelopeFile(path);
    if (digestIn(path, bytes) !== index.manifests[i]?.digest)
      throw batchFault(
        `${path} does not have the manifest that it is named after`,
        "restore it: remove the folder of the shard, and run firmseal batch again",
      );
    return bytes;
  }

  /** Writes an index, and before the first one the plan. They are durable on return. */
  writeIndex(plan: BatchPlan, index: ShardIndex): void {
    this.refuseOther();
    if (!this.hasIndex()) writeWhole(join(this.path, PLAN), planBytes(plan));
    writeWhole(this.indexOf(index.shard), shardBytes(index));
  }

  /** Writes the envelopes of a shard, all or none. */
  writeShard({ shard, manifests }: ShardIndex, envelopes: readonly Uint8Array[]): void {
    this.refuseOther();
    const names = manifests.map(fileOf);
    writeFolder(this.folderOf(shard), new Map(envelopes.map((bytes, i) => [names[i] as string, bytes])));
  }
}
