// The index of a shard: the manifests that one entry of a signing log is about.

import { createHmac } from "node:crypto";
import type { Failure } from "@firmseal/keys";
import { readAll, refusedInput } from "@firmseal/keys/internal";
import { parseJson } from "./json.js";
import { LIMITS } from "./limits.js";
import { merkleRoot } from "./merkle.js";
import { LAST } from "./sequence.js";

const SCHEMA = "urn:firmseal:shard:1";

/** What an index says. Digests are as in the logs: `sha-256:` and hex digits. */
export interface ShardIndex {
  /** The number of the shard, from 1. */
  readonly shard: number;
  /** The sequence number of all its manifests, in decimal. */
  readonly sequence: string;
  /** 32 bytes in hex: without it, nobody can try whether a manifest is in the shard. */
  readonly salt: string;
  /** The root of the manifests: shardRoot(). */
  readonly root: string;
  /** The device of each manifest (its identifier in hex), and the digest of the manifest. */
  readonly manifests: readonly { readonly device: string; readonly digest: string }[];
}

/**
 * The root of the manifests of a shard. Each input of the tree is HMAC-SHA-256 of the digest under the salt, 32 bytes,
 * then the digest as text. So one manifest can be proved without the salt, which would let others be tried.
 */
export function shardRoot(salt: string, digests: readonly string[]): string {
  const key = Buffer.from(salt, "hex");
  const inputs = digests.map((text) => Buffer.concat([createHmac("sha256", key).update(text).digest(), Buffer.from(text)]));
  return `sha-256:${merkleRoot(inputs).toString("hex")}`;
}

/** The bytes of an index. A line for each manifest, for people and diff. */
export function shardBytes({ shard, sequence, salt, root, manifests }: ShardIndex): Uint8Array {
  const rows = manifests.map((one) => `    ${JSON.stringify(one)}`).join(",\n");
  const head = JSON.stringify({ $schema: SCHEMA, shard, sequence, salt, root }, null, 2).slice(0, -2);
  return Buffer.from(`${head},\n  "manifests": [\n${rows}\n  ]\n}\n`);
}

export function batchFault(what: string, hint: string): Failure {
  return refusedInput("ERR_BATCH", what, hint);
}

const isObject = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown, form: RegExp): value is string => typeof value === "string" && form.test(value);
const DIGEST = /^sha-(256|384|512):([0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$/;

/** Whether a value has exactly the members of an index, each in its form. */
function isIndex(value: unknown): value is ShardIndex {
  if (!isObject(value) || Object.keys(value).sort().join() !== "$schema,manifests,root,salt,sequence,shard") return false;
  const { shard, sequence, salt, root, manifests } = value;
  return (
    value["$schema"] === SCHEMA &&
    Number.isSafeInteger(shard) &&
    (shard as number) > 0 &&
    isText(sequence, /^(0|[1-9][0-9]{0,19})$/) &&
    BigInt(sequence) <= LAST &&
    isText(salt, /^[0-9a-f]{64}$/) &&
    isText(root, DIGEST) &&
    Array.isArray(manifests) &&
    manifests.length > 0 &&
    manifests.every(
      (one) =>
        isObject(one) &&
        Object.keys(one).join() === "device,digest" &&
        isText(one["device"], /^([0-9a-f]{2}){1,64}$/) &&
        isText(one["digest"], DIGEST),
    )
  );
}

/** Reads the index of a shard. Throws a Failure: BATCH, also for a root that is not that of the manifests. */
export function readShard(path: string): ShardIndex {
  const hint = "give the index that firmseal batch wrote beside the folder of the shard";
  let value: unknown;
  try {
    value = parseJson(readAll(path, LIMITS.batchIndex));
  } catch (e) {
    if (!(e instanceof SyntaxError)) throw e;
  }
  if (!isIndex(value)) throw batchFault(`${path} is not the index of a shard`, hint);
  const digests = value.manifests.map(({ digest }) => digest);
  if (shardRoot(value.salt, digests) !== value.root) throw batchFault(`${path} was changed: its root is not that of its manifests`, hint);
  return value;
}
