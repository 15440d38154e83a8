import { IMAGE_FORMATS } from "@firmseal/images";
import { keyFacts, publicKeys, type Receipt, refuseTestKeys, type SigningKey, signingLogPath, withSigners } from "@firmseal/keys";
import {
  byteWords,
  keyWords,
  type PassphraseOptions,
  passphraseOptions,
  STDIO,
  shellWord,
  usage,
  warnOfLonePartner,
} from "@firmseal/keys/internal";
import {
  type BridgeOptions as Bridging,
  type CohortResult,
  type Product,
  readTrustMove,
  type TrustMove,
  unsignedBridge,
} from "@firmseal/release";
import {
  type Board,
  boardFinderOf,
  boardToBridge,
  bridgedBoard,
  identityOf,
  type NeededSignatures,
  outsideUris,
  productLog,
  refuseMissingKeys,
  refuseUnapprovable,
  rotatedTrust,
  signBridge,
  signingKeys,
} from "@firmseal/release/internal";
import type { EnvelopeDraft, PublicKey } from "@firmseal/signer";
import type { Manifest } from "@firmseal/verifier";
import { formatSequence } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import {
  allowRootKey,
  allowStranded,
  allowTestKey,
  imageInputOptions as imageOptions,
  keys as keyOption,
  missingOption,
  passphrases,
  productFile,
  replace,
  sequenceChecks,
} from "../../common/options.js";
import { checkLog, checkOutput, checkRelease, deliver, deliverOver, judgeRelease, writeOut, writeSigned } from "../../common/output.js";
import { cohortFacts, refuseStranded, warnOfRest } from "../../common/release/cohorts.js";
import { productAsked } from "../../common/release/product-names.js";
import { COHORTS, KEY, membersOf, NUMBER, OUT, optional, PAYLOADS, RECEIPTS } from "../../common/shapes.js";
import { numberWords, outsideWords, receiptWords, versionIfAny } from "../../common/words.js";

interface RotateBridgeOptions extends PassphraseOptions, Omit<Bridging, "trust" | "nextTrust" | "product" | "board"> {
  trust?: string;
  nextTrust?: string;
  product?: string;
  board?: string;
  key?: string[];
  signer?: string[];
  allowStranded?: string[];
  allowTestKey?: string[];
  replace?: boolean;
  json?: boolean;
}

/** What is needed of a bridge, from the options or from the product file. */
type Meant = Omit<RotateBridgeOptions, "product" | "board"> & Pick<Bridging, "trust" | "nextTrust" | "product" | "board">;

/** What the product file answers, as the commands for a board of it do. */
const ANSWERED = { uri: "--uri", imageOut: "--image-out" } as const;

/** The board of --board, of --vendor and --class, or the only one. */
function boardMeant(product: Product, o: RotateBridgeOptions): { board: Board; class?: string } {
  if (o.vendor === undefined && o.class === undefined) return { board: boardToBridge(product, o.board) };
  const { vendor = product.vendor, class: name } = o;
  const names = product.boards.map((one) => one.name);
  const other = (what: string) =>
    usage(
      `${what}: ${product.path} has no such board of ${product.name} by ${product.vendor}`,
      `drop it, and name one of its boards: --board ${names[0]}`,
    );
  const id = name === undefined ? undefined : identityOf(vendor, name);
  const found = id
    ? boardFinderOf(product)({ vendor: [id.vendor], class: [id.class] })
    : identityOf(vendor, "any").vendor.join() === identityOf(product.vendor, "any").vendor.join()
      ? { board: boardToBridge(product, o.board) }
      : undefined;
  const given = [...(o.vendor === undefined ? [] : [`--vendor ${o.vendor}`]), ...(name === undefined ? [] : [`--class ${name}`])].join(" ");
  if (!found) throw other(given);
  if (o.board !== undefined && found.board.name !== o.board)
    throw usage(`${given}: that is board ${found.board.name}, not ${o.board}`, "drop it, or drop --board");
  return found;
}

