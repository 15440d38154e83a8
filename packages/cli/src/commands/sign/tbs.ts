// Detached signing, first half: the bytes for a key on another machine, in a file. attach.ts takes the signature.

import { basename, dirname, extname, join, resolve } from "node:path";
import { RECORD } from "@firmseal/behaviour";
import { IMAGE_FORMATS } from "@firmseal/images";
import { keyFacts, publicKeys, refuseTestKeys } from "@firmseal/keys";
import {
  byteWords,
  inputName,
  isFile,
  isFolder,
  keyWords,
  notice,
  type PassphraseOptions,
  passphraseOptions,
  readFirstBytes,
  refuseMissing,
  STDIO,
  sha256Hex,
  someOf,
  usage,
} from "@firmseal/keys/internal";
import {
  type ApprovalOptions,
  type ConsumerName,
  coveringTrustFiles,
  type ElsewhereOptions,
  formatDigest,
  type InputOptions,
  makeDraft,
  manifestParameters,
  openWithTrialKey,
  outsideUris,
  type RefusalOverrides,
  type ReleaseInput,
  readApprovals,
  readInput,
  refuseKeys,
  warnBeforeSigning,
} from "@firmseal/release/internal";
import { type PublicKey, signedWith } from "@firmseal/signer";
import type { Manifest } from "@firmseal/verifier";
import { formatSequence, PARAM_CLASS_IDENTIFIER, PARAM_VENDOR_IDENTIFIER } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import { withLogHere } from "../../common/log.js";
import {
  allowTestKey,
  approvals,
  coseAlgOption,
  coverage,
  forVerifier,
  imageInputOptions,
  keys as keyOption,
  passphrases,
  productFile,
  refusalOverrides,
  releaseVersion,
  replace,
  sequenceChecks,
} from "../../common/options.js";
import { checkOutput, checkRelease, deliver, deliverOver, inJson, judgeRelease, outputName, writeOut } from "../../common/output.js";
import { consumerRecipe, namedAlgs } from "../../common/release/consumer.js";
import { onDemand } from "../../common/release/on-demand.js";
import { isReleaseFolder, type OfEnvelope } from "../../common/release/signatures.js";
import { DIGEST_SHAPE, KEY, membersOf, NUMBER, PAYLOADS } from "../../common/shapes.js";
import { numberWords, versionFacts } from "../../common/words.js";

interface TbsOptions extends PassphraseOptions, InputOptions, ElsewhereOptions, ApprovalOptions, RefusalOverrides {
  key: string[];
  out?: string;
  envelopeOut?: string;
  replace?: boolean;
  allowTestKey?: string[];
  product?: string;
  for?: ConsumerName;
  coseAlg?: string[];
  json?: boolean;
}

interface ToSign {
  key: PublicKey;
  out: string;
  bytes: Uint8Array;
}

/** Every Sig_structure here begins with an array of four and "Signature1" (RFC 9052 §4.4). */
const SIG_STRUCTURE = Buffer.from("\x84\x6aSignature1", "latin1");

/** Only a Sig_structure is replaced: a mistyped name must not cost a key. */
function checkTbsOutput(path: string, others: readonly string[]): void {
  checkOutput(path, "--out", others);
  if (path === STDIO || !isFile(path)) return;
  if (!SIG_STRUCTURE.equals(readFirstBytes(path, SIG_STRUCTURE.length)))
    throw usage(`--out ${path} exists and is not the output of firmseal tbs`, "choose another name, or move the file away");
}

/** Where the bytes for each key go: the file of --out, or files in its folder, named after the envelope and the key. */
function outputs(keys: readonly PublicKey[], envelope: string, out: string | undefined): string[] {
  const intoFolder = out === undefined || (out !== STDIO && isFolder(out));
  if (!intoFolder && keys.length > 1)
    throw usage(`--out ${out} is not a folder, and each of ${keys.length} keys signs its own bytes`, "name an existing folder");
  if (!intoFolder) return [out];
  const stem = basename(inputName(envelope), extname(envelope));
  return keys.map((key) => join(out ?? dirname(envelope), `${stem}.${keyFacts(key).thumbprint.slice(0, 16)}.tbs`));
}

