import { usage } from "@firmseal/keys";
import { explain, identityOf, readEnvelopeFile } from "@firmseal/release";
import { explainedLines } from "@firmseal/report";
import { commandArgument, define, option } from "../../command.js";
import { wholeNumber } from "../../common/options.js";
import { BEHAVIOURS, membersOf } from "../../common/shapes.js";

export interface ExplainOptions {
  vendor?: string;
  class?: string;
  slot?: number;
  json?: boolean;
}

/** Tells what devices will do with a release. Signatures are not verified. */
async function explainRelease(path: string, o: ExplainOptions) {
  if ((o.vendor === undefined) !== (o.class === undefined))
    throw usage("a device has a vendor and a class, and one of them is missing", "give --vendor and --class, or neither");
  const identity = o.vendor === undefined ? {} : identityOf(o.vendor, o.class as string);
  const found = await explain(readEnvelopeFile(path), { ...identity, ...(o.slot !== undefined && { slot: o.slot }) });
  if (found.behaviours.length === 0)
    throw usage(`${path}: is not for such a device`, "drop --vendor and --class to see which devices the release is for");
  return { verified: false, ...found };
}

export default define({
  name: "explain",
  summary: "tell in plain English what a device will do with a release, without verifying signatures",
  arguments: [commandArgument("<envelope>", "envelope, or - for stdin")],
  options: () => [
    option("--vendor <vendor>", "only this device: domain of the vendor, or vendor UUID"),
    option("--class <class>", "only this device: name of the device class, or class UUID"),
    option("--slot <n>", "only a device that installs in this slot", { parse: wholeNumber }),
  ],
  examples: [
    ["firmseal explain fw.suit", "every kind of device that the release distinguishes"],
    ["firmseal explain fw.suit --vendor example.com --class board-v2 --slot 1", "one of them"],
  ],
  json: {
    verified: ["boolean", "false: signatures are not verified"],
    sequence: ["string", "sequence number"],
    components: ["object[]", "component identifiers: hex of each part"],
    behaviours: ["object[]", "what devices do; devices that behave alike are together"],
    ...membersOf("behaviours[]", BEHAVIOURS),
    others: ["number", "combinations of identifiers that the release is not for"],
  },
  run: explainRelease,
  words: (f, path) => [{ lines: [`${path}: sequence number ${f.sequence} (signatures not verified)`, ...explainedLines(f)] }],
});