/** The bridge that is meant. With a product file, its boards, trust files, keys and releases stand for options. */
async function meant(image: string | undefined, o: RotateBridgeOptions): Promise<Meant> {
  const product = await productAsked(o.product);
  const { product: _p, board: name, ...rest } = o;
  // a file that is only here may belong to something else
  const isOther = name === undefined && o.product === undefined && o.vendor !== undefined && o.class !== undefined;
  if (!product || isOther) {
    if (name !== undefined) throw usage("--board is for a product file, and none is here", "name it: --product FILE");
    if (o.trust === undefined) throw missingOption("--trust <file>");
    if (o.nextTrust === undefined) throw missingOption("--next-trust <file>");
    return { ...rest, trust: o.trust, nextTrust: o.nextTrust, product };
  }
  for (const [member, flag] of Object.entries(ANSWERED))
    if (o[member as keyof typeof ANSWERED] !== undefined)
      throw usage(`${flag}: the product file says where images are`, "drop it, or work in a folder without a product file");
  const { source } = product.sequence;
  if (typeof o.seq === "bigint" && source !== "given")
    throw usage(
      `--seq: the sequence numbers of ${product.name} come from ${source}`,
      "drop it: the next number is above releases and floors",
    );
  if (o.signer === undefined && (o.key !== undefined || product.keys.release.length > 0))
    refuseUnapprovable(product, "--signer PUB makes it without a signature; then firmseal approve, and firmseal sign with --approver PUB");
  const { board, class: only } = boardMeant(product, o);
  const trust = await rotatedTrust(product, o.trust, false);
  const nextTrust = o.nextTrust ?? product.trust.carry;
  if (nextTrust === undefined)
    throw usage("--next-trust is missing", `name the trust file that devices get, or say it in ${product.path}: [trust] carry`);
  const isSigned = o.key === undefined && o.signer === undefined && product.keys.release.length > 0;
  if (isSigned) refuseMissingKeys(product, "release");
  const { vendor: _v, class: _c, ...others } = rest;
  return {
    ...{ ...others, trust, nextTrust, product, seq: o.seq ?? "next" },
    board: await bridgedBoard(product, board, image, only),
    ...(isSigned && { key: [...signingKeys(product, "release")] }),
  };
}

function checkOutputs(image: string | undefined, o: Meant, signingKeys: readonly SigningKey[]): void {
  const own = signingKeys.flatMap((key) => key.file ?? []);
  const inputs = [o.trust, o.nextTrust, ...[image, o.fleet].filter((path) => path !== undefined), ...own];
  if (o.log !== undefined) checkLog(o.log, inputs);
  const files = [...inputs, ...signingKeys.map((key) => signingLogPath(key, o.log))];
  checkOutput(o.out, "--out", files, "envelope");
  if (o.imageOut === STDIO && (o.json || o.out === STDIO))
    throw usage("--image-out -: stdout is already used", "name a file for the image");
  if (o.imageOut !== undefined) checkOutput(o.imageOut, "--image-out", [...files, o.out]);
  warnOfLonePartner(own);
}

/**
 * Makes a bridge, and signs it if a key is given. It is checked under both trust files, and offered to the fleet,
 * before any key signs.
 */
async function bridge(image: string | undefined, given: RotateBridgeOptions) {
  const asked = await meant(image, given);
  const log = asked.key && (await productLog(asked.product, asked.log));
  const o = log === undefined ? asked : { ...asked, log };
  if (o.allowStranded && o.fleet === undefined) throw usage("--allow-stranded needs a fleet", "name its file: --fleet fleet.json");
  if (o.key && o.signer) throw usage("--key and --signer are both given", "--signer is for a bridge that is signed elsewhere: drop one");
  if (!o.key && o.log !== undefined) throw usage("--log: no key signs", "give --key, or drop --log");
  const judge = (results: readonly CohortResult[]) => {
    warnOfRest(results);
    refuseStranded(results, o.allowStranded ?? []);
  };
  const admit = (draft: EnvelopeDraft) => checkRelease(o.out, draft.bytes, o.replace);
  const move = () => readTrustMove(image, { ...o, judge, admit });
  if (!o.key) {
    checkOutputs(image, o, []);
    const signers = o.signer && (await publicKeys(o.signer, passphraseOptions(o)));
    refuseTestKeys(signers ?? [], o.allowTestKey ?? []);
    const made = await move();
    const { draft, ...rest } = await unsignedBridge(made, signers);
    return bridgeFacts(made, o, { bytes: draft.bytes, receipts: [], ...rest }, []);
  }
  const made = await move();
  return withSigners(o.key, passphraseOptions(o), async (signingKeys) => {
    const keys = signingKeys.map((key) => key.public);
    checkOutputs(image, o, signingKeys);
    refuseTestKeys(keys, o.allowTestKey ?? []);
    return bridgeFacts(made, o, { ...(await signBridge(made, signingKeys)), needed: [] }, keys);
  });
}

interface Made {
  bytes: Uint8Array;
  manifest: Manifest;
  receipts: readonly Receipt[];
  needed: readonly NeededSignatures[];
  results: readonly CohortResult[] | undefined;
}

