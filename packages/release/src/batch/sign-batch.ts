// Signs a batch: a manifest for each of many devices, with one sequence number and one entry in the log for each shard
// of 4,096. A batch that was stopped continues where it was, with the same manifests.

import { randomBytes } from "node:crypto";
import {
  type Abortable,
  type ClockOverride,
  checkSequence,
  type Entry,
  keyName,
  nextSequence,
  type Receipt,
  refuseTestKeys,
  type SequenceOverrides,
  type SigningFacts,
  type SigningKey,
  type SigningLogs,
  withSigningLogs,
} from "@firmseal/keys";
import { decides, logsFor, progress, SIGN_BATCH, usage, warn } from "@firmseal/keys/internal";
import { type EnvelopeDraft, signedWithoutLog } from "@firmseal/signer";
import { nodeHost } from "@firmseal/simulator";
import { merkleRoot } from "../input/merkle.js";
import { LAST } from "../input/sequence.js";
import { batchFault, type ShardIndex, shardRoot } from "../input/shard.js";
import { approvalsByLog, NO_APPROVALS } from "../signing/approval.js";
import { type CoverOptions, coveringTrustFiles, refuseMovedKeys, refuseRootKeys, refuseUncovered } from "../signing/coverage.js";
import type { KeyAsImage } from "../signing/description.js";
import { openWithTrialKey } from "../signing/draft.js";
import { type Asked, overridden } from "../signing/enter-uses.js";
import { toBeSigned } from "../signing/judge-draft.js";
import { logDigest } from "../signing/scope.js";
import type { TrustOnFile } from "../trust/read.js";
import { checkPayloads, type RefusalOverrides } from "../verify/payload-check.js";
import { BatchFolder, type BatchPlan, SHARD } from "./batch-folder.js";
import { BatchInput, type JudgedBatch } from "./make-manifests.js";

/** Options of signBatch(). */
export interface SignBatchOptions extends KeyAsImage, SequenceOverrides, ClockOverride, CoverOptions, RefusalOverrides, Abortable {
  /** The list of devices. */
  devices: string;
  /** The folder of the batch, new or begun. */
  out: string;
  /** The number of the first shard; each shard has the next one. Left out: the next ones by the logs. */
  seq?: bigint | "next";
  /** Nothing was signed before. */
  first?: boolean;
  /** Devices of a shard, 1 to 4,096. Default: 4,096. */
  shardSize?: number;
  /** Which shards this machine makes: every `of`th, from the `part`th. Default: all. Others make theirs elsewhere. */
  shard?: { readonly part: number; readonly of: number };
  log?: string;
  allowTestKey?: readonly string[];
}

/** A shard, as it is in the folder now. */
export interface SignedShard {
  readonly shard: number;
  readonly sequence: string;
  readonly manifests: number;
  readonly root: string;
  /** Whether an earlier run made it. */
  readonly before: boolean;
  /** Of this run: the entries in the logs, one for each key. */
  readonly receipts: readonly Receipt[];
}

/** A batch, of which all shards that this machine makes are complete. */
export interface SignedBatch {
  readonly devices: number;
  /** Shards of the whole batch. */
  readonly count: number;
  readonly shards: readonly SignedShard[];
}

/**
 * Signs the manifests of a batch, or the rest of one that was stopped. All manifests are judged before the first shard
 * is entered. An entry is in the logs, and the index of its shard on the disk, before the shard is signed.
 *
 * @param template - The template: a description with fields.
 * @param keys - The open keys. One-time keys do not sign batches.
 * @param o - The devices, the folder, and what else to check.
 * @returns The shards.
 * @throws Failure, also for what refuses one manifest. A refused call has entered nothing for a shard that is not
 *   complete, or leaves it to the next call to complete it.
 */
