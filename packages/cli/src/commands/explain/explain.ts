import { explainedLines } from "@firmseal/behaviour";
import type { Failure } from "@firmseal/keys";
import { byteWords, usage } from "@firmseal/keys/internal";
import { type ExplainedRefusal, explain, explainRefusal, type ForDevice, type Product, type ReportedRefusal } from "@firmseal/release";
import { identityOf, PRODUCT_FILE, type ReleaseFolder, readEnvelopeFile } from "@firmseal/release/internal";
import { decodeEnvelope, refusalOf, TEMPLATE_NAME } from "@firmseal/verifier/tools";
import { InvalidArgumentError } from "commander";
import { commandArgument, define, option } from "../../command.js";
import { numberOrVersion, productFile, wholeNumber } from "../../common/options.js";
import { eachBoard, missingBoards, onlyBoard, productFor, shownFolder } from "../../common/release/folder-boards.js";
import { BOARDS, boardLines, missingLines } from "../../common/release/folder-words.js";
import { onDemand } from "../../common/release/on-demand.js";
import { namedLines, namedRelease, namesOfProduct, productHere } from "../../common/release/product-names.js";
import { BEHAVIOURS, membersOf, NAMES_SHAPE, NUMBER, optional } from "../../common/shapes.js";
import { numberWords, versionFacts } from "../../common/words.js";

interface ExplainOptions {
  product?: string;
  board?: string;
  vendor?: string;
  class?: string;
  slot?: number;
  installed?: bigint | string;
  refusal?: ReportedRefusal;
  json?: boolean;
}

/** The devices that the options name: those of a board of the product file, or one. */
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

/** A refusal as a device reports it: its number, and the byte if the device says which. */
function refusalNumber(text: string): ReportedRefusal {
  const [, code, at] = /^(\d{1,3})(?:@(-1|\d{1,9}))?$/.exec(text) ?? [];
  if (code === undefined) throw new InvalidArgumentError("give what the device reports: a number, or NUMBER@BYTE such as 130@45");
  if (!refusalOf(Number(code))) throw new InvalidArgumentError(`no refusal has the number ${code}: see docs/reference/errors.md`);
  return { code: Number(code), ...(at !== undefined && at !== "-1" && { at: Number(at) }) };
}

/** The options that --refusal has no use for. */
const DEVICE_OPTIONS = ["product", "board", "vendor", "class", "slot", "installed"] as const;

/** Explains a refusal that a device has reported for this file. */
function refusedFile(path: string, o: ExplainOptions, refusal: ReportedRefusal): { verified: false; refusal: ExplainedRefusal } {
  const others = DEVICE_OPTIONS.filter((name) => o[name] !== undefined).map((name) => `--${name}`);
  if (others.length > 0) throw usage(`--refusal explains a number, not a device: ${others.join(", ")}`, `drop ${others.join(", ")}`);
  const envelope = readEnvelopeFile(path);
  if (refusal.at !== undefined && refusal.at > envelope.length)
    throw usage(
      `byte ${refusal.at} is beyond the end of ${path}, which has ${byteWords(envelope.length)}`,
      "give the file that was sent to the device",
    );
  return { verified: false, refusal: explainRefusal(envelope, refusal) };
}

const otherWords = ({ code, at }: ReportedRefusal) =>
  `Do not send it again: a device refuses this file too, with ${code}${at === undefined ? "" : `@${at}`}`;

/** What a bundle without a part does. Only `uri` is a matter of the file, and not of the trust policy. */
const withoutWords = (part: string) =>
  `a micro bundle made --without ${part} refuses ${part === "uri" ? "this file there" : "a trust policy that needs this part"}`;

/** The lines of an explained refusal. */
function refusalLines({ code, name, meaning, advice, at, byte, element, template, without, same, other }: ExplainedRefusal): string[] {
  const where = byte === undefined ? "  byte: the file ends before it" : `  byte: ${byte}${element ? `, in ${element.join(" > ")}` : ""}`;
  return [
    `${code}${at === undefined ? "" : `, at byte ${at}`}: ${meaning} (${name})`,
    ...(at === undefined ? [] : [where]),
    ...(template === undefined ? [] : [`  ${TEMPLATE_NAME} has there: ${template}`]),
    ...(without ?? []).map((part) => `  ${withoutWords(part)}; one with all parts does not`),
    ...(same === true ? ["  this file has this fault: a device refuses it again"] : []),
    ...(same === false
      ? [`  this file does not have this fault: the device got other bytes. ${other ? otherWords(other) : "Send it again"}`]
      : []),
    ...(same === false ? [] : [`  what to do: ${advice}`]),
  ];
}

type Installed = ReturnType<typeof namedRelease>;

/** What the devices that are asked for do with one envelope. */
async function explainOne(envelope: Uint8Array, devices: ForDevice, { slot }: ExplainOptions, installed: Installed | undefined) {
  const found = await explain(envelope, {
    ...devices,
    ...(slot !== undefined && { slot }),
    ...(installed && { installed: BigInt(installed.sequence) }),
  });
  return { ...versionFacts(decodeEnvelope(envelope)), ...found };
}

