import { usage } from "@firmseal/keys";
import { explain, type ForDevice, identityOf, PRODUCT_FILE, type Product, readEnvelopeFile } from "@firmseal/release";
import { explainedLines } from "@firmseal/report";
import { commandArgument, define, option } from "../../command.js";
import { onDemand } from "../../common/on-demand.js";
import { productFile, wholeNumber } from "../../common/options.js";
import { namedLines, namesOfProduct, productHere } from "../../common/product-names.js";
import { BEHAVIOURS, membersOf, NAMES_SHAPE } from "../../common/shapes.js";

export interface ExplainOptions {
  product?: string;
  board?: string;
  vendor?: string;
  class?: string;
  slot?: number;
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

/** Tells what devices will do with a release. Signatures are not verified. */
async function explainRelease(path: string, o: ExplainOptions) {
  const file = o.product ?? (o.board === undefined ? undefined : PRODUCT_FILE);
  const product = await productHere(file, o.json === true);
  const devices = await devicesOf(product, o);
  const found = await explain(readEnvelopeFile(path), { ...devices, ...(o.slot !== undefined && { slot: o.slot }) });
  if (found.behaviours.length === 0)
    throw usage(
      `${path}: is not for this device`,
      `drop ${o.board === undefined ? "--vendor and --class" : "--board"} to see which devices the release is for`,
    );
  return { verified: false, ...found, ...(await namesOfProduct(product)) };
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
  ],
  examples: [
    ["firmseal explain fw.suit", "every kind of device that the release distinguishes"],
    ["firmseal explain fw.suit --vendor example.com --class board-v2 --slot 1", "one of them"],
    ["firmseal explain dist/1.4.2/gateway-esp32-1.4.2.suit --board esp32", "a board of the product file, with the names in it"],
  ],
  json: {
    verified: ["boolean", "false: signatures are not verified"],
    sequence: ["string", "sequence number"],
    components: ["object[]", "component identifiers: hex of each part"],
    behaviours: ["object[]", "what devices do; devices that behave alike are together"],
    ...membersOf("behaviours[]", BEHAVIOURS),
    others: ["number", "combinations of identifiers that the release is not for"],
    ...NAMES_SHAPE,
  },
  run: explainRelease,
  words: (f, path) => [
    {
      lines: namedLines([`${path}: sequence number ${f.sequence} (signatures not verified)`, ...explainedLines(f)], f.names),
    },
  ],
});