export async function signBatch(template: string, keys: readonly SigningKey[], o: SignBatchOptions): Promise<SignedBatch> {
  refuseTestKeys(
    keys.map((key) => key.public),
    o.allowTestKey ?? [],
  );
  const oneTime = keys.find((key) => key.claim);
  if (oneTime) throw usage(`${oneTime.name}: a one-time key has no leaf for each device`, "sign batches with another key");
  const lists = coveringTrustFiles(o);
  const folder = new BatchFolder(o.out);
  const isBegun = folder.check();
  const { shardSize = SHARD, shard: own = { part: 1, of: 1 } } = o;
  // each machine would need to know which numbers the others have reached
  if (own.of > 1 && typeof o.seq === "bigint")
    throw usage(
      "several machines make the shards in any order, and `seq` gives the number of the first one",
      "leave it out: the log gives each number",
    );
  if (o.first && typeof o.seq === "bigint") throw usage("`first` is for `seq` next", "drop it");
  const input = await BatchInput.read(template, o.devices, shardSize, o);
  const scope = await input.firstScope();
  const begun = new Map<number, ShardIndex>();
  const left: number[] = [];
  for (let n = own.part; n <= input.shards; n += own.of) {
    const index = isBegun ? folder.index(n) : undefined;
    if (index) begun.set(n, index);
    else left.push(n);
  }
  const entered = new Map<string, string>();
  const next = await withSigningLogs(
    keys,
    o.log,
    async (opened) => {
      refuseByLogs(opened, keys, o);
      if (isBegun)
        for (const { operation, digest, sequence } of opened.logs.flat())
          if (operation === SIGN_BATCH && digest !== undefined && sequence !== undefined) entered.set(digest, sequence);
      if (left.length === 0 || typeof o.seq === "bigint") return o.seq;
      return nextSequence(opened.deciding, scope, { first: isBegun ? "known" : firstOf(o) });
    },
    o,
  );
  // the numbers of the shards that are left, if no other job takes one meanwhile
  const numbers = left.map((n, i): [number, bigint] => [
    n,
    typeof o.seq === "bigint" ? o.seq + BigInt(n - 1) : (next as bigint) + BigInt(i),
  ]);
  const [known] = begun.values();
  const likely = known ? BigInt(known.sequence) : (numbers[0]?.[1] ?? 0n);
  const judged = await input.judge(keys, likely, { ...o, lists, ...(o.role && { role: o.role }) });
  await refuseLaterNumbers(input, numbers, keys, lists, o);
  return await folder.alone(async () => {
    const plan = { inputs: input.digest, devices: input.rows.length, shardSize, keys: keys.map((key) => keyName(key.public)) };
    folder.compare(plan);
    const batch = new Batch(folder, plan, input, judged, keys, lists, entered, o);
    const shards: SignedShard[] = [];
    try {
      for (let n = own.part; n <= input.shards; n += own.of) shards.push(await batch.shard(n));
    } catch (e) {
      const now = shards.filter(({ before }) => !before).map(({ shard }) => shard);
      if (now.length > 0)
        warn(`${o.out}: ${now.length === 1 ? "shard" : "shards"} ${now.join(", ")} of ${input.shards} are in the log, and complete`);
      throw e;
    }
    return { devices: input.rows.length, count: input.shards, shards };
  });
}

/** Refuses what the numbers of later shards would be refused for, as far as they are known before the first entry. */
async function refuseLaterNumbers(
  input: BatchInput,
  numbers: readonly (readonly [shard: number, number: bigint])[],
  keys: readonly SigningKey[],
  lists: readonly TrustOnFile[],
  o: SignBatchOptions,
): Promise<void> {
  for (const [shard, number] of numbers) {
    if (number > LAST) throw noNumber(shard);
    const [row] = input.shard(shard);
    if (lists.length > 0 && row) refuseUncovered(await openWithTrialKey(await input.draft(row, number)), keys, lists, o.role);
  }
}

const noNumber = (shard: number) =>
  batchFault(`shard ${shard} would have a number above 2^64 - 1`, "no number is left for it: make a batch of fewer shards");