/** The name of the envelope that the signatures belong to. If tbs makes it, it must be kept. */
function envelopeName({ path, kind }: ReleaseInput, given: string | undefined): string {
  if (kind === "envelope") {
    if (given !== undefined) throw usage("--envelope-out is for an image or a description", "drop it: attach takes the envelope as it is");
    return path;
  }
  if (given === STDIO || (given === undefined && path === STDIO))
    throw usage("attach needs the envelope again, and it has no name", "name a file for it: --envelope-out FILE.suit");
  return given ?? outputName(path);
}

/** Identifiers that the manifest requires of devices, as text. */
function requiredIdentifiers(m: Manifest, code: number): string[] {
  const values = manifestParameters(m).filter((p) => p.code === code);
  return [...new Set(values.map((p) => (typeof p.value === "string" ? p.value : Buffer.from(p.raw).toString("hex"))))];
}

/** Writes for each key the bytes that it has to sign, and says what they mean. */
async function writeTbs(path: string, o: TbsOptions) {
  refuseMissing(path);
  if (isReleaseFolder(path)) return writeFolderTbs(path, o);
  if (o.product !== undefined) throw usage("--product is for the folder of a release", "drop it");
  const input = await readInput(path, o);
  const name = envelopeName(input, o.envelopeOut);
  const given = { lists: coveringTrustFiles(o), approvals: await readApprovals(o) };
  const meant = await withLogHere(o);
  const keys = await publicKeys(o.key, passphraseOptions(o));
  refuseTestKeys(keys, o.allowTestKey ?? []);
  const prints = keys.map((key) => keyFacts(key).thumbprint);
  if (new Set(prints).size < keys.length) throw usage("a key is given twice", "each key signs an envelope once");
  const outs = outputs(keys, name, o.out);
  const isMade = input.kind !== "envelope";
  if (isMade) checkOutput(name, "--envelope-out", [path], "envelope");
  if (o.imageOut === STDIO && (o.json || outs[0] === STDIO))
    throw usage("--image-out -: stdout is already used", "name a file for the image");
  if (o.imageOut !== undefined) checkOutput(o.imageOut, "--image-out", [path, name, ...outs]);
  for (const out of outs) checkTbsOutput(out, isMade ? [path, name] : [path]);

  const algs = await namedAlgs(keys, o);
  const made = await makeDraft(input, o, await consumerRecipe(o));
  // the signing log is where the key is
  const draft = made.draft(() => {
    throw usage("--seq next: the signing log is where the key signs", "give the number: firmseal audit KEY shows the last one there");
  });
  if (isMade) checkRelease(name, draft.bytes, o.replace);
  const manifest = await openWithTrialKey(draft);
  const named = keys.map((key, i) => ({ name: o.key[i] as string, public: key }));
  await refuseKeys(draft, manifest, named, given, meant);
  if (o.for) await (await onDemand()).checkDraftFor(o.for, draft, algs ?? []);
  await warnBeforeSigning(manifest, draft.outline, o);
  const list: ToSign[] = [];
  for (const [i, key] of keys.entries())
    list.push({ key, out: outs[i] as string, bytes: await draft.toBeSigned(signedWith(key, algs?.[i])) });
  if (made.read !== undefined) notice(made.read);
  if (o.imageOut !== undefined && made.forFile) writeOut(o.imageOut, made.forFile);
  if (isMade) await deliverOver(name, draft.bytes, false, judgeRelease(name, draft.bytes, o));
  for (const { out, bytes } of list) deliver(out, bytes, o.json);
  return { ...tbsFacts(name, manifest, list, o.json === true), ...versionFacts(draft.outline) };
}

/** Like writeTbs(), for all boards of a release: for each key a file for each board, and one for the record. */
async function writeFolderTbs(folder: string, { json, out = ".", ...o }: TbsOptions) {
  const { messagesFor, refuseForFolder } = await import("../../common/release/sign-folder.js");
  refuseForFolder(folder, o);
  if (resolve(out) === resolve(folder)) throw usage(`--out ${out} is the release itself`, "name another folder");
  if (!isFolder(out)) throw usage(`--out ${out} is not a folder, and each board has bytes of its own`, "name an existing folder");
  const { boards: all, record } = await messagesFor(folder, o as Omit<TbsOptions, OfEnvelope>);
  const rows = [...all, ...record.map((one) => ({ ...one, board: undefined }))].map((one) => ({ ...one, path: join(out, one.file) }));
  for (const { path } of rows) checkTbsOutput(path, []);
  for (const { path, message } of rows) deliver(path, message, json);
  const [first] = all as [(typeof all)[number]];
  const uris = (of: (manifest: Manifest) => string[]) => [...new Set(all.flatMap(({ manifest }) => of(manifest)))];
  const ids = (code: number) => [...new Set(all.flatMap(({ manifest }) => requiredIdentifiers(manifest, code)))];
  return {
    envelope: folder,
    sequence: formatSequence(first.manifest.sequence),
    digest: undefined,
    vendor: ids(PARAM_VENDOR_IDENTIFIER),
    class: ids(PARAM_CLASS_IDENTIFIER),
    payloads: { inside: uris(({ payloads }) => payloads.map((p) => p.uri)), outside: uris(outsideUris) },
    tbs: rows.map(({ path, message, sha256, key, board }) => ({ out: path, bytes: message.length, sha256, ...keyFacts(key), board })),
    ...versionFacts(first.draft.outline),
  };
}

