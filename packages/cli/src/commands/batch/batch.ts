import { keyFacts, withSigners } from "@firmseal/keys";
import { grouped, type PassphraseOptions, passphraseOptions, plural, refuseMissing, usage } from "@firmseal/keys/internal";
import { joinBatch, type SignBatchOptions, signBatch } from "@firmseal/release/internal";
import { commandArgument, define, option } from "../../command.js";
import { withLogHere } from "../../common/log.js";
import {
  allowKeyAsImage,
  allowTestKey,
  coverage,
  keys,
  missingOption,
  passphrases,
  refusalOverrides,
  sequenceChecks,
  sequenceOrNext,
  shardSize,
} from "../../common/options.js";
import { checkLog } from "../../common/output.js";
import { KEY, membersOf, RECEIPTS } from "../../common/shapes.js";
import { shardPart } from "../../common/shard.js";
import { receiptWords } from "../../common/words.js";

interface BatchOptions extends PassphraseOptions, Omit<SignBatchOptions, "devices" | "key" | "shard"> {
  devices?: string;
  key?: string[];
  shard?: string;
  join?: boolean;
  json?: boolean;
}

/** Signs the manifests of a batch, or what is left of it; or joins what several machines have made of it. */
async function batch(inputs: string[], { join, shard, json: _, ...given }: BatchOptions) {
  if (join) return joinFolders(inputs, { ...given, ...(shard !== undefined && { shard }) });
  const [template, other] = inputs;
  if (template === undefined) throw usage("argument 'template' is missing", "name a description without a sequence number");
  if (other !== undefined) throw usage(`${other}: a batch has one template`, "to join the folders of several machines, give `join`");
  const { devices, key } = given;
  if (devices === undefined) throw missingOption("--devices <file>");
  if (key === undefined) throw missingOption("-k, --key <key>");
  for (const path of [template, devices]) refuseMissing(path);
  const part = shard === undefined ? {} : { shard: shardPart(shard, process.env) };
  const o = await withLogHere({ ...given, ...part, devices, key });
  return withSigners(o.key, passphraseOptions(o), async (signing) => {
    const own = signing.flatMap((key) => key.file ?? []);
    if (o.log !== undefined) checkLog(o.log, [template, o.devices, ...own]);
    const { devices, count, shards } = await signBatch(template, signing, { ...o, key: [...o.key, ...own] });
    return {
      ...{ out: o.out, devices, count },
      shards: shards.map(({ shard, sequence, manifests, root, before }) => ({ shard, sequence, manifests, root, before })),
      signers: signing.map((key) => keyFacts(key.public)),
      log: shards.flatMap(({ receipts }) => receipts),
    };
  });
}

/** Joins the folders of several machines in a new one. Opens no key. */
async function joinFolders(folders: readonly string[], { out, ...others }: { readonly out: string }) {
  const [other] = Object.keys(others);
  if (other !== undefined) throw usage(`\`${other}\` is not for \`join\`, which signs nothing`, "drop it");
  const { devices, shards } = await joinBatch(folders, out);
  const joined = shards.map(({ shard, sequence, root, manifests }) => ({
    shard,
    sequence,
    manifests: manifests.length,
    root,
    before: true,
  }));
  return { out, devices, count: shards.length, shards: joined, signers: [], log: [] };
}

export default define({
  name: "batch",
  summary: "sign a manifest for each device of a list, with one log entry for each shard of them",
  arguments: [
    commandArgument(
      "[inputs...]",
      "template: a description without a sequence number, whose values may be fields of the list; with --join, folders",
    ),
  ],
  options: () => [
    option("--devices <file>", "list of devices: CSV whose first line names the fields, or JSON Lines; required without --join"),
    keys("private key; required without --join", false),
    ...passphrases(),
    option("-o, --out <folder>", "folder of the batch: a new one, or that of a batch that was stopped", { required: true }),
    option("--seq <n>", 'sequence number of the first shard, and each shard has the next; "next" (default): by the signing log', {
      parse: sequenceOrNext,
    }),
    option("--first", "confirm that nothing has been released yet; the signing log must be empty"),
    option(
      "--shard <part>",
      "make the shards of one machine of several: 1/4 makes each 4th, from the 1st; auto by the job array, auto/4 in Kubernetes",
    ),
    option("--shard-size <n>", "devices of a shard, which share one number and one log entry, at most 4096 (default: 4096)", {
      parse: shardSize,
    }),
    option("--join", "put the shards that several machines have made into one folder: the arguments are theirs"),
    ...coverage(),
    ...sequenceChecks(),
    ...refusalOverrides(),
    allowKeyAsImage(),
    allowTestKey(),
  ],
  examples: [
    ["firmseal batch calibration.json --devices devices.csv --key release.pem --out calibration", "a signed manifest for each device"],
    ["firmseal batch calibration.json --devices devices.csv --key release.pem --out part-2 --shard 2/4", "the part of one machine of four"],
    ["firmseal batch --join part-1 part-2 part-3 part-4 --out calibration", "the whole, of the four parts"],
  ],
  json: {
    out: ["string", "folder of the batch"],
    devices: ["number", "devices in the list"],
    count: ["number", "shards of the whole batch"],
    shards: ["object[]", "those that are in the folder"],
    ...membersOf("shards[]", {
      shard: ["number", "number of the shard, from 1"],
      sequence: ["string", "sequence number of its manifests"],
      manifests: ["number", "how many it has"],
      root: ["string", "root of its manifests, as in the log"],
      before: ["boolean", "an earlier run made it"],
    }),
    signers: ["object[]", "keys that sign"],
    ...membersOf("signers[]", KEY),
    ...RECEIPTS,
  },
  run: batch,
  words: (f) => [
    ...receiptWords(f.log),
    ...f.shards.map(
      ({ shard, sequence, manifests, before }) =>
        `shard ${shard}: ${plural(manifests, "manifest")}, sequence number ${sequence}${before ? ", made before" : ""}`,
    ),
    f.shards.length === f.count
      ? `${f.out}: ${grouped(f.devices)} ${f.devices === 1 ? "device" : "devices"}`
      : `${f.out}: ${f.shards.length} of ${plural(f.count, "shard")}; join all parts: firmseal batch --join FOLDERS --out FOLDER`,
  ],
});