/** What a caller knows if the logs are empty. Of several machines, one begins, and nobody knows which one. */
const firstOf = ({ first = false, shard }: SignBatchOptions) => (first && shard !== undefined && shard.of > 1 ? "known" : first);

/** Refuses what the logs say about the keys. Returns the overrides that were needed. */
function refuseByLogs(opened: SigningLogs, keys: readonly SigningKey[], o: CoverOptions): string[] {
  const known = opened.deciding.flat();
  refuseMovedKeys(keys, known);
  // who must approve would have to look at every manifest
  approvalsByLog(known, keys, NO_APPROVALS);
  return refuseRootKeys(keys, known, o);
}

const isOfShard = ({ operation, digest }: Entry, { root }: ShardIndex) => operation === SIGN_BATCH && digest === root;

/** The manifests of one shard, and what each key signs. */
interface Made {
  readonly index: ShardIndex;
  readonly drafts: readonly EnvelopeDraft[];
  /** For each manifest, the message of each key. */
  readonly messages: readonly (readonly Uint8Array[])[];
}

class Batch {
  constructor(
    private readonly folder: BatchFolder,
    private readonly plan: BatchPlan,
    private readonly input: BatchInput,
    private readonly judged: JudgedBatch,
    private readonly keys: readonly SigningKey[],
    private readonly lists: readonly TrustOnFile[],
    /** What the logs had of batches when this one continued: the number of each root. */
    private readonly entered: ReadonlyMap<string, string>,
    private readonly o: SignBatchOptions,
  ) {}

  /** Makes, enters, signs and writes a shard, unless that was done before. */
  async shard(n: number): Promise<SignedShard> {
    const { folder, keys, o } = this;
    const known = folder.index(n);
    if (known) this.refuseForeign(known);
    if (known && folder.isDone(n)) {
      if (this.entered.get(known.root) !== known.sequence)
        throw batchFault(
          `the log has no entry about ${folder.indexOf(n)}`,
          "bring the log of the key: `log` FILE; or restore the index of the shard",
        );
      folder.refuseIncomplete(known);
      return { ...factsOf(known), before: true, receipts: [] };
    }
    const { made, receipts } = await withSigningLogs(keys, o.log, async (opened) => await this.enter(opened, n, known), o);
    o.signal?.throwIfAborted();
    folder.writeShard(made.index, await this.sign(made));
    return { ...factsOf(made.index), before: false, receipts };
  }

  /** Refuses an index of other devices. */
  private refuseForeign(known: ShardIndex): void {
    const { input, judged, folder } = this;
    const from = (known.shard - 1) * input.shardSize;
    const devices = judged.devices.slice(from, from + input.shardSize);
    if (devices.join() !== known.manifests.map(({ device }) => device).join())
      throw batchFault(`${folder.indexOf(known.shard)} does not have the devices of this batch`, "restore the index of the shard");
  }

  /** Enters a shard in the logs: that of its index if they have it, or a new one. */
  private async enter(opened: SigningLogs, n: number, known: ShardIndex | undefined): Promise<{ made: Made; receipts: Receipt[] }> {
    const { keys, o, folder, judged } = this;
    const overrides = [...judged.overrides, ...refuseByLogs(opened, keys, o)];
    if (known) {
      const made = await this.make(n, BigInt(known.sequence), known.salt);
      if (made.index.root !== known.root) throw batchFault(`${folder.indexOf(n)} has other manifests`, "restore the index of the shard");
      const entries = keys.map((key, i) => opened.logs[i]?.find((e) => isOfShard(e, known) && e.key === keyName(key.public)));
      // otherwise nobody has signed it, and its number may belong to somebody else now
      if (entries.some((e) => e !== undefined)) {
        const asked = this.asked(opened, made, overrides);
        const receipts = keys.map((key, i) => {
          const before = entries[i];
          const use = { ...this.use(made, i), ...asked };
          const { overrides: _, ...same } = use;
          const allowed = before?.overrides && { overrides: before.overrides };
          return (before && opened.entered(key, { ...same, ...allowed })) ?? opened.record(key, use);
        });
        return { made, receipts };
      }
    }
    const made = await this.make(n, this.number(opened, n), randomBytes(32).toString("hex"));
    const asked = this.asked(opened, made, overrides);
    const uses = keys.map((_, i) => ({ ...this.use(made, i), ...asked }));
    opened.refuseOther(keys, uses[0] as SigningFacts);
    o.signal?.throwIfAborted();
    folder.writeIndex(this.plan, made.index);
    return { made, receipts: keys.map((key, i) => opened.record(key, uses[i] as SigningFacts)) };
  }

