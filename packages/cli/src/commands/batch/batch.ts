import { keyFacts, withSigners } from "@firmseal/keys";
import { grouped, type PassphraseOptions, passphraseOptions, plural, refuseMissing } from "@firmseal/keys/internal";
import { type SignBatchOptions, signBatch } from "@firmseal/release/internal";
import { commandArgument, define, option } from "../../command.js";
import { withLogHere } from "../../common/log.js";
import {
  allowKeyAsImage,
  allowTestKey,
  coverage,
  keys,
  passphrases,
  refusalOverrides,
  sequenceChecks,
  sequenceOrNext,
} from "../../common/options.js";
import { checkLog } from "../../common/output.js";
import { KEY, membersOf, RECEIPTS } from "../../common/shapes.js";
import { receiptWords } from "../../common/words.js";

interface BatchOptions extends PassphraseOptions, SignBatchOptions {
  key: string[];
  json?: boolean;
}

/** Signs the manifests of a batch, or what is left of it. */
async function batch(template: string, given: BatchOptions) {
  for (const path of [template, given.devices]) refuseMissing(path);
  const { json: _, ...o } = await withLogHere(given);
  return withSigners(o.key, passphraseOptions(o), async (signing) => {
    const own = signing.flatMap((key) => key.file ?? []);
    if (o.log !== undefined) checkLog(o.log, [template, o.devices, ...own]);
    const { devices, shards } = await signBatch(template, signing, { ...o, key: [...o.key, ...own] });
    return {
      out: o.out,
      devices,
      shards: shards.map(({ shard, sequence, manifests, root, before }) => ({ shard, sequence, manifests, root, before })),
      signers: signing.map((key) => keyFacts(key.public)),
      log: shards.flatMap(({ receipts }) => receipts),
    };
  });
}

export default define({
  name: "batch",
  summary: "sign a manifest for each device of a list, with one log entry for each shard of them",
  arguments: [commandArgument("<template>", "description without a sequence number, whose values may be fields of the list")],
  options: () => [
    option("--devices <file>", "list of devices: CSV whose first line names the fields, or JSON Lines", { required: true }),
    keys("private key"),
    ...passphrases(),
    option("-o, --out <folder>", "folder of the batch: a new one, or that of a batch that was stopped", { required: true }),
    option("--seq <n>", 'sequence number of the first shard, and each shard has the next; "next" (default): by the signing log', {
      parse: sequenceOrNext,
    }),
    option("--first", "confirm that nothing has been released yet; the signing log must be empty"),
    ...coverage(),
    ...sequenceChecks(),
    ...refusalOverrides(),
    allowKeyAsImage(),
    allowTestKey(),
  ],
  examples: [
    ["firmseal batch calibration.json --devices devices.csv --key release.pem --out calibration", "a signed manifest for each device"],
    ["firmseal batch calibration.json --devices devices.csv --key release.pem --out calibration --json", "again: what is left of it"],
  ],
  json: {
    out: ["string", "folder of the batch"],
    devices: ["number", "devices in the list"],
    shards: ["object[]", "its shards"],
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
    `${f.out}: ${grouped(f.devices)} ${f.devices === 1 ? "device" : "devices"}`,
  ],
});
