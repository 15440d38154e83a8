// Makes the manifests of a batch, and refuses what no log decides about, for all devices before one of them is signed.

import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { versionIn } from "@firmseal/behaviour";
import { Failure, type SigningKey } from "@firmseal/keys";
import { byteWords, grouped, inputName, progress, readAll, refuseKeyAsInput, tooMuch, visible } from "@firmseal/keys/internal";
import { draftOf, type EnvelopeDraft, type Files, resolve } from "@firmseal/signer";
import { COND_DEVICE_IDENTIFIER, PARAM_DEVICE_IDENTIFIER, toHex } from "@firmseal/verifier/tools";
import { LIMITS } from "../input/limits.js";
import { batchFault } from "../input/shard.js";
import { inDescription, type KeyAsImage, namedFiles } from "../signing/description.js";
import { openWithTrialKey, warnBeforeSigning } from "../signing/draft.js";
import { type Judged, type JudgeOptions, judged } from "../signing/judge-draft.js";
import { scopeOf } from "../signing/scope.js";
import { manifestParameters } from "../verify/manifest-facts.js";
import { withFileName } from "../verify/refusals.js";
import { sequenceCommands } from "../verify/tree.js";
import { shardCount } from "./batch-folder.js";
import { type DeviceRow, deviceRows } from "./device-rows.js";
import { type BatchTemplate, filled, readTemplate } from "./template.js";

/** Files are read once: all manifests have the same bytes, and the digest of the inputs is over them. */
function readOnce(files: Files, digest: (name: string, of: string) => void): Files {
  const kept = new Map<string, Promise<unknown>>();
  const once = <T>(name: string, work: () => Promise<T>, of: (result: T) => string): Promise<T> => {
    const known = kept.get(name) as Promise<T> | undefined;
    if (known) return known;
    const made = work().then((result) => {
      digest(name, of(result));
      return result;
    });
    kept.set(name, made);
    return made;
  };
  return {
    read: (name) =>
      once(
        `read ${name}`,
        () => files.read(name),
        (bytes) => createHash("sha256").update(bytes).digest("hex"),
      ),
    hash: (name, algorithm) =>
      once(
        `${algorithm} ${name}`,
        () => files.hash(name, algorithm),
        (one) => `${toHex(one.digest)} ${one.size}`,
      ),
  };
}

/** What a batch is made from. */
export class BatchInput {
  private constructor(
    private readonly list: string,
    private readonly name: string,
    private readonly template: BatchTemplate,
    private readonly files: Files,
    private readonly taken: ReadonlyMap<string, string>,
    private readonly given: readonly Uint8Array[],
    readonly rows: readonly DeviceRow[],
    readonly shardSize: number,
  ) {}

  /** Reads a template and a list of devices. Throws a Failure: DESCRIPTION, BATCH, LIMIT, or USAGE for a key. */
  static async read(template: string, devices: string, shardSize: number, o: KeyAsImage): Promise<BatchInput> {
    for (const path of [template, devices]) await refuseKeyAsInput(path, o.key);
    const made = await readTemplate(template);
    const bytes = readAll(devices, LIMITS.batchDevices);
    const taken = new Map<string, string>();
    const files = readOnce(namedFiles(dirname(template), o), (name, digest) => taken.set(name, digest));
    const list = visible(inputName(devices));
    return new BatchInput(
      list,
      visible(inputName(template)),
      made,
      files,
      taken,
      [made.bytes, bytes],
      deviceRows(devices, bytes, made.fields),
      shardSize,
    );
  }

  /** SHA-256 of everything that was read, in hex. */
  get digest(): string {
    const hash = createHash("sha256");
    for (const bytes of this.given) hash.update(`${bytes.length}\n`).update(bytes);
    for (const [name, digest] of [...this.taken].sort(([a], [b]) => (a < b ? -1 : 1))) hash.update(`${JSON.stringify(name)} ${digest}\n`);
    return hash.digest("hex");
  }

  /** The rows of a shard, and how many shards there are. */
  shard = (n: number): readonly DeviceRow[] => this.rows.slice((n - 1) * this.shardSize, n * this.shardSize);
  get shards(): number {
    return shardCount({ devices: this.rows.length, shardSize: this.shardSize });
  }

  /** The place of a row, for messages. */
  private at = ({ where }: DeviceRow) => `${this.list}, ${where}`;

  /** The unsigned envelope for one row. */
  async draft(row: DeviceRow, sequence: bigint): Promise<EnvelopeDraft> {
    const description = filled(this.template, row.fields, sequence);
    return await inDescription(`${this.name} with ${this.at(row)}`, async () => draftOf(await resolve(description, this.files)));
  }

