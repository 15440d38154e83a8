import { explainedLines } from "@firmseal/behaviour";
import { usage, versionNumber } from "@firmseal/keys";
import { explain, type ForDevice, identityOf, PRODUCT_FILE, type Product, readEnvelopeFile } from "@firmseal/release";
import { decodeEnvelope } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { numberOrVersion, productFile, wholeNumber } from "../../common/options.js";
import { onDemand } from "../../common/release/on-demand.js";
import { namedLines, namesOfProduct, productHere } from "../../common/release/product-names.js";
import { BEHAVIOURS, membersOf, NAMES_SHAPE, NUMBER } from "../../common/shapes.js";
import { numberWords, versionFacts } from "../../common/words.js";

interface ExplainOptions {
  product?: string;
  board?: string;
  vendor?: string;
  class?: string;
  slot?: number;
  installed?: bigint | string;
  json?: boolean;
}

/** The devices that the options name: those of a board, or one. */
async function devicesOf(product: Product | undefined, o: ExplainOptions): Promise<ForDevice> {
  if ((o.vendor === undefined) !== (o.class === undefined))
    throw usage("a device has a vendor and a class, and one of them is missing", "give --vendor and --class, or neither");
  if (o.board !== undefined && o.vendor !== undefined)
    throw usage("--board: the product file says its vendor and class", "drop --vendor and --class, or drop --board");
  const [vendor, classes] =
    o.board === undefined || !product
      ? [o.vendor, [o.class ?? ""]]
      : [product.vendor, (await onDemand()).boardsOf(product, [o.board])[0]?.classes ?? []];
  if (vendor === undefined) return {};
  const all = classes.map((name) => identityOf(vendor, name));
  return { vendor: (all[0] as (typeof all)[number]).vendor, classes: all.map((one) => one.class) };
}

/** What --installed names. A version has a number where the product makes its numbers from versions. */
function installedRelease(product: Product | undefined, installed: bigint | string): { version?: string; sequence: string } {
  if (typeof installed === "bigint") return { sequence: String(installed) };
  const source = product?.sequence.source ?? "version";
  if (source === "version") return { version: installed, sequence: String(versionNumber(installed)) };
  throw usage(
    `--installed ${installed}: the sequence numbers of ${product?.name} come from ${source}, not from the version`,
    "give the sequence number of the release; firmseal inspect shows it",
  );
}

/** Describes what devices will do with a release. Signatures are not verified. */
async function explainRelease(path: string, o: ExplainOptions) {
  const file = o.product ?? (o.board === undefined ? undefined : PRODUCT_FILE);
  const product = await productHere(file, o.json === true);
  const devices = await devicesOf(product, o);
  const installed = o.installed === undefined ? undefined : installedRelease(product, o.installed);
  const envelope = readEnvelopeFile(path);
  const found = await explain(envelope, {
    ...devices,
    ...(o.slot !== undefined && { slot: o.slot }),
    ...(installed && { installed: BigInt(installed.sequence) }),
  });
  if (found.behaviours.length === 0) {
    const chosen = (["board", "vendor", "class", "slot"] as const).filter((name) => o[name] !== undefined).map((name) => `--${name}`);
    throw usage(`${path} is not for this device`, `drop ${chosen.join(", ")} to see which devices the release is for`);
  }
  return {
    verified: false,
    ...versionFacts(decodeEnvelope(envelope)),
    ...found,
    ...(installed && { installed }),
    ...(await namesOfProduct(product)),
  };
}

/** Returns how the number of the release compares with that of the device. */
function installedLines({ sequence, installed }: { sequence: string; installed?: { version?: string; sequence: string } }): string[] {
  if (!installed) return [];
  const has = `the device has ${numberWords(installed)}`;
  if (installed.sequence !== sequence) return [has];
  return [`${has}: it refuses every release with this number, but for the one that it has (SEQUENCE_TAKEN)`];
}

export default define({
  name: "explain",
  summary: "describe in plain English what a device will do with a release, without verifying signatures",
  arguments: [commandArgument("<envelope>", "envelope, or - for stdin")],
  options: () => [
    productFile(),
    option("--board <name>", "only the devices of this board of the product file"),
    option("--vendor <vendor>", "only this device: domain of the vendor, or vendor UUID"),
    option("--class <class>", "only this device: name of the device class, or class UUID"),
    option("--slot <n>", "only a device that installs in this slot", { parse: wholeNumber }),
    option("--installed <release>", "only a device on which this release is installed: version or sequence number", {
      parse: numberOrVersion,
    }),
  ],
  examples: [
    ["firmseal explain fw.suit", "every kind of device that the release distinguishes"],
    ["firmseal explain fw.suit --vendor example.com --class board-v2 --slot 1 --installed 1.4.1", "one of them, which has version 1.4.1"],
    ["firmseal explain dist/1.4.2/gateway-esp32-1.4.2.suit --board esp32", "a board of the product file, with the names in it"],
  ],
  json: {
    verified: ["boolean", "false: signatures are not verified"],
    ...NUMBER,
    components: ["object[]", "component identifiers: hex of each part"],
    behaviours: ["object[]", "what devices do; devices that behave alike share an entry"],
    ...membersOf("behaviours[]", BEHAVIOURS),
    "installed?": ["object", "with --installed: the release on the device"],
    ...membersOf("installed?", NUMBER),
    others: ["number", "combinations of identifiers that the release is not for"],
    ...NAMES_SHAPE,
  },
  run: explainRelease,
  words: (f, path) => [
    {
      lines: namedLines([`${path}: ${numberWords(f)} (signatures not verified)`, ...installedLines(f), ...explainedLines(f)], f.names),
    },
  ],
});
