import { IMAGE_FORMATS } from "@firmseal/images";
import type { ClockOverride, SequenceOverrides, SigningKey } from "@firmseal/keys";
import { keyFacts, signingLogPath, withSigners } from "@firmseal/keys";
import {
  byteWords,
  keyWords,
  notice,
  type PassphraseOptions,
  passphraseOptions,
  refuseMissing,
  STDIO,
  usage,
} from "@firmseal/keys/internal";
import type { TrustOnFile } from "@firmseal/release";
import type { ConsumerName, RefusalOverrides } from "@firmseal/release/internal";
import {
  type ApprovalOptions,
  type CoverOptions,
  coveringTrustFiles,
  type InputOptions,
  makeDraft,
  outsideUris,
  PRODUCT_FILE,
  type PreparedInput,
  type ReleaseInput,
  readInput,
  releaseFacts,
  signPrepared,
} from "@firmseal/release/internal";
import { formatSequence } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { withLogHere } from "../../common/log.js";
import {
  allowOutside,
  allowTestKey,
  approvals,
  bootFormats,
  bootImageOptions,
  coseAlgOption,
  coverage,
  forVerifier,
  imageInputOptions,
  keys as keyOption,
  missingOption,
  passphrases,
  productFile,
  refusalOverrides,
  refuseSignatureOptions,
  releaseVersion,
  replace,
  sequenceChecks,
  signatureFormat,
  signatureFormats,
  signatureNamespace,
  target,
} from "../../common/options.js";
import { checkLog, checkOutput, deliverOver, judgeRelease, outputName, writeOut, writeSigned } from "../../common/output.js";
import { consumerFacts, consumerRecipe, consumerWords } from "../../common/release/consumer.js";
import { folderLines, RELEASE_LINT } from "../../common/release/findings.js";
import { onDemand } from "../../common/release/on-demand.js";
import { APPROVAL, isReleaseFolder, type OfEnvelope, recoverRelease, SIGNATURES, signLine } from "../../common/release/signatures.js";
import { ADVICE, CONSUMER, KEY, membersOf, NUMBER, OUT, PAYLOADS, RECEIPTS } from "../../common/shapes.js";
import { adviceFor } from "../../common/target.js";
import { bootWords, numberWords, outsideWords, receiptWords, versionFacts } from "../../common/words.js";

interface SignOptions
  extends PassphraseOptions,
    InputOptions,
    SequenceOverrides,
    ClockOverride,
    CoverOptions,
    ApprovalOptions,
    RefusalOverrides {
  /** Another place for the signing log. */
  log?: string;
  key?: string[];
  product?: string;
  allowOutside?: string[];
  board?: string;
  out?: string;
  replace?: boolean;
  allowTestKey?: string[];
  target?: string;
  for?: ConsumerName;
  coseAlg?: string[];
  format?: string;
  namespace?: string;
  comment?: string;
  trustedComment?: string;
  publicKey?: string;
  json?: boolean;
}

/** Signs for devices, or with --format for another tool. */
async function sign(path: string | undefined, { format, ...o }: SignOptions) {
  if (format !== undefined && bootFormats.includes(format))
    return (await import("../../common/foreign/sign-image.js")).signBootImage(path, { ...o, format });
  if (format !== undefined) return (await import("../../common/foreign/sign-file.js")).signForeign(path, { ...o, format });
  refuseSignatureOptions(o, "name the format: --format NAME");
  return signInput(path, o);
}

/** Signs an image, a description or an envelope. The output is opened with the public keys before the file appears. */
export async function signInput(path: string | undefined, o: SignOptions) {
  if (path !== undefined) {
    await recoverRelease(path);
    refuseMissing(path);
  }
  if (path !== undefined && isReleaseFolder(path)) return signRelease(path, o);
  if (o.board !== undefined || o.product !== undefined) return signBoard(path, o);
  if (path === undefined)
    throw usage("argument 'input' is missing", "name an image, a description or an envelope; or a board: --board NAME");
  if (!o.key) throw missingOption("-k, --key <key>");
  const input = await readInput(path, o);
  // before a person is asked for a passphrase
  if (input.kind === "image") releaseFacts(o);
  const out = o.out ?? (input.kind === "envelope" ? path : outputName(path));
  const lists = coveringTrustFiles(o);
  const recipe = await consumerRecipe(o);
  const meant = await withLogHere(o);
  return withSigners(o.key, passphraseOptions(o), (keys) => signWith(keys, input, out, meant, lists, () => makeDraft(input, o, recipe)));
}