  /** The number of a new shard. */
  private number(opened: SigningLogs, n: number): bigint {
    const { seq } = this.o;
    const first = firstOf(this.o);
    if (seq === undefined || seq === "next")
      return nextSequence(opened.deciding, this.judged.scope, { first: n === 1 || first === "known" ? first : false });
    const number = seq + BigInt(n - 1);
    if (number > LAST) throw noNumber(n);
    return number;
  }

  private async make(n: number, sequence: bigint, salt: string): Promise<Made> {
    const { input, keys, lists, o } = this;
    const rows = input.shard(n);
    const drafts: EnvelopeDraft[] = [];
    const messages: Uint8Array[][] = [];
    for (const row of rows) {
      const draft = await input.draft(row, sequence);
      // a key may be trusted for some numbers only
      if (lists.length > 0) refuseUncovered(await openWithTrialKey(draft), keys, lists, o.role);
      drafts.push(draft);
      messages.push(await toBeSigned(draft, keys));
    }
    const digests = drafts.map(logDigest);
    const from = (n - 1) * input.shardSize;
    const manifests = digests.map((digest, i) => ({ device: this.judged.devices[from + i] as string, digest }));
    return { index: { shard: n, sequence: String(sequence), salt, root: shardRoot(salt, digests), manifests }, drafts, messages };
  }

  /** What each key is asked to sign. Throws what the logs say against it. */
  private asked(opened: SigningLogs, { index: { root: digest, sequence } }: Made, overrides: readonly string[]): Asked {
    const { scope, version } = this.judged;
    const asked = { digest, sequence, ...(version !== undefined && { version }), scope };
    const logs = logsFor(this.keys, opened, (log) => decides(log, asked));
    return overridden(asked, [...overrides, ...checkSequence(logs, { ...asked, sequence: BigInt(sequence) }, this.o)]);
  }

  /** What is also entered for a key. */
  private use({ index, messages }: Made, key: number): Pick<SigningFacts, "operation" | "batch" | "tbs"> {
    const signed = messages.map((of) => of[key] as Uint8Array);
    return { operation: SIGN_BATCH, batch: String(index.manifests.length), tbs: merkleRoot(signed).toString("hex") };
  }

  /** The signed envelopes, each opened as a device opens it. */
  private async sign({ drafts, messages, index }: Made): Promise<Uint8Array[]> {
    const signers = this.keys.map((key) => key.signer);
    const bar = progress(`signing shard ${index.shard} of ${this.input.shards}`, drafts.length);
    const out: Uint8Array[] = [];
    try {
      for (const [i, draft] of drafts.entries()) {
        const signed = await signedWithoutLog(draft, signers, messages[i] as Uint8Array[]);
        await checkPayloads(await signed.verify(signers, nodeHost), new Map(), () => nodeHost);
        out.push(signed.bytes);
        bar.at(i + 1);
        if (i % 64 === 63) await new Promise(setImmediate);
      }
    } finally {
      bar.end();
    }
    return out;
  }
}

const factsOf = ({ shard, sequence, root, manifests }: ShardIndex) => ({ shard, sequence, root, manifests: manifests.length });