async function bridgeFacts(
  { old, next, prepared }: TrustMove,
  o: Meant,
  { bytes, manifest, receipts, needed, results }: Made,
  keys: PublicKey[],
) {
  const isUnsigned = keys.length === 0;
  const writeImage = () => {
    if (o.imageOut !== undefined && prepared.forFile) writeOut(o.imageOut, prepared.forFile);
  };
  const write = () => {
    writeImage();
    // an unsigned one never replaces a bridge that has signatures
    return deliver(o.out, bytes, o.json, { fresh: o.out !== STDIO });
  };
  const over = () => {
    judgeRelease(o.out, bytes, o)();
    writeImage();
  };
  const member = isUnsigned ? write() : await writeSigned(formatSequence(manifest.sequence), () => deliverOver(o.out, bytes, o.json, over));
  return {
    out: o.out,
    bytes: bytes.length,
    ...(o.board && { board: o.board.name }),
    ...versionIfAny(bytes),
    sequence: formatSequence(manifest.sequence),
    trust: { before: formatSequence(old.store.sequence), after: formatSequence(next.store.sequence) },
    signers: keys.map(keyFacts),
    needed: needed.map((one) => ({ trust: one.list.path, threshold: one.threshold, keys: one.keys.map(keyFacts) })),
    log: receipts,
    payloads: { inside: manifest.payloads.map((p) => p.uri), outside: outsideUris(manifest) },
    ...(results && cohortFacts(results, o.allowStranded ?? [])),
    ...member,
  };
}

export default define({
  name: "rotate bridge",
  summary: "make or sign a release that moves devices to the next trust file",
  arguments: [commandArgument("[image]", `image (${IMAGE_FORMATS.join(", ")}), or - for stdin; devices that have it do not fetch it`)],
  options: () => [
    productFile(),
    option(
      "--board <name>",
      "board of the product file, which gives vendor, class, trust files and keys; its last release gives the image",
    ),
    option("--trust <file>", "trust file that the devices have (default: that of the product file)"),
    option("--next-trust <file>", "trust file that the devices get (default: what releases of the product file carry)"),
    keyOption("private release key (default: those of the product file; without one, the bridge is not signed)", false),
    option("--signer <key>", "without --key: public key that will sign (default: every release key of both trust files)", { repeat: true }),
    ...passphrases(),
    option("-o, --out <file>", "output file, or - for stdout", { required: true }),
    replace(),
    ...imageOptions(),
    option("--fleet <file>", "the devices in the field: refuse to leave any behind; --seq next stays above their floors"),
    allowStranded(),
    ...sequenceChecks(),
    allowRootKey(),
    allowTestKey(),
  ],
  examples: [
    [
      "firmseal rotate bridge --board puck --next-trust fleet-2.trust --fleet fleet.json --out bridge.suit",
      "for a board of the product file here, with the image of its last release",
    ],
    [
      "firmseal rotate bridge --trust fleet-1.trust --next-trust fleet-2.trust --key old.pem --key new.pem --vendor example.com --class board-v2 --seq 8 --fleet fleet.json --out bridge.suit",
      "without an image; shows what happens to the fleet",
    ],
    [
      "firmseal rotate bridge fw.bin --trust fleet-1.trust --next-trust fleet-2.trust --vendor example.com --class board-v2 --seq next --fleet fleet.json --out bridge.suit",
      "not signed yet: for keys in different places",
    ],
  ],
  json: {
    ...OUT,
    "board?": ["string", "with a product file: the board"],
    ...NUMBER,
    trust: ["object", "sequence numbers of the trust files"],
    ...membersOf("trust", { before: ["string", "the one that devices have"], after: ["string", "the one that they get"] }),
    signers: ["object[]", "keys that signed"],
    ...membersOf("signers[]", KEY),
    needed: ["object[]", "without --key: the signatures that each trust file needs"],
    ...membersOf("needed[]", {
      trust: ["string", "the trust file"],
      threshold: ["number", "number of its keys that must sign"],
      keys: ["object[]", "its release keys that count for this bridge"],
      ...membersOf("keys[]", KEY),
    }),
    ...RECEIPTS,
    ...PAYLOADS,
    ...optional(COHORTS),
  },
  run: bridge,
  words: ({ trust, needed, ...f }) => [
    needed.length > 0
      ? `${f.out}: ${f.board === undefined ? "" : `board ${f.board}, `}${numberWords(f)}, with trust file ${trust.after}, ${byteWords(f.bytes)}, not signed`
      : `${f.out}: ${f.board === undefined ? "" : `board ${f.board}, `}${numberWords(f)}, with trust file ${trust.after}, ${byteWords(f.bytes)}, good under it${trust.before === trust.after ? "" : ` and under ${trust.before}`}`,
    ...needed.map((one) => `${one.trust}: ${one.threshold} of these must sign: ${one.keys.map(keyWords).join(", ")}`),
    ...(needed.length > 0
      ? [
          `next, each key signs, wherever it is: firmseal sign ${shellWord(f.out)} --key KEY${needed.map((one) => ` --trust ${shellWord(one.trust)}`).join("")}`,
        ]
      : []),
    ...receiptWords(f.log),
    ...outsideWords(f.payloads.outside),
  ],
});