function tbsFacts(envelope: string, manifest: Manifest, list: readonly ToSign[], asJson: boolean) {
  return {
    envelope,
    sequence: formatSequence(manifest.sequence),
    digest: formatDigest(manifest.digest),
    vendor: requiredIdentifiers(manifest, PARAM_VENDOR_IDENTIFIER),
    class: requiredIdentifiers(manifest, PARAM_CLASS_IDENTIFIER),
    payloads: { inside: manifest.payloads.map((p) => p.uri), outside: outsideUris(manifest) },
    tbs: list.map(({ key, out, bytes }) => ({
      out,
      bytes: bytes.length,
      sha256: sha256Hex(bytes),
      ...keyFacts(key),
      ...inJson(out, bytes, asJson),
      board: undefined,
    })),
  };
}

export default define({
  name: "tbs",
  summary: "write the bytes that a key on another machine has to sign",
  arguments: [
    commandArgument("<input>", `image (${IMAGE_FORMATS.join(", ")}), description, envelope, or folder of a release; - for stdin`),
  ],
  options: () => [
    keyOption("public key of the signer"),
    ...passphrases(),
    option(
      "-o, --out <path>",
      "output file, - for stdout, or a folder (default: beside the envelope, named after it and the key; for a release, the current folder)",
    ),
    option(
      "--envelope-out <file>",
      "image or description: file for the unsigned envelope (default: the input's name with .suit, beside it)",
    ),
    replace(),
    productFile(),
    ...imageInputOptions(),
    releaseVersion(),
    ...coverage(),
    ...refusalOverrides(),
    ...sequenceChecks({ entered: false }),
    ...approvals({ entered: false }),
    allowTestKey(),
    forVerifier(),
    coseAlgOption(),
  ],
  examples: [
    ["firmseal tbs fw.bin --key release.jwk --vendor example.com --class board-v2 --seq 7 --out fw.tbs", "fw.suit, and the bytes to sign"],
    ["firmseal tbs dist/1.4.2 --key bob.jwk --out usb", "a file for each board of a release"],
  ],
  json: {
    envelope: ["string", "the envelope that attach needs, or the folder"],
    ...NUMBER,
    "digest?": ["object", "digest of the manifest; not for a folder"],
    ...membersOf("digest?", DIGEST_SHAPE),
    vendor: ["string[]", "vendor identifiers that the manifest requires, hex"],
    class: ["string[]", "class identifiers that the manifest requires, hex"],
    ...PAYLOADS,
    tbs: ["object[]", "what each key has to sign"],
    ...membersOf("tbs[]", {
      out: ["string", "file with the bytes; - for stdout"],
      bytes: ["number", "their length"],
      sha256: ["string", "their SHA-256, hex"],
      ...KEY,
      "board?": ["string", "for the folder of a release: board of the product; without it, they are about the release as a whole"],
      "data?": ["string", "the bytes in base64, if they go to stdout"],
    }),
  },
  run: writeTbs,
  words: (f) => [
    `${f.envelope}: ${numberWords(f)}, vendor ${someOf(f.vendor) || "any"}, class ${someOf(f.class) || "any"}`,
    ...(f.digest ? [`manifest: ${f.digest.algorithm} ${f.digest.hex}`] : []),
    ...f.tbs.map(
      ({ out, bytes, sha256, board, ...key }) =>
        `${out}: ${byteWords(bytes)} for ${keyWords(key)} to sign${f.digest ? "" : `, ${board === undefined ? RECORD : `board ${board}`}`}, sha-256 ${sha256}`,
    ),
  ],
});