  /** The devices of the first manifest, as logs name them: the number of the batch is looked for by them. */
  async firstScope(): Promise<string[]> {
    const [row] = this.rows as readonly [DeviceRow];
    const draft = await this.draft(row, 1n);
    // before it is run: a device would only say that it is for another one
    this.deviceOf(draft.outline.manifest, row);
    try {
      return scopeOf(await openWithTrialKey(draft));
    } catch (e) {
      throw withFileName(this.at(row), e);
    }
  }

  /**
   * Judges the manifests of all rows as if they were signed, under a number that may not be the one that they get.
   * Throws what refuses one of them, with its row.
   */
  async judge(keys: readonly SigningKey[], sequence: bigint, o: JudgeOptions): Promise<JudgedBatch> {
    const seen = new Map<string, string>();
    const scopes = new Set<string>();
    const overrides = new Set<string>();
    const devices: string[] = [];
    let version: string | undefined;
    let size = 0;
    const bar = progress("checking manifests", this.rows.length);
    try {
      for (const [i, row] of this.rows.entries()) {
        const draft = await this.draft(row, sequence);
        const one = await this.checked(row, draft, keys, o);
        if (i === 0) await warnBeforeSigning(one.manifest, draft.outline, o);
        const device = this.deviceOf(one.manifest, row);
        const before = seen.get(device);
        if (before !== undefined) throw batchFault(`${this.at(row)}: ${device} is also the device of ${before}`, "list each device once");
        seen.set(device, row.where);
        devices.push(device);
        for (const scope of one.asked.scope) scopes.add(scope);
        if (scopes.size > LIMITS.sequencePairs)
          throw batchFault(
            `${this.list}: the devices have more than ${LIMITS.sequencePairs} pairs of vendor and class`,
            "make a batch for each class",
          );
        for (const override of one.overrides) overrides.add(override);
        const own = versionIn(draft.outline);
        if (i > 0 && own !== version)
          throw batchFault(
            `${this.at(row)}: version ${own ?? "(none)"}, and ${version ?? "none"} before`,
            "give all manifests of a batch one version",
          );
        version = own;
        size = (i % this.shardSize === 0 ? 0 : size) + draft.bytes.length;
        if (size > LIMITS.batchShard)
          throw tooMuch(
            `${this.at(row)}: the envelopes of a shard of ${grouped(this.shardSize)} are larger than ${byteWords(LIMITS.batchShard)} together`,
            "leave large payloads out of the envelopes: devices fetch them from a URI",
          );
        bar.at(i + 1);
        if (i % 64 === 63) await new Promise(setImmediate);
      }
    } finally {
      bar.end();
    }
    return { devices, scope: [...scopes].sort(), overrides: [...overrides], ...(version !== undefined && { version }) };
  }

  /** A manifest that devices accept. */
  private async checked(row: DeviceRow, draft: EnvelopeDraft, keys: readonly SigningKey[], o: JudgeOptions): Promise<Judged> {
    try {
      return (await judged(draft, keys, o, 0, undefined)) as Judged;
    } catch (e) {
      if (e instanceof Failure && e.message.startsWith("refused: ")) throw e.with({ message: `${this.at(row)}: ${e.message}` });
      throw withFileName(this.at(row), e);
    }
  }

  /** The one device that a manifest is for, in hex: its identifier is compared before anything else is done. */
  private deviceOf(manifest: EnvelopeDraft["outline"]["manifest"], row: DeviceRow): string {
    const named = new Set(
      manifestParameters(manifest).flatMap((p) =>
        p.code === PARAM_DEVICE_IDENTIFIER ? [toHex(typeof p.value === "string" ? p.raw.slice(1) : p.raw)] : [],
      ),
    );
    const isCompared =
      manifest.shared && sequenceCommands(manifest.input, manifest.shared).some(({ code }) => code === COND_DEVICE_IDENTIFIER);
    const [device] = named;
    if (device === undefined || named.size > 1 || !isCompared)
      throw batchFault(
        `${this.at(row)}: the manifest is not for one device alone`,
        'set one device-identifier in the shared-sequence of the template, and compare it there: "condition-device-identifier"',
      );
    return device;
  }
}

/** What the manifests of a batch have in common. */
export interface JudgedBatch {
  /** The identifier of the device of each row, in hex. */
  readonly devices: readonly string[];
  readonly scope: string[];
  readonly overrides: string[];
  readonly version?: string;
}