/** Signs all boards of a release. */
async function signRelease(folder: string, { key, json: _, ...o }: SignOptions) {
  if (!key) throw usage("option '-k, --key <key>' is missing", signLine(folder, o.product));
  const { refuseForFolder, signFolder } = await import("../../common/release/sign-folder.js");
  refuseForFolder(folder, o, { out: "--out" });
  const done = await signFolder(folder, { ...(o as Omit<SignOptions, OfEnvelope>), key });
  return { ...done, target: undefined, for: undefined };
}

/** Signs the image of a board of the product file, which says what it is for, and who signs it. */
async function signBoard(path: string | undefined, { seq, ...rest }: SignOptions) {
  const { boardInput, productLog, readProduct, refuseMissingKeys, signingKeys } = await onDemand();
  const product = readProduct(rest.product ?? PRODUCT_FILE, rest.allowOutside);
  const log = await productLog(product, rest.log);
  const {
    board,
    input,
    prepared,
    name,
    lists: own,
  } = await boardInput(product, rest.board, path, {
    ...rest,
    ...(typeof seq === "bigint" && { seq }),
  });
  const lists = rest.trust === undefined ? own : coveringTrustFiles(rest);
  const role = (rest.role ?? "release") as "release";
  if (!rest.key) refuseMissingKeys(product, role);
  const keys = rest.key ?? signingKeys(product, role);
  const meant = {
    ...rest,
    ...(log !== undefined && { log }),
    coseAlg: rest.coseAlg ?? [...board.coseAlg],
    ...(board.for && { for: board.for }),
  };
  return withSigners(keys, passphraseOptions(rest), (all) => signWith(all, input, rest.out ?? name, meant, lists, async () => prepared));
}

async function signWith(
  given: readonly SigningKey[],
  input: ReleaseInput,
  out: string,
  o: SignOptions,
  lists: readonly TrustOnFile[],
  prepare: () => Promise<PreparedInput>,
) {
  const own = given.flatMap((key) => key.file ?? []);
  const listed = lists.map((list) => list.path);
  const files = [...own, ...listed, ...given.map((key) => signingLogPath(key, o.log))];
  if (o.log !== undefined) checkLog(o.log, [input.path, ...own, ...listed]);
  checkOutput(out, "--out", input.kind === "envelope" ? files : [input.path, ...files], "envelope");
  if (o.imageOut === STDIO && (o.json || out === STDIO)) throw usage("--image-out -: stdout is already used", "name a file for the image");
  if (o.imageOut !== undefined) checkOutput(o.imageOut, "--image-out", [input.path, out, ...files]);
  const keys = given.map((key) => key.public);
  const algs = keys.map((k) => k.alg);
  const advice = adviceFor(o.target, algs);
  let read: Uint8Array | undefined;
  const judge = (bytes: Uint8Array) => judgeRelease(out, bytes, o, read && { path: input.path, bytes: read })();
  // without a trust file, the role has chosen the keys of the product file
  const { trust: _, role, ...rest } = o;
  const signed = await signPrepared(prepare, given, {
    ...rest,
    ...(lists.length > 0 && { trust: lists, ...(role && { role }) }),
    admit(unsigned) {
      if (input.kind === "envelope") read = unsigned.bytes;
      judge(unsigned.bytes);
    },
  });
  const { bytes, draft, manifest, receipts, prepared: made } = signed;
  const outside = outsideUris(manifest);
  if (made.read !== undefined) notice(made.read);
  const sequence = formatSequence(manifest.sequence);
  const member = await writeSigned(sequence, () =>
    deliverOver(out, bytes, o.json, () => {
      judge(bytes);
      if (o.imageOut !== undefined && made.forFile) writeOut(o.imageOut, made.forFile);
    }),
  );
  return {
    out,
    bytes: bytes.length,
    sequence,
    ...versionFacts(draft.outline),
    signers: keys.map(keyFacts),
    log: receipts,
    payloads: { inside: manifest.payloads.map((p) => p.uri), outside },
    ...(advice && { target: advice }),
    ...(await consumerFacts(o, keys)),
    ...member,
    signatures: undefined,
    lint: undefined,
    approval: undefined,
  };
}

