import type { SequenceOverrides, SigningKey } from "@firmseal/keys";
import {
  keyFacts,
  keyWords,
  notice,
  type PassphraseOptions,
  passphraseOptions,
  refuseTestKeys,
  signingLogPath,
  usage,
  warnOfLonePartner,
  withSigners,
} from "@firmseal/keys";
import type { TrustOnFile } from "@firmseal/release";
import {
  type ApprovalOptions,
  type CoverOptions,
  checkDraftForMicro,
  checkForMicro,
  coveringTrustFiles,
  type InputOptions,
  makeDraft,
  outsideUris,
  type ReleaseInput,
  readApprovals,
  readInput,
  recordSigning,
  reviewSigned,
} from "@firmseal/release";
import { type EnvelopeDraft, signedBy } from "@firmseal/signer";
import { formatSequence } from "@firmseal/verifier/tools";
import { commandArgument, define, option } from "../../command.js";
import {
  allowTestKey,
  approvals,
  coverage,
  forVerifier,
  imageInputOptions,
  keys as keyOption,
  passphrases,
  replace,
  sequenceChecks,
  target,
} from "../../common/options.js";
import { checkOutput, checkRelease, deliver, outputName, writeOut, writeSigned } from "../../common/output.js";
import { ADVICE, KEY, membersOf, OUT, PAYLOADS, RECEIPTS } from "../../common/shapes.js";
import { adviceFor } from "../../common/target.js";
import { outsideWords, receiptWords } from "../../common/words.js";

export interface SignOptions extends PassphraseOptions, InputOptions, SequenceOverrides, CoverOptions, ApprovalOptions {
  /** Another place for the signing log. */
  log?: string;
  key: string[];
  out?: string;
  replace?: boolean;
  allowTestKey?: string[];
  target?: string;
  for?: "micro";
  json?: boolean;
}

/** Signs an image, a description or an envelope. The output is opened with the public keys before the file appears. */
export async function signInput(path: string, o: SignOptions) {
  const input = await readInput(path, o);
  const out = o.out ?? (input.kind === "envelope" ? path : outputName(path));
  const lists = coveringTrustFiles(o);
  return withSigners(o.key, passphraseOptions(o), (keys) => signWith(keys, input, out, o, lists));
}

/** What refuses a release that a kind of verifier does not accept, before anything is logged or signed. */
const judgeFor = (verifier: "micro" | undefined, keys: number) =>
  verifier && { judge: (draft: EnvelopeDraft) => checkDraftForMicro(draft, keys) };

async function signWith(signingKeys: readonly SigningKey[], input: ReleaseInput, out: string, o: SignOptions, lists: TrustOnFile[]) {
  const keys = signingKeys.map((key) => key.public);
  const own = signingKeys.flatMap((key) => key.file ?? []);
  const given = lists.map((list) => list.path);
  const files = [...own, ...given, ...signingKeys.map((key) => signingLogPath(key, o.log))];
  if (o.log !== undefined) checkOutput(o.log, "--log", [input.path, ...own, ...given], false);
  checkOutput(out, "--out", input.kind === "envelope" ? files : [input.path, ...files], true);
  if (o.imageOut === "-" && (o.json || out === "-")) throw usage("--image-out -: stdout is used already", "name a file for the image");
  if (o.imageOut !== undefined) checkOutput(o.imageOut, "--image-out", [input.path, out, ...files], false);
  refuseTestKeys(keys, o.allowTestKey ?? []);
  warnOfLonePartner(own);
  const algs = keys.map((k) => k.alg);
  const advice = adviceFor(o.target, algs);

  const approved = await readApprovals(o);
  const made = await makeDraft(input, o);
  // logged before any key signs: an entry without a signature does no harm, a signature without an entry does
  const signingOptions = {
    ...o,
    lists,
    approvals: approved,
    ...judgeFor(o.for, keys.length),
    // an envelope gets its signature in place
    admit: (draft: EnvelopeDraft) => (input.kind === "envelope" ? undefined : checkRelease(out, draft.bytes, o.replace)),
  };
  const { draft, receipts } = await recordSigning("sign", signingKeys, signingOptions, made.draft);
  const signing = signingKeys.map((key) => key.signer);
  const done = await signedBy(draft, signing);
  const manifest = await reviewSigned(done, signing);
  const signed = done.bytes;
  if (o.for) checkForMicro(signed);
  const outside = outsideUris(manifest);
  if (made.read !== undefined) notice(made.read);
  const sequence = formatSequence(manifest.sequence);
  const member = writeSigned(sequence, () => {
    if (o.imageOut !== undefined && made.forFile) writeOut(o.imageOut, made.forFile);
    return deliver(out, signed, o.json);
  });
  return {
    out,
    bytes: signed.length,
    sequence,
    signers: keys.map(keyFacts),
    log: receipts,
    payloads: { inside: manifest.payloads.map((p) => p.uri), outside },
    ...(advice && { target: advice }),
    ...member,
  };
}

export default define({
  name: "sign",
  summary: "sign an image, a description or an envelope",
  arguments: [commandArgument("<input>", "image (raw, Intel HEX, UF2, ELF), description or envelope; - for stdin")],
  options: () => [
    keyOption("private key"),
    ...passphrases(),
    option(
      "-o, --out <file>",
      "output file, or - for stdout (default: the input's name with .suit, beside it; an envelope is signed in place)",
    ),
    replace(),
    ...imageInputOptions(),
    ...coverage(),
    ...sequenceChecks(),
    ...approvals(),
    allowTestKey(),
    target(),
    forVerifier(),
  ],
  examples: [
    ["firmseal sign fw.bin --key release.pem --vendor example.com --class board-v2 --seq next", "fw.suit, from an image"],
    ["firmseal sign release.json --key release.pem --out fw.suit", "from a description"],
    ["firmseal sign fw.suit --key 'pkcs11:token=release;object=fw'", "a second signature, with a key in a token"],
  ],
  json: {
    ...OUT,
    sequence: ["string", "sequence number"],
    signers: ["object[]", "keys that signed now"],
    ...membersOf("signers[]", KEY),
    ...RECEIPTS,
    ...PAYLOADS,
    ...ADVICE,
  },
  run: signInput,
  words: (f) => [
    `${f.out}: sequence number ${f.sequence}, ${f.bytes} bytes, signed by ${f.signers.map(keyWords).join(", ")}`,
    ...receiptWords(f.log),
    ...(f.target?.advice ? [f.target.advice] : []),
    ...outsideWords(f.payloads.outside),
  ],
});