/** Refuses options that name a device which the release is not for. */
function notForDevice(path: string, o: ExplainOptions): Failure {
  const chosen = (["board", "vendor", "class", "slot"] as const).filter((name) => o[name] !== undefined).map((name) => `--${name}`);
  return usage(`${path} is not for this device`, `drop ${chosen.join(", ")} to see which devices the release is for`);
}

/** Describes what devices will do with a release. Signatures are not verified. */
async function explainRelease(path: string, o: ExplainOptions) {
  const folder = await shownFolder(path, o.board);
  if (folder) return explainFolder(folder, o);
  if (o.refusal) return refusedFile(path, o, o.refusal);
  const file = o.product ?? (o.board === undefined ? undefined : PRODUCT_FILE);
  const product = await productHere(file, o.json === true);
  const devices = await devicesOf(product, o);
  const installed = o.installed === undefined ? undefined : namedRelease("--installed", product, o.installed);
  const found = await explainOne(readEnvelopeFile(path), devices, o, installed);
  if (found.behaviours.length === 0) throw notForDevice(path, o);
  return { verified: false, ...found, ...(installed && { installed }), ...(await namesOfProduct(product)) };
}

/** Describes every board of a release, or the board of --board. */
async function explainFolder(folder: ReleaseFolder, { board, ...o }: ExplainOptions) {
  if (o.refusal) return refusedFile(onlyBoard(folder).path, o, o.refusal);
  const product = await productFor(folder, o);
  const devices = await devicesOf(undefined, o);
  const installed = o.installed === undefined ? undefined : namedRelease("--installed", product, o.installed);
  const boards = await eachBoard(folder, async ({ envelope }) => {
    const found = await explainOne(envelope, devices, o, installed);
    return found.behaviours.length === 0 ? undefined : found;
  });
  if (boards.length === 0) throw notForDevice(folder.path, o);
  const { version, sequence } = folder.record;
  return {
    ...{ verified: false, version, sequence, boards, missing: missingBoards(folder) },
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
  arguments: [commandArgument("<envelope>", "envelope, - for stdin, or the folder of a release")],
  options: () => [
    productFile(),
    option("--board <name>", "only the devices of this board of the product file; for a folder, only this board of the release"),
    option("--vendor <vendor>", "only this device: domain of the vendor, or vendor UUID"),
    option("--class <class>", "only this device: name of the device class, or class UUID"),
    option("--slot <n>", "only a device that installs in this slot", { parse: wholeNumber }),
    option("--installed <release>", "only a device on which this release is installed: version or sequence number", {
      parse: numberOrVersion,
    }),
    option("--refusal <number>", "not a device, but a refusal that one has reported for this file: its number, or NUMBER@BYTE", {
      parse: refusalNumber,
    }),
  ],
  examples: [
    ["firmseal explain dist/1.4.2 --board gateway", "one board of a release, for every kind of its devices"],
    ["firmseal explain fw.suit --vendor example.com --class board-v2 --slot 1 --installed 1.4.1", "one of them, which has version 1.4.1"],
    ["firmseal explain fw.suit --refusal 130@45", "why a device has refused this file with 130 at byte 45"],
  ],
  json: {
    verified: ["boolean", "false: signatures are not verified"],
    "refusal?": ["object", "with --refusal, and then nothing else: the refusal"],
    ...membersOf("refusal?", {
      code: ["number", "its number"],
      name: ["string", "its name"],
      meaning: ["string", "what it means"],
      advice: ["string", "what to do about it"],
      "at?": ["number", "offset of the byte: as reported, or where this file has the same fault"],
      "byte?": ["string", "the byte of the file there, hex; missing if the file ends before"],
      "element?": ["string[]", "the element with this byte, from the outside; missing if the file is not CBOR"],
      "template?": ["string", "with 130: what the template has there"],
      "without?": ["string[]", "parts of a micro verifier: a bundle made --without one of them refuses so, and one with all does not"],
      "other?": ["object", "if it does not have the fault: the refusal that this file has all the same"],
      ...membersOf("other?", { code: ["number", "its number"], "at?": ["number", "offset of the byte"] }),
      "same?": ["boolean", "whether this file has the fault; false: the device got other bytes; missing if it depends on the device"],
    }),
    ...optional({
      ...NUMBER,
      components: ["object[]", "component identifiers: hex of each part"],
      behaviours: ["object[]", "what devices do; devices that behave alike share an entry"],
      ...membersOf("behaviours[]", BEHAVIOURS),
      others: ["number", "combinations of identifiers that the release is not for"],
    }),
    "installed?": ["object", "with --installed: the release on the device"],
    ...membersOf("installed?", NUMBER),
    ...BOARDS,
    ...NAMES_SHAPE,
  },
  run: explainRelease,
  words: (f, path) => {
    if ("refusal" in f) return [{ lines: refusalLines(f.refusal) }];
    const head = `${path}: ${numberWords(f)} (signatures not verified)`;
    const lines =
      "boards" in f
        ? [head, ...missingLines(f.missing), ...installedLines(f), ...boardLines(f.boards, explainedLines)]
        : [head, ...installedLines(f), ...explainedLines(f)];
    return [{ lines: namedLines(lines, f.names) }];
  },
});