/** What was signed: "minisign signature", "mcuboot image, version 1.4.2, security counter 7", "sequence number 7". */
function signedWords(f: Awaited<ReturnType<typeof sign>>): string {
  if (!("format" in f)) return numberWords(f);
  if (!bootFormats.includes(f.format)) return `${f.format} signature`;
  return bootWords({ version: undefined, ...f });
}

export default define({
  name: "sign",
  summary: "sign an image, a description, an envelope, or all boards of a release",
  arguments: [
    commandArgument(
      "[input]",
      `image (${IMAGE_FORMATS.join(", ")}), description, envelope, or folder of a release; - for stdin (with --board, default: the image in the product file)`,
    ),
  ],
  options: () => [
    keyOption("private key (with --board: instead of the keys in the product file)", false),
    ...passphrases(),
    option(
      "-o, --out <file>",
      "output file, or - for stdout (default: beside the input, its name with .suit, or with .signed for --format mcuboot and esp32; an envelope is signed in place)",
    ),
    replace(),
    productFile(),
    allowOutside(),
    option("--board <name>", "board of the product file, which gives vendor, class, image, URI and keys"),
    ...imageInputOptions("; with --format mcuboot: the security counter, as high as the last one or higher"),
    releaseVersion(),
    ...coverage(),
    ...sequenceChecks(),
    ...approvals(),
    ...refusalOverrides(),
    allowTestKey(),
    target(),
    forVerifier(),
    coseAlgOption(),
    signatureFormat("sign an image for its boot loader, or write a signature file for another tool, beside the input", [
      ...bootFormats,
      ...signatureFormats,
    ]),
    signatureNamespace("with --format sshsig"),
    option("--comment <text>", "with --format minisign or signify: first line of the file, which is not signed"),
    option("--trusted-comment <text>", "with --format minisign: line that is signed too"),
    option("--public-key <file>", "with --format minisign or signify: published public key, whose key number the signature then has"),
    ...bootImageOptions(),
  ],
  examples: [
    ["firmseal sign fw.bin --key release.pem --vendor example.com --class board-v2 --seq next", "fw.suit, from an image"],
    ["firmseal sign dist/1.4.2 --key bob.pem", "all boards of a release that others have signed, or will"],
    ["firmseal sign fw.suit --key 'pkcs11:token=release;object=fw'", "a second signature, with a key in a token"],
  ],
  json: {
    ...OUT,
    ...NUMBER,
    sequence: ["string|null", "sequence number, or security counter of a boot loader's image; null: the file has none"],
    "format?": ["string", "of a signature file, or of a boot loader's image"],
    signers: ["object[]", "keys that signed now"],
    ...membersOf("signers[]", KEY),
    ...RECEIPTS,
    ...PAYLOADS,
    ...ADVICE,
    ...CONSUMER,
    "signatures?": ["object[]", "for the folder of a release: who has signed each board, and who still has to"],
    ...membersOf("signatures?[]", SIGNATURES),
    "lint?": ["object", "for the folder of a release: what firmseal lint finds"],
    ...membersOf("lint?", RELEASE_LINT),
    "approval?": ["object|null", "for the folder of a release: who has approved it; null if the product file requires nobody"],
    ...membersOf("approval?", APPROVAL),
  },
  run: sign,
  words: (f, _path, o) => [
    `${f.out}: ${signedWords(f)}, ${byteWords(f.bytes)}, signed by ${f.signers.map(keyWords).join(", ")}`,
    ...receiptWords(f.log),
    ...(f.signatures ? folderLines(f.out, f.signatures, f.lint, o.product) : []),
    ...(f.target?.advice ? [f.target.advice] : []),
    ...consumerWords(f.for),
    ...(f.signatures ? [] : outsideWords(f.payloads.outside)),
  ],
});
